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
        self._accounts: list[Row] = []
        self._departments: list[Row] = []
        self._locations: list[Row] = []
        self._customers: list[Row] = []
        self._vendors: list[Row] = []
        self._items: list[Row] = []
        self._projects: list[Row] = []

    def _dimensions(self, filler: Filler) -> Iterator[tuple[str, Iterable[Row]]]:
        self._accounts = list(self._chart())
        yield "GLACCOUNT", self._accounts
        self._locations = list(self._location_tree())
        yield "LOCATION", self._locations
        yield "LOCATIONENTITY", self._entities()
        self._departments = list(self._named("DEPARTMENT", 12, "D", "TITLE", filler))
        yield "DEPARTMENT", self._departments
        parties = max(40, self._lines // 50)
        self._customers = list(self._named("CUSTOMER", parties, "C-", "NAME", filler))
        yield "CUSTOMER", self._customers
        self._vendors = list(self._named("VENDOR", parties, "V-", "NAME", filler))
        yield "VENDOR", self._vendors
        yield "EMPLOYEE", self._named("EMPLOYEE", 35, "EMP", "TITLE", filler)
        yield "CLASS", self._named("CLASS", 8, "CL", "NAME", filler)
        self._items = list(self._named("ITEM", 30, "IT", "NAME", filler))
        yield "ITEM", self._items
        self._projects = list(self._project_rows(filler))
        yield "PROJECT", self._projects
        yield "TASK", self._tasks()
        yield "CONTACT", self._contacts(filler)
        for name in ("APTERM", "ARTERM"):
            yield name, self._rows(4, lambda n: {"NAME": f"Net {30 * n}"})
        yield "CHECKINGACCOUNT", self._accounts_at_banks(3)
        yield "CREDITCARD", self._cards(filler)
        yield "GLJOURNAL", self._rows(2, lambda n: {"SYMBOL": ("GJ", "AJ")[n - 1]})

    def _users(self) -> Iterator[Row]:
        for number, login in (
            (12, "admin"),
            (TAP_USER_RECORD, "tap_user"),
            (51, "cfo"),
        ):
            row: Row = {
                "LOGINID": login,
                "STATUS": "active",
                "USERTYPE": "business user",
            }
            yield {
                **self._stamps(number, self._now - TWO_YEARS),
                "RECORDNO": number,
                **row,
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
        first, *others = self._locations[: len(ENTITIES)]
        yield {**first, "CURRENCY": "USD", "PARENTID": None}
        for location in others:
            yield {**location, "CURRENCY": "USD", "PARENTID": first["LOCATIONID"]}

    def _project_rows(self, filler: Filler) -> Iterator[Row]:
        for place, row in enumerate(self._named("PROJECT", 20, "PR", "NAME", filler)):
            customer = self._customers[place % len(self._customers)]
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
            project = self._projects[(place - 1) // 2]
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

        return self._rows(len(self._projects) * 2, row)

    def _accounts_at_banks(self, count: int) -> Iterator[Row]:
        def row(place: int) -> Row:
            account = self._accounts[place]
            return {
                "BANKACCOUNTID": f"BANK{place}",
                "BANKACCOUNTNO": f"{1_000_000 + place}",
                "GLACCOUNTNO": account["ACCOUNTNO"],
                "BANKACCOUNTTYPE": "checking",
                "CURRENCY": "USD",
                "STATUS": "active",
            }

        return self._rows(count, row)

    def _cards(self, filler: Filler) -> Iterator[Row]:
        def row(place: int) -> Row:
            return {
                "CARDID": f"CARD{place}",
                "DESCRIPTION": f"Card of {filler.people[place]}",
                "CARDNUM": f"{1000 + place}",
                "STATUS": "active",
            }

        return self._rows(2, row)

    def _contacts(self, filler: Filler) -> Iterator[Row]:
        def row(place: int) -> Row:
            return {"CONTACTNAME": f"{filler.people[place % 100]} ({place})"}

        return self._rows(50, row)


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
