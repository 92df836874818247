"""Is the choice of method evidence? Models side by side, what their spread is worth, learning."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from motif.analysis.composition import figures
from motif.analysis.composition.figures.theme import Theme
from motif.core.catalog import Derivation
from motif.dashboard.lab import Lab
from motif.dashboard.parts import charts, frame
from motif.dashboard.studies import Kind, StudyView

COLUMNS = {
    "r2": "R², held out", "mae": "Mean absolute error", "cosine": "Cosine to the truth",
    "slope": "Size over true size", "sign_right": "Signs right", "within_1": "True within ± 1",
    "within_2": "True within ± 2",
}  # fmt: skip


def show_methods(here: Lab, study: StudyView, options: dict[str, Any]) -> None:
    """Scores of networks and baselines; on simulated data their gradients against the truth."""
    found = methods_of(here, study)
    rows = [{"Method": name, **_row(scores)} for name, scores in found.items()]
    used = [name for name in COLUMNS.values() if any(row[name] for row in rows)]
    st.dataframe({name: [row[name] for row in rows] for name in ("Method", *used)}, hide_index=True)
    if "random forest" not in found:
        frame.empty(
            "Other models have not been scored",
            "Kernel ridge, a Gaussian process, random forest and integrated gradients on the "
            "same folds tell whether networks are worth it here.",
            [f"motif train composition {study.made.collection} --baselines"],
        )
    told = {
        name: scores["truth"]["calibration"]
        for name, scores in found.items()
        if (scores.get("truth") or {}).get("calibration")
    }
    if not told:
        frame.quiet("The true gradient of measured data is unknown, so spread cannot be checked.")
        return
    unit = study.gradient_unit
    figure = figures.calibration_plot(told, unit=unit, **options)
    charts.show(charts.clear(figure), "calibration")
    frame.quiet(
        "Gradient components in five groups of growing spread. On the dotted line spread would be "
        "an error; above it, errors are larger than the spread tells."
    )


def show_learning(here: Lab, study: StudyView, options: dict[str, Any]) -> None:
    """Held-out skill against the number of samples, or the command that measures it."""
    curves = [
        one
        for one in here.derivations("learning-curve", study.made.collection)
        if one.parameters["target"] == study.target
    ]
    if not curves:
        frame.empty(
            "No learning curve has been measured",
            "It tells whether measuring more samples would help.",
            [f"motif learning-curve {study.made.collection}"],
        )
        return
    told = curves[-1].summary
    figure = figures.learning_curve(told["samples"], told["r2"], **options)
    charts.show(charts.clear(figure), "learning")
    frame.quiet(
        "A curve that still rises says that measuring more samples would help; one that is flat "
        "says that noise, or what no spectrum shows, sets the limit."
    )


def show_files(here: Lab, study: StudyView, kind: Kind, sample: str, theme: Theme) -> None:
    """All figures of the study as one archive."""
    name = study.made.collection
    st.download_button(
        "All figures and their numbers (ZIP)",
        lambda: archive(here, study, kind, sample, theme),
        file_name=f"{name}-figures.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
        key="study-archive",
    )
    frame.quiet(
        "Each figure as a page that needs no network and saves SVG, as Plotly JSON and its numbers "
        f"as CSV; the card is that of sample {sample}. The camera above any chart of this page "
        "saves it as SVG. Pictures as SVG, PDF and PNG files, and the study in a repository:"
    )
    commands = [
        f"motif figures {name} --out figures --image svg --image pdf --image png",
        f"motif publish {study.made.id}",
    ]
    st.code("\n".join(commands), language="sh")


def archive(here: Lab, study: StudyView, kind: Kind, sample: str, theme: Theme) -> bytes:
    """A ZIP file of what ``motif figures`` writes."""
    from motif.analysis.composition.figures.export import export
    from motif.analysis.composition.publication import drawings
    from motif.analysis.composition.study import study_of

    made = drawings(
        here.workspace, study_of(here.workspace, study.made.id), kind=kind,
        samples=[sample], theme=theme,
    )  # fmt: skip
    about = {
        "derivation": study.made.id,
        "collection": study.made.collection,
        "target": study.target,
        "gradient": "partial" if kind == "composition" else kind,
        "simulated": study.simulated,
    }
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        files = export(made, Path(folder), about)
        script = Path(folder) / "plotly.min.js"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
            for path in (*files, *([script] if script.exists() else [])):
                bundle.write(path, f"{study.made.collection}-figures/{path.name}")
    return packed.getvalue()


def methods_of(here: Lab, study: StudyView) -> dict[str, Mapping[str, Any]]:
    """Scores by method: the networks, integrated gradients and baselines as far as made."""
    name = study.made.collection
    found: dict[str, Mapping[str, Any]] = {"networks": study.made.summary}
    for one in here.derivations("integrated-gradients", name):
        if study.made.id in one.inputs:
            found["networks, integrated"] = one.summary
    scored = [one for one in here.derivations("composition-baselines", name) if _same(one, study)]
    if scored:
        found |= scored[-1].summary["baselines"]
    return found


def _same(baselines: Derivation, study: StudyView) -> bool:
    """Whether they were scored on the folds of the study."""
    keys = ("target", "partition", "folds", "where")
    made = study.made.parameters
    return all(baselines.parameters.get(key) == made.get(key) for key in keys)


def _row(scores: Mapping[str, Any]) -> dict[str, str]:
    """Values in words of three decimals, blank where a method has none."""
    truth = scores.get("truth") or {}
    values = {**scores, **truth, **(truth.get("calibration") or {})}
    told = {title: values.get(key) for key, title in COLUMNS.items()}
    return {title: "" if value is None else f"{value:.3f}" for title, value in told.items()}
