"""Rows that were emitted in this run, remembered by their content: eight bytes a row."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from tap_sage_intacct.intacct.rows.row import Row


class EmittedRows:
    """Finds rows that this run has not emitted yet; a row that changed is a new one.

    A long reading adds its rows first, and only then another reading asks for new ones.
    So the rows are sorted at the first question; those added later are kept in a set.

    Attributes:
        remembers: False where no other reading meets the rows again: then all are new.
    """

    def __init__(self, *, remembers: bool = True) -> None:
        self.remembers = remembers
        self._unsorted = array("q")
        self._sorted: array[int] | None = None
        self._later: set[int] = set()

    def add(self, rows: Sequence[Row]) -> None:
        """Remember these."""
        if not self.remembers:
            return
        contents = map(_content, rows)
        if self._sorted is None:
            self._unsorted.extend(contents)
        else:
            self._later.update(contents)

    def new(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows that were not added before; they are added now."""
        if not self.remembers:
            return rows
        if self._sorted is None:
            self._sorted = array("q", sorted(self._unsorted))
            self._unsorted = array("q")
        new = [row for row in rows if not self._holds(_content(row), self._sorted)]
        self.add(new)
        return new

    def _holds(self, content: int, earlier: array[int]) -> bool:
        place = bisect_left(earlier, content)
        found = place < len(earlier) and earlier[place] == content
        return found or content in self._later


def _content(row: Row) -> int:
    """A hash of a row's values, whatever the order of its columns."""
    return hash(frozenset(row.items()))
