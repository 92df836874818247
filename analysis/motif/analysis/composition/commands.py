"""The commands of the composition study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from motif.analysis.composition.composition_text import (
    add_integrated,
    gradients_document,
    gradients_text,
    learning_text,
    study_text,
    suggestions_text,
)
from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit

CollectionArgument = Annotated[str, typer.Argument(help="A collection of library samples.")]
TargetOption = Annotated[
    str | None,
    typer.Option(help="Figure of merit; by default the first in alphabetical order."),
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
        "--shuffle-index",
        help="File with a permutation of the samples per line, one line per run.",
    ),
]


def train_composition(
    collection: CollectionArgument,
    target: TargetOption = None,
    members: Annotated[
        int, typer.Option(min=1, help="Networks trained on all samples; gradients are averaged.")
    ] = 8,
    recipe: RecipeOption = "fast",
    folds: Annotated[int, typer.Option(min=0, help="Cross-validation folds; 0 for none.")] = 5,
    seed: SeedOption = 0,
    stratify: StratifyOption = False,
    shuffle_index: OrderOption = None,
    where: WhereOption = None,
    baselines: Annotated[
        bool,
        typer.Option("--baselines", help="Also score other models and integrated gradients."),
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an ensemble on composition and spectrum with cross-validation and gradients."""
    from motif.analysis.composition.study import composition_study
    from motif.analysis.composition.training_request import TrainingRequest
    from motif.core.jobs.progress import Progress
    from motif.core.workspace import Workspace

    request = TrainingRequest(
        collection, target=target, where=where, members=members, recipe=recipe, folds=folds,
        seed=seed, stratify=stratify, shuffle_index=shuffle_index,
    )  # fmt: skip
    with Workspace.open(workspace) as opened, Progress("composition", quiet=as_json) as progress:
        document = composition_study.train_composition(opened, request, progress=progress)
        if baselines:
            from motif.analysis.composition.study.integrated_gradients import integrate
            from motif.analysis.composition.study.model_comparison import score_baselines

            study = composition_study.study_of(opened, document["derivation"])
            document["integrated_gradients"] = dict(integrate(opened, study).summary)
            document["baselines"] = score_baselines(opened, request)
    emit(document, as_json, study_text(document))


def gradients(
    collection: CollectionArgument,
    target: TargetOption = None,
    integrated: Annotated[
        bool,
        typer.Option("--integrated", help="Also gradients averaged from the mean sample to each."),
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which element raises or lowers performance, sample by sample."""
    from motif.analysis.composition.study.composition_study import load_study
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        study = load_study(opened, collection, target)
        document = gradients_document(study)
        if integrated:
            from motif.analysis.composition.study.integrated_gradients import integrate

            result = integrate(opened, study)
            add_integrated(document, result.summary, opened.ledger.arrays(result))
    emit(document, as_json, gradients_text(document))


def suggest(
    collection: CollectionArgument,
    target: TargetOption = None,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, help="Number of compositions.")
    ] = 10,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Suggest compositions to prepare next, each with the reason."""
    from motif.analysis.composition.study.suggestions import suggest as rank
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
    from motif.analysis.composition.study.model_comparison import measure_learning
    from motif.analysis.composition.training_request import TrainingRequest
    from motif.core.jobs.progress import Progress
    from motif.core.workspace import Workspace

    request = TrainingRequest(
        collection, target=target, where=where, recipe=recipe, folds=folds, seed=seed,
        stratify=stratify, shuffle_index=shuffle_index,
    )  # fmt: skip
    with Workspace.open(workspace) as opened, Progress("learning", quiet=as_json) as progress:
        derivation = measure_learning(opened, request, progress)
    document = {"derivation": derivation.id, **derivation.summary}
    emit(document, as_json, learning_text(document))


def figures(
    collection: CollectionArgument,
    out: Annotated[Path, typer.Option(help="Folder the figures are written to.")],
    target: TargetOption = None,
    theme: Annotated[str, typer.Option(help="light or dark.")] = "light",
    sample: Annotated[
        list[str] | None, typer.Option(help="A sample to draw; repeat for more.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Gradients at fixed spectrum, as published.")
    ] = False,
    image: Annotated[
        list[str] | None, typer.Option(help="Also as svg, pdf or png files; needs Chromium.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write every figure of a study: pages that save SVG, Plotly JSON, numbers as CSV."""
    from motif.analysis.composition.figures.figure_files import (
        require_image_support,
        study_description,
        write_figures,
    )
    from motif.analysis.composition.figures.figure_theme import theme_named
    from motif.analysis.composition.figures.study_figures import GradientKind, study_figures
    from motif.analysis.composition.study.composition_study import load_study
    from motif.core.workspace import Workspace

    require_image_support(image or ())
    kind: GradientKind = "composition" if partial else "total"
    with Workspace.open(workspace) as opened:
        study = load_study(opened, collection, target)
        drawn = study_figures(
            opened, study, kind=kind, samples=sample or (), theme=theme_named(theme)
        )
        description = study_description(study, kind)
        paths = write_figures(drawn, out, description, image or ())
    names = [figure.name for figure in drawn]
    document = {**description, "figures": names, "files": [str(path) for path in paths]}
    emit(document, as_json, f"{len(names)} figures in {out}: {', '.join(names)}.")
