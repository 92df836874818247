"""Where in DataFed something is published to."""

from __future__ import annotations

from dataclasses import dataclass

from motif.core.errors import ConfigError
from motif.core.workspace import Workspace
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.source import DataFedOptions
from motif.ingest.options import check
from motif.ingest.sync import source_table

RESULTS = "Motif results"
ALIAS = "motif-results"


@dataclass(frozen=True)
class Target:
    """A collection of one server, as seen by one connection."""

    client: DataFed
    collection: str
    """Id of the collection."""
    owner: str
    """``u/ann`` or ``p/pfm``."""

    @property
    def server(self) -> str:
        return self.client.connection.server


def options_of(workspace: Workspace, source: str | None = None) -> DataFedOptions:
    """The table of a DataFed source, whose connection and collection publishing uses.

    Args:
        source: its name; None for the only one there is.

    Raises:
        ConfigError: the source is no DataFed collection, or there are several to choose from.
    """
    known = [name for name, one in workspace.config.sources.items() if one.kind == "datafed"]
    if source is None:
        if len(known) != 1:
            told = f"several: {', '.join(known)}" if known else "none"
            raise ConfigError(
                f"{workspace.root}/motif.toml declares {told}; "
                + ("say which DataFed source to publish through with --source." if known else
                   "publishing needs a source of kind datafed.")
            )  # fmt: skip
        source = known[0]
    table = source_table(workspace, source)
    if table.kind != "datafed":
        advice = f"choose {' or '.join(known)}" if known else "declare one in motif.toml"
        raise ConfigError(
            f'Source "{source}" is a {table.kind}; only a DataFed source can be published to: '
            f"{advice}."
        )
    return check(DataFedOptions, source, table.options, workspace.root)


def open_target(client: DataFed, options: DataFedOptions, to: str | None = None) -> Target:
    """The collection `to` (id or alias), by default the source's own."""
    project = f"p/{options.project.removeprefix('p/')}" if options.project else ""
    top = client.collection(to or options.collection, project)
    return Target(client, str(top["id"]), str(top["owner"]))


def results_target(source: Target, collection: str) -> Target:
    """Where results of a workspace's collection go by default: beside the measurements' own tree,
    under the root of their owner."""
    root = source.client.collection("root", source.owner)
    path = [RESULTS, collection] if collection else [RESULTS]
    place = source.client.ensure_collection(path, str(root["id"]), [ALIAS])
    return Target(source.client, place, source.owner)
