"""Labels and notes of a collection as one result: what is on its measurements now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.records import content_id
from motif.core.remarks import remarks_on
from motif.core.workspace import Workspace
from motif.ingest.publish.results import Result


@dataclass(frozen=True)
class Labels(Result):
    """Everything that was put on measurements of one collection or taken off, oldest first."""

    @property
    def line(self) -> str:
        """Each state is a new version of the one before."""
        return content_id(self.newest.stage, self.newest.collection)

    def document(self) -> dict[str, Any]:
        """How the result was made; single labels and their authors lie in the arrays."""
        return {**super().document(), "parameters": {}, "summary": {"changes": len(self.parts)}}

    def arrays(self, workspace: Workspace) -> dict[str, NDArray[Any]]:
        """One row a label or note: ``ids``, ``records``, ``kind``, ``text``, ``at`` and ``who``.

        Authors are left out where the workspace does not show persons as they are.
        """
        found = remarks_on(workspace.catalog, self.inputs)
        rows = {row.id: row.record_id for row in workspace.select(ids=list(found))}
        on = [(one, remark) for one in sorted(found) if one in rows for remark in found[one]]
        arrays = {
            "ids": np.array([one for one, _ in on], "S32"),
            "records": np.array([rows[one] for one, _ in on], str),
            "kind": np.array([remark.kind for _, remark in on], str),
            "text": np.array([remark.text for _, remark in on], str),
            "at": np.array([remark.at for _, remark in on], str),
        }
        if workspace.mapper().privacy.keeps:
            arrays["who"] = np.array([remark.who for _, remark in on], str)
        return arrays
