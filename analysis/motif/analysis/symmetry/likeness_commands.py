"""The command ``motif alike``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from motif.analysis.symmetry.likeness import WhyAlike


def alike(
    first: Annotated[str, typer.Argument(help="A measurement.")],
    second: Annotated[str, typer.Argument(help="The measurement to compare with.")],
    channel: Annotated[
        str | None, typer.Option(help="phase, amplitude or height; by default the first shared.")
    ] = None,
    maps: Annotated[
        Path | None, typer.Option(help="Write where they are alike to this .npz file.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why two images are alike: symmetry evidence of both, what they share, and where."""
    import numpy as np

    from motif.analysis.symmetry.likeness import why_alike
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        found = why_alike(opened, first, second, channel)
    if maps is not None:
        maps = maps.with_suffix(".npz")
        try:
            np.savez_compressed(maps, first=found.map_a, second=found.map_b)
        except OSError as error:
            raise ConfigError(
                f"{maps} cannot be written: {error.strerror}; name another file."
            ) from error
    emit(_document(found, maps), as_json, _text(found, maps))


def _document(found: WhyAlike, maps: Path | None) -> dict[str, Any]:
    evidence = [
        {**asdict(one), "sentence": one.sentence} for one in (found.evidence_a, found.evidence_b)
    ]
    return {
        "channel": found.channel,
        "similarity": round(found.similarity, 4),
        "shares": {name: round(share, 4) for name, share in found.shares.items()},
        "first": evidence[0],
        "second": evidence[1],
        "sentence": found.sentence,
        "maps": None if maps is None else str(maps),
    }


def _text(found: WhyAlike, maps: Path | None) -> str:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in found.shares.items())
    lines = [
        f"By {found.channel}, similarity {found.similarity:.2f}.",
        f"first   {found.evidence_a.sentence}",
        f"second  {found.evidence_b.sentence}",
        found.sentence,
        f"What difference there is: {shares}.",
    ]
    if maps is not None:
        lines.append(f"Where they are alike: {maps}.")
    return "\n".join(lines)
