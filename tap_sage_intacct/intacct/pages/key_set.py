"""Pages by key: each starts after the last key of the one before.

While a page is used, those that follow are asked for already. Where the next one
starts is known as soon as the last one is here; where those after it start can be
guessed, if the key is a number: a guess that is too low costs rows that come twice and
are dropped, one that is too high a call for the rows between.
"""

from __future__ import annotations

import logging
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from typing_extensions import override

from tap_sage_intacct.intacct.errors import PagesMoved
from tap_sage_intacct.intacct.pages.ordered_rows import (
    OrderedRows,
    ordered,
    ordered_rows,
)
from tap_sage_intacct.intacct.pages.page import (
    Page,
    PagingStrategy,
    ReadAgain,
    log_and_read_again,
)
from tap_sage_intacct.intacct.pages.paging_key import (
    PagingKey,
    Position,
    after,
    at,
    up_to,
)
from tap_sage_intacct.intacct.pending import Pending
from tap_sage_intacct.intacct.query import AllOf, Comparison, Condition, Operator, both
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import RowSet, column_of
from tap_sage_intacct.intacct.rows.values import ValueType

# Record numbers have gaps where records were deleted, so a guess aims a little low.
LEAST_PAGES_TO_GUESS = 8
"""Fewer are read one after the other: a wrong guess would cost more than it saves."""
SLACK = 0.03
TOLERATED_OVERLAP = 0.1
MAX_WRONG_GUESSES = 3
"""After so many the numbers are too uneven: each costs a call or a part of one."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeySetPaging(PagingStrategy):
    """Pages ordered by the key, each starting after the last key of the one before.

    Where several rows may share a key, the last key of a page that is not the last
    page may go on beyond it: its rows are left for the next page.

    Pages that cannot be the last one, by the last count, may come without counts.
    So the end is always told by a page that counts what remains after it.

    Attributes:
        reader: of the object.
        key: that orders the rows.
        read_again: told before a page is asked for again.
        ahead: pages that may be asked for while one is used, the first one too.
    """

    reader: ObjectReader
    key: PagingKey
    read_again: ReadAgain = log_and_read_again
    ahead: int = 0

    @override
    def pages(
        self, condition: Condition | None = None, start: Position | None = None
    ) -> Iterator[Page]:
        walk = _Walk(
            self.reader, self.key, condition, start, self.read_again, self.ahead
        )
        if not self.key.fields:
            return walk.pages_by_tie(condition, None)
        walk.ask_ahead()
        return walk.pages()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A page that was asked for: the rows after a position.

    Attributes:
        since: None for the first row of all.
        left: rows after it, by the last count; None where nothing was counted.
        is_uncounted: whether it may come without counts.
    """

    since: Position | None
    left: int | None
    answer: Pending[RowSet]
    is_uncounted: bool


@dataclass
class _Walk:
    """A reading under way.

    Attributes:
        start: the position of the last row that was given out, or is left out.
        left: rows after it, by the last count; None where nothing was counted.
    """

    reader: ObjectReader
    key: PagingKey
    condition: Condition | None
    start: Position | None
    read_again: ReadAgain
    ahead: int
    left: int | None = None
    _asked: deque[_Asked] = field(default_factory=deque)
    _may_guess: bool = False
    # Numbers that a page spans, by the last one; None where they cannot be guessed.
    _span: int | None = None
    _wrong_guesses: int = 0

    def pages(self) -> Iterator[Page]:
        """All pages, in order."""
        while True:
            asked = self._next_asked()
            yield from self._between(asked.since)
            found = self._uncounted_rows(asked) if asked.is_uncounted else None
            if found is None:
                found = ordered_rows(
                    self.reader,
                    self.key,
                    self._counted(asked),
                    beyond=asked.since,
                    read_again=self.read_again,
                )
            left = _left_after(asked, found)
            if asked.left is None:
                self._may_guess = self._is_guessable(left)
            if not found.is_last and not self.key.is_unique:
                whole = bisect_left(found.positions, found.positions[-1])
                if not whole:
                    self.start, self.left = found.positions[-1], None
                    shared = both(self.condition, at(self.key, self.start))
                    yield from self.pages_by_tie(shared, self.start)
                    continue
                left = _less(left, whole - len(found.rows))
                found = found.upto(whole)
            fresh = self._without_known(found)
            if fresh.rows:
                self._note_span(asked.since, found)
                self.start, self.left = fresh.positions[-1], left
            if not found.is_last:
                self.ask_ahead()
            if fresh.rows:
                yield Page(fresh.rows, self.start, found.total)
            if found.is_last:
                return

    def _next_asked(self) -> _Asked:
        if self._asked:
            return self._asked.popleft()
        return self._ask(self.start, self.left)

    def ask_ahead(self) -> None:
        """Have as many pages in flight as may be, as far as there are any."""
        while len(self._asked) < self.ahead:
            since, left = self.start, self.left
            if self._asked:
                since = self._guess(self._asked[-1].since)
                left = _less(self._asked[-1].left, self.reader.page_size)
                if since is None or left is None or left <= 0:
                    return
            self._asked.append(self._ask(since, left))

    def _ask(self, since: Position | None, left: int | None) -> _Asked:
        wanted, order = self._wanted(since), self.key.order
        # By the last count it cannot be the last page.
        is_uncounted = left is not None and left > self.reader.page_size
        ask = self.reader.query_uncounted if is_uncounted else self.reader.query
        return _Asked(since, left, ask(wanted, order), is_uncounted)

    def _counted(self, asked: _Asked) -> Pending[RowSet]:
        if not asked.is_uncounted:
            return asked.answer
        return self.reader.query(self._wanted(asked.since), self.key.order)

    def _wanted(self, since: Position | None) -> Condition | None:
        beyond = after(self.key, since) if since is not None else None
        return both(self.condition, beyond)

    def _uncounted_rows(self, asked: _Asked) -> OrderedRows | None:
        """A full page in the order of the key; None where counts must tell what came.

        More rows remain than one page holds: one that is short has lost some, or many
        were deleted since they were counted.
        """
        row_set = asked.answer.result()
        if row_set.remaining is None and len(row_set.rows) < row_set.page_size:
            logger.info(
                "%s: a page without counts holds %d rows where more remained; "
                "asking for it with counts.",
                self.reader.object_name,
                len(row_set.rows),
            )
            return None
        try:
            found = ordered(self.reader, self.key, row_set, asked.since)
        except PagesMoved as error:
            self.read_again(error)
            return None
        if self._is_of_next(found):
            logger.warning(
                "%s: a page without counts holds the rows of another page; asking for "
                "it with counts.",
                self.reader.object_name,
            )
            return None
        return found

    def _is_of_next(self, found: OrderedRows) -> bool:
        """Whether a page begins where one begins that was asked for after it.

        JSON says nothing of what it answers: two pages that were mixed up on their way
        are told by this, and otherwise by the count at the end of a pass.
        """
        following = self._asked[0].since if self._asked else None
        if following is None or not found.positions:
            return False
        return found.positions[0] > following

    def _without_known(self, found: OrderedRows) -> OrderedRows:
        """The rows after `start`: a page that was guessed to start too low has others."""
        if self.start is None or not found.rows:
            return found
        known = bisect_right(found.positions, self.start)
        if known > TOLERATED_OVERLAP * len(found.rows):
            self._wrong_guesses += 1
        return found.since(known) if known else found

    def _between(self, since: Position | None) -> Iterator[Page]:
        """The rows up to where a page starts that was guessed to start too high."""
        if since is None or self.start is None or since <= self.start:
            return
        self._wrong_guesses += 1
        end = up_to(self.key, since)
        is_last = False
        while not is_last:
            wanted = both(self.condition, AllOf((after(self.key, self.start), end)))
            found = ordered_rows(
                self.reader,
                self.key,
                self.reader.query(wanted, self.key.order),
                beyond=self.start,
                read_again=self.read_again,
            )
            is_last = found.is_last
            if found.rows:
                self.start = found.positions[-1]
                yield Page(found.rows, self.start)

    def _guess(self, since: Position | None) -> Position | None:
        """Where the page after the one that starts here starts."""
        if self._span is None or since is None:
            return None
        if self._wrong_guesses >= MAX_WRONG_GUESSES:
            return None
        return (int(since[0]) + self._span,)

    def _is_guessable(self, left: int | None) -> bool:
        is_number = [f.value_type for f in self.key.fields] == [ValueType.INTEGER]
        is_long = (left or 0) >= LEAST_PAGES_TO_GUESS * self.reader.page_size
        return is_long and is_number and self.key.is_unique

    def _note_span(self, since: Position | None, found: OrderedRows) -> None:
        if not self._may_guess:
            return
        first = int(found.positions[0][0]) - 1 if since is None else int(since[0])
        width = (int(found.positions[-1][0]) - first) / len(found.rows)
        aimed = width if width == 1 else width * (1 - SLACK)
        self._span = max(int(aimed * self.reader.page_size), 1)

    def pages_by_tie(
        self, condition: Condition | None, position: Position | None
    ) -> Iterator[Page]:
        """Rows that the key does not tell apart, walked by the tie breaker.

        Both the order and the comparison of the tie breaker are Intacct's own, as one
        connector relies on for the audit trail's ID [C: Estuary].

        Args:
            condition: which rows.
            position: of all of them; None if they have none.

        Raises:
            PagesMoved: a row comes again, so the walk would not end.
        """
        tie = str(self.key.tie_breaker)
        by_tie = PagingKey((), tie)
        given: set[str] = set()
        beyond: Condition | None = None
        is_last = False
        while not is_last:
            found = ordered_rows(
                self.reader,
                by_tie,
                self.reader.query(both(condition, beyond), by_tie.order),
                read_again=self.read_again,
            )
            is_last = found.is_last
            ties = column_of(found.rows, tie)
            if not given.isdisjoint(ties):
                raise PagesMoved(
                    f"{self.reader.object_name}: rows came again when walked by {tie}."
                )
            given.update(ties)
            # Resuming between these pages would leave out the rest of them.
            resumable = position if is_last else None
            if ties:
                yield Page(found.rows, resumable)
                beyond = Comparison(tie, Operator.GREATER, (ties[-1],))


def _left_after(asked: _Asked, found: OrderedRows) -> int | None:
    """Rows after those found: by their own count, or by the last one before."""
    left = asked.left if found.total is None else found.total
    return _less(left, len(found.rows))


def _less(left: int | None, rows: int) -> int | None:
    return None if left is None else left - rows
