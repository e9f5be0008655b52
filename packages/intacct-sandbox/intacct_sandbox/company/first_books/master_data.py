"""Master data: the rows that journal entries, documents and contracts refer to.

Users, periods, accounts and dimensions. Rows that others refer to are kept, the rest is
generated.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from intacct_sandbox.company.first_books.book_rows import (
    ENTITIES,
    PRIVATE_ENTITY,
    TAP_USER_RECORD,
    TWO_YEARS,
    Row,
    RowMaker,
)
from intacct_sandbox.company.first_books.filler import Filler

_ACCOUNTS = 60
# Reporting periods of Intacct itself, which no balance can be asked for [D].
_SYSTEM_PERIODS = (
    ("Today", None, None, False),
    ("Current Month", None, None, False),
    ("Inception To Date", date(1990, 1, 1), None, False),
)


class MasterData(RowMaker):
    """Rows of master data, in the order in which they refer to each other."""

    def __init__(self, now: datetime, seed: int, journal_lines: int) -> None:
        """Make nothing yet."""
        super().__init__(now, seed, journal_lines)
        self._kept: dict[str, list[Row]] = {}

    def _keep(self, name: str, rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
        """An object whose rows others refer to."""
        kept = self._kept[name] = list(rows)
        yield name, kept

    def _turn(self, name: str, place: int) -> Row:
        """The rows of a kept object in turn."""
        rows = self._kept[name]
        return rows[place % len(rows)]

    def _dimensions(self, filler: Filler) -> Iterator[tuple[str, Iterable[Row]]]:
        yield from self._keep("GLACCOUNT", self._chart())
        yield from self._keep("LOCATION", self._location_tree())
        yield "LOCATIONENTITY", self._entities()
        yield from self._keep(
            "DEPARTMENT", self._named("DEPARTMENT", 12, "D", "TITLE", filler)
        )
        parties = max(40, self._lines // 50)
        for name in ("CUSTOMER", "VENDOR"):
            rows = self._named(name, parties, f"{name[0]}-", "NAME", filler)
            yield from self._keep(name, rows)
        yield "EMPLOYEE", self._named("EMPLOYEE", 35, "EMP", "TITLE", filler)
        yield "CLASS", self._named("CLASS", 8, "CL", "NAME", filler)
        yield from self._keep("ITEM", self._named("ITEM", 30, "IT", "NAME", filler))
        yield from self._keep("PROJECT", self._project_rows(filler))
        yield "TASK", self._tasks()
        people = filler.people
        yield (
            "CONTACT",
            self._rows(50, lambda n: {"CONTACTNAME": f"{people[n % 100]} ({n})"}),
        )
        for name in ("APTERM", "ARTERM"):
            yield name, self._rows(4, lambda n: {"NAME": f"Net {30 * n}"})
        yield "CHECKINGACCOUNT", self._accounts_at_banks()
        yield "CREDITCARD", self._cards(filler)
        yield "GLJOURNAL", self._rows(2, lambda n: {"SYMBOL": ("GJ", "AJ")[n - 1]})

    def _users(self) -> Iterator[Row]:
        for number, login in (
            (12, "admin"),
            (TAP_USER_RECORD, "tap_user"),
            (51, "cfo"),
        ):
            yield {
                **self._stamps(number, self._now - TWO_YEARS),
                "RECORDNO": number,
                "LOGINID": login,
                "STATUS": "active",
                "USERTYPE": "business user",
            }

    def _periods(self) -> Iterator[Row]:
        spans = [*self._budgetable_periods(), *_SYSTEM_PERIODS]
        for place, (name, start, end, budgeting) in enumerate(spans, 1):
            today = self._now.date()
            yield {
                **self._stamps(place, self._now - TWO_YEARS),
                "RECORD#": place,
                "RECORDNO": place,
                "NAME": name,
                "HEADER1": name,
                "START_DATE": start or today,
                "END_DATE": end or today,
                "BUDGETING": "true" if budgeting else "false",
                "STATUS": "active",
            }

    def _budgetable_periods(self) -> Iterator[tuple[str, date, date, bool]]:
        """Months, quarters and years of the two calendar years before, and of this."""
        for year in range(self._now.year - 2, self._now.year + 1):
            for month in range(1, 13):
                name = f"Month Ended {calendar.month_name[month]} {year}"
                yield name, date(year, month, 1), _month_end(year, month), True
            for quarter in range(3, 13, 3):
                name = f"Quarter Ended {calendar.month_name[quarter]} {year}"
                start = date(year, quarter - 2, 1)
                yield name, start, _month_end(year, quarter), True
            name = f"Calendar Year Ended December {year}"
            yield name, date(year, 1, 1), date(year, 12, 31), True

    def _chart(self) -> Iterator[Row]:
        def row(place: int) -> Row:
            is_income = place > _ACCOUNTS // 2
            return {
                "ACCOUNTNO": f"{4000 + place * 10}"
                if is_income
                else f"{1000 + place * 10}",
                "TITLE": f"{'Revenue' if is_income else 'Asset'} account {place}",
                "ACCOUNTTYPE": "incomestatement" if is_income else "balancesheet",
                "NORMALBALANCE": "credit" if is_income else "debit",
                "CLOSINGTYPE": "closing account"
                if is_income
                else "non-closing account",
                "STATUS": "active",
            }

        return self._rows(_ACCOUNTS, row)

    def _location_tree(self) -> Iterator[Row]:
        def row(place: int) -> Row:
            is_entity = place <= len(ENTITIES)
            parent = ENTITIES[place % len(ENTITIES)]
            location = ENTITIES[place - 1] if is_entity else f"L{place:03}"
            owner = location if is_entity else parent
            return {
                "LOCATIONID": location,
                "NAME": f"Location {location}",
                "PARENTID": None if is_entity else parent,
                "LOCATIONTYPE": "E" if is_entity else "N",
                "STATUS": "active",
                "_private": owner == PRIVATE_ENTITY,
                "_entity": owner if owner == PRIVATE_ENTITY else None,
            }

        return self._rows(12, row)

    def _entities(self) -> Iterator[Row]:
        first, *others = self._kept["LOCATION"][: len(ENTITIES)]
        yield {**first, "CURRENCY": "USD", "PARENTID": None}
        for location in others:
            yield {**location, "CURRENCY": "USD", "PARENTID": first["LOCATIONID"]}

    def _project_rows(self, filler: Filler) -> Iterator[Row]:
        for place, row in enumerate(self._named("PROJECT", 20, "PR", "NAME", filler)):
            customer = self._turn("CUSTOMER", place)
            yield {
                **row,
                "CUSTOMERKEY": customer["RECORDNO"],
                "CUSTOMERID": customer["CUSTOMERID"],
                "CUSTOMERNAME": customer["NAME"],
                "PROJECTCATEGORY": "Contract",
            }

    def _tasks(self) -> Iterator[Row]:
        """Two of each project; their ids are unique within it alone."""

        def row(place: int) -> Row:
            project = self._kept["PROJECT"][(place - 1) // 2]
            step = (place - 1) % 2 + 1
            return {
                "TASKID": f"T{step}",
                "NAME": f"Step {step} of {project['PROJECTID']}",
                "TASKNO": step,
                "PROJECTKEY": project["RECORDNO"],
                "PROJECTID": project["PROJECTID"],
                "PROJECTNAME": project["NAME"],
                "TASKSTATUS": "In Progress",
                "PARENTKEY": None,
                "PARENTID": None,
                "PARENTTASKNAME": None,
            }

        return self._rows(len(self._kept["PROJECT"]) * 2, row)

    def _accounts_at_banks(self) -> Iterator[Row]:
        def row(place: int) -> Row:
            account = self._kept["GLACCOUNT"][place]
            return {
                "BANKACCOUNTID": f"BANK{place}",
                "BANKACCOUNTNO": f"{1_000_000 + place}",
                "GLACCOUNTNO": account["ACCOUNTNO"],
                "BANKACCOUNTTYPE": "checking",
                "CURRENCY": "USD",
                "STATUS": "active",
            }

        return self._rows(3, row)

    def _cards(self, filler: Filler) -> Iterator[Row]:
        def row(place: int) -> Row:
            return {
                "CARDID": f"CARD{place}",
                "DESCRIPTION": f"Card of {filler.people[place]}",
                "CARDNUM": f"{1000 + place}",
                "STATUS": "active",
            }

        return self._rows(2, row)


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
