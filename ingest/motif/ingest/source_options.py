"""Validated options of a source; an unknown key is refused with the nearest known one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, ValidationInfo

from motif.core.errors import ConfigError

Model = TypeVar("Model", bound="SourceOptions")


def _absolute(path: Path, info: ValidationInfo) -> Path:
    base = info.context if isinstance(info.context, Path) else Path.cwd()
    return base / path.expanduser()


PathOption = Annotated[Path, AfterValidator(_absolute)]
"""A path that is relative to the workspace; ``~`` is the home folder."""


class SourceOptions(BaseModel):
    """Base of a source kind's options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check_options(model: type[Model], source: str, options: Mapping[str, Any], base: Path) -> Model:
    """Options as an instance of the model.

    Raises:
        ConfigError: the first problem, with the table and the nearest known key.
    """
    try:
        return model.model_validate(dict(options), context=base)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
    key = ".".join(map(str, problem["loc"])) or "?"
    table = f"[sources.{source}]"
    if problem["type"] == "extra_forbidden":
        known = sorted(model.model_fields)
        near = difflib.get_close_matches(key, known, n=1)
        advice = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}."
        raise ConfigError(f"Unknown key `{key}` in {table}; {advice}")
    if problem["type"] == "missing":
        raise ConfigError(f"{table} needs the key `{key}`.")
    raise ConfigError(f"`{key}` in {table}: {problem['msg']} (got {problem['input']!r}).")
