"""Two years of business: journal, documents and contracts, and how they hang together.

Amounts follow from numbers, so that a header's total is the sum of its lines without
either being remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

from intacct_sandbox.company.first_books.book_rows import (
    ENTITIES,
    PRIVATE_ENTITY,
    Row,
    number,
)
from intacct_sandbox.company.first_books.filler import Filler
from intacct_sandbox.company.first_books.master_data import MasterData

_LINES_PER_ENTRY = 4
_NOBODY: Row = {"RECORDNO": None, "CUSTOMERID": None, "VENDORID": None}
_IN_DOLLARS: Row = {"CURRENCY": "USD", "BASECURR": "USD"}
_SCHEDULE_PERIODS = 6
_MODULES = ("2.GL", "2.GL", "3.AP", "4.AR")
_STATES = ("Posted",) * 9 + ("Draft", "Submitted", "Reversed")
DOCUMENT_TYPES = ("Sales Order", "Sales Invoice", "Sales Quote")


class Books(MasterData):
    """Rows of every object, generated in the order in which they refer to each other."""

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

    def _entry_lines(self) -> Iterator[Row]:
        """Two debits and two credits to an entry, whose sums are equal."""
        count = self._lines // _LINES_PER_ENTRY

        def row(place: int) -> Row:
            entry = (place - 1) // _LINES_PER_ENTRY + 1
            line = (place - 1) % _LINES_PER_ENTRY
            total = 100 + (entry * 7919) % 10_000_000
            first = total // 3
            cents = (first, total - first, total - first, first)[line]
            account = self._turn("GLACCOUNT", entry * 7 + line * 13)
            department = self._turn("DEPARTMENT", entry)
            location = self._turn("LOCATION", entry * 5)
            amount = Decimal(cents) / 100
            party = entry % 40
            customer = self._kept["CUSTOMER"][party] if entry % 50 == 0 else _NOBODY
            vendor = self._kept["VENDOR"][party] if entry % 70 == 0 else _NOBODY
            return {
                "BATCHNO": number(entry),
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
                **_IN_DOLLARS,
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
        for header, payments, party in (
            ("APBILL", "APPYMT", "VENDOR"),
            ("ARINVOICE", "ARPYMT", "CUSTOMER"),
        ):
            yield header, self._headers(count, party)
            yield f"{header}ITEM", self._document_lines(count, party)
            yield payments, self._payments(count, party)
        schedules = max(30, count // 4)
        yield "REVRECSCHEDULE", self._rows(schedules, _recognition_schedule)
        yield (
            "REVRECSCHEDULEENTRY",
            self._rows(schedules * _SCHEDULE_PERIODS, _recognition_entry),
        )

    def _headers(self, count: int, party: str) -> Iterator[Row]:
        def row(place: int) -> Row:
            owner = self._turn(party, place)
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
                **_IN_DOLLARS,
                "TOTALENTERED": Decimal(total) / 100,
                "TOTALPAID": Decimal(paid) / 100,
                "TOTALDUE": Decimal(total - paid) / 100,
            }

        return self._rows(count, row)

    def _document_lines(self, count: int, party: str) -> Iterator[Row]:
        def row(place: int) -> Row:
            document, line = (place + 1) // 2, (place - 1) % 2
            total = _document_cents(document)
            cents = total // 4 if line == 0 else total - total // 4
            account = self._turn("GLACCOUNT", document)
            owner = self._turn(party, document)
            return {
                "RECORDKEY": number(document),
                "LINE_NO": line,
                "ENTRY_DATE": self._day(document, count),
                "ACCOUNTKEY": account["RECORDNO"],
                "ACCOUNTNO": account["ACCOUNTNO"],
                "ACCOUNTTITLE": account["TITLE"],
                "AMOUNT": Decimal(cents) / 100,
                "TRX_AMOUNT": Decimal(cents) / 100,
                **_IN_DOLLARS,
                "CUSTOMERDIMKEY": None,
                "CUSTOMERID": None,
                "CUSTOMERNAME": None,
                "VENDORDIMKEY": None,
                "VENDORID": None,
                "VENDORNAME": None,
                f"{party}DIMKEY": owner["RECORDNO"],
                f"{party}ID": owner[f"{party}ID"],
                f"{party}NAME": owner["NAME"],
            }

        return self._rows(count * 2, row)

    def _payments(self, count: int, party: str) -> Iterator[Row]:
        """One for each document that is paid, which every fourth is."""

        def row(place: int) -> Row:
            document = place * 4
            owner = self._turn(party, document)
            paid = Decimal(_document_cents(document)) / 100
            day = self._day(document, count) + timedelta(days=20)
            return {
                "RECORDID": f"PAY-{document:06}",
                "STATE": "Complete",
                f"{party}ID": owner[f"{party}ID"],
                f"{party}NAME": owner["NAME"],
                # The payment's date, not a stamp [L].
                "WHENCREATED": day,
                "WHENPAID": day,
                **_IN_DOLLARS,
                **dict.fromkeys(("TOTALENTERED", "TRX_TOTALENTERED"), paid),
                **dict.fromkeys(("TOTALPAID", "TRX_TOTALPAID"), paid),
                **dict.fromkeys(("TOTALDUE", "TRX_TOTALDUE"), Decimal(0)),
            }

        return self._rows(count // 4, row)

    def _orders(self) -> Iterator[Row]:
        """Order entry documents, whose record number is text [L]."""

        def row(place: int) -> Row:
            customer = self._turn("CUSTOMER", place)
            kind = DOCUMENT_TYPES[place % len(DOCUMENT_TYPES)]
            return {
                "RECORDNO": str(number(place)),
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
        yield from self._keep("CONTRACT", self._rows(count, self._contract))
        yield "CONTRACTDETAIL", self._rows(count, self._contract_line)
        for kind in ("BILLING", "EXPENSE", "REVENUE"):
            yield f"CONTRACT{kind}SCHEDULE", self._rows(count, self._schedule)
            entries = self._rows(count * _SCHEDULE_PERIODS, self._schedule_entry)
            yield f"CONTRACT{kind}SCHEDULEENTRY", entries

    def _contract(self, place: int) -> Row:
        customer = self._turn("CUSTOMER", place)
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
        contract = self._kept["CONTRACT"][place - 1]
        item = self._turn("ITEM", place)
        flat = Decimal(_document_cents(place)) / 100
        return {
            "CONTRACTKEY": contract["RECORDNO"],
            "CONTRACTID": contract["CONTRACTID"],
            "CONTRACTNAME": contract["NAME"],
            "CUSTOMERID": contract["CUSTOMERID"],
            "CUSTOMERNAME": contract["CUSTOMERNAME"],
            "LINENO": "1",
            "ITEMKEY": item["RECORDNO"],
            "ITEMID": item["ITEMID"],
            "ITEMNAME": item["NAME"],
            "BEGINDATE": contract["BEGINDATE"],
            "ENDDATE": contract["ENDDATE"],
            "STATE": "In progress",
            "FLATAMOUNT": flat,
            "TOTALFLATAMOUNT": flat,
            "BILLINGSCHEDULEKEY": number(place),
            "REVENUESCHEDULEKEY": number(place),
        }

    def _schedule(self, place: int) -> Row:
        return {
            "CONTRACTKEY": number(place),
            "CONTRACTID": f"CN-{place:04}",
            "CONTRACTDETAILKEY": number(place),
            "STATE": "In progress",
        }

    def _schedule_entry(self, place: int) -> Row:
        schedule = (place - 1) // _SCHEDULE_PERIODS + 1
        period = (place - 1) % _SCHEDULE_PERIODS
        part = _part(_document_cents(schedule), period)
        return {
            "SCHEDULEKEY": number(schedule),
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


def _owned(place: int) -> Row:
    """Every other row is shared; the others belong to the entities in turn."""
    if place % 2:
        return {}
    entity = ENTITIES[place // 2 % len(ENTITIES)]
    return {"_entity": entity, "_private": entity == PRIVATE_ENTITY}


def _document_cents(place: int) -> int:
    return 1_000 + (place * 104_729) % 90_000_000


def _part(total: int, period: int) -> int:
    """One of the equal parts of a total; the last one takes what is left."""
    part = total // _SCHEDULE_PERIODS
    is_last = period == _SCHEDULE_PERIODS - 1
    return total - part * (_SCHEDULE_PERIODS - 1) if is_last else part


def _recognition_schedule(place: int) -> Row:
    return {"STATUS": "In Progress", "RECORDKEY": number(place)}


def _recognition_entry(place: int) -> Row:
    schedule = (place - 1) // _SCHEDULE_PERIODS + 1
    period = (place - 1) % _SCHEDULE_PERIODS
    return {
        "REVRECSCHEDULEKEY": number(schedule),
        "AMOUNT": Decimal(_part(_document_cents(schedule), period)) / 100,
        "POSTED": "Posted" if period < _SCHEDULE_PERIODS // 2 else "Open",
    }
