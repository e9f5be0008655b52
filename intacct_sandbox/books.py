"""Two years of business: the rows of every object, and how they hang together.

What lives here: how many rows each object has and what the books decide of them. What
it must not know: tables, fillers for the rest. The idea: rows are numbered 1, 2, 3 ...
and everything about a row follows from its number, so that nothing is remembered.
"""

from __future__ import annotations

import calendar
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from intacct_sandbox.filler import Filler
from intacct_sandbox.store import Value

Row = dict[str, Value]

TAP_USER_RECORD = 48
_TWO_YEARS = timedelta(days=730)
_LINES_PER_ENTRY = 4
_NOBODY: Row = {"RECORDNO": None, "CUSTOMERID": None, "VENDORID": None}
_ACCOUNTS = 60
_SCHEDULE_PERIODS = 6
_MODULES = ("2.GL", "2.GL", "3.AP", "4.AR")
_STATES = ("Posted",) * 9 + ("Draft", "Submitted", "Reversed")
_ENTITIES = ("E100", "E200", "E300")
PRIVATE_ENTITY = "E300"
DOCUMENT_TYPES = ("Sales Order", "Sales Invoice", "Sales Quote")
# RECORDNO leaves gaps, as deletions do.
_GAP = 7


class Books:
    """Rows of every object, generated in the order in which they refer to each other."""

    def __init__(self, now: datetime, seed: int, journal_lines: int) -> None:
        self._now = now
        self._random = random.Random(seed)
        self._lines = max(journal_lines, 40)
        self._accounts: list[Row] = []
        self._departments: list[Row] = []
        self._locations: list[Row] = []
        self._customers: list[Row] = []
        self._vendors: list[Row] = []
        self._contracts: list[Row] = []

    def objects(self, filler: Filler) -> Iterator[tuple[str, Iterable[Row]]]:
        """Object name and rows; each must be used up before the next."""
        yield "USERINFO", self._users()
        yield "REPORTINGPERIOD", self._periods()
        yield from self._dimensions(filler)
        yield "GLBATCH", self._entries()
        yield "GLENTRY", self._entry_lines()
        yield from self._documents()
        yield from self._contract_objects()
        yield "SODOCUMENT", self._orders()
        yield "subscription_plan", self._custom(20)
        yield "region", self._custom(5)

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
        for name, count in (("CLASS", 8), ("ITEM", 30), ("PROJECT", 20)):
            yield name, self._named(name, count, name[:2], "NAME", filler)
        yield "CONTACT", self._contacts(filler)
        for name in ("APTERM", "ARTERM"):
            yield name, self._rows(4, lambda n: {"NAME": f"Net {30 * n}"})
        yield "GLJOURNAL", self._rows(2, lambda n: {"SYMBOL": ("GJ", "AJ")[n - 1]})

    def _rows(self, count: int, row: Callable[[int], Row]) -> Iterator[Row]:
        """Number and stamp rows; `row` gets 1, 2, 3 ..."""
        step = _TWO_YEARS / (count + 1)
        for place in range(1, count + 1):
            created = self._now - _TWO_YEARS + step * place
            yield {
                "RECORDNO": _number(place),
                **self._stamps(place, created),
                **row(place),
            }

    def _stamps(self, place: int, created: datetime) -> Row:
        """Nulls, equal stamps and later changes, as real rows have them."""
        # Never within the last day, so that a second load has nothing to repeat.
        latest = self._now - timedelta(days=1)
        if place % 5 == 0:
            # Whole batches of rows are stamped within one second.
            created = created.replace(
                day=min(created.day, 15), hour=3, minute=0, second=0
            )
        created = min(created.replace(microsecond=0), latest)
        changed = created
        if place % 3 == 0:
            days = self._random.randrange(0, 200)
            changed = min(
                created + timedelta(days=days, seconds=place % 86_000), latest
            )
        never_changed = place % 17 == 0
        return {
            "WHENCREATED": created,
            "AUWHENCREATED": created,
            "WHENMODIFIED": None if never_changed else changed,
            "MODIFIED": changed,
            "CREATEDBY": TAP_USER_RECORD,
            "MODIFIEDBY": None if never_changed else TAP_USER_RECORD,
        }

    def _named(
        self, name: str, count: int, prefix: str, title: str, filler: Filler
    ) -> Iterator[Row]:
        """Master data: an id, a name, and every fifth row below another."""
        id_field = f"{name}ID"

        def row(place: int) -> Row:
            return {
                id_field: f"{prefix}{place:04}",
                title: filler.companies[place % len(filler.companies)],
                "PARENTID": f"{prefix}{place // 5:04}" if place % 5 == 0 else None,
                "STATUS": "inactive" if place % 13 == 0 else "active",
                # A custom field younger than the oldest rows.
                "KEY_ACCOUNT": None if place < count // 2 else place % 3 == 0,
                "CHANNELS": ("Web#~#Phone", "Web", None)[place % 3],
            }

        return self._rows(count, row)

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
                **self._stamps(number, self._now - _TWO_YEARS),
                "RECORDNO": number,
                **row,
            }

    def _periods(self) -> Iterator[Row]:
        spans = [*self._budgetable_periods(), *_SYSTEM_PERIODS]
        for place, (name, start, end, budgeting) in enumerate(spans, 1):
            today = self._now.date()
            yield {
                **self._stamps(place, self._now - _TWO_YEARS),
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
            is_entity = place <= len(_ENTITIES)
            parent = _ENTITIES[place % len(_ENTITIES)]
            location = _ENTITIES[place - 1] if is_entity else f"L{place:03}"
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
        first, *others = self._locations[: len(_ENTITIES)]
        yield {**first, "CURRENCY": "USD", "PARENTID": None}
        for location in others:
            yield {**location, "CURRENCY": "USD", "PARENTID": first["LOCATIONID"]}

    def _contacts(self, filler: Filler) -> Iterator[Row]:
        def row(place: int) -> Row:
            return {"CONTACTNAME": f"{filler.people[place % 100]} ({place})"}

        return self._rows(50, row)

    def _entries(self) -> Iterator[Row]:
        count = self._lines // _LINES_PER_ENTRY

        def row(place: int) -> Row:
            return {
                "BATCHNO": 10_000 + place,
                "BATCH_TITLE": f"Journal entry {place}",
                "BALANCE": Decimal(0),
                "JOURNAL": "GJ",
                "BATCH_DATE": self._day(place, count),
                "MODULE": _MODULES[place % len(_MODULES)],
                "STATE": _STATES[place % len(_STATES)],
                "STATISTICAL": False,
            }

        return self._rows(count, row)

    def _day(self, place: int, count: int) -> date:
        days = _TWO_YEARS.days * place // (count + 1)
        return (self._now - _TWO_YEARS + timedelta(days=days)).date()

    def _entry_lines(self) -> Iterator[Row]:
        """Two debits and two credits to an entry, whose sums are equal."""
        count = self._lines // _LINES_PER_ENTRY

        def row(place: int) -> Row:
            entry = (place - 1) // _LINES_PER_ENTRY + 1
            line = (place - 1) % _LINES_PER_ENTRY
            total = 100 + (entry * 7919) % 10_000_000
            first = total // 3
            cents = (first, total - first, total - first, first)[line]
            account = self._accounts[(entry * 7 + line * 13) % len(self._accounts)]
            department = self._departments[entry % len(self._departments)]
            location = self._locations[(entry * 5) % len(self._locations)]
            amount = Decimal(cents) / 100
            party = entry % 40
            customer = self._customers[party] if entry % 50 == 0 else _NOBODY
            vendor = self._vendors[party] if entry % 70 == 0 else _NOBODY
            return {
                "BATCHNO": _number(entry),
                "LINE_NO": line,
                "TR_TYPE": 1 if line < _LINES_PER_ENTRY // 2 else -1,
                "ENTRY_DATE": self._day(entry, count),
                "BATCH_DATE": self._day(entry, count),
                "AMOUNT": amount,
                "TRX_AMOUNT": amount,
                "BATCH_NUMBER": 10_000 + entry,
                "BATCHTITLE": f"Journal entry {entry}",
                "ACCOUNTKEY": account["RECORDNO"],
                "ACCOUNTNO": account["ACCOUNTNO"],
                "ACCOUNTTITLE": account["TITLE"],
                "STATISTICAL": "F",
                "DEPARTMENTKEY": department["RECORDNO"],
                "DEPARTMENT": department["DEPARTMENTID"],
                "DEPARTMENTTITLE": department["TITLE"],
                "LOCATIONKEY": location["RECORDNO"],
                "LOCATION": location["LOCATIONID"],
                "LOCATIONNAME": location["NAME"],
                "CURRENCY": "USD",
                "BASECURR": "USD",
                "STATE": _STATES[entry % len(_STATES)],
                "CUSTOMERDIMKEY": customer["RECORDNO"],
                "CUSTOMERID": customer["CUSTOMERID"],
                "VENDORDIMKEY": vendor["RECORDNO"],
                "VENDORID": vendor["VENDORID"],
                "_private": location["_private"],
                "_entity": location["PARENTID"] or location["LOCATIONID"],
            }

        return self._rows(count * _LINES_PER_ENTRY, row)

    def _documents(self) -> Iterator[tuple[str, Iterable[Row]]]:
        """Bills and invoices, whose totals are the sums of their lines."""
        count = max(60, self._lines // 10)
        for header, lines, party, parties in (
            ("APBILL", "APBILLITEM", "VENDOR", self._vendors),
            ("ARINVOICE", "ARINVOICEITEM", "CUSTOMER", self._customers),
        ):
            yield header, self._headers(count, party, parties)
            yield lines, self._document_lines(count)
        schedules = max(30, count // 4)
        yield "REVRECSCHEDULE", self._rows(schedules, _recognition_schedule)
        yield (
            "REVRECSCHEDULEENTRY",
            self._rows(schedules * _SCHEDULE_PERIODS, _recognition_entry),
        )

    def _headers(self, count: int, party: str, parties: list[Row]) -> Iterator[Row]:
        def row(place: int) -> Row:
            owner = parties[place % len(parties)]
            total = _document_cents(place)
            paid = total if place % 4 == 0 else 0
            day = self._day(place, count)
            return {
                **_owned(place),
                "RECORDID": f"DOC-{place:06}",
                "STATE": "Paid" if paid else "Posted",
                "RAWSTATE": "A",
                f"{party}ID": owner[f"{party}ID"],
                f"{party}NAME": owner["NAME"],
                f"{party}KEY": str(owner["RECORDNO"]),
                # The document's date, not a stamp [L].
                "WHENCREATED": day,
                "WHENPOSTED": day,
                "WHENDUE": day + timedelta(days=30),
                "WHENPAID": day + timedelta(days=20) if paid else None,
                "BASECURR": "USD",
                "CURRENCY": "USD",
                "TOTALENTERED": Decimal(total) / 100,
                "TOTALPAID": Decimal(paid) / 100,
                "TOTALDUE": Decimal(total - paid) / 100,
            }

        return self._rows(count, row)

    def _document_lines(self, count: int) -> Iterator[Row]:
        def row(place: int) -> Row:
            document, line = (place + 1) // 2, (place - 1) % 2
            total = _document_cents(document)
            cents = total // 4 if line == 0 else total - total // 4
            return {
                "RECORDKEY": _number(document),
                "LINE_NO": line,
                "ACCOUNTNO": self._accounts[document % 60]["ACCOUNTNO"],
                "AMOUNT": Decimal(cents) / 100,
            }

        return self._rows(count * 2, row)

    def _orders(self) -> Iterator[Row]:
        """Order entry documents, whose record number is text [L]."""

        def row(place: int) -> Row:
            customer = self._customers[place % len(self._customers)]
            kind = DOCUMENT_TYPES[place % len(DOCUMENT_TYPES)]
            return {
                "RECORDNO": str(_number(place)),
                "DOCID": f"{kind}-{place:05}",
                "DOCNO": f"{place:05}",
                "DOCPARID": kind,
                "STATE": "Pending",
                "WHENCREATED": self._day(place, 45),
                "CUSTVENDID": customer["CUSTOMERID"],
                "TOTAL": Decimal(_document_cents(place)) / 100,
            }

        return self._rows(45, row)

    def _contract_objects(self) -> Iterator[tuple[str, Iterable[Row]]]:
        count = max(30, self._lines // 100)
        self._contracts = list(self._rows(count, self._contract))
        yield "CONTRACT", self._contracts
        yield "CONTRACTDETAIL", self._rows(count, self._contract_line)
        for kind in ("BILLING", "EXPENSE", "REVENUE"):
            yield f"CONTRACT{kind}SCHEDULE", self._rows(count, self._schedule)
            entries = self._rows(count * _SCHEDULE_PERIODS, self._schedule_entry)
            yield f"CONTRACT{kind}SCHEDULEENTRY", entries

    def _contract(self, place: int) -> Row:
        customer = self._customers[place % len(self._customers)]
        start = self._day(place, 60)
        return {
            "CONTRACTID": f"CN-{place:04}",
            "NAME": f"Contract {place}",
            "CUSTOMERID": customer["CUSTOMERID"],
            "CUSTOMERNAME": customer["NAME"],
            "BEGINDATE": start,
            "ENDDATE": start + timedelta(days=365),
            "STATE": "In progress",
            "STATUS": "active",
        }

    def _contract_line(self, place: int) -> Row:
        return {
            "CONTRACTKEY": _number(place),
            "CONTRACTID": f"CN-{place:04}",
            "TOTALFLATAMOUNT": Decimal(_document_cents(place)) / 100,
        }

    def _schedule(self, place: int) -> Row:
        return {
            "CONTRACTKEY": _number(place),
            "CONTRACTID": f"CN-{place:04}",
            "CONTRACTDETAILKEY": _number(place),
            "STATE": "In progress",
        }

    def _schedule_entry(self, place: int) -> Row:
        schedule = (place - 1) // _SCHEDULE_PERIODS + 1
        period = (place - 1) % _SCHEDULE_PERIODS
        part = _part(_document_cents(schedule), period)
        return {
            "SCHEDULEKEY": _number(schedule),
            "AMOUNT": Decimal(part) / 100,
            "POSTED": period < _SCHEDULE_PERIODS // 2,
            "STATE": "Posted" if period < _SCHEDULE_PERIODS // 2 else "Open",
            "POSTINGDATE": self._day(schedule, 60) + timedelta(days=30 * period),
        }

    def _custom(self, count: int) -> Iterator[Row]:
        for row in self._rows(
            count, lambda n: {"name": f"Plan {n}", "price": Decimal(n)}
        ):
            yield {
                **row,
                "id": row["RECORDNO"],
                "createdAt": row["WHENCREATED"],
                "updatedAt": row["WHENMODIFIED"],
            }


# Reporting periods of Intacct itself, which no balance can be asked for [D].
_SYSTEM_PERIODS = (
    ("Today", None, None, False),
    ("Current Month", None, None, False),
    ("Inception To Date", date(1990, 1, 1), None, False),
)


def _number(place: int) -> int:
    """The RECORDNO of the n-th row: rising, with gaps."""
    return place + place // _GAP


def _owned(place: int) -> Row:
    """Every other row is shared; the others belong to the entities in turn."""
    if place % 2:
        return {}
    entity = _ENTITIES[place // 2 % len(_ENTITIES)]
    return {"_entity": entity, "_private": entity == PRIVATE_ENTITY}


def owner_columns(entity: str | None) -> Row:
    """What a row says of the entity that it belongs to; nothing of what all share."""
    number = _ENTITIES.index(entity) + 1 if entity in _ENTITIES else None
    return {
        "MEGAENTITYKEY": number,
        "MEGAENTITYID": entity,
        "MEGAENTITYNAME": None if entity is None else f"Location {entity}",
    }


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _document_cents(place: int) -> int:
    return 1_000 + (place * 104_729) % 90_000_000


def _part(total: int, period: int) -> int:
    """One of the equal parts of a total; the last one takes what is left."""
    part = total // _SCHEDULE_PERIODS
    is_last = period == _SCHEDULE_PERIODS - 1
    return total - part * (_SCHEDULE_PERIODS - 1) if is_last else part


def _recognition_schedule(place: int) -> Row:
    return {"STATUS": "In Progress", "RECORDKEY": _number(place)}


def _recognition_entry(place: int) -> Row:
    schedule = (place - 1) // _SCHEDULE_PERIODS + 1
    period = (place - 1) % _SCHEDULE_PERIODS
    return {
        "REVRECSCHEDULEKEY": _number(schedule),
        "AMOUNT": Decimal(_part(_document_cents(schedule), period)) / 100,
        "POSTED": "Posted" if period < _SCHEDULE_PERIODS // 2 else "Open",
    }
