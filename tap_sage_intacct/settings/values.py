"""Settings that are more than a word: which balances, objects and reports are wanted.

Pure: JSON values in, frozen dataclasses out; each fault is a sentence added to
`problems`, so that a user is told of all of them at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from tap_sage_intacct.intacct.http.credentials import Secret
from tap_sage_intacct.intacct.xml.reports import Argument, DateRange, ReportKind
from tap_sage_intacct.settings.maintenance import MaintenanceAction, MaintenanceWindow
from tap_sage_intacct.settings.sensitive import SensitivePolicy, Treatment
from tap_sage_intacct.settings.suggestions import shortened

EVERY_OBJECT = "*"
"""Stands in `extra_objects` for whatever the company offers."""

EVERY_ENTITY = "all"


def maintenance_window(
    given: Mapping[str, str], problems: list[str]
) -> MaintenanceWindow:
    """The hours in which Intacct may be off-line, and what a run does then."""
    standard = MaintenanceWindow()
    start = _time_of_day(given.get("start"), standard.start, problems)
    end = _time_of_day(given.get("end"), standard.end, problems)
    zone = time_zone("maintenance_window", given.get("timezone"), problems)
    action = MaintenanceAction(given.get("action", standard.action.value))
    return MaintenanceWindow(start, end, zone or standard.zone, action)


def _time_of_day(text: str | None, standard: time, problems: list[str]) -> time:
    try:
        return time.fromisoformat(text) if text else standard
    except ValueError:
        problems.append(
            f"maintenance_window: '{text}' is no time of day: write it as 02:00."
        )
        return standard


def time_zone(setting: str, name: str | None, problems: list[str]) -> ZoneInfo | None:
    """The IANA time zone that a setting names; None where it names none."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        problems.append(
            f"{setting}: the time zone '{name}' is unknown: give a name as "
            "America/Los_Angeles."
        )
        return None


class PeriodType(Enum):
    """The length of a reporting period, in days: calendars of 4-4-5 weeks included."""

    MONTH = ("month", 27, 36)
    QUARTER = ("quarter", 84, 98)
    YEAR = ("year", 350, 380)

    def __init__(self, word: str, shortest: int, longest: int) -> None:
        self.word = word
        self.shortest = shortest
        self.longest = longest


@dataclass(frozen=True, slots=True)
class PeriodRange:
    """All budgetable periods of one length within some time.

    Attributes:
        start: no period begins before it.
        end: no period begins after it; None for the day of the run.
    """

    start: date
    end: date | None
    type: PeriodType


@dataclass(frozen=True, slots=True)
class BalanceSettings:
    """Which account balances are wanted.

    Attributes:
        periods: names, or a range of them.
        books: BOOKIDs; empty for all.
        leaves_out_zero: whether balances whose amounts are all zero are left out.
        reread_periods: how many of the latest periods each run reads again.
    """

    periods: tuple[str, ...] | PeriodRange = ()
    books: tuple[str, ...] = ()
    leaves_out_zero: bool = False
    reread_periods: int = 2


@dataclass(frozen=True, slots=True)
class ExtraObject:
    """An object beside the primary data sources, to be a stream as well.

    Attributes:
        object_name: as the user wrote it; also the label of a user-defined dimension.
        primary_keys: empty to take the record number.
        replication_key: None to take what `lookup` lists.
        document_type: transaction definition (`docparid`).
    """

    object_name: str
    stream_name: str
    primary_keys: tuple[str, ...] = ()
    replication_key: str | None = None
    document_type: str | None = None


@dataclass(frozen=True, slots=True)
class CustomReport:
    """A custom report, to be a stream.

    Attributes:
        name: of the report, exactly as in Sage Intacct.
        kind: None to find out.
        arguments: by the path that the report prompts for.
        primary_keys: empty for none.
        is_typed: whether columns get the types that `lookup` tells.
    """

    name: str
    stream_name: str
    kind: ReportKind | None = None
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    primary_keys: tuple[str, ...] = ()
    is_typed: bool = True


def stream_name_of(text: str) -> str:
    """A name that every target takes: lower case, words joined by underscores."""
    return re.sub(r"\W+", "_", text.lower(), flags=re.ASCII).strip("_") or "stream"


def balance_periods(given: Any, problems: list[str]) -> tuple[str, ...] | PeriodRange:
    """`balance_periods`: names, or {from, to, type}."""
    value = _from_json(given)
    if isinstance(value, Mapping):
        return _period_range(value, problems)
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return tuple(dict.fromkeys(value))
    problems.append(
        "balance_periods must be a list of names, or {from, to, type}; it is "
        f"'{shortened(str(given))}'."
    )
    return ()


def entity_ids(given: Any, problems: list[str]) -> tuple[str, ...]:
    """`entities`: a list of IDs, or `EVERY_ENTITY`."""
    value = _from_json(given)
    if value == EVERY_ENTITY:
        return (EVERY_ENTITY,)
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return tuple(dict.fromkeys(value))
    problems.append(
        f"entities must be a list of entity IDs, or {EVERY_ENTITY}; it is "
        f"'{shortened(str(given))}'."
    )
    return ()


_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0", ""})


def sensitive_policy(given: Mapping[str, Any], problems: list[str]) -> SensitivePolicy:
    """`include_sensitive`, `sensitive` and `sensitive_salt` together."""
    treatment = Treatment(given["sensitive"])
    salt = Secret(given.get("sensitive_salt") or "")
    if treatment is Treatment.HASH and not salt.reveal():
        problems.append(
            "sensitive: hash needs sensitive_salt, the key of the hashes: set it to a "
            "long random text, and keep it."
        )
    included = _included(given["include_sensitive"], problems)
    return SensitivePolicy(treatment, included, salt)


def _included(given: Any, problems: list[str]) -> bool | tuple[str, ...]:
    value = _from_json(given)
    if isinstance(value, str) and value.strip().lower() in _TRUE | _FALSE:
        value = value.strip().lower() in _TRUE
    if isinstance(value, bool):
        return value
    if isinstance(value, list) and all(
        isinstance(name, str) and "." in name for name in value
    ):
        return tuple(dict.fromkeys(value)) or False
    problems.append(
        "include_sensitive must be true, false or a list of stream.FIELD patterns such "
        f"as employees.BIRTHDATE; it is '{shortened(str(given))}'."
    )
    return False


def _from_json(given: Any) -> Any:
    """What a text holds that an environment variable gave; other texts as they are."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given


def _period_range(
    given: Mapping[str, Any], problems: list[str]
) -> tuple[str, ...] | PeriodRange:
    words = {kind.word: kind for kind in PeriodType}
    unknown = sorted(set(given) - {"from", "to", "type"})
    start, end = _day(given.get("from")), _day(given.get("to"), is_end=True)
    if unknown or start is None or given.get("type") not in words:
        problems.append(
            "balance_periods must be a list of names, or {from, to, type} with from and "
            "to as 2026-01 or 2026-01-31 and type one of month, quarter, year."
        )
        return ()
    if given.get("to") and (end is None or end < start):
        problems.append(
            "balance_periods: `to` must be a date that is not before `from`."
        )
        return ()
    return PeriodRange(start, end, words[given["type"]])


def _day(given: Any, *, is_end: bool = False) -> date | None:
    """A day, or a month's first or last day; None where it is none."""
    text = str(given or "")
    try:
        if re.fullmatch(r"\d{4}-\d\d", text):
            first = date.fromisoformat(f"{text}-01")
            return _last_of_month(first) if is_end else first
        return date.fromisoformat(text)
    except ValueError:
        return None


def _last_of_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def extra_objects(given: Iterable[Any], problems: list[str]) -> tuple[ExtraObject, ...]:
    """`extra_objects`: names, or {object, stream_name, primary_keys, ...}."""
    found = []
    for entry in given:
        parts = {"object": entry} if isinstance(entry, str) else entry
        document_type = parts.get("docparid")
        default = " ".join(filter(None, (parts["object"], document_type)))
        if not parts["object"].strip():
            problems.append("extra_objects holds an object without a name.")
        found.append(
            ExtraObject(
                parts["object"].strip(),
                parts.get("stream_name") or stream_name_of(default),
                tuple(parts.get("primary_keys") or ()),
                parts.get("replication_key"),
                document_type,
            )
        )
    return tuple(found)


def custom_reports(
    given: Iterable[Mapping[str, Any]], problems: list[str]
) -> tuple[CustomReport, ...]:
    """`custom_reports`: {name, stream_name, arguments, type, primary_keys, typed}."""
    return tuple(
        CustomReport(
            entry["name"],
            entry.get("stream_name") or stream_name_of(entry["name"]),
            ReportKind(entry["type"]) if entry.get("type") else None,
            _arguments(entry["name"], entry.get("arguments") or {}, problems),
            tuple(entry.get("primary_keys") or ()),
            entry.get("typed", True),
        )
        for entry in given
    )


# What can be the name of an XML element, which an argument becomes.
_PATH = re.compile(r"[^\W\d][\w.-]*")


def _arguments(
    report: str, given: Mapping[str, Any], problems: list[str]
) -> dict[str, Argument]:
    found: dict[str, Argument] = {}
    for name, value in given.items():
        argument = _argument(value)
        if argument is None or not _PATH.fullmatch(name):
            problems.append(
                f"custom_reports: the argument '{name}' of '{report}' must be the path "
                "of a prompt with a text, number, date, or {from, to}."
            )
        else:
            found[name] = argument
    return found


def _argument(value: Any) -> Argument | None:
    if isinstance(value, Mapping):
        if set(value) != {"from", "to"}:
            return None
        return DateRange(str(value["from"]), str(value["to"]))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float | date) else None


def names_twice(names: Sequence[str]) -> list[str]:
    """The names that occur more than once."""
    return sorted({name for name in names if names.count(name) > 1})
