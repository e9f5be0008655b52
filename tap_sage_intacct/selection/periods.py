"""Reporting periods: which there are, and which of them the user means.

Balances are asked for by the name of a budgetable period (Sage's page on account
balances [D]). Asks the gateway once a run. Does not use Singer.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tap_sage_intacct.catalog.sources import RECORD_NUMBER
from tap_sage_intacct.errors import InvalidSettings, refuse
from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import Row
from tap_sage_intacct.intacct.rows.values import InvalidValue, ValueType, converter
from tap_sage_intacct.settings.suggestions import did_you_mean
from tap_sage_intacct.settings.values import PeriodRange

_FIELDS = ("RECORDNO", "NAME", "START_DATE", "END_DATE", "BUDGETING", "STATUS")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReportingPeriod:
    """A period; the end is its last day."""

    name: str
    start: date
    end: date
    is_budgetable: bool
    is_active: bool

    @property
    def days(self) -> int:
        """Its length."""
        return (self.end - self.start).days + 1


def reporting_periods(gateway: Gateway) -> list[ReportingPeriod]:
    """All periods of the company, by record number.

    The built-in ones without dates of their own (Today, Current Month) are left out.

    Raises:
        PermissionDenied: the role may not read reporting periods.
        IntacctError: a date cannot be read.
    """
    day = converter(ValueType.DATE, gateway.user_format())
    reader = ObjectReader(gateway, "REPORTINGPERIOD", _FIELDS)
    found = (
        _period(row, date.fromisoformat(str(start)), date.fromisoformat(str(end)))
        for page in KeySetPaging(reader, RECORD_NUMBER).pages()
        for row in page.rows
        if (start := day(row["START_DATE"])) and (end := day(row["END_DATE"]))
    )
    try:
        return list(found)
    except InvalidValue as error:
        raise IntacctError(
            f"A date of a reporting period cannot be read: {error}."
        ) from None


def _period(row: Row, start: date, end: date) -> ReportingPeriod:
    return ReportingPeriod(
        row["NAME"],
        start,
        end,
        row.get("BUDGETING", "").lower() in {"true", "t"},
        row.get("STATUS", "").lower() != "inactive",
    )


def chosen_periods(
    known: Sequence[ReportingPeriod], chosen: Sequence[str] | PeriodRange, today: date
) -> list[ReportingPeriod]:
    """The periods that the user means, the earliest end first.

    Raises:
        InvalidSettings: a named period does not exist or is not budgetable; the range
            has no period.
    """
    found = (
        _in_range(known, chosen, today)
        if isinstance(chosen, PeriodRange)
        else _named(known, chosen)
    )
    return sorted(found, key=lambda period: (period.end, period.start))


def _named(
    known: Sequence[ReportingPeriod], names: Sequence[str]
) -> list[ReportingPeriod]:
    by_name = {period.name: period for period in known}
    budgetable = [period.name for period in known if period.is_budgetable]
    problems = [
        f"balance_periods: there is no reporting period '{name}'"
        f"{did_you_mean(name, budgetable)}"
        for name in names
        if name not in by_name
    ]
    problems += [
        f"balance_periods: the reporting period '{name}' is not budgetable, so that "
        "Intacct keeps no balances for it: name another, or mark it as budgetable."
        for name in names
        if name in by_name and not by_name[name].is_budgetable
    ]
    refuse(problems)
    return [by_name[name] for name in names]


def _in_range(
    known: Sequence[ReportingPeriod], chosen: PeriodRange, today: date
) -> list[ReportingPeriod]:
    """If several periods cover the same days, the first counts: it is the same money."""
    end = chosen.end or today
    by_days: dict[tuple[date, date], ReportingPeriod] = {}
    for period in known:
        if not (period.is_budgetable and period.is_active):
            continue
        if not chosen.type.shortest <= period.days <= chosen.type.longest:
            continue
        if not chosen.start <= period.start <= end:
            continue
        first = by_days.setdefault((period.start, period.end), period)
        if first is not period:
            logger.info(
                "The period '%s' is left out: it covers the same days as '%s'.",
                period.name,
                first.name,
            )
    if not by_days:
        raise InvalidSettings(
            f"balance_periods: there is no budgetable {chosen.type.word} that begins "
            f"from {chosen.start} to {end}."
        )
    return list(by_days.values())
