"""Pages of one object, and what all ways of taking them share.

Every `query` is a new query on the server: an offset into it means other rows as soon
as one is inserted or deleted before it (Sage's page on query [D]). So pages are taken by
key, or from the result set that the server keeps; an offset is for who can tell that
the rows moved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tap_sage_intacct.intacct.errors import PagesMoved
from tap_sage_intacct.intacct.pages.paging_key import Position
from tap_sage_intacct.intacct.query import Condition
from tap_sage_intacct.intacct.rows.row import Row

PAGE_TRIES = 3
"""How often a page, or a result set, that does not fit is asked for in all."""

logger = logging.getLogger(__name__)

ReadAgain = Callable[[PagesMoved], None]
"""Told before something is asked for again; may raise to have it left."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of reading.

    Attributes:
        position: the key of the last row; reading may resume after it. None where
            reading can only start over.
        total: rows that matched when the page was asked for; None where unknown.
    """

    rows: Sequence[Row]
    position: Position | None = None
    total: int | None = None


class PagingStrategy(Protocol):
    """A way of taking the pages of one object."""

    def pages(
        self, condition: Condition | None = None, start: Position | None = None
    ) -> Iterator[Page]:
        """The pages; the first one may be on its way when this returns.

        Args:
            condition: which rows.
            start: rows up to and including this position are left out, where pages have
                positions.

        Raises:
            PagesMoved: no try gave a page that fits.
        """


def log_and_read_again(error: PagesMoved) -> None:
    """The plainest `ReadAgain`."""
    logger.warning("%s Reading it again.", error)


LookAtRows = Callable[[Sequence[Row]], None]
"""Is shown rows before they are given out."""


def unwatched() -> LookAtRows:
    """Nobody looks."""
    return lambda _: None
