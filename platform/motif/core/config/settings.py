"""``motif.toml``: validated settings of one workspace. Unknown keys are refused by name."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Self, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from motif.core.errors import ConfigError
from motif.core.facets.privacy import PERSONS, Policy, Privacy
from motif.core.query import BUILT_IN, LABEL

FILE_NAME = "motif.toml"
NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"
"""Names of sources, collections and jobs: safe in paths, URLs and queries."""

Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Strict(BaseModel):
    """A table whose unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceConfig(BaseModel):
    """``[sources.NAME]``: the keys beyond these belong to the kind and are checked by it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    into: Name
    """Collection the measurements go into."""
    error_tag: str = Field(default="error", min_length=1)
    """Tag by which the owner of a record marks it as wrong."""
    max_deleted_share: float = Field(default=0.3, ge=0, le=1)
    """Share of a source's records that one sync may delete; a larger share is treated
    as a fault of the source. Applies from five records on; losing all records is always a fault."""
    allow_deletions: bool = False
    """Whether a sync may delete any number of records."""

    @property
    def options(self) -> Mapping[str, Any]:
        return self.__pydantic_extra__ or {}


class JobConfig(Strict):
    """``[jobs.NAME]``: command lines run one after another."""

    run: list[str] = Field(min_length=1)
    schedule: str | None = None
    """Five-field cron line; without it the job runs on demand only."""

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        if value is not None and len(value.split()) != 5:
            raise ValueError(f'"{value}" is not a cron line of five fields such as "0 2 * * *"')
        return value


class ComputeConfig(Strict):
    scheduler: str = "local"
    """``local`` or the address of a Dask scheduler."""
    workers: int = Field(default=2, ge=1)
    threads_per_worker: int = Field(default=1, ge=1)


class StoreConfig(Strict):
    url: str | None = None
    """``s3://``, ``gs://`` or ``az://`` prefix; the workspace's own folder by default."""
    endpoint: str | None = None
    """Address of an S3 service other than Amazon's (MinIO, Ceph), which keeps buckets in paths."""
    region: str | None = None
    """Region of the S3 bucket; by default the environment's."""

    @field_validator("url", "endpoint")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        urlsplit(value or "")  # raises ValueError for an invalid address
        return value


class CatalogConfig(Strict):
    url: str | None = None
    """SQLAlchemy URL; ``catalog.sqlite`` in the workspace by default."""


class FacetConfig(Strict):
    """``[facets.NAME]``: a further facet taken from a header or from record metadata."""

    path: str = Field(pattern=r"^(header|record):.+$")
    unit: str = ""
    """Unit of the number; empty for text and pure numbers."""
    person: bool = False
    """Whether the value names a person, to whom the privacy policy applies."""


class PrivacyConfig(Strict):
    people: Policy = "keep"
    """What facets show of people: their names, one pseudonym each, or nothing."""


class SignInConfig(Strict):
    """``[dashboard.sign_in]``: an OpenID Connect provider, and who may do what.

    People are named by e-mail address (``*`` stands for any characters) or by a group that the
    provider states in a claim of its ID token. The client secret is never stored here.
    """

    issuer: str
    """Address of the provider, the base of ``.well-known/openid-configuration``."""
    client_id: str = Field(min_length=1)
    url: str
    """Address at which browsers reach the dashboard; the provider sends them back to it."""
    secret_file: str | None = None
    """File with the client secret, readable by its owner alone; by default the environment's."""
    editors: list[str] = []
    viewers: list[str] = []
    groups_claim: str = "groups"
    editor_groups: list[str] = []
    viewer_groups: list[str] = []

    @field_validator("issuer", "url")
    @classmethod
    def _is_private(cls, value: str) -> str:
        parts = urlsplit(value)
        if not parts.hostname or parts.scheme not in ("https", "http") or parts.port == 0:
            raise ValueError("it is not an address such as https://motif.example.org")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("http is not encrypted; use https")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not (self.editors or self.viewers or self.editor_groups or self.viewer_groups):
            raise ValueError("nobody could sign in; name editors, viewers or groups of them")
        return self


class TimeConfig(Strict):
    """``[time]``: the clock of the lab's instruments."""

    zone: str = "UTC"
    """IANA name of the zone that headers and metadata mean where they state none."""

    @field_validator("zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f'"{value}" is not a time zone such as "America/New_York" or "Europe/Berlin"'
            ) from error
        return value


class DashboardConfig(Strict):
    host: str = "127.0.0.1"
    port: int = Field(default=8501, ge=0, le=65535)
    sign_in: SignInConfig | None = None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Config(BaseSettings):
    """All of ``motif.toml``; variables like ``MOTIF_COMPUTE__SCHEDULER`` override it."""

    model_config = SettingsConfigDict(
        env_prefix="MOTIF_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    sources: dict[Name, SourceConfig] = {}
    jobs: dict[Name, JobConfig] = {}
    facets: dict[Name, FacetConfig] = {}
    compute: ComputeConfig = ComputeConfig()
    store: StoreConfig = StoreConfig()
    catalog: CatalogConfig = CatalogConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    time: TimeConfig = TimeConfig()
    dashboard: DashboardConfig = DashboardConfig()

    @field_validator("facets")
    @classmethod
    def _is_free(cls, value: dict[str, FacetConfig]) -> dict[str, FacetConfig]:
        for name in value:
            if name in (*BUILT_IN, LABEL):
                raise ValueError(f'"{name}" is a name every measurement has; choose another')
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def privacy_of(config: Config, folder: Path) -> Privacy:
    """The privacy policy of the workspace in `folder`."""
    declared = {name for name, facet in config.facets.items() if facet.person}
    return Privacy(config.privacy.people, folder, PERSONS | declared)


def load_config(path: Path) -> Config:
    """Read and validate a ``motif.toml``; raise `ConfigError` naming the first wrong key."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; correct that line.") from error
    try:
        return Config(**table)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    keys = [str(key) for key in first["loc"]]
    if first["type"] == "extra_forbidden":
        return _unknown(".".join(keys), _siblings(keys))
    if keys and keys[-1] == "[key]":
        return (
            f'the name "{keys[-2]}" must start with a letter and contain only letters, digits, '
            "_ and -; rename it."
        )
    if first["type"] == "missing":
        return f'[{".".join(keys[:-1])}] lacks the key "{keys[-1]}"; add it.'
    message = re.sub(r"^Value error, ", "", first["msg"])
    return f"{'.'.join(keys)}: {message}; the value is {first['input']!r}."


def _siblings(keys: list[str]) -> list[str]:
    model: type[BaseModel] = Config
    for key in keys[:-1]:
        if key in model.model_fields:
            model = _table_in(model.model_fields[key].annotation) or model
    return [".".join([*keys[:-1], name]) for name in model.model_fields]


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The model of a field: its annotation, or the first model among its type arguments."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    arguments = get_args(annotation)
    return next((table for each in arguments if (table := _table_in(each))), None)


def _unknown(key: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f'did you mean "{nearest[0]}"?' if nearest else f"known keys are {', '.join(known)}."
    return f'unknown key "{key}"; {hint}'
