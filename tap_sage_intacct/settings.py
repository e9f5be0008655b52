"""Every setting once: its JSON schema for Singer, and the frozen value the tap uses.

Reads no environment and opens nothing. `Settings.from_config` refuses what a schema
cannot tell (an address without https, a date that is none), all faults at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
from singer_sdk import typing as th

from tap_sage_intacct.errors import TapError
from tap_sage_intacct.intacct.characters import is_control, is_legal
from tap_sage_intacct.intacct.credentials import Login, Secret, Sender
from tap_sage_intacct.intacct.endpoint import address_of
from tap_sage_intacct.intacct.gateway import (
    DEFAULT_API_URL,
    GatewaySettings,
    ResponseFormat,
)
from tap_sage_intacct.intacct.reader import MAX_QUERY_PAGE
from tap_sage_intacct.intacct.retrying import RetryPolicy
from tap_sage_intacct.maintenance import MaintenanceWindow
from tap_sage_intacct.sensitivity import SensitivePolicy
from tap_sage_intacct.setting_names import misspelt_problems
from tap_sage_intacct.setting_values import (
    BalanceSettings,
    CustomReport,
    ExtraObject,
    balance_periods,
    custom_reports,
    entity_ids,
    extra_objects,
    maintenance_window,
    names_twice,
    sensitive_policy,
    time_zone,
)
from tap_sage_intacct.sources import DATA_SOURCE_BY_STREAM

SETTINGS = th.PropertiesList(
    th.Property(
        "company_id",
        th.StringType,
        required=True,
        title="Company ID",
        description="The company to sign in to, as on Intacct's sign-in page.",
    ),
    th.Property(
        "user_id",
        th.StringType,
        required=True,
        title="User ID",
        description="The web services user (Company > Admin > Web Services users).",
    ),
    th.Property(
        "user_password",
        th.StringType,
        required=True,
        secret=True,
        title="User password",
        description="The web services user's password.",
    ),
    th.Property(
        "sender_id",
        th.StringType,
        required=True,
        title="Sender ID",
        description="The web services sender that Sage issued; the company must have "
        "authorised it (Company > Company Info > Security).",
    ),
    th.Property(
        "sender_password",
        th.StringType,
        required=True,
        secret=True,
        title="Sender password",
        description="The web services sender's password.",
    ),
    th.Property(
        "entity_id",
        th.StringType,
        title="Entity ID",
        description="Sign in to this one entity instead of the top level.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=DEFAULT_API_URL,
        title="API URL",
        description="Where to sign in. The endpoint that sign-in returns is used only if "
        "it is https within the same registrable domain, or the same host and port.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="The first sync of incremental streams leaves out what was last "
        "modified before this instant (ISO 8601; UTC unless it says otherwise). "
        "Default: everything.",
    ),
    th.Property(
        "filters",
        th.ObjectType(additional_properties=True),
        default={},
        title="Filters",
        description="Stream name to a SQL-like condition on field ids "
        "(`STATE = 'Posted' AND TOTALDUE > 1000`), or to a list of "
        "{field, operator, value}.",
    ),
    th.Property(
        "related_fields",
        th.ObjectType(additional_properties=th.ArrayType(th.StringType)),
        default={},
        title="Related fields",
        description="Stream name to paths into parent objects, such as "
        "`VENDOR.CREDITLIMIT` for bills: each becomes a field of the stream.",
    ),
    th.Property(
        "balance_periods",
        th.CustomType(
            {"type": ["array", "object", "string"], "items": {"type": "string"}}
        ),
        default=[],
        title="Balance periods",
        description="The budgetable reporting periods that gl_account_balances reads: "
        "names such as `Month Ended June 2026`, or {from, to, type} with type `month`, "
        "`quarter` or `year`; without `to`, up to the day of the run. A condition on "
        "PERIOD in `filters` names them too.",
    ),
    th.Property(
        "balance_books",
        th.ArrayType(th.StringType),
        default=[],
        title="Balance books",
        description="The BOOKIDs that gl_account_balances reads, such as `ACCRUAL`. "
        "Default: all, which repeat the same postings.",
    ),
    th.Property(
        "balance_leave_out_zero",
        th.BooleanType,
        default=False,
        title="Leave out zero balances",
        description="Leave out balances whose amounts are all zero.",
    ),
    th.Property(
        "balance_reread_periods",
        th.IntegerType(minimum=0),
        default=2,
        title="Balance periods read again",
        description="How many of the latest periods each run reads again. Earlier ones "
        "are read again when Intacct tells of a change in them.",
    ),
    th.Property(
        "custom_reports",
        th.ArrayType(
            th.ObjectType(
                th.Property("name", th.StringType, required=True),
                th.Property("stream_name", th.StringType),
                th.Property(
                    "type",
                    th.StringType,
                    allowed_values=["interactive", "original"],
                ),
                th.Property("arguments", th.ObjectType(additional_properties=True)),
                th.Property("primary_keys", th.ArrayType(th.StringType)),
                th.Property("typed", th.BooleanType),
                additional_properties=False,
            )
        ),
        default=[],
        title="Custom reports",
        description="Custom reports to load, a stream each: {name, stream_name, type, "
        "arguments, primary_keys, typed}.",
    ),
    th.Property(
        "report_timeout_minutes",
        th.IntegerType(minimum=1),
        default=60,
        title="Report time-out",
        description="How long to wait for a custom report, in minutes.",
    ),
    th.Property(
        "extra_objects",
        th.ArrayType(
            th.OneOf(
                th.StringType,
                th.ObjectType(
                    th.Property("object", th.StringType, required=True),
                    th.Property("stream_name", th.StringType),
                    th.Property("primary_keys", th.ArrayType(th.StringType)),
                    th.Property("replication_key", th.StringType),
                    th.Property("docparid", th.StringType),
                    additional_properties=False,
                ),
            )
        ),
        default=[],
        title="Extra objects",
        description="Any other standard or custom object, or user-defined dimension, to "
        "load as a stream: its name, or {object, stream_name, primary_keys, "
        "replication_key, docparid}. `*` offers all that the company has.",
    ),
    th.Property(
        "entities",
        th.CustomType({"type": ["array", "string"], "items": {"type": "string"}}),
        default=[],
        title="Entities",
        description="Read entity by entity, by the entities' IDs, or `all`: each record "
        "gets an `_entity_id`, which becomes part of its key.",
    ),
    th.Property(
        "include_deletes",
        th.BooleanType,
        default=False,
        title="Include deletions",
        description="Emit a record that holds the primary key and `_sdc_deleted_at` for "
        "each deletion that the audit trail tells of (needs View permission on custom "
        "reports), and with `key_store` for those that it does not.",
    ),
    th.Property(
        "key_store",
        th.StringType,
        title="Key store",
        description="Path of a SQLite file in which the tap remembers the keys that it "
        "loaded, for deletions that the audit trail does not tell or names by another "
        "id. Made if missing; losing it costs one scan of the keys.",
    ),
    th.Property(
        "include_sensitive",
        th.CustomType(
            {"type": ["boolean", "array", "string"], "items": {"type": "string"}}
        ),
        default=False,
        title="Include sensitive fields",
        description="Which bank, tax, pay and personal fields discovery offers: `true` "
        "for all, or a list of `stream.FIELD` patterns such as `employees.BIRTHDATE`. "
        "Other sensitive fields cannot be selected.",
    ),
    th.Property(
        "sensitive",
        th.StringType,
        default="drop",
        allowed_values=["drop", "hash", "keep"],
        title="Sensitive fields",
        description="What becomes of sensitive fields. `drop`: only those that "
        "include_sensitive allows are offered, as they are. `hash`: they are offered as "
        "keyed hashes, never as they are. `keep`: they are offered as they are. With "
        "`hash` and `keep`, a list in include_sensitive narrows what is offered.",
    ),
    th.Property(
        "sensitive_salt",
        th.StringType,
        secret=True,
        title="Salt of hashes",
        description="The key of the hashes of `sensitive: hash` (HMAC-SHA256): a long "
        "random text. Another salt gives other hashes.",
    ),
    th.Property(
        "lookback_minutes",
        th.IntegerType(minimum=0),
        default=120,
        title="Lookback",
        description="Overlap of incremental syncs, in minutes: Intacct shows some rows "
        "late.",
    ),
    th.Property(
        "user_timezone",
        th.StringType,
        title="Time zone of the API user",
        description="IANA name of the time zone in the API user's preferences, such as "
        "America/Los_Angeles; not needed if that is GMT. Intacct tells its current "
        "offset only, which is wrong for half of the timestamps of a zone with daylight "
        "saving.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=MAX_QUERY_PAGE),
        default=MAX_QUERY_PAGE,
        title="Page size",
        description="Rows asked for per call, at most 2,000 (1,000 where the object is "
        "read by readByQuery). Halved by the tap after a time-out.",
    ),
    th.Property(
        "paging",
        th.StringType,
        default="auto",
        allowed_values=["auto", "offset"],
        title="Paging",
        description="`auto` cuts pages by key, which cannot drift; `offset` takes them by "
        "offset under the eyes of the drift detector, for comparison.",
    ),
    th.Property(
        "response_format",
        th.StringType,
        default="auto",
        allowed_values=["auto", "xml", "json"],
        title="Response format",
        description="What the pages of a stream come in, except the first, the last and "
        "those that only XML serves. `auto`: JSON, which is read several times as fast, "
        "or XML where Intacct does not serve it; `json`: fail if Intacct refuses it.",
    ),
    th.Property(
        "on_drift",
        th.StringType,
        default="repair",
        allowed_values=["repair", "warn", "fail"],
        title="On drift",
        description="Rows moved across pages while they were read: read again what is "
        "affected, go on with a warning and leave the bookmark where it was, or end "
        "with exit code 1.",
    ),
    th.Property(
        "on_bad_value",
        th.StringType,
        default="fail",
        allowed_values=["fail", "null"],
        title="On bad value",
        description="A value that is not of its field's type, such as `N/A` in a number "
        "or 12.5 in an integer: end with exit code 1, or load null and count. In YAML "
        'write `"null"`, with quotes. Keys always fail.',
    ),
    th.Property(
        "on_denied",
        th.StringType,
        default="warn",
        allowed_values=["warn", "fail"],
        title="On denied",
        description="A selected stream whose object the user's role may not read: skip "
        "it with a warning, or also end with exit code 1 after the other streams.",
    ),
    th.Property(
        "on_changed_selection",
        th.StringType,
        default="warn",
        allowed_values=["warn", "reload", "fail"],
        title="On changed selection",
        description="The filter, start_date, entities or fields of an incremental stream "
        "changed since its state was written, so that rows or values are missing: say so "
        "and go on, load the stream anew, or end with exit code 1 before any data moves.",
    ),
    th.Property(
        "max_connections",
        th.IntegerType(minimum=1),
        default=2,
        title="Connections",
        description="Calls that may be in flight at once. Intacct allows a company only "
        "few, shared with all its other integrations.",
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(minimum=1),
        default=300,
        title="Request time-out",
        description="How long to wait for a whole answer, in seconds. Intacct itself works on "
        "a call for up to 15 minutes.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0),
        default=8,
        title="Retries",
        description="Retries of a call that failed for a passing reason, with growing "
        "pauses.",
    ),
    th.Property(
        "maintenance_window",
        th.ObjectType(
            th.Property("start", th.StringType),
            th.Property("end", th.StringType),
            th.Property("timezone", th.StringType),
            th.Property(
                "action",
                th.StringType,
                allowed_values=["ignore", "warn", "wait", "fail"],
            ),
            additional_properties=False,
        ),
        default={},
        title="Maintenance window",
        description="{start, end, timezone, action}: hours of each day in which Intacct "
        "may be off-line (00:00 to 02:00 America/Los_Angeles), and what a run does that "
        "meets them: ignore, warn, wait or fail.",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=True,
        title="Emit ACTIVATE_VERSION",
        description="After the last record of a stream that is read whole, tell the "
        "target to drop the rows that did not come again.",
    ),
)

SETTING_NAMES = frozenset(SETTINGS.to_dict()["properties"])

SECRET_SETTINGS = frozenset(
    name
    for name, schema in SETTINGS.to_dict()["properties"].items()
    if schema.get("secret")
)

_CREDENTIALS = (
    "company_id",
    "user_id",
    "user_password",
    "sender_id",
    "sender_password",
)
_NAMES = frozenset({*_CREDENTIALS, "entity_id"})
"""What signs in: no name and no password has a line break."""


class InvalidSettings(TapError):
    """Settings that no run can use."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Say what is wrong.

        Args:
            problems: one sentence each: which setting, what is wrong, what to do.
        """
        super().__init__(*problems)


class OnDenied(Enum):
    """What a selected stream does whose object may not be read."""

    WARN = "warn"
    FAIL = "fail"


class OnBadValue(Enum):
    """What happens to a value that is not of its field's type."""

    FAIL = "fail"
    NULL = "null"


class OnChangedSelection(Enum):
    """What a stream does whose choices changed since its state was written."""

    WARN = "warn"
    RELOAD = "reload"
    FAIL = "fail"


class OnDrift(Enum):
    """What a stream does whose rows moved while they were read."""

    REPAIR = "repair"
    WARN = "warn"
    FAIL = "fail"


class Paging(Enum):
    """How pages of `query` are taken."""

    AUTO = "auto"
    OFFSET = "offset"


@dataclass(frozen=True, slots=True)
class Settings:
    """The tap's settings, checked.

    Attributes:
        gateway: None where credentials are missing, which discovery allows.
        filters: stream name to the filter as the user gave it.
        related_fields: stream name to dotted paths.
        start_date: aware; None for everything.
        report_patience: how long to wait for a custom report.
        entities: empty to read all at once, `EVERY_ENTITY` alone for each there is.
        key_store: None where the user keeps none.
    """

    gateway: GatewaySettings | None
    start_date: datetime | None = None
    filters: Mapping[str, str | Sequence[Mapping[str, Any]]] = field(
        default_factory=dict
    )
    related_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    balances: BalanceSettings = field(default_factory=BalanceSettings)
    custom_reports: tuple[CustomReport, ...] = ()
    report_patience: timedelta = timedelta(minutes=60)
    extra_objects: tuple[ExtraObject, ...] = ()
    entities: tuple[str, ...] = ()
    include_deletes: bool = False
    key_store: Path | None = None
    sensitive: SensitivePolicy = field(default_factory=SensitivePolicy)
    lookback: timedelta = timedelta(minutes=120)
    page_size: int = MAX_QUERY_PAGE
    paging: Paging = Paging.AUTO
    on_drift: OnDrift = OnDrift.REPAIR
    on_bad_value: OnBadValue = OnBadValue.FAIL
    on_denied: OnDenied = OnDenied.WARN
    on_changed_selection: OnChangedSelection = OnChangedSelection.WARN
    maintenance: MaintenanceWindow = field(default_factory=MaintenanceWindow)
    emit_activate_version: bool = True

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read a configuration that its JSON schema accepts.

        Raises:
            InvalidSettings: with every problem found.
        """
        given = {
            name: schema["default"]
            for name, schema in SETTINGS.to_dict()["properties"].items()
            if "default" in schema
        }
        given.update(
            {name: value for name, value in config.items() if value is not None}
        )
        problems = [
            *misspelt_problems(config, SETTING_NAMES),
            *_character_problems(given),
            *_api_url_problems(given["api_url"]),
            *_deletes_problems(given),
        ]
        start_date = _instant(given.get("start_date"), problems)
        balances = BalanceSettings(
            balance_periods(given["balance_periods"], problems),
            tuple(given["balance_books"]),
            given["balance_leave_out_zero"],
            given["balance_reread_periods"],
        )
        reports = custom_reports(given["custom_reports"], problems)
        extra = extra_objects(given["extra_objects"], problems)
        entities = entity_ids(given["entities"], problems)
        maintenance = maintenance_window(given["maintenance_window"], problems)
        zone = time_zone("user_timezone", given.get("user_timezone"), problems)
        sensitive = sensitive_policy(given, problems)
        problems += _entity_problems(given, entities)
        problems += _stream_name_problems(reports, extra)
        if problems:
            raise InvalidSettings(problems)
        return cls(
            gateway=_gateway_settings(given, zone),
            start_date=start_date,
            filters=given["filters"],
            related_fields={
                name: tuple(paths) for name, paths in given["related_fields"].items()
            },
            balances=balances,
            custom_reports=reports,
            report_patience=timedelta(minutes=given["report_timeout_minutes"]),
            extra_objects=extra,
            entities=entities,
            include_deletes=given["include_deletes"],
            key_store=Path(given["key_store"]) if given.get("key_store") else None,
            sensitive=sensitive,
            lookback=timedelta(minutes=given["lookback_minutes"]),
            page_size=given["page_size"],
            paging=Paging(given["paging"]),
            on_drift=OnDrift(given["on_drift"]),
            on_bad_value=OnBadValue(given["on_bad_value"]),
            on_denied=OnDenied(given["on_denied"]),
            on_changed_selection=OnChangedSelection(given["on_changed_selection"]),
            maintenance=maintenance,
            emit_activate_version=given["emit_activate_version_messages"],
        )


def _gateway_settings(
    given: Mapping[str, Any], user_timezone: ZoneInfo | None
) -> GatewaySettings | None:
    if not all(given.get(name) for name in _CREDENTIALS):
        return None
    return GatewaySettings(
        sender=Sender(given["sender_id"], Secret(given["sender_password"])),
        login=Login(
            given["company_id"],
            given["user_id"],
            Secret(given["user_password"]),
            given.get("entity_id") or None,
        ),
        api_url=given["api_url"],
        timeout_seconds=given["request_timeout_seconds"],
        max_connections=given["max_connections"],
        retry=RetryPolicy(max_retries=given["max_retries"]),
        response_format=ResponseFormat(given["response_format"]),
        user_timezone=user_timezone,
    )


def _character_problems(given: Mapping[str, Any]) -> list[str]:
    """Texts that no request can hold; of what signs in also those of several lines."""
    return [
        f"{name} holds a control character or line break: copy it again, without."
        for name, value in given.items()
        if any(map(_is_odd_name if name in _NAMES else _is_odd, _texts(value)))
    ]


def _is_odd(text: str) -> bool:
    return not all(map(is_legal, text))


def _is_odd_name(text: str) -> bool:
    return _is_odd(text) or any(map(is_control, text))


def _texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, Sequence):
        for part in value:
            yield from _texts(part)


def _api_url_problems(url: str) -> list[str]:
    address = address_of(url)
    if address is not None and address.is_safe:
        return []
    return [
        "api_url must be an https address (http only for this machine itself), plain "
        "and without a user name, since passwords travel to it."
    ]


def _deletes_problems(given: Mapping[str, Any]) -> list[str]:
    if not given.get("key_store") or given["include_deletes"]:
        return []
    return ["key_store is for deletions: set include_deletes to true, or drop it."]


def _entity_problems(given: Mapping[str, Any], entities: Sequence[str]) -> list[str]:
    if not (entities and given.get("entity_id")):
        return []
    return [
        "entity_id signs in to one entity and entities to several: leave one of them."
    ]


def _stream_name_problems(
    reports: Sequence[CustomReport], extra: Sequence[ExtraObject]
) -> list[str]:
    names = [
        *DATA_SOURCE_BY_STREAM,
        *(report.stream_name for report in reports),
        *(wanted.stream_name for wanted in extra),
    ]
    return [
        f"Two streams would be called '{name}': give one of them another stream_name."
        for name in names_twice(names)
    ]


def _instant(text: str | None, problems: list[str]) -> datetime | None:
    """An ISO 8601 date or time, aware; UTC where it names no zone."""
    if not text:
        return None
    try:
        instant = (
            datetime.combine(date.fromisoformat(text), datetime.min.time())
            if len(text) == len("2026-01-31")
            else datetime.fromisoformat(text.replace("Z", "+00:00"))
        )
    except ValueError:
        problems.append(
            f"start_date '{text}' is not a date: write it as 2026-01-31 or "
            "2026-01-31T00:00:00Z."
        )
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)


def checked_settings(values: Mapping[str, Any]) -> Settings:
    """Read values that nobody has held against the schema; credentials may be missing.

    Raises:
        InvalidSettings: with every problem found.
    """
    # JSON Schema knows no other mapping, and would quote the whole of it.
    found = _VALIDATOR.iter_errors(dict(values))
    problems = [_schema_problem(error) for error in found]
    if problems:
        raise InvalidSettings(problems)
    return Settings.from_config(values)


def _schema_problem(error: jsonschema.ValidationError) -> str:
    path = ".".join(map(str, error.absolute_path))
    if path in SECRET_SETTINGS:
        # The message quotes the value.
        return f"{path} must be text."
    return f"{path}: {error.message}."


_VALIDATOR = jsonschema.Draft202012Validator(
    {name: part for name, part in SETTINGS.to_dict().items() if name != "required"}
)
