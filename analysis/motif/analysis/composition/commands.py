"""Commands of the composition study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit

if TYPE_CHECKING:
    from motif.analysis.composition.study import Study

CollectionArgument = Annotated[str, typer.Argument(help="A collection of library samples.")]
TargetOption = Annotated[
    str | None, typer.Option(help="Figure of merit; by default the first there is.")
]
SeedOption = Annotated[int, typer.Option(help="Seed of the first member and of the folds.")]
RecipeOption = Annotated[str, typer.Option(help="fast or published.")]
StratifyOption = Annotated[
    bool, typer.Option("--stratify", help="Spread every composition system evenly over the folds.")
]
OrderOption = Annotated[
    Path | None,
    typer.Option(
        "--shuffle-index", help="File with a permutation of the samples a line, one line a run."
    ),
]
SHOWN = 12


def train_composition(
    collection: CollectionArgument,
    target: TargetOption = None,
    members: Annotated[int, typer.Option(min=1, help="Networks whose gradients agree or not.")] = 8,
    recipe: RecipeOption = "fast",
    folds: Annotated[int, typer.Option(min=0, help="Cross-validation folds; 0 for none.")] = 5,
    seed: SeedOption = 0,
    stratify: StratifyOption = False,
    shuffle_index: OrderOption = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also score kernel ridge, Gaussian process, forest.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an ensemble on composition and spectrum, cross-validate it, read its gradients."""
    from motif.analysis.composition import study
    from motif.core.progress import Progress
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened, Progress("composition", quiet=as_json) as progress:
        document = study.train_composition(
            opened,
            collection,
            target=target,
            members=members,
            recipe=recipe,
            folds=folds,
            seed=seed,
            stratify=stratify,
            shuffle_index=shuffle_index,
            progress=progress,
        )
        if baselines:
            from motif.analysis.composition.baselines import score_baselines

            document["baselines"] = score_baselines(
                opened,
                collection,
                target=target,
                folds=folds or 5,
                seed=seed,
                stratify=stratify,
                shuffle_index=shuffle_index,
            )
    emit(document, as_json, _study_text(document))


def gradients(
    collection: CollectionArgument,
    target: TargetOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which element raises or lowers performance, sample by sample."""
    from motif.analysis.composition.study import load_study
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        study = load_study(opened, collection, target)
        document = _gradients_document(study)
    emit(document, as_json, _gradients_text(document))


def suggest(
    collection: CollectionArgument,
    target: TargetOption = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Compositions named.")] = 10,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name compositions worth making next, with the reason."""
    from motif.analysis.composition.suggestions import suggest as rank
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        derivation = rank(opened, collection, target=target, count=count)
    document = {"derivation": derivation.id, **derivation.summary}
    emit(document, as_json, _suggestions_text(document))


def _suggestions_text(document: dict[str, Any]) -> str:
    if not document["table"]:
        return "No composition beyond the measured ones is expected to gain by every member."
    unit = document["unit"]
    lines = [f"Best measured {document['target']}: {document['best_measured']:.3g} {unit}."]
    for number, row in enumerate(document["table"], 1):
        parts = " ".join(f"{e} {100 * f:.2f}" for e, f in row["composition"].items() if f > 0)
        lines.append(
            f"{number}. {parts} at.%: expected {row['prediction']:.3g}, "
            f"spread {row['spread']:.2g} {unit}. {row['reason']}"
        )
    return "\n".join(lines)


def _gradients_document(study: Study) -> dict[str, Any]:
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


def _study_text(document: dict[str, Any]) -> str:
    unit = document["units"]["target"]
    lines = [
        f"{document['members']} members on {document['samples']} samples of "
        f"{document['collection']} ({document['trained']} trained now, recipe "
        f"{document['recipe']})."
    ]
    lines += [f"Left out: {note}." for note in document["notes"]]
    if document["r2"] is not None:
        lines.append(
            f"{document['target']}: R² {document['r2']:.3f}, mean absolute error "
            f"{document['mae']:.3g} {unit} in {document['folds']}-fold cross-validation."
        )
    if document["truth"] is not None:
        truth = document["truth"]
        lines.append(
            f"Simulated library: total gradient against the exact one has cosine "
            f"{truth['cosine']:.3f}, slope {truth['slope']:.2f}, "
            f"{truth['sign_right']:.0%} of signs right."
        )
    for name, scores in document.get("baselines", {}).items():
        lines.append(f"{name}: R² {scores['r2']:.3f}, mean absolute error {scores['mae']:.3g}.")
    lines.append(f"Gradients: motif gradients {document['collection']}.")
    return "\n".join(lines)


def _gradients_text(document: dict[str, Any]) -> str:
    unit = document["summary"]["units"]["gradient_composition"]
    lines = [
        f"Total gradient in {unit}: trading one element for the others, the spectrum following. "
        "A sign in brackets is not shared by all members."
    ]
    lines.append(
        f"{'sample':12} {'target':>8} " + " ".join(f"{e:>9}" for e in document["elements"])
    )
    for sample in document["samples"][:SHOWN]:
        cells = []
        for element, value in sample["total_gradient"].items():
            sure = sample["sign_agreement"][element] == 1
            text = f"{value:+.3f}" if sure else f"({value:+.3f})"
            cells.append(f"{text:>9}")
        lines.append(f"{sample['sample']:12} {sample['target']:8.3f} " + " ".join(cells))
    if len(document["samples"]) > SHOWN:
        lines.append(f"... and {len(document['samples']) - SHOWN} more with --json.")
    return "\n".join(lines)
