"""Comparison of methods: scores of models, calibration of their spread, learning curve."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from motif.analysis.composition import figures
from motif.analysis.composition.figures.figure_theme import Theme
from motif.core.catalog.database import Derivation
from motif.dashboard.components import charts, page_frame
from motif.dashboard.data.study_view import Kind, StudyView
from motif.dashboard.state.workspace_session import WorkspaceSession

COLUMNS = {
    "r2": "R², held out", "mae": "Mean absolute error", "cosine": "Cosine to the truth",
    "slope": "Size over true size", "sign_right": "Signs right", "within_1": "True within ± 1",
    "within_2": "True within ± 2",
}  # fmt: skip


def show_methods(session: WorkspaceSession, study: StudyView, options: dict[str, Any]) -> None:
    """Scores of networks and baselines; on simulated data their gradients against the truth."""
    found = methods_of(session, study)
    rows = [{"Method": name, **_row(scores)} for name, scores in found.items()]
    used = [name for name in COLUMNS.values() if any(row[name] for row in rows)]
    st.dataframe({name: [row[name] for row in rows] for name in ("Method", *used)}, hide_index=True)
    if "random forest" not in found:
        page_frame.empty(
            "Other models have not been scored",
            "Kernel ridge, a Gaussian process, random forest and integrated gradients on the "
            "same folds show whether networks are worth it here.",
            [f"motif train composition {study.made.collection} --baselines"],
        )
    coverage = {
        name: scores["truth"]["calibration"]
        for name, scores in found.items()
        if (scores.get("truth") or {}).get("calibration")
    }
    if not coverage:
        page_frame.quiet(
            "The true gradient of measured data is unknown, so spread cannot be checked."
        )
        return
    unit = study.gradient_unit
    figure = figures.calibration_plot(coverage, unit=unit, **options)
    charts.show(charts.clear(figure), "calibration")
    page_frame.quiet(
        "Gradient components in five groups of growing spread. On the dotted line "
        "the spread equals the error; above it, errors are larger than the spread."
    )


def show_learning(session: WorkspaceSession, study: StudyView, options: dict[str, Any]) -> None:
    """Held-out skill against the number of samples, or the command that measures it."""
    curves = [
        result
        for result in session.derivations("learning-curve", study.made.collection)
        if result.parameters["target"] == study.target
    ]
    if not curves:
        page_frame.empty(
            "No learning curve has been measured",
            "It shows whether measuring more samples would help.",
            [f"motif learning-curve {study.made.collection}"],
        )
        return
    summary = curves[-1].summary
    figure = figures.learning_curve(summary["samples"], summary["r2"], **options)
    charts.show(charts.clear(figure), "learning")
    page_frame.quiet(
        "A curve that still rises says that measuring more samples would help; one that is flat "
        "says that noise, or information absent from composition and spectrum, sets the limit."
    )


def show_files(
    session: WorkspaceSession, study: StudyView, kind: Kind, sample: str, theme: Theme
) -> None:
    """All figures of the study as one archive."""
    name = study.made.collection
    st.download_button(
        "All figures and their numbers (ZIP)",
        lambda: archive(session, study, kind, sample, theme),
        file_name=f"{name}-figures.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
        key="study-archive",
    )
    page_frame.quiet(
        "Each figure as a page that needs no network and saves SVG, as Plotly JSON and its numbers "
        f"as CSV; the card is that of sample {sample}. The camera above any chart of this page "
        "saves it as SVG. Pictures as SVG, PDF and PNG files, and the study in a repository:"
    )
    commands = [
        f"motif figures {name} --out figures --image svg --image pdf --image png",
        f"motif publish {study.made.id}",
    ]
    st.code("\n".join(commands), language="sh")


def archive(
    session: WorkspaceSession, study: StudyView, kind: Kind, sample: str, theme: Theme
) -> bytes:
    """A ZIP file of what ``motif figures`` writes."""
    from motif.analysis.composition.figures.figure_files import study_description, write_figures
    from motif.analysis.composition.figures.study_figures import study_figures
    from motif.analysis.composition.study.composition_study import study_of

    full = study_of(session.workspace, study.made.id)
    drawn = study_figures(session.workspace, full, kind=kind, samples=[sample], theme=theme)
    description = study_description(full, kind)
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        files = write_figures(drawn, Path(folder), description)
        script = Path(folder) / "plotly.min.js"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
            for path in (*files, *([script] if script.exists() else [])):
                bundle.write(path, f"{study.made.collection}-figures/{path.name}")
    return packed.getvalue()


def methods_of(session: WorkspaceSession, study: StudyView) -> dict[str, Mapping[str, Any]]:
    """Scores by method: the networks, integrated gradients and baselines that were computed."""
    name = study.made.collection
    found: dict[str, Mapping[str, Any]] = {"networks": study.made.summary}
    for result in session.derivations("integrated-gradients", name):
        if study.made.id in result.inputs:
            found["networks, integrated"] = result.summary
    scored = [
        result
        for result in session.derivations("composition-baselines", name)
        if _same(result, study)
    ]
    if scored:
        found |= scored[-1].summary["baselines"]
    return found


def _same(baselines: Derivation, study: StudyView) -> bool:
    """Whether they were scored on the folds of the study."""
    keys = ("target", "partition", "folds", "where")
    made = study.made.parameters
    return all(baselines.parameters.get(key) == made.get(key) for key in keys)


def _row(scores: Mapping[str, Any]) -> dict[str, str]:
    """Values with three decimals, blank where a method has none."""
    truth = scores.get("truth") or {}
    values = {**scores, **truth, **(truth.get("calibration") or {})}
    scores = {title: values.get(key) for key, title in COLUMNS.items()}
    return {title: "" if value is None else f"{value:.3f}" for title, value in scores.items()}
