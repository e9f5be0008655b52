"""get_trialbalance, get_accountbalances and get_accountbalancesbydimensions.

They add up the general ledger's details, and so agree with GLACCOUNTBALANCE, which is
made of the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

from intacct_sandbox.company.store import cents_text, quote
from intacct_sandbox.functions.describe import DIMENSIONS
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.wire.envelope import element
from intacct_sandbox.wire.errors import invalid_argument

# Restrictions by a dimension, and the column that each is about.
_RESTRICTIONS = {
    f"{name.lower()}id": f"{name}ID"
    for name in DIMENSIONS
    if name not in {"CONTRACT", "WAREHOUSE"}
}
_ACCOUNTS = {"glaccountno": "=", "startaccountno": ">=", "endaccountno": "<="}
_HANDLED = frozenset(
    {
        *_RESTRICTIONS,
        "reportingperiodname",
        "startdate",
        "enddate",
        *_ACCOUNTS,
        "showzerobalances",
        "showdeptdetail",
        "showlocdetail",
        "debitcreditbalance",
        "reportingbook",
        "includereportingbook",
        "statistical",
        "groupby",
    }
)


@dataclass(frozen=True, slots=True)
class _Sums:
    """One row, amounts in cents: before the span, and within it."""

    account: str
    groups: tuple[str, ...]
    before: tuple[int, int]
    within: tuple[int, int]
    currency: str

    @property
    def start(self) -> int:
        """The balance at the start: debits less credits."""
        return self.before[0] - self.before[1]

    @property
    def end(self) -> int:
        """The balance at the end."""
        return self.start + self.within[0] - self.within[1]


def get_trial_balance(call: etree._Element, around: Surroundings) -> Answer:
    """A row per account, and per department and location if asked for [D/C]."""
    details = {"showdeptdetail": "DEPARTMENTID", "showlocdetail": "LOCATIONID"}
    groups = [column for flag, column in details.items() if _is_on(call, flag)]
    both_sides = _is_on(call, "debitcreditbalance")
    return _answer(
        "trialbalance",
        [
            element("glaccountno", row.account)
            + _side("startbalance", row.start, *row.before, both=both_sides)
            + _movements(row)
            + _side(
                "endbalance",
                row.end,
                row.before[0] + row.within[0],
                row.before[1] + row.within[1],
                both=both_sides,
            )
            + _groups(groups, row)
            + element("reportingbook", _book(call))
            + element("currency", row.currency)
            for row in _sums(call, around, groups)
        ],
    )


def get_account_balances(call: etree._Element, around: Surroundings) -> Answer:
    """A row per account [D]."""
    return _answer(
        "accountbalance",
        [
            element("glaccountno", row.account)
            + _money("startbalance", row.start)
            + _movements(row)
            + _money("endbalance", row.end)
            + element("currency", row.currency)
            + element("reportingbook", _book(call))
            for row in _sums(call, around, [])
        ],
    )


def get_account_balances_by_dimensions(
    call: etree._Element, around: Surroundings
) -> Answer:
    """A row per account and what `groupby` names; order of the columns [I]."""
    named = [part.strip() for part in (call.findtext("groupby") or "").split(",")]
    groups = [_RESTRICTIONS.get(f"{name}id", "") for name in named if name]
    if not all(groups):
        raise invalid_argument(f"Invalid groupby: {call.findtext('groupby')}")
    return _answer(
        "accountbalancesbydimensions",
        [
            element("glaccountno", row.account)
            + _money("startbalance", row.start)
            + _money("periodbalance", row.end - row.start)
            + _money("endbalance", row.end)
            + element("currency", row.currency)
            + _groups(groups, row)
            for row in _sums(call, around, groups)
        ],
    )


def _answer(name: str, rows: Sequence[str]) -> Answer:
    content = "".join(f"<{name}>{row}</{name}>" for row in rows)
    return Answer(f"<data>{content}</data>", len(rows))


def _movements(row: _Sums) -> str:
    # This company has no adjusting journal.
    return (
        _money("debits", row.within[0])
        + _money("credits", row.within[1])
        + _money("adjdebits", 0)
        + _money("adjcredits", 0)
    )


def _side(name: str, balance: int, debit: int, credit: int, *, both: bool) -> str:
    sides = _money(f"{name}debit", debit) + _money(f"{name}credit", credit)
    return _money(name, balance) + (sides if both else "")


def _money(name: str, cents: int) -> str:
    return element(name, cents_text(cents) or "")


def _groups(groups: Sequence[str], row: _Sums) -> str:
    pairs = zip(groups, row.groups, strict=True)
    return "".join(element(column.lower(), value) for column, value in pairs)


def _book(call: etree._Element) -> str:
    return call.findtext("reportingbook") or "ACCRUAL"


def _is_on(call: etree._Element, flag: str) -> bool:
    return (call.findtext(flag) or "").strip() == "true"


def _sums(
    call: etree._Element, around: Surroundings, groups: Sequence[str]
) -> list[_Sums]:
    """The rows in the order of the accounts.

    Raises:
        FunctionRefusal: balances are denied, or it is restricted by what is not served.
    """
    around.readable("GLACCOUNTBALANCE", "readByQuery")
    for part in call.iterchildren(tag="*"):
        if part.tag not in _HANDLED:
            raise invalid_argument(f"{part.tag} is not supported.")
    first, last = _span(call, around)
    visible = around.visible(show_private=False)
    where, parameters = _restrictions(call)
    columns = ["ACCOUNTNO", *groups, "CURRENCY"]
    keys = ", ".join(f"t0.{quote(name)}" for name in columns)
    amounts = ", ".join(
        f'sum((t0."ENTRY_DATE" {when} ?) * cents(t0."{side}"))'
        for when in ("<", ">=")
        for side in ("DEBITAMOUNT", "CREDITAMOUNT")
    )
    statement = (
        f'SELECT {keys}, {amounts} FROM "GLDETAIL" AS t0 WHERE {visible.text} '
        f'AND t0."BOOKID" = ? AND t0."ENTRY_DATE" <= ?{where} GROUP BY {keys} '
        f"ORDER BY {keys}"
    )
    values = (*[first] * 4, *visible.parameters, _book(call), last, *parameters)
    with around.snapshot() as connection:
        found = [
            _row(cells) for cells in connection.execute(statement, values).fetchall()
        ]
        if call.findtext("statistical") == "only":
            return []
        if not _is_on(call, "showzerobalances"):
            # An account that ends at nothing is shown if something moved on it [C].
            return [row for row in found if row.end or any(row.within)]
        known = {row.account for row in found}
        chart = connection.execute('SELECT "ACCOUNTNO" FROM "GLACCOUNT"').fetchall()
    blank = ("",) * len(groups)
    unused = {account for (account,) in chart} - known
    found += [_Sums(account, blank, (0, 0), (0, 0), "USD") for account in unused]
    return sorted(found, key=lambda row: (row.account, row.groups))


def _row(cells: Sequence[Any]) -> _Sums:
    account, *groups, currency = cells[:-4]
    texts = tuple("" if value is None else str(value) for value in groups)
    return _Sums(str(account), texts, (*cells[-4:-2],), (*cells[-2:],), str(currency))


def _span(call: etree._Element, around: Surroundings) -> tuple[str, str]:
    """First and last day, as stored."""
    name = call.findtext("reportingperiodname")
    if name is not None:
        return around.reporting_period(name)
    return _day(call, "startdate"), _day(call, "enddate")


def _day(call: etree._Element, name: str) -> str:
    parts = [call.findtext(f"{name}/{part}") or "" for part in ("year", "month", "day")]
    try:
        return date(*map(int, parts)).isoformat()
    except ValueError:
        raise invalid_argument(f"{name} is no date.") from None


def _restrictions(call: etree._Element) -> tuple[str, list[str]]:
    """What is asked of accounts and dimensions, as SQL behind an AND."""
    comparisons = [(name, "ACCOUNTNO", sign) for name, sign in _ACCOUNTS.items()]
    comparisons += [(name, column, "=") for name, column in _RESTRICTIONS.items()]
    text, values = "", []
    for name, column, operator in comparisons:
        value = call.findtext(name)
        if value:
            text += f' AND t0."{column}" {operator} ?'
            values.append(value)
    return text, values
