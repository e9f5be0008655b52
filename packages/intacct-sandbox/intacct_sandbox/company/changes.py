"""A day of business: what is added, changed and deleted between two loads.

What lives here: which rows change, and how. What it must not know: SQL. The idea:
every change goes through the company, so the books stay in balance by themselves.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from intacct_sandbox.company.editing import EditableBooks

# object -> a text field that people edit
_EDITED = {
    "GLACCOUNT": "TITLE",
    "GLENTRY": "DESCRIPTION",
    "CUSTOMER": "NAME",
    "VENDOR": "NAME",
    "DEPARTMENT": "TITLE",
    "APBILL": "DESCRIPTION",
    "ARINVOICE": "DESCRIPTION",
    "CONTRACT": "DESCRIPTION",
    "CONTRACTBILLINGSCHEDULEENTRY": "STATE",
    "REVRECSCHEDULE": "DESCRIPTION",
}
_DELETED = ("APBILL", "ARINVOICE", "VENDOR")


@dataclass(frozen=True, slots=True)
class ChangeSummary:
    """How many rows were added, changed and deleted, by object."""

    added: dict[str, int]
    changed: dict[str, int]
    deleted: dict[str, int]


def pass_a_day(company: EditableBooks, *, seed: int, share: float) -> ChangeSummary:
    """Change about this share of each object's rows, mostly at least one of each.

    All at once: what follows from the journal is derived once for them all.
    """
    with company.transaction():
        return _pass_a_day(company, random.Random(seed), share)


def _pass_a_day(
    company: EditableBooks, chance: random.Random, share: float
) -> ChangeSummary:
    changed = {name: _edit(company, chance, name, share) for name in _EDITED}
    deleted = {name: _delete(company, chance, name, share) for name in _DELETED}
    deleted["GLBATCH"] = _remove_entries(company, chance, share)
    entries = max(1, int(company.count("GLBATCH") * share))
    lines = sum(post_entry(company, chance) for _ in range(entries))
    added = {
        "GLBATCH": entries,
        "GLENTRY": lines,
        "CUSTOMER": _welcome(company, chance),
    }
    return ChangeSummary(added, changed, deleted)


def _some(
    company: EditableBooks,
    chance: random.Random,
    name: str,
    share: float,
    spared: set[Any] | frozenset[Any] = frozenset(),
) -> list[int]:
    numbers = [
        int(str(row["RECORDNO"]))
        for row in company.truth(name)
        if row["RECORDNO"] not in spared
    ]
    return chance.sample(numbers, min(len(numbers), max(1, int(len(numbers) * share))))


def _edit(
    company: EditableBooks, chance: random.Random, name: str, share: float
) -> int:
    field = company.definitions[name].field(_EDITED[name])
    if field is None:
        return 0
    numbers = _some(company, chance, name, share)
    for number in numbers:
        value = (
            chance.choice(field.valid_values)
            if field.valid_values
            else f"Edited {chance.randrange(10_000)} & <checked>"
        )
        company.update(name, number, {field.id: value})
    return len(numbers)


def _delete(
    company: EditableBooks, chance: random.Random, name: str, share: float
) -> int:
    # Intacct deletes no vendor that the ledger refers to.
    spared = (
        {row["VENDORDIMKEY"] for row in company.truth("GLENTRY")}
        if name == "VENDOR"
        else set()
    )
    numbers = _some(company, chance, name, share / 2, spared)
    for number in numbers:
        company.delete(name, number)
    return len(numbers)


def _remove_entries(company: EditableBooks, chance: random.Random, share: float) -> int:
    """Delete journal entries, and with each its lines; none where the share is small."""
    numbers = [int(str(row["RECORDNO"])) for row in company.truth("GLBATCH")]
    gone = chance.sample(numbers, int(len(numbers) * share / 2))
    for number in gone:
        company.delete("GLBATCH", number)
    return len(gone)


def _welcome(company: EditableBooks, chance: random.Random) -> int:
    number = chance.randrange(10_000, 99_999)
    company.insert(
        "CUSTOMER",
        {
            "CUSTOMERID": f"C-{number}",
            "NAME": f"New customer {number}",
            "STATUS": "active",
        },
    )
    return 1


def post_entry(company: EditableBooks, chance: random.Random) -> int:
    """Post a journal entry of two lines; returns how many they are."""
    accounts = list(company.truth("GLACCOUNT"))
    today = company.clock.now().date()
    batch = company.insert(
        "GLBATCH",
        {
            "BATCHNO": chance.randrange(1, 99_999),
            "BATCH_TITLE": "Posted during the day",
            "JOURNAL": "GJ",
            "BATCH_DATE": today,
            "MODULE": "2.GL",
            "STATE": "Posted",
        },
    )
    amount = Decimal(chance.randrange(100, 1_000_000)) / 100
    for line, side in enumerate((1, -1)):
        account = chance.choice(accounts)
        company.insert(
            "GLENTRY",
            {
                "BATCHNO": batch,
                "LINE_NO": line,
                "TR_TYPE": side,
                "ENTRY_DATE": today,
                "BATCH_DATE": today,
                "AMOUNT": amount,
                "TRX_AMOUNT": amount,
                "ACCOUNTKEY": account["RECORDNO"],
                "ACCOUNTNO": account["ACCOUNTNO"],
                "ACCOUNTTITLE": account["TITLE"],
                "CURRENCY": "USD",
                "BASECURR": "USD",
                "STATE": "Posted",
            },
        )
    return 2
