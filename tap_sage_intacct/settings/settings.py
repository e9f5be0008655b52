"""The tap's settings: each declared once, and the frozen value that the tap uses.

Reads no environment and opens no file. `Settings.from_config` finds faults that a schema
cannot find (an address without https, a wrong date), and reports all of them at once.

A new setting is a new field here, or in the group where it belongs. Add it to
meltano.yml too, and run `make reference`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
from singer_sdk import typing as th

from tap_sage_intacct.errors import refuse
from tap_sage_intacct.intacct.gateway import GatewaySettings, ResponseFormat
from tap_sage_intacct.intacct.http.retrying import RetryPolicy
from tap_sage_intacct.intacct.reader import MAX_QUERY_PAGE
from tap_sage_intacct.intacct.rows.characters import is_control, is_legal
from tap_sage_intacct.settings.connection import Connection
from tap_sage_intacct.settings.declaration import (
    choice,
    group,
    object_of,
    properties_of,
    read_object,
    read_settings,
    setting,
)
from tap_sage_intacct.settings.maintenance import UNKNOWN_ZONE, MaintenanceWindow
from tap_sage_intacct.settings.names import misspelt_problems
from tap_sage_intacct.settings.sensitive import SensitivePolicy
from tap_sage_intacct.settings.values import (
    EVERY_ENTITY,
    BalanceSettings,
    CustomReport,
    ExtraObject,
    custom_reports,
    entity_ids,
    extra_objects,
)


class OnDenied(Enum):
    """What a selected stream does if its object may not be read."""

    WARN = "warn"
    FAIL = "fail"


class OnBadValue(Enum):
    """What happens to a value that is not of its field's type."""

    FAIL = "fail"
    NULL = "null"


class OnChangedSelection(Enum):
    """What a stream does if its choices changed since its state was written."""

    WARN = "warn"
    RELOAD = "reload"
    FAIL = "fail"


class OnDrift(Enum):
    """What a stream does if its rows moved while they were read."""

    REPAIR = "repair"
    WARN = "warn"
    FAIL = "fail"


class Paging(Enum):
    """How pages of `query` are taken."""

    AUTO = "auto"
    OFFSET = "offset"


def _instant(text: str) -> datetime:
    """An ISO 8601 date or time, aware; UTC where it names no zone."""
    instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)


def _paths(given: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {stream: tuple(paths) for stream, paths in given.items()}


def _minutes(given: int) -> timedelta:
    return timedelta(minutes=given)


@dataclass(frozen=True, slots=True)
class Settings:
    """The tap's settings, checked.

    Each field is a setting, or a group of them. `gateway` alone is made of others.
    """

    connection: Connection = group(Connection)
    start_date: datetime | None = setting(
        "The first sync of incremental streams leaves out what was last modified before this "
        "instant (ISO 8601; UTC unless it says otherwise). Default: everything.",
        th.DateTimeType,
        read=_instant,
        fault="start_date '{}' is not a date: write it as 2026-01-31 or "
        "2026-01-31T00:00:00Z.",
    )
    filters: Mapping[str, str | Sequence[Mapping[str, Any]]] = setting(
        "Stream name to a SQL-like condition on field ids (`STATE = 'Posted' AND TOTALDUE > "
        "1000`), or to a list of {field, operator, value}.",
        th.ObjectType(additional_properties=True),
        default={},
    )
    related_fields: Mapping[str, tuple[str, ...]] = setting(
        "Stream name to paths into parent objects, such as `VENDOR.CREDITLIMIT` for bills: "
        "each becomes a field of the stream.",
        th.ObjectType(additional_properties=th.ArrayType(th.StringType)),
        read=_paths,
        default={},
    )
    balances: BalanceSettings = group(BalanceSettings)
    custom_reports: tuple[CustomReport, ...] = setting(
        "Custom reports to load, a stream each: {name, stream_name, type, arguments, "
        "primary_keys, typed}.",
        th.ArrayType(object_of(CustomReport)),
        read=custom_reports,
        default=[],
    )
    report_patience: timedelta = setting(
        "How long to wait for a custom report, in minutes.",
        th.IntegerType(minimum=1),
        name="report_timeout_minutes",
        read=_minutes,
        default=60,
        title="Report time-out",
    )
    extra_objects: tuple[ExtraObject, ...] = setting(
        "Any other standard or custom object, or user-defined dimension, to load as a stream: "
        "its name, or {object, stream_name, primary_keys, replication_key, docparid}. `*` "
        "offers all that the company has.",
        th.ArrayType(th.OneOf(th.StringType, object_of(ExtraObject))),
        read=extra_objects,
        default=[],
    )
    entities: tuple[str, ...] = setting(
        "Read entity by entity, by the entities' IDs, or `all`: each record gets an "
        "`_entity_id`, which becomes part of its key.",
        th.CustomType({"type": ["array", "string"], "items": {"type": "string"}}),
        read=entity_ids,
        fault=f"entities must be a list of entity IDs, or {EVERY_ENTITY}; it is '{{}}'.",
        default=[],
    )
    include_deletes: bool = setting(
        "Emit a record with the primary key and `_sdc_deleted_at` for each deletion in the "
        "audit trail (needs View permission on custom reports), and with `key_store` also for "
        "deletions that are not in it.",
        th.BooleanType,
        default=False,
        title="Include deletions",
    )
    key_store: Path | None = setting(
        "Path of a SQLite file in which the tap remembers the keys that it loaded, for "
        "deletions that the audit trail lacks or lists under another id. Made if missing; "
        "losing it costs one scan of the keys.",
        read=Path,
    )
    sensitive: SensitivePolicy = group(SensitivePolicy)
    lookback: timedelta = setting(
        "Overlap of incremental syncs, in minutes: Intacct shows some rows late.",
        th.IntegerType(minimum=0),
        name="lookback_minutes",
        read=_minutes,
        default=120,
        title="Lookback",
    )
    user_timezone: ZoneInfo | None = setting(
        "IANA name of the time zone in the API user's preferences, such as "
        "America/Los_Angeles; not needed if that is GMT. Intacct reports only its current "
        "offset, which is wrong for half of the timestamps of a zone with daylight saving.",
        read=ZoneInfo,
        fault=f"user_timezone: {UNKNOWN_ZONE}",
        title="Time zone of the API user",
    )
    page_size: int = setting(
        "Rows asked for per call, at most 2,000 (1,000 where the object is read by "
        "readByQuery). Halved by the tap after a time-out.",
        th.IntegerType(minimum=1, maximum=MAX_QUERY_PAGE),
        default=MAX_QUERY_PAGE,
    )
    paging: Paging = choice(
        Paging.AUTO,
        "`auto` cuts pages by key, which cannot drift; `offset` takes them by offset, watched "
        "by the drift detector, for comparison.",
    )
    response_format: ResponseFormat = choice(
        ResponseFormat.AUTO,
        "What the pages of a stream come in, except the first, the last and those that only "
        "XML serves. `auto`: JSON, which is read several times as fast, or XML where Intacct "
        "does not serve it; `json`: fail if Intacct refuses it.",
    )
    on_drift: OnDrift = choice(
        OnDrift.REPAIR,
        "Rows moved across pages while they were read: read again what is affected, go on with "
        "a warning and leave the bookmark where it was, or end with exit code 1.",
    )
    on_bad_value: OnBadValue = choice(
        OnBadValue.FAIL,
        "A value that is not of its field's type, such as `N/A` in a number or 12.5 in an "
        'integer: end with exit code 1, or load null and count. In YAML write `"null"`, with '
        "quotes. Keys always fail.",
    )
    on_denied: OnDenied = choice(
        OnDenied.WARN,
        "A selected stream whose object the user's role may not read: skip it with a warning, "
        "or also end with exit code 1 after the other streams.",
    )
    on_changed_selection: OnChangedSelection = choice(
        OnChangedSelection.WARN,
        "The filter, start_date, entities or fields of an incremental stream changed since its "
        "state was written, so that rows or values are missing: warn and go on, reload the "
        "stream, or end with exit code 1 before any data moves.",
    )
    max_connections: int = setting(
        "Calls that may be in flight at once. Intacct allows a company only few, shared with "
        "all its other integrations.",
        th.IntegerType(minimum=1),
        default=2,
        title="Connections",
    )
    request_timeout_seconds: int = setting(
        "How long to wait for a whole answer, in seconds. Intacct itself works on a call for "
        "up to 15 minutes.",
        th.IntegerType(minimum=1),
        default=300,
        title="Request time-out",
    )
    max_retries: int = setting(
        "Retries of a call that failed for a passing reason, with growing pauses.",
        th.IntegerType(minimum=0),
        default=8,
        title="Retries",
    )
    maintenance: MaintenanceWindow = setting(
        "{start, end, timezone, action}: hours of each day in which Intacct may be off-line "
        "(00:00 to 02:00 America/Los_Angeles), and what a run does that meets them: ignore, "
        "warn, wait or fail.",
        object_of(MaintenanceWindow),
        name="maintenance_window",
        read=partial(read_object, MaintenanceWindow),
        default={},
    )
    emit_activate_version: bool = setting(
        "After the last record of a stream that is read whole, tell the target to drop the "
        "rows that did not come again.",
        th.BooleanType,
        name="emit_activate_version_messages",
        default=True,
        title="Emit ACTIVATE_VERSION",
    )
    gateway: GatewaySettings | None = None
    """None if credentials are missing, which discovery allows."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Check a configuration and read it; credentials may be missing.

        Raises:
            InvalidSettings: with all that the schema refuses, or else every other fault.
        """
        # For jsonschema only a dict is an object: it would refuse and quote another one.
        errors = _VALIDATOR.iter_errors(dict(config))
        refuse(map(_schema_problem, errors))
        problems = misspelt_problems(config, SETTING_NAMES)
        problems += _character_problems(config)
        found = read_settings(cls, config, problems)
        problems += _conflict_problems(found)
        refuse(problems)
        return replace(found, gateway=_gateway_settings(found))

    @property
    def missing(self) -> tuple[str, ...]:
        """The credentials that are not given."""
        return tuple(n for n in _CREDENTIALS if not getattr(self.connection, n))


SETTINGS = th.PropertiesList(*properties_of(Settings))
"""The JSON schema of all settings."""

_SCHEMA = SETTINGS.to_dict()
SETTING_NAMES = frozenset(_SCHEMA["properties"])
SECRET_SETTINGS = frozenset(
    name for name, schema in _SCHEMA["properties"].items() if schema.get("secret")
)
_CREDENTIALS: Sequence[str] = _SCHEMA["required"]
_NAMES = frozenset({*_CREDENTIALS, "entity_id"})
"""What signs in: no name and no password has a line break."""


def missing_credentials(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The credentials that are not given; signing in needs all of them."""
    return tuple(name for name in _CREDENTIALS if not given.get(name))


def _gateway_settings(settings: Settings) -> GatewaySettings | None:
    if settings.missing:
        return None
    connection = settings.connection
    return GatewaySettings(
        sender=connection.sender,
        login=connection.login,
        api_url=connection.api_url,
        timeout_seconds=settings.request_timeout_seconds,
        max_connections=settings.max_connections,
        retry=RetryPolicy(max_retries=settings.max_retries),
        response_format=settings.response_format,
        user_timezone=settings.user_timezone,
    )


def _conflict_problems(settings: Settings) -> Iterator[str]:
    """Settings that are right one by one, but not together."""
    if settings.key_store and not settings.include_deletes:
        yield "key_store is for deletions: set include_deletes to true, or drop it."
    if settings.sensitive.hashes and not settings.sensitive.salt:
        yield (
            "sensitive: hash needs sensitive_salt, the key of the hashes: set it to a "
            "long random text, and keep it."
        )
    if settings.entities and settings.connection.entity_id:
        yield (
            "entity_id signs in to one entity and entities to several: leave one of them."
        )
    streams = Counter(
        [report.stream_name for report in settings.custom_reports]
        + [extra.stream_name for extra in settings.extra_objects]
    )
    for name in (name for name, count in streams.items() if count > 1):
        yield (
            f"Two streams would be called '{name}': give one of them another stream_name."
        )


def _character_problems(config: Mapping[str, Any]) -> list[str]:
    """Texts that no request can hold. For signing in, also texts with line breaks."""
    return [
        f"{name} holds a control character or line break: copy it again, without."
        for name, value in config.items()
        if not all(
            map(_is_plain if name in _NAMES else is_legal, "".join(_texts(value)))
        )
    ]


def _is_plain(character: str) -> bool:
    return is_legal(character) and not is_control(character)


def _texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, Sequence):
        for part in value:
            yield from _texts(part)


def _schema_problem(error: jsonschema.ValidationError) -> str:
    path = ".".join(map(str, error.absolute_path))
    if path in SECRET_SETTINGS:
        # The message quotes the value.
        return f"{path} must be text."
    return f"{path}: {error.message}."


_VALIDATOR = jsonschema.Draft202012Validator(
    {name: part for name, part in _SCHEMA.items() if name != "required"}
)
