"""Commands of the composition study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from motif.analysis.composition.texts import (
    add_integrated,
    gradients_document,
    gradients_text,
    learning_text,
    study_text,
    suggestions_text,
)
from motif.core.cli import JsonOption, WorkspaceOption, emit

CollectionArgument = Annotated[str, typer.Argument(help="A collection of library samples.")]
TargetOption = Annotated[
    str | None, typer.Option(help="Figure of merit; by default the first there is.")
]
WhereOption = Annotated[
    str | None, typer.Option(help='Only samples that match this query, such as "not has tainted".')
]
SeedOption = Annotated[int, typer.Option(help="Seed of the first member and of the folds.")]
RecipeOption = Annotated[str, typer.Option(help="fast, smooth or published.")]
StratifyOption = Annotated[
    bool, typer.Option("--stratify", help="Spread every composition system evenly over the folds.")
]
OrderOption = Annotated[
    Path | None,
    typer.Option(
        "--shuffle-index", help="File with a permutation of the samples a line, one line a run."
    ),
]


def train_composition(
    collection: CollectionArgument,
    target: TargetOption = None,
    members: Annotated[int, typer.Option(min=1, help="Networks whose gradients agree or not.")] = 8,
    recipe: RecipeOption = "fast",
    folds: Annotated[int, typer.Option(min=0, help="Cross-validation folds; 0 for none.")] = 5,
    seed: SeedOption = 0,
    stratify: StratifyOption = False,
    shuffle_index: OrderOption = None,
    where: WhereOption = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also score other models and integrated gradients.")
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
            where=where,
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
            from motif.analysis.composition.integrated import integrate

            made = study.study_of(opened, document["derivation"])
            document["integrated_gradients"] = dict(integrate(opened, made).summary)
            document["baselines"] = score_baselines(
                opened,
                collection,
                target=target,
                where=where,
                folds=folds or 5,
                seed=seed,
                stratify=stratify,
                shuffle_index=shuffle_index,
            )
    emit(document, as_json, study_text(document))


def gradients(
    collection: CollectionArgument,
    target: TargetOption = None,
    integrated: Annotated[
        bool, typer.Option("--integrated", help="Also averaged from the mean sample to each.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which element raises or lowers performance, sample by sample."""
    from motif.analysis.composition.study import load_study
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        study = load_study(opened, collection, target)
        document = gradients_document(study)
        if integrated:
            from motif.analysis.composition.integrated import integrate

            made = integrate(opened, study)
            add_integrated(document, made.summary, opened.ledger.arrays(made))
    emit(document, as_json, gradients_text(document))


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
    emit(document, as_json, suggestions_text(document))


def learning_curve(
    collection: CollectionArgument,
    target: TargetOption = None,
    recipe: RecipeOption = "fast",
    folds: Annotated[int, typer.Option(min=2, help="Cross-validation folds.")] = 5,
    seed: SeedOption = 0,
    stratify: StratifyOption = False,
    shuffle_index: OrderOption = None,
    where: WhereOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how skill grows with the number of samples: would measuring more help?"""
    from motif.analysis.composition.learning import measure_learning
    from motif.core.progress import Progress
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened, Progress("learning", quiet=as_json) as progress:
        derivation = measure_learning(
            opened,
            collection,
            target=target,
            where=where,
            recipe=recipe,
            folds=folds,
            seed=seed,
            stratify=stratify,
            shuffle_index=shuffle_index,
            progress=progress,
        )
    document = {"derivation": derivation.id, **derivation.summary}
    emit(document, as_json, learning_text(document))


def figures(
    collection: CollectionArgument,
    out: Annotated[Path, typer.Option(help="Folder the figures are written into.")],
    target: TargetOption = None,
    theme: Annotated[str, typer.Option(help="light or dark.")] = "light",
    sample: Annotated[
        list[str] | None, typer.Option(help="A sample to draw; repeat for more.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Gradients at fixed spectrum, as in the paper.")
    ] = False,
    image: Annotated[
        list[str] | None, typer.Option(help="Also as svg, pdf or png files; needs Chromium.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write every figure of a study: pages that save SVG, plotly JSON, numbers as CSV."""
    from motif.analysis.composition.figures.export import export
    from motif.analysis.composition.figures.images import refuse_unable
    from motif.analysis.composition.figures.theme import theme_named
    from motif.analysis.composition.publication import drawings
    from motif.analysis.composition.study import load_study
    from motif.core.workspace import Workspace

    refuse_unable(image or ())
    with Workspace.open(workspace) as opened:
        study = load_study(opened, collection, target)
        made = drawings(
            opened,
            study,
            kind="composition" if partial else "total",
            samples=sample or (),
            theme=theme_named(theme),
        )
        summary = study.derivation.summary
        about = {
            "derivation": study.derivation.id,
            "collection": collection,
            "target": summary["target"],
            "gradient": "partial" if partial else "total",
            "units": summary["units"],
            "simulated": summary["simulated"],
            "figures": [drawing.name for drawing in made],
        }
        files = export(made, out, about, image or ())
    document = {**about, "files": [str(path) for path in files]}
    emit(document, as_json, f"{len(made)} figures in {out}: {', '.join(about['figures'])}.")
