"""Texts and JSON documents of the composition commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motif.analysis.composition.study.composition_study import CompositionStudy

MAX_ROWS = 12
"""Samples listed in a terminal."""


def with_unit(number: str, unit: str) -> str:
    """A number with its unit, or alone where the unit is unknown."""
    return f"{number} {unit}".rstrip()


def suggestions_text(document: dict[str, Any]) -> str:
    """Suggestions with their reasons, one line each."""
    if not document["table"]:
        return (
            "There is no composition beyond the measured ones for which every member predicts "
            "a gain."
        )
    unit = document["unit"]
    best = with_unit(f"{document['best_measured']:.3g}", unit)
    lines = [f"Best measured {document['target']}: {best}."]
    for number, row in enumerate(document["table"], 1):
        fractions = " ".join(f"{e} {100 * f:.2f}" for e, f in row["composition"].items() if f > 0)
        lines.append(
            f"{number}. {fractions} at.%: predicted {row['prediction']:.3g}, "
            f"spread {with_unit(format(row['spread'], '.2g'), unit)}. {row['reason']}"
        )
    return "\n".join(lines)


def gradients_document(study: CompositionStudy) -> dict[str, Any]:
    """Per sample: composition, performance, and per element partial and total gradients."""
    arrays, elements = study.arrays, study.elements

    def by_element(name: str) -> list[dict[str, float]]:
        return [dict(zip(elements, row, strict=True)) for row in arrays[name].tolist()]

    columns = {
        "composition": by_element("composition"),
        "gradient": by_element("gradient_composition_mean"),
        "gradient_spread": by_element("gradient_composition_std"),
        "total_gradient": by_element("gradient_total_mean"),
        "total_gradient_spread": by_element("gradient_total_std"),
        "sign_agreement": by_element("sign_agreement"),
        "id": [text.decode() for text in arrays["ids"].tolist()],
        "sample": [text.decode() for text in arrays["names"].tolist()],
        "target": arrays["target"].tolist(),
        "prediction": arrays["prediction_mean"].tolist(),
        "prediction_spread": arrays["prediction_std"].tolist(),
    }
    return {
        "derivation": study.derivation.id,
        "collection": study.derivation.collection,
        "summary": dict(study.derivation.summary),
        "elements": list(elements),
        "samples": [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ],
    }


def add_integrated(
    document: dict[str, Any], summary: Mapping[str, Any], arrays: Mapping[str, Any]
) -> None:
    """Add integrated gradients to the other gradients of each sample."""
    elements = document["elements"]
    document["integrated_gradients"] = dict(summary)
    means, stds = arrays["gradient_mean"].tolist(), arrays["gradient_std"].tolist()
    for sample, mean, std in zip(document["samples"], means, stds, strict=True):
        sample["integrated_gradient"] = dict(zip(elements, mean, strict=True))
        sample["integrated_gradient_spread"] = dict(zip(elements, std, strict=True))


def study_text(document: dict[str, Any]) -> str:
    """The results of a study in sentences."""
    unit = document["units"]["target"]
    lines = [
        f"{document['members']} members on {document['samples']} samples of "
        f"{document['collection']} ({document['trained']} trained now, recipe "
        f"{document['recipe']})."
    ]
    lines += [f"Left out: {note}." for note in document["notes"]]
    if document["r2"] is not None:
        error = with_unit(f"{document['mae']:.3g}", unit)
        lines.append(
            f"{document['target']}: R² {document['r2']:.3f}, mean absolute error {error} "
            f"in {document['folds']}-fold cross-validation."
        )
    if document.get("paper_r2"):
        reported = ", ".join(f"{value} for {name}" for name, value in document["paper_r2"].items())
        lines.append(f"This is the library of Umehara et al. (2019), who report R² {reported}.")
    if document["truth"] is not None:
        truth = document["truth"]
        calibration = truth["calibration"]
        lines.append(
            f"Simulated library: total gradient against the exact one has cosine "
            f"{truth['cosine']:.3f}, slope {truth['slope']:.2f}, "
            f"{truth['sign_right']:.0%} of signs right; the exact one is within one spread in "
            f"{calibration['within_1']:.0%} of the components, within two in "
            f"{calibration['within_2']:.0%}."
        )
    if "baselines" in document:
        lines += _comparison(document)
    lines.append(f"Gradients: motif gradients {document['collection']}.")
    return "\n".join(lines)


def _comparison(document: dict[str, Any]) -> list[str]:
    """One line per method: held-out scores, and gradients against the exact ones where known."""
    methods = {
        "networks": document,
        "networks, integrated": document["integrated_gradients"],
        **document["baselines"],
    }
    names = ("R²", "MAE", "cosine", "slope", "signs", "in ±1", "in ±2")
    lines = [f"{'method':22}" + "".join(f"{name:>8}" for name in names)]
    for name, scores in methods.items():
        truth = scores.get("truth") or {}
        values = [scores.get("r2"), scores.get("mae")]
        values += [truth.get(key) for key in ("cosine", "slope", "sign_right")]
        within = truth.get("calibration") or {}
        values += [within.get(key) for key in ("within_1", "within_2")]
        cells = ["" if value is None else f"{value:.3f}" for value in values]
        lines.append((f"{name:22}" + "".join(f"{cell:>8}" for cell in cells)).rstrip())
    return lines


def learning_text(document: dict[str, Any]) -> str:
    """Held-out R² for growing training sets, one line per model."""
    lines = [
        f"R² of held-out {document['target']} in {document['folds']}-fold cross-validation.",
        f"{'training samples':22}" + "".join(f"{size:>8}" for size in document["samples"]),
    ]
    for name, scores in document["r2"].items():
        lines.append(f"{name:22}" + "".join(f"{score:>8.3f}" for score in scores))
    return "\n".join(lines)


def gradients_text(document: dict[str, Any]) -> str:
    """Total gradients of the first samples, one line each."""
    unit = document["summary"]["units"]["gradient_composition"]
    lines = [
        f"Total gradient in {unit}: one element traded for the others, the spectrum following. "
        "Brackets: the members disagree in sign."
    ]
    lines.append(
        f"{'sample':12} {'target':>8} " + " ".join(f"{e:>9}" for e in document["elements"])
    )
    for sample in document["samples"][:MAX_ROWS]:
        cells = []
        for element, value in sample["total_gradient"].items():
            agreed = sample["sign_agreement"][element] == 1
            text = f"{value:+.3f}" if agreed else f"({value:+.3f})"
            cells.append(f"{text:>9}")
        lines.append(f"{sample['sample']:12} {sample['target']:8.3f} " + " ".join(cells))
    if len(document["samples"]) > MAX_ROWS:
        lines.append(f"... and {len(document['samples']) - MAX_ROWS} more with --json.")
    return "\n".join(lines)
