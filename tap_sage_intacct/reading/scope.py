"""What a sync is to read, and since when; what it gives, page by page.

Pure: conditions, no calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        detector: is told of what moves meanwhile.
        condition: the user's filter.
        start_date: rows last modified before are left out of a first sync; aware.
        lookback: how far an incremental sync reaches back before its bookmark.
        replication_key: None to read everything, every time.
        creation_stamp: None where the object has no timestamp of creation.
        paging: how pages of `query` are taken.
        deletions: finds none where they are not asked for.
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


def since(scope: Scope, bookmark: datetime) -> datetime:
    """Where an incremental sync begins: some time before the bookmark.

    A start date holds back what the lookback would reach before it. One that is later
    than the bookmark does not: rows that were loaded have changed since.
    """
    reached, start = bookmark - scope.lookback, scope.start_date
    return reached if start is None or start > bookmark else max(reached, start)


def since_start(scope: Scope) -> Condition | None:
    """Rows modified (or, unmodified, created) since the start date."""
    if scope.start_date is None or scope.replication_key is None:
        return None
    return _stamped_since(scope, scope.start_date)


def changed_or_created(scope: Scope, bookmark: datetime | None) -> Condition | None:
    """Rows modified (or, unmodified, created) since a bookmark, if there is one."""
    if bookmark is None or scope.replication_key is None:
        return since_start(scope)
    return _stamped_since(scope, since(scope, bookmark))


def _stamped_since(scope: Scope, begin: datetime) -> Condition:
    """By the stamp of change; by that of creation where there is none.

    A row that has neither stamp is read: better once more than never.
    """
    stamp = str(scope.replication_key)
    changed = Comparison(stamp, Operator.GREATER_OR_EQUAL, (begin,))
    unstamped: Condition = Comparison(stamp, Operator.IS_NULL)
    if scope.creation_stamp is not None:
        created = AnyOf(
            (
                Comparison(scope.creation_stamp, Operator.GREATER_OR_EQUAL, (begin,)),
                Comparison(scope.creation_stamp, Operator.IS_NULL),
            )
        )
        unstamped = AllOf((unstamped, created))
    return AnyOf((changed, unstamped))
