"""Settings that are more than a word: which balances, objects and reports are wanted.

Pure: what a user wrote in, frozen dataclasses out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from singer_sdk import typing as th

from tap_sage_intacct.errors import InvalidSettings, refuse
from tap_sage_intacct.intacct.reports import Argument, DateRange, ReportKind
from tap_sage_intacct.settings.declaration import read_object, setting, words_of
from tap_sage_intacct.settings.environment import from_json, texts_of

EVERY_OBJECT = "*"
"""Stands in `extra_objects` for all that the company offers."""

EVERY_ENTITY = "all"

_TEXTS = th.ArrayType(th.StringType)


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


def _balance_periods(given: Any) -> tuple[str, ...] | PeriodRange:
    value = from_json(given)
    return _period_range(value) if isinstance(value, Mapping) else texts_of(value)


def _period_range(given: Mapping[str, Any]) -> PeriodRange:
    words = {kind.word: kind for kind in PeriodType}
    unknown = set(given) - {"from", "to", "type"}
    start, end = _day(given.get("from")), _day(given.get("to"), is_end=True)
    if unknown or start is None or given.get("type") not in words:
        raise InvalidSettings(
            "balance_periods must be a list of names, or {from, to, type} with from "
            "and to as 2026-01 or 2026-01-31 and type one of month, quarter, year."
        )
    if given.get("to") and (end is None or end < start):
        raise InvalidSettings(
            "balance_periods: `to` must be a date that is not before `from`."
        )
    return PeriodRange(start, end, words[given["type"]])


def _day(given: Any, *, is_end: bool = False) -> date | None:
    """A day, or a month's first or last day; None for anything else."""
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


@dataclass(frozen=True, slots=True)
class BalanceSettings:
    """Which account balances are wanted."""

    periods: tuple[str, ...] | PeriodRange = setting(
        "The budgetable reporting periods that gl_account_balances reads: names such as `Month "
        "Ended June 2026`, or {from, to, type} with type `month`, `quarter` or `year`; without "
        "`to`, up to the day of the run. A condition on PERIOD in `filters` names them too.",
        th.CustomType(
            {"type": ["array", "object", "string"], "items": {"type": "string"}}
        ),
        name="balance_periods",
        read=_balance_periods,
        fault="balance_periods must be a list of names, or {from, to, type}; it is '{}'.",
        default=[],
    )
    books: tuple[str, ...] = setting(
        "The BOOKIDs that gl_account_balances reads, such as `ACCRUAL`. Default: all, which "
        "repeat the same postings.",
        _TEXTS,
        name="balance_books",
        read=tuple,
        default=[],
    )
    leaves_out_zero: bool = setting(
        "Leave out balances whose amounts are all zero.",
        th.BooleanType,
        name="balance_leave_out_zero",
        default=False,
        title="Leave out zero balances",
    )
    reread_periods: int = setting(
        "How many of the latest periods each run reads again. Earlier ones are read again when "
        "Intacct reports a change in them.",
        th.IntegerType(minimum=0),
        name="balance_reread_periods",
        default=2,
        title="Balance periods read again",
    )


def entity_ids(given: Any) -> tuple[str, ...]:
    """`entities`: a list of IDs, or `EVERY_ENTITY`.

    Raises:
        ValueError: it is neither.
    """
    value = from_json(given)
    return (EVERY_ENTITY,) if value == EVERY_ENTITY else texts_of(value)


def stream_name_of(text: str) -> str:
    """A name that every target takes: lower case, words joined by underscores."""
    return re.sub(r"\W+", "_", text.lower(), flags=re.ASCII).strip("_") or "stream"


@dataclass(frozen=True, slots=True)
class ExtraObject:
    """An object beside the primary data sources, to be a stream as well.

    Attributes:
        object_name: as the user wrote it; also the label of a user-defined dimension.
        primary_keys: empty to take the record number.
        replication_key: None to take what `lookup` lists.
        document_type: transaction definition (`docparid`).
    """

    object_name: str = setting(name="object", required=True, read=str.strip, unset="")
    stream_name: str = setting(unset="")
    primary_keys: tuple[str, ...] = setting(kind=_TEXTS, read=tuple, unset=())
    replication_key: str | None = setting()
    document_type: str | None = setting(name="docparid")


def extra_objects(given: Iterable[Any]) -> tuple[ExtraObject, ...]:
    """`extra_objects`: names, or {object, stream_name, primary_keys, ...}.

    Raises:
        InvalidSettings: an object has no name.
    """
    found = []
    for entry in given:
        parts = {"object": entry} if isinstance(entry, str) else entry
        extra = read_object(ExtraObject, parts)
        if not extra.object_name:
            raise InvalidSettings("extra_objects holds an object without a name.")
        words = filter(None, (extra.object_name, extra.document_type))
        stream_name = extra.stream_name or stream_name_of(" ".join(words))
        found.append(replace(extra, stream_name=stream_name))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class CustomReport:
    """A custom report, to be a stream.

    Attributes:
        name: of the report, exactly as in Sage Intacct.
        kind: None to find out.
        arguments: by the path that the report prompts for.
        primary_keys: empty for none.
        is_typed: whether columns get the types that `lookup` gives.
    """

    name: str = setting(required=True, unset="")
    stream_name: str = setting(unset="")
    kind: ReportKind | None = setting(
        name="type", read=ReportKind, allowed_values=words_of(ReportKind)
    )
    arguments: Mapping[str, Argument] = setting(
        kind=th.ObjectType(additional_properties=True), unset={}
    )
    primary_keys: tuple[str, ...] = setting(kind=_TEXTS, read=tuple, unset=())
    is_typed: bool = setting(kind=th.BooleanType, name="typed", unset=True)


def custom_reports(given: Iterable[Mapping[str, Any]]) -> tuple[CustomReport, ...]:
    """`custom_reports`: {name, stream_name, type, arguments, primary_keys, typed}.

    Raises:
        InvalidSettings: with every argument that is malformed.
    """
    problems: list[str] = []
    found = []
    for entry in given:
        report = read_object(CustomReport, entry)
        stream_name = report.stream_name or stream_name_of(report.name)
        arguments = _arguments(report, problems)
        found.append(replace(report, stream_name=stream_name, arguments=arguments))
    refuse(problems)
    return tuple(found)


# What can be the name of an XML element, which an argument becomes.
_PATH = re.compile(r"[^\W\d][\w.-]*")


def _arguments(report: CustomReport, problems: list[str]) -> dict[str, Argument]:
    found: dict[str, Argument] = {}
    for name, value in report.arguments.items():
        argument = _argument(value)
        if argument is None or not _PATH.fullmatch(name):
            problems.append(
                f"custom_reports: the argument '{name}' of '{report.name}' must be the "
                "path of a prompt with a text, number, date, or {from, to}."
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
    return str(value) if isinstance(value, str | int | float | Decimal | date) else None
