"""Rows as Intacct sent them, as dicts or as a table.

A page of rows that have the same columns is a table: tuples of texts, of which a dict
is only made where a single row is looked at. Nearly all that is done with the rows of
a large page is done by column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import overload

from typing_extensions import override

Row = dict[str, str]
"""A record as Intacct sent it: field id to text; an empty text is null."""


class RowTable(Sequence[Row]):
    """Rows that have the same columns; immutable."""

    __slots__ = ("_cells", "columns")

    def __init__(
        self, columns: tuple[str, ...], cells: Sequence[tuple[str, ...]]
    ) -> None:
        """Hold the rows.

        Args:
            columns: their names, each once.
            cells: the texts of each row in the order of the columns; what comes
                after them is left out.
        """
        self.columns = columns
        self._cells = cells

    @override
    def __len__(self) -> int:
        """How many rows."""
        return len(self._cells)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> RowTable: ...

    @override
    def __getitem__(self, index: int | slice) -> Row | RowTable:
        """Give one row, or a table of some."""
        if isinstance(index, slice):
            return RowTable(self.columns, self._cells[index])
        return dict(zip(self.columns, self._cells[index], strict=False))

    @override
    def __iter__(self) -> Iterator[Row]:
        """Give a dict each."""
        columns = self.columns
        return (dict(zip(columns, cells, strict=False)) for cells in self._cells)

    @override
    def __eq__(self, other: object) -> bool:
        """Whether the rows are the same, however they are held."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    @override
    def __repr__(self) -> str:
        """Without a text: rows are a customer's."""
        return f"RowTable({self.columns!r}, {len(self)} rows)"

    def texts(self) -> Iterator[tuple[str, ...]]:
        """Each column."""
        return islice(zip(*self._cells, strict=True), len(self.columns))

    def column(self, name: str) -> list[str]:
        """One column.

        Raises:
            KeyError: there is none of this name.
        """
        if name not in self.columns:
            raise KeyError(name)
        return list(map(itemgetter(self.columns.index(name)), self._cells))


@dataclass(frozen=True, slots=True)
class RowSet:
    """The rows of one answer, and what it counts.

    Attributes:
        rows: in the server's order.
        total: rows that match in all; None where the answer does not say.
        remaining: rows after these; None where the answer does not say.
        result_id: continues a result set; None where missing or empty.
        page_size: rows that were asked for, at most.
    """

    rows: Sequence[Row]
    total: int | None
    remaining: int | None
    result_id: str | None
    page_size: int = 0


def column_of(rows: Sequence[Row], name: str) -> list[str]:
    """One column of rows; an empty text of rows that lack it."""
    if isinstance(rows, RowTable):
        return rows.column(name) if name in rows.columns else [""] * len(rows)
    return [row.get(name, "") for row in rows]


def as_table(rows: Sequence[Row]) -> RowTable | None:
    """The rows as a table; None where they have not all the same columns."""
    if isinstance(rows, RowTable):
        return rows
    columns = tuple(rows[0]) if rows else ()
    if any(row.keys() != rows[0].keys() for row in rows):
        return None
    return RowTable(columns, [tuple(map(row.__getitem__, columns)) for row in rows])
