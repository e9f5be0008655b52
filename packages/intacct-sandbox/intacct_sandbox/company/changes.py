"""A day of business: what is added, changed and deleted between two loads.

Every change goes through the company, so the books stay in balance by themselves.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from intacct_sandbox.company.editing import EditableBooks
from intacct_sandbox.company.store import Value

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
        return _Day(company, random.Random(seed), share).changes()


@dataclass(frozen=True, slots=True)
class _Day:
    company: EditableBooks
    chance: random.Random
    share: float

    def changes(self) -> ChangeSummary:
        changed = {name: self._edit(name) for name in _EDITED}
        deleted = {name: self._delete(name) for name in _DELETED}
        # No entry at all where the share is small.
        deleted["GLBATCH"] = self._delete("GLBATCH", least=0)
        entries = max(1, int(self.company.count("GLBATCH") * self.share))
        lines = sum(post_entry(self.company, self.chance) for _ in range(entries))
        self._welcome()
        return ChangeSummary(
            {"GLBATCH": entries, "GLENTRY": lines, "CUSTOMER": 1}, changed, deleted
        )

    def _some(
        self, name: str, share: float, spared: Collection[Value] = (), least: int = 1
    ) -> list[int]:
        numbers = [
            int(str(row["RECORDNO"]))
            for row in self.company.truth(name)
            if row["RECORDNO"] not in spared
        ]
        wanted = max(least, int(len(numbers) * share))
        return self.chance.sample(numbers, min(len(numbers), wanted))

    def _edit(self, name: str) -> int:
        field = self.company.definitions[name].field(_EDITED[name])
        if field is None:
            return 0
        numbers = self._some(name, self.share)
        for number in numbers:
            value = (
                self.chance.choice(field.valid_values)
                if field.valid_values
                else f"Edited {self.chance.randrange(10_000)} & <checked>"
            )
            self.company.update(name, number, {field.id: value})
        return len(numbers)

    def _delete(self, name: str, least: int = 1) -> int:
        spared = set()
        if name == "VENDOR":
            # Intacct deletes no vendor that the ledger refers to.
            spared = {row["VENDORDIMKEY"] for row in self.company.truth("GLENTRY")}
        numbers = self._some(name, self.share / 2, spared, least)
        for number in numbers:
            self.company.delete(name, number)
        return len(numbers)

    def _welcome(self) -> None:
        number = self.chance.randrange(10_000, 99_999)
        values = {"CUSTOMERID": f"C-{number}", "NAME": f"New customer {number}"}
        self.company.insert("CUSTOMER", {**values, "STATUS": "active"})


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
