"""The settings as the frozen value that the tap uses.

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

from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.http.credentials import Login, Secret, Sender
from tap_sage_intacct.intacct.http.endpoint import address_of
from tap_sage_intacct.intacct.http.retrying import RetryPolicy
from tap_sage_intacct.intacct.reader import MAX_QUERY_PAGE
from tap_sage_intacct.intacct.rows.characters import is_control, is_legal
from tap_sage_intacct.intacct.xml.gateway import (
    GatewaySettings,
    ResponseFormat,
)
from tap_sage_intacct.settings.declared import SECRET_SETTINGS, SETTING_NAMES, SETTINGS
from tap_sage_intacct.settings.maintenance import MaintenanceWindow
from tap_sage_intacct.settings.names import misspelt_problems
from tap_sage_intacct.settings.sensitive import SensitivePolicy
from tap_sage_intacct.settings.values import (
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

_CREDENTIALS = (
    "company_id",
    "user_id",
    "user_password",
    "sender_id",
    "sender_password",
)
_NAMES = frozenset({*_CREDENTIALS, "entity_id"})
"""What signs in: no name and no password has a line break."""


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
        missing: these credentials.
        filters: stream name to the filter as the user gave it.
        related_fields: stream name to dotted paths.
        start_date: aware; None for everything.
        report_patience: how long to wait for a custom report.
        entities: empty to read all at once, `EVERY_ENTITY` alone for each there is.
        key_store: None where the user keeps none.
    """

    gateway: GatewaySettings | None
    missing: Sequence[str]
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
            missing=missing_credentials(given),
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


def missing_credentials(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings without which nobody can sign in, as far as they are not given."""
    return tuple(name for name in _CREDENTIALS if not given.get(name))


def _gateway_settings(
    given: Mapping[str, Any], user_timezone: ZoneInfo | None
) -> GatewaySettings | None:
    if missing_credentials(given):
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
