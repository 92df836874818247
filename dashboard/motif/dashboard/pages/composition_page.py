"""Composition: how a figure of merit depends on composition and spectrum, by gradients."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from motif.analysis.composition import figures
from motif.analysis.composition.figures.figure_theme import Theme
from motif.analysis.composition.gradients.element_similarity import (
    element_groups,
    weight_similarity,
)
from motif.core.catalog.database import Derivation
from motif.core.errors import NotFoundError
from motif.dashboard.components import charts, page_frame
from motif.dashboard.data.number_format import ago, count
from motif.dashboard.data.study_view import MEANING, SPECTRAL, SPREAD, Kind, StudyView, direction
from motif.dashboard.panels import methods_panel
from motif.dashboard.panels.filter_panel import show_filter
from motif.dashboard.state import current_view
from motif.dashboard.state.current_view import link
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

CHART = "composition-map"
ALIKE = 4
"""Number of pairs of elements named as most similar."""
KINDS: dict[str, str] = {"total": "Total gradient", "composition": "At fixed spectrum"}
TABS = (
    "Map and sample", "Elements", "Bands", "First layer", "Predictions", "Methods", "Learning",
    "Files",
)  # fmt: skip


def show() -> None:
    """Draw the page."""
    session = lab()
    view = current_view.current()
    studies = session.derivations("gradients", at=view.at)
    names = list(dict.fromkeys(result.collection for result in studies))
    libraries = [name for name, kinds in session.collections().items() if "spectrum" in kinds]
    if not names:
        _show_missing(libraries)
        return
    name = view.collection if view.collection in names else names[-1]
    view = replace(view, collection=name)
    own = [result for result in studies if result.collection == name]
    with st.sidebar:
        if len(names) > 1:
            current_view.choose("Library", names, name, field="collection")
        chosen = _choose_study(view, own)
        st.radio("Gradient", list(KINDS), key="gradient-kind", format_func=KINDS.__getitem__)
    filtered = show_filter(session, view, session.table(name))
    study = StudyView(session, chosen)
    page_frame.heading("Composition", _about(study), study.simulated)
    index = session.table(name).index
    passing = {one for one, row in index.items() if filtered.mask[row]}
    rows = np.array([k for k, one in enumerate(study.ids) if one in passing], np.intp)
    kind: Kind = "composition" if st.session_state["gradient-kind"] == "composition" else "total"
    if len(rows) == 0:
        page_frame.quiet("No sample of the study passes the filter; widen it.")
    else:
        _show_tabs(session, view, study, kind, rows)
    page_frame.status(f"composition samples={len(study.ids)} shown={len(rows)}")


def _show_missing(libraries: list[str]) -> None:
    page_frame.heading("Composition")
    if libraries:
        commands = [f"motif train composition {name}" for name in libraries]
        text = "Train an ensemble on the library; its gradients are the arrows of this page."
        page_frame.empty("There is no composition study yet", text, commands)
    else:
        text = "A library is a table of samples with compositions, spectra and a figure of merit."
        page_frame.empty(
            "There is no composition library", text, ["motif ingest SOURCE", "motif demo"]
        )
    page_frame.status("composition missing")


def _choose_study(view: View, own: list[Derivation]) -> Derivation:
    chosen = next((one for one in own if one.id == view.map), own[-1])
    if len(own) > 1:
        names = {
            one.id: f"{one.parameters['target']} · {one.created_at[:16].replace('T', ' ')}"
            for one in own
        }
        current_view.choose("Study", [one.id for one in own], chosen.id, field="map", names=names)
    return chosen


def _about(study: StudyView) -> str:
    summary = study.made.summary
    parts = [
        f"{study.target} of {count(len(study.ids), 'sample')}",
        f"{study.members} networks, {ago(study.made.created_at)}",
    ]
    if summary.get("r2") is not None:
        parts.append(f"R² {summary['r2']:.2f} on held-out samples ({summary['folds']} folds)")
    if summary.get("gradient_cosine") is not None:
        parts.append(f"cosine to the known gradient {summary['gradient_cosine']:.2f}")
    return " · ".join(parts)


def _show_tabs(
    session: WorkspaceSession, view: View, study: StudyView, kind: Kind, rows: NDArray[np.intp]
) -> None:
    tabs = st.tabs(list(TABS), on_change="rerun", key="composition-tabs")
    theme: Theme = "dark" if charts.is_dark() else "light"
    options: dict[str, Any] = {"theme": theme, "simulated": study.simulated}
    mean, _ = study.gradient(kind)
    has_spectra = study.array("axis").size > 0
    if tabs[0].open:
        with tabs[0]:
            _show_map_and_sample(session, view, study, kind, rows, theme)
    elif tabs[1].open:
        with tabs[1]:
            unit = study.gradient_unit
            _chart(figures.element_pairs(mean[rows], study.elements, unit=unit, **options), "pairs")
            page_frame.quiet(
                "Above the diagonal: Pearson coefficient of the gradients of two elements. "
                "+1: both act the same way in every sample; −1: they act in opposite ways."
            )
    elif tabs[2].open:
        with tabs[2]:
            if has_spectra:
                title = _axis_title(study, study.ids[int(rows[0])])
                spectral = study.array("gradient_spectrum_mean")
                figure = figures.band_map(
                    mean[rows], spectral[rows], study.elements, study.array("axis"),
                    axis_title=title, **options,
                )  # fmt: skip
                _chart(figure, "bands")
                page_frame.quiet(
                    "Which bands carry what an element does: Pearson coefficient, over samples, "
                    "of the gradient by that element and the gradient by the intensity there."
                )
            else:
                page_frame.quiet("This library has no spectra.")
    elif tabs[3].open:
        with tabs[3]:
            _show_weights(study, options)
    elif tabs[4].open:
        with tabs[4]:
            _show_predictions(study, rows, options)
    elif tabs[5].open:
        with tabs[5]:
            methods_panel.show_methods(session, study, options)
    elif tabs[6].open:
        with tabs[6]:
            methods_panel.show_learning(session, study, options)
    elif tabs[7].open:
        with tabs[7]:
            sample = study.names[_sample(view, study, rows)]
            methods_panel.show_files(session, study, kind, sample, theme)


def _show_map_and_sample(
    session: WorkspaceSession,
    view: View,
    study: StudyView,
    kind: Kind,
    rows: NDArray[np.intp],
    theme: Theme,
) -> None:
    mean, std = study.gradient(kind)
    target, agreement = study.array("target"), study.array("sign_agreement")
    place = _sample(view, study, rows)
    left, right = st.columns([1.12, 1], gap="large")
    with left:
        data = figures.CompositionMap(
            study.array("composition")[rows], study.elements, target[rows], mean[rows],
            agreement[rows], names=[escape(study.names[k]) for k in rows],
            corners=element_groups(study.array("composition"), mean, tuple(study.elements)),
            value_title=escape(_titled(study.target, study.target_unit)),
        )  # fmt: skip
        figure = figures.composition_map(data, theme=theme, simulated=study.simulated)
        _mark(figure, np.flatnonzero(rows == place))
        _dress_map(figure)
        ids = [study.ids[k] for k in rows]
        charts.show(
            charts.clear(figure), CHART, on_select=lambda: _on_select(ids), selection_mode="points"
        )
        page_frame.quiet(
            MEANING[kind].format(target=study.target)
            + " Arrows point uphill; their length is strength to the power 0.2. "
            "Click a sample for its gradients."
        )
    with right:
        _show_sample(
            session, view, study, kind, place, (mean[place], std[place], agreement[place]), theme
        )


def _sample(view: View, study: StudyView, rows: NDArray[np.intp]) -> int:
    """The open sample, else the best one shown."""
    if view.id in study.ids:
        return study.ids.index(view.id)
    return int(rows[np.argmax(study.array("target")[rows])])


def _show_sample(
    session: WorkspaceSession,
    view: View,
    study: StudyView,
    kind: Kind,
    place: int,
    gradient: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    theme: Theme,
) -> None:
    mean, std, agreement = gradient
    identity = study.ids[place]
    value = study.array("target")[place]
    predicted, spread = study.array("prediction_mean")[place], study.array("prediction_std")[place]
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        page_frame.subheading(
            f"Sample {study.names[place]}",
            f"{study.target} {value:.3g} {study.target_unit}, "
            f"predicted {predicted:.3g} ± {spread:.1g}",
        )
        there = replace(view.carried(), id=identity)
        link("search", there, "Search similar", ":material/image_search:")
        link("measurement", there, "Open", ":material/open_in_full:")
    sentence = direction(study.elements, mean, std, agreement, study.gradient_unit, study.members)
    if sentence:
        page_frame.quiet(sentence)
    axis = study.array("axis")
    intensity, title = np.zeros(0), ""
    if axis.size:
        try:
            intensity, _, _ = study.spectrum(identity)
            title = _axis_title(study, identity)
        except NotFoundError:
            axis = axis[:0]
    card = figures.SampleCard(
        study.elements, study.array("composition")[place], mean, std, agreement, axis, intensity,
        study.array("gradient_spectrum_mean")[place], study.array("gradient_spectrum_std")[place],
        axis_title=title, gradient_unit=study.gradient_unit,
        spectrum_unit=f"{study.target_unit or '1'} per unit of normalised intensity",
    )  # fmt: skip
    figure = figures.sample_card(card, theme=theme, simulated=study.simulated)
    figure.update_layout(height=700, margin={"t": 36, "b": 40, "l": 56, "r": 12})
    figure.update_traces(textangle=0, selector={"type": "bar"})
    _chart(figure, "sample-card")
    notes = [SPREAD.format(members=study.members)]
    if axis.size:
        notes.insert(0, SPECTRAL.format(target=study.target))
    page_frame.quiet(" ".join(notes))


def _show_weights(study: StudyView, options: dict[str, Any]) -> None:
    if "first_layer_weights" not in study.lab.workspace.ledger.arrays(study.made):
        page_frame.quiet("These networks do not use the composition.")
        return
    weights = study.array("first_layer_weights")
    _chart(figures.weight_maps(weights, study.elements, **options), "weights")
    page_frame.quiet(
        "Similar rows of one network are elements it treats similarly. The order of the units "
        "means nothing in itself; they are matched across networks."
    )
    page_frame.quiet(_similar_elements(weights, study.elements))


def _similar_elements(weights: NDArray[np.float64], elements: list[str]) -> str:
    """The pairs of elements whose rows are most similar, with their coefficients."""
    mean, spread = weight_similarity(weights)
    pairs = [(i, j) for i in range(len(elements)) for j in range(i)]
    pairs.sort(key=lambda pair: -mean[pair])
    sentences = [
        f"{elements[j]} and {elements[i]} {mean[i, j]:+.2f} ± {spread[i, j]:.2f}".replace("-", "−")
        for i, j in pairs[:ALIKE]
    ]
    return (
        "Most similar (Pearson of two rows, mean and spread over networks): "
        f"{', '.join(sentences)}."
    )


def _show_predictions(study: StudyView, rows: NDArray[np.intp], options: dict[str, Any]) -> None:
    if "fold_prediction" not in study.lab.workspace.ledger.arrays(study.made):
        page_frame.quiet("This study was trained without folds, so nothing was held out.")
        return
    figure = figures.parity(
        study.array("target")[rows], study.array("fold_prediction")[rows],
        fold=study.array("fold")[rows], r2=study.made.summary.get("r2"),
        names=[escape(study.names[k]) for k in rows],
        title=escape(_titled(study.target, study.target_unit)), **options,
    )  # fmt: skip
    figure.update_layout(height=600)
    _chart(figure, "parity")
    page_frame.quiet("Each sample is predicted by a network that never saw it.")


def _on_select(ids: list[str]) -> None:
    points = st.session_state[CHART].get("selection", {}).get("points", [])
    for point in points:
        data = point.get("customdata")
        place = data[0] if isinstance(data, list) else data
        if isinstance(place, int) and 0 <= place < len(ids):
            current_view.change(id=ids[place])
            return


def _dress_map(figure: go.Figure) -> None:
    """Enlarge the triangle and place the colour scale below it."""
    figure.update_layout(
        height=620, margin={"l": 0, "r": 0, "t": 22, "b": 6}, clickmode="event+select",
        dragmode="pan",
    )  # fmt: skip
    bar = {
        "orientation": "h", "y": -0.02, "yanchor": "top", "len": 0.6, "thickness": 10,
        "title": {"side": "top"},
    }  # fmt: skip
    figure.update_traces(
        marker_colorbar=bar, selected_marker_opacity=0.85, unselected_marker_opacity=0.85,
        selector={"name": "samples"},
    )  # fmt: skip


def _mark(figure: go.Figure, chosen: NDArray[np.intp]) -> None:
    """A ring around the open sample."""
    samples = next(trace for trace in figure.data if trace.name == "samples")
    for k in chosen.tolist():
        figure.add_trace(
            go.Scatter(
                x=[samples.x[k]], y=[samples.y[k]], mode="markers", hoverinfo="skip",
                showlegend=False,
                marker={
                    "size": 17, "symbol": "circle-open", "color": charts.ink(),
                    "line": {"width": 2.5},
                },
            )
        )  # fmt: skip


def _axis_title(study: StudyView, identity: str) -> str:
    _, name, unit = study.spectrum(identity)
    return charts.with_unit(name.replace("_", " ").capitalize(), unit)


def _titled(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _chart(figure: go.Figure, key: str) -> None:
    charts.show(charts.clear(figure), key)
