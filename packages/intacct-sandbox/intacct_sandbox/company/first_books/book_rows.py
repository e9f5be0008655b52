"""How rows are numbered, stamped and named.

Rows are numbered 1, 2, 3 ... and everything about a row follows from its number, so
nothing has to be remembered.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from intacct_sandbox.company.first_books.filler import Filler
from intacct_sandbox.company.store import Value

Row = dict[str, Value]

TAP_USER_RECORD = 48
ENTITIES = ("E100", "E200", "E300")
PRIVATE_ENTITY = "E300"
TWO_YEARS = timedelta(days=730)
# RECORDNO leaves gaps, as deletions do.
_GAP = 7


class RowMaker:
    """Makes rows of two years of business."""

    def __init__(self, now: datetime, seed: int, journal_lines: int) -> None:
        """Take the time at which the two years end, and how much happened in them."""
        self._now = now
        self._random = random.Random(seed)
        self._lines = max(journal_lines, 40)

    def _rows(self, count: int, row: Callable[[int], Row]) -> Iterator[Row]:
        """Number and stamp rows; `row` gets 1, 2, 3 ..."""
        step = TWO_YEARS / (count + 1)
        for place in range(1, count + 1):
            created = self._now - TWO_YEARS + step * place
            yield {
                "RECORDNO": number(place),
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

    def _day(self, place: int, count: int) -> date:
        days = TWO_YEARS.days * place // (count + 1)
        return (self._now - TWO_YEARS + timedelta(days=days)).date()


def number(place: int) -> int:
    """The RECORDNO of the n-th row: rising, with gaps."""
    return place + place // _GAP


def owner_columns(entity: str | None) -> Row:
    """What a row says of the entity that it belongs to; nothing of what all share."""
    number = ENTITIES.index(entity) + 1 if entity in ENTITIES else None
    return {
        "MEGAENTITYKEY": number,
        "MEGAENTITYID": entity,
        "MEGAENTITYNAME": None if entity is None else f"Location {entity}",
    }
