"""The DataFed collection that something is published to."""

from __future__ import annotations

from dataclasses import dataclass

from motif.core.errors import ConfigError
from motif.core.workspace import Workspace
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.datafed_source import DataFedOptions
from motif.ingest.source_options import check_options
from motif.ingest.sync.source_sync import source_config

RESULTS = "Motif results"
ALIAS = "motif-results"


@dataclass(frozen=True)
class Destination:
    """A collection of one server, used through one connection."""

    client: DataFed
    collection: str
    """Id of the collection."""
    owner: str
    """``u/ann`` or ``p/pfm``."""

    @property
    def server(self) -> str:
        return self.client.connection.server


def datafed_options(workspace: Workspace, source: str | None = None) -> DataFedOptions:
    """The table of a DataFed source, whose connection and collection publishing uses.

    Args:
        source: name of the source; None for the only one there is.

    Raises:
        ConfigError: the source is not a DataFed collection, or there are several to choose from.
    """
    known = [name for name, table in workspace.config.sources.items() if table.kind == "datafed"]
    if source is None:
        if len(known) != 1:
            declared = f"several DataFed sources: {', '.join(known)}" if known else "none"
            raise ConfigError(
                f"{workspace.root}/motif.toml declares {declared}; "
                + ("choose the one to publish through with --source." if known else
                   "publishing needs a source of kind datafed.")
            )  # fmt: skip
        source = known[0]
    table = source_config(workspace, source)
    if table.kind != "datafed":
        advice = f"choose {' or '.join(known)}" if known else "declare one in motif.toml"
        raise ConfigError(
            f'Source "{source}" is of kind {table.kind}; only a DataFed source can be published '
            f"to: {advice}."
        )
    return check_options(DataFedOptions, source, table.options, workspace.root)


def open_destination(
    client: DataFed, options: DataFedOptions, to: str | None = None
) -> Destination:
    """The collection `to` (id or alias), by default the source's own collection."""
    project = f"p/{options.project.removeprefix('p/')}" if options.project else ""
    top = client.collection(to or options.collection, project)
    return Destination(client, str(top["id"]), str(top["owner"]))


def results_destination(source: Destination, collection: str) -> Destination:
    """The default collection for results of a workspace's collection: not among the measurements,
    but directly below their owner's root."""
    root = source.client.collection("root", source.owner)
    path = [RESULTS, collection] if collection else [RESULTS]
    collection_id = source.client.ensure_collection(path, str(root["id"]), [ALIAS])
    return Destination(source.client, collection_id, source.owner)
