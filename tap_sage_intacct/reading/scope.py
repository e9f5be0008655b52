"""What a sync is to read, and since when; what it gives, page by page.

Makes conditions, and no calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tap_sage_intacct.intacct.pages.page import LookAtRows, unwatched
from tap_sage_intacct.intacct.query import AllOf, AnyOf, Comparison, Condition, Operator
from tap_sage_intacct.intacct.rows.row import Row
from tap_sage_intacct.reading.deletions import Deletions
from tap_sage_intacct.reading.drift import DriftDetector
from tap_sage_intacct.reading.state.checkpoint import Checkpoint
from tap_sage_intacct.settings.settings import Paging


@dataclass(frozen=True, slots=True)
class Scope:
    """What of an object a sync is to read, and how.

    Attributes:
        now: the server's clock.
        detector: collects what moves meanwhile.
        condition: the user's filter.
        start_date: rows last modified before are left out of a first sync; aware.
        lookback: how far an incremental sync reaches back before its bookmark.
        replication_key: None to read everything, every time.
        creation_stamp: None where the object has no timestamp of creation.
        paging: how pages of `query` are taken.
        deletions: finds those of the stream; by default none.
        watch: makes, for each reading of a result set, what looks at all its rows.
    """

    now: Callable[[], datetime]
    detector: DriftDetector
    condition: Condition | None = None
    start_date: datetime | None = None
    lookback: timedelta = timedelta()
    replication_key: str | None = None
    creation_stamp: str | None = None
    paging: Paging = Paging.AUTO
    deletions: Deletions = field(default_factory=Deletions)
    watch: Callable[[], LookAtRows] = unwatched

    def last_second(self) -> datetime:
        """The last second that is over: no row will be stamped with it any more."""
        return self.now() - timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Rows, and the checkpoint after them; None where none can be given yet.

    Attributes:
        deleted: primary keys of records that are gone, as Intacct writes them.
        total: of these rows and those after them; None where they were not counted.
    """

    rows: Sequence[Row] = ()
    checkpoint: Checkpoint | None = None
    deleted: Sequence[str] = ()
    total: int | None = None


def pages_of_deleted(parts: Iterable[Sequence[str]]) -> Iterator[ReadPage]:
    """A page for each part of the keys of deleted records."""
    return (ReadPage(deleted=keys) for keys in parts)


def since(scope: Scope, bookmark: datetime) -> datetime:
    """Where an incremental sync begins: some time before the bookmark.

    A start date holds back what the lookback would reach before it. One that is later
    than the bookmark does not: rows that were loaded have changed since.
    """
    reached, start = bookmark - scope.lookback, scope.start_date
    return reached if start is None or start > bookmark else max(reached, start)


def changed_or_created(scope: Scope, bookmark: datetime | None) -> Condition | None:
    """Rows modified since a bookmark, or since the start date where there is none.

    Rows without a stamp of change are found by that of creation. A row that has neither
    is read: better once more than never.
    """
    begin = scope.start_date if bookmark is None else since(scope, bookmark)
    if begin is None or scope.replication_key is None:
        return None
    stamp = scope.replication_key
    unstamped: Condition = is_null(stamp)
    if (creation := scope.creation_stamp) is not None:
        created = AnyOf((at_least(creation, begin), is_null(creation)))
        unstamped = AllOf((unstamped, created))
    return AnyOf((at_least(stamp, begin), unstamped))


def at_least(stamp: str, begin: datetime) -> Comparison:
    """Stamps from a second on."""
    return Comparison(stamp, Operator.GREATER_OR_EQUAL, (begin,))


def at_most(stamp: str, end: datetime) -> Comparison:
    """Stamps up to and including a second."""
    return Comparison(stamp, Operator.LESS_OR_EQUAL, (end,))


def is_null(stamp: str) -> Comparison:
    """Rows without this stamp."""
    return Comparison(stamp, Operator.IS_NULL)
