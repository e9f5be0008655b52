"""Rows that were emitted in this run, remembered by their content: eight bytes a row."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.rows.row import Row


class EmittedRows:
    """Rows added, and which of others are none of them.

    A row that changed is another row. Rows are added for a long while and asked for
    afterwards, so they are sorted when first asked for; later ones stand in a set.
    """

    def __init__(self) -> None:
        self._unsorted = array("q")
        self._sorted: array[int] | None = None
        self._later: set[int] = set()

    def add(self, rows: Sequence[Row]) -> None:
        """Remember these."""
        contents = map(_content, rows)
        if self._sorted is None:
            self._unsorted.extend(contents)
        else:
            self._later.update(contents)

    def without(self, rows: Sequence[Row]) -> list[Row]:
        """Those of the rows that were not added."""
        if self._sorted is None:
            self._sorted = array("q", sorted(self._unsorted))
            self._unsorted = array("q")
        return [row for row in rows if not self._holds(_content(row), self._sorted)]

    def _holds(self, content: int, earlier: array[int]) -> bool:
        place = bisect_left(earlier, content)
        found = place < len(earlier) and earlier[place] == content
        return found or content in self._later


def _content(row: Row) -> int:
    """A hash of a row's values, whatever the order of its columns."""
    return hash(frozenset(row.items()))
