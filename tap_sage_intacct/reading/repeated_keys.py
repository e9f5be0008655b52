"""Keys that occur twice in one reading, where the tap promises that none does.

Intacct itself keeps record numbers apart. Keys that the tap makes (of balances) or that
the user names (of reports and extra objects) are only as good as the columns they are
made of: a target would store one of two rows that share a key.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn

from tap_sage_intacct.intacct.rows.row import Row, column_of
from tap_sage_intacct.records.bad_values import InvalidRecord
from tap_sage_intacct.records.table import RecordTable


class RepeatedKey(InvalidRecord):
    """Two rows have one key, or a row has none."""


@dataclass
class KeyCheck:
    """The keys of one reading, as hashes of 64 bits: some 130 MiB for a million rows.

    A record may come again within a reading, because it changed: then it is still the
    same record. So a key may recur with the same record, but not with another one.

    Attributes:
        stream: for messages.
        remedy: what the user can do, a sentence.
    """

    stream: str
    remedy: str
    _rows: dict[int, int] = field(default_factory=dict)

    def check(
        self,
        tables: Iterable[RecordTable],
        keys: Sequence[str],
        rows: Iterable[Hashable],
    ) -> None:
        """Take more rows.

        Args:
            tables: the rows, decoded.
            keys: their key columns; without any, nothing is promised.
            rows: what identifies each record within the reading.

        Raises:
            RepeatedKey: a record has the key of another one, or a key column is empty.
        """
        rows = iter(rows)
        for table in tables:
            columns = [table.column(key) for key in keys]
            for key, row in zip(zip(*columns, strict=True), rows, strict=False):
                if None in key:
                    _refuse_empty(self.stream, self.remedy)
                text, identity = hash(tuple(map(_text, key))), hash(row)
                if self._rows.setdefault(text, identity) != identity:
                    _refuse_same(self.stream, self.remedy)


def check_of_texts(
    stream: str, remedy: str, fields: Sequence[str], *, may_be_empty: bool = False
) -> Callable[[Sequence[Row]], None]:
    """Checks rows as Intacct sent them, of one reading in which none comes twice.

    It remembers some 70 MiB for a million rows.

    Args:
        stream: for messages.
        remedy: what the user can do, a sentence.
        fields: that make the key.
        may_be_empty: whether a field of the key may be.
    """
    known: set[int] = set()

    def check(rows: Sequence[Row]) -> None:
        columns = [column_of(rows, name) for name in fields]
        if not may_be_empty and any("" in column for column in columns):
            _refuse_empty(stream, remedy)
        before = len(known)
        known.update(map(hash, zip(*columns, strict=True)))
        if len(known) < before + len(rows):
            _refuse_same(stream, remedy)

    return check


def _refuse_empty(stream: str, remedy: str) -> NoReturn:
    raise RepeatedKey(f"{stream}: a row has no value in a key column. {remedy}")


def _refuse_same(stream: str, remedy: str) -> NoReturn:
    raise RepeatedKey(
        f"{stream}: two rows have the same key, and a target would keep one of them. "
        f"{remedy}"
    )


def _text(value: object) -> str:
    """The same for equal numbers; Python's own hashes of -1 and -2 are one."""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
