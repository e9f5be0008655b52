"""Keys that occur twice in one reading, where the tap promises that none does.

Intacct itself keeps record numbers apart. Keys that the tap makes (of balances) or that
the user names (of reports and extra objects) are only as good as the columns they are
made of: a target would store one of two rows that share a key. Knows nothing of Singer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from itertools import count, islice

from tap_sage_intacct.bad_values import InvalidRecord
from tap_sage_intacct.intacct.rows import Row, column_of
from tap_sage_intacct.records import RecordTable


class RepeatedKey(InvalidRecord):
    """Two rows have one key, or a row has none."""


class KeyCheck:
    """The keys of one reading, remembered as hashes of 64 bits: some 100 bytes a row.

    A row may come again within a reading, as it was or changed: then it is still the
    same row. So a key may recur with the same row, but not with another one.
    """

    def __init__(self, stream: str, remedy: str) -> None:
        """Nothing is read yet.

        Args:
            stream: for messages.
            remedy: what the user can do, a sentence.
        """
        self._stream = stream
        self._remedy = remedy
        self._rows: dict[int, int] = {}

    def check(self, keys: Sequence[Sequence[object]], rows: Iterable[Hashable]) -> None:
        """Take more rows.

        Args:
            keys: their key columns; without any, nothing is promised.
            rows: what tells each row apart from all others of the reading.

        Raises:
            RepeatedKey: a row has the key of another row, or a key column is empty.
        """
        if not keys:
            return
        known = self._rows
        for key, row in zip(zip(*keys, strict=True), rows, strict=True):
            if None in key:
                raise RepeatedKey(
                    f"{self._stream}: a row has no value in a key column. {self._remedy}"
                )
            identity = hash(row)
            if known.setdefault(hash(tuple(map(_text, key))), identity) != identity:
                raise RepeatedKey(
                    f"{self._stream}: two rows have the same key, and a target would "
                    f"keep one of them. {self._remedy}"
                )


def check_of_texts(
    stream: str, remedy: str, fields: Sequence[str], *, may_be_empty: bool = False
) -> Callable[[Sequence[Row]], None]:
    """Checks rows as Intacct sent them, none of which comes twice.

    Args:
        stream: for messages.
        remedy: what the user can do, a sentence.
        fields: that make the key.
        may_be_empty: whether a field of the key may be.
    """
    keys, numbers = KeyCheck(stream, remedy), count()

    def check(rows: Sequence[Row]) -> None:
        columns: list[Sequence[str | None]] = [column_of(rows, name) for name in fields]
        if not may_be_empty:
            columns = [[text or None for text in column] for column in columns]
        keys.check(columns, islice(numbers, len(rows)))

    return check


def check_tables(
    check: KeyCheck,
    tables: Iterable[RecordTable],
    keys: Sequence[str],
    rows: Iterable[Hashable],
) -> None:
    """Check decoded records; see `KeyCheck.check`."""
    rows = iter(rows)
    for table in tables:
        check.check([table.column(key) for key in keys], islice(rows, table.count))


def _text(value: object) -> str:
    """The same for equal numbers; Python's own hashes of -1 and -2 are one."""
    if isinstance(value, Decimal):
        value = f"{value:f}"
        return value.rstrip("0").rstrip(".") if "." in value else value
    return str(value)
