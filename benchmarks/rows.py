"""The rows that are loaded: 25 columns of journal entry lines, as Intacct writes them.

Knows nothing of requests. A pool of distinct rows is rendered once, without the record
number, so that a page of any rows is a join of ready bytes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from xml.sax.saxutils import escape

OBJECT = "GLENTRY"
STREAM = "gl_journal_entry_lines"
RECORD_NUMBER = "RECORDNO"

_EPOCH = datetime(2024, 1, 1)  # noqa: DTZ001 - Intacct writes wall clocks
_SECONDS_OF_TWO_YEARS = 63_000_000
_ACCOUNTS = (
    "Trade receivables, domestic",
    "Cash & cash equivalents",
    "Deferred revenue - current portion",
    "Prepaid software subscriptions",
    "Salaries and wages",
    "Travel & entertainment",
)
_DEPARTMENTS = ("Sales", "Professional services", "Research & development", "Finance")
_LOCATIONS = ("United States of America", "Zürich", "São Paulo", "United Kingdom")
_MEMOS = (
    "Monthly recognition of subscription revenue, contract {}",
    "Accrual reversed, see entry {}",
    "Invoice {} - implementation services & training",
    "Payroll run {}: employer's share",
)

Value = Callable[[random.Random], str]
"""Makes Intacct's text of one cell; an empty text is null."""


def _integer(top: int, chance: random.Random) -> str:
    return str(chance.randrange(1, top))


def _decimal(places: int, chance: random.Random) -> str:
    return str(Decimal(chance.randrange(10_000_000)).scaleb(-places))


def _one_of(values: tuple[str, ...], chance: random.Random) -> str:
    return chance.choice(values)


def _memo(chance: random.Random) -> str:
    return chance.choice(_MEMOS).format(chance.randrange(100_000))


def _code(prefix: str, chance: random.Random) -> str:
    return f"{prefix}{chance.randrange(10_000):05}"


def _date(chance: random.Random) -> str:
    return f"{_moment(chance):%m/%d/%Y}"


def _timestamp(chance: random.Random) -> str:
    return f"{_moment(chance):%m/%d/%Y %H:%M:%S}"


def _moment(chance: random.Random) -> datetime:
    return _EPOCH + timedelta(seconds=chance.randrange(_SECONDS_OF_TWO_YEARS))


def _or_null(share: float, value: Value, chance: random.Random) -> str:
    return "" if chance.random() < share else value(chance)


VALUES: dict[str, Value] = {
    "BATCHNO": partial(_integer, 900_000),
    "LINE_NO": partial(_integer, 40),
    "TR_TYPE": partial(_one_of, ("1", "-1")),
    "ENTRY_DATE": _date,
    "AMOUNT": partial(_decimal, 2),
    "TRX_AMOUNT": partial(_decimal, 2),
    "EXCHANGE_RATE": partial(_or_null, 0.3, partial(_decimal, 6)),
    "EXCH_RATE_DATE": partial(_or_null, 0.3, _date),
    "ACCOUNTKEY": partial(_integer, 800),
    "ACCOUNTNO": partial(_integer, 90_000),
    "ACCOUNTTITLE": partial(_one_of, _ACCOUNTS),
    "DEPARTMENT": partial(_or_null, 0.2, partial(_integer, 900)),
    "DEPARTMENTTITLE": partial(_or_null, 0.2, partial(_one_of, _DEPARTMENTS)),
    "LOCATION": partial(_integer, 400),
    "LOCATIONNAME": partial(_one_of, _LOCATIONS),
    "DOCUMENT": partial(_or_null, 0.6, partial(_code, "INV-")),
    "DESCRIPTION": partial(_or_null, 0.1, _memo),
    "CURRENCY": partial(_one_of, ("USD", "CHF", "GBP", "BRL")),
    "STATE": partial(_one_of, ("Posted", "Draft", "Submitted")),
    "BILLABLE": partial(_or_null, 0.1, partial(_one_of, ("true", "false"))),
    "CUSTOMERID": partial(_or_null, 0.7, partial(_code, "CUST-")),
    "CREATEDBY": partial(_integer, 60),
    "WHENCREATED": _timestamp,
    "WHENMODIFIED": _timestamp,
}
"""Every column but the record number, in the order in which the rows hold them."""

FIELDS = (RECORD_NUMBER, *VALUES)


@dataclass(frozen=True)
class RowPool:
    """Distinct rows by place, each rendered but for its record number.

    Attributes:
        xml: what follows the record number in the row's element.
        json: what follows it in the row's object.
    """

    xml: tuple[bytes, ...]
    json: tuple[bytes, ...]

    def xml_rows(self, numbers: Iterable[int]) -> bytes:
        """The elements of these rows, by record number."""
        tails, size = self.xml, len(self.xml)
        return b"".join(
            b"<GLENTRY><RECORDNO>%d%b" % (number, tails[number % size])
            for number in numbers
        )

    def json_rows(self, numbers: Iterable[int]) -> bytes:
        """The same rows as a bare array, all values text, as Intacct writes it."""
        tails, size = self.json, len(self.json)
        rows = (
            b'{"RECORDNO":"%d%b' % (number, tails[number % size]) for number in numbers
        )
        return b"[%b]" % b",".join(rows)


def make_pool(size: int) -> RowPool:
    """So many distinct rows, the same every time."""
    chance = random.Random(size)  # noqa: S311 - reproducible, nothing secret
    rows = [{name: make(chance) for name, make in VALUES.items()} for _ in range(size)]
    return RowPool(
        tuple(_xml_tail(row).encode() for row in rows),
        tuple(_json_tail(row).encode() for row in rows),
    )


def _xml_tail(row: dict[str, str]) -> str:
    cells = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in row.items())
    return f"</RECORDNO>{cells}</GLENTRY>"


def _json_tail(row: dict[str, str]) -> str:
    members = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return f'",{members[1:]}'
