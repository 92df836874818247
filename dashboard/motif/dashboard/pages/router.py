"""The script Streamlit runs for every view: navigation, then the chosen page."""

import streamlit as st

from motif.core.errors import MotifError
from motif.dashboard import links, rights
from motif.dashboard.pages import (
    compare,
    composition,
    jobs,
    maps,
    measurement,
    models,
    overview,
    search,
)  # fmt: skip
from motif.dashboard.parts import entrance, frame, newer

st.set_page_config(
    page_title="Motif", page_icon=str(frame.FAVICON), layout="wide",
    initial_sidebar_state="expanded",
)  # fmt: skip
frame.style()

OVERVIEW = st.Page(
    overview.show, title="Overview", icon=":material/home:", url_path="overview", default=True
)
MAP = st.Page(maps.show, title="Map", icon=":material/scatter_plot:", url_path="map")
SEARCH = st.Page(search.show, title="Search", icon=":material/image_search:", url_path="search")
COMPOSITION = st.Page(
    composition.show, title="Composition", icon=":material/change_history:", url_path="composition"
)
COMPARE = st.Page(
    compare.show, title="Compare", icon=":material/compare:", url_path="compare",
    visibility="hidden",
)  # fmt: skip
MODELS = st.Page(models.show, title="Models", icon=":material/hub:", url_path="models")
JOBS = st.Page(jobs.show, title="Jobs", icon=":material/schedule:", url_path="jobs")
MEASUREMENT = st.Page(
    measurement.show, title="Measurement", icon=":material/image:", url_path="measurement",
    visibility="hidden",
)  # fmt: skip

page = st.navigation(
    [OVERVIEW, MAP, SEARCH, COMPOSITION, MODELS, JOBS, MEASUREMENT, COMPARE], position="hidden"
)
links.register(
    {
        "overview": OVERVIEW, "map": MAP, "search": SEARCH, "composition": COMPOSITION,
        "jobs": JOBS, "measurement": MEASUREMENT, "compare": COMPARE,
        "models": MODELS,
    }
)  # fmt: skip
if rights.role() is None:
    entrance.show_entrance()
    st.stop()
frame.navigation(
    {
        "": [OVERVIEW],
        "Explore": [MAP, SEARCH],
        "Analyse": [COMPOSITION, MODELS],
        "Operate": [JOBS],
    }
)
if page not in (OVERVIEW, JOBS, MODELS):  # these tell how things stand now
    newer.show_newer(page.url_path)
try:
    page.run()
except MotifError as error:
    frame.refusal(str(error))
entrance.show_account()
