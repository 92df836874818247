"""The script Streamlit runs for every view: navigation, then the chosen page."""

import streamlit as st

from motif.core.errors import MotifError
from motif.dashboard.auth import permissions, sign_in_panel
from motif.dashboard.components import page_frame
from motif.dashboard.pages import (
    compare_page,  # fmt: skip
    composition_page,
    jobs_page,
    map_page,
    measurement_page,
    models_page,
    overview_page,
    search_page,
)
from motif.dashboard.panels import map_navigation_panel
from motif.dashboard.state import current_view
from motif.dashboard.state.workspace_session import lab

st.set_page_config(
    page_title="Motif", page_icon=str(page_frame.FAVICON), layout="wide",
    initial_sidebar_state="expanded",
)  # fmt: skip
page_frame.style()

OVERVIEW = st.Page(
    overview_page.show, title="Overview", icon=":material/home:", url_path="overview", default=True
)
MAP = st.Page(map_page.show, title="Map", icon=":material/scatter_plot:", url_path="map")
SEARCH = st.Page(
    search_page.show, title="Search", icon=":material/image_search:", url_path="search"
)
COMPOSITION = st.Page(
    composition_page.show,
    title="Composition",
    icon=":material/change_history:",
    url_path="composition",
)
COMPARE = st.Page(
    compare_page.show, title="Compare", icon=":material/compare:", url_path="compare",
    visibility="hidden",
)  # fmt: skip
MODELS = st.Page(models_page.show, title="Models", icon=":material/hub:", url_path="models")
JOBS = st.Page(jobs_page.show, title="Jobs", icon=":material/schedule:", url_path="jobs")
MEASUREMENT = st.Page(
    measurement_page.show, title="Measurement", icon=":material/image:", url_path="measurement",
    visibility="hidden",
)  # fmt: skip

page = st.navigation(
    [OVERVIEW, MAP, SEARCH, COMPOSITION, MODELS, JOBS, MEASUREMENT, COMPARE], position="hidden"
)
current_view.register(
    {
        "overview": OVERVIEW, "map": MAP, "search": SEARCH, "composition": COMPOSITION,
        "jobs": JOBS, "measurement": MEASUREMENT, "compare": COMPARE,
        "models": MODELS,
    }
)  # fmt: skip
lab()  # whose settings give the roles
if permissions.role() is None:
    sign_in_panel.show_entrance()
    st.stop()
page_frame.navigation(
    {
        "": [OVERVIEW],
        "Explore": [MAP, SEARCH],
        "Analyse": [COMPOSITION, MODELS],
        "Operate": [JOBS],
    }
)
if page not in (OVERVIEW, JOBS, MODELS):  # these tell how things stand now
    map_navigation_panel.show_newer(page.url_path)
try:
    page.run()
except MotifError as error:
    page_frame.refusal(str(error))
sign_in_panel.show_account()
