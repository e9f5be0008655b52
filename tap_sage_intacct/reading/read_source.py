"""Reads a source by the first of its functions that Intacct serves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from tap_sage_intacct.catalog.sources import DataSource, ReadFunction
from tap_sage_intacct.intacct.errors import ConfigurationError, RequestRefused
from tap_sage_intacct.intacct.pages.nested import NestedPaging
from tap_sage_intacct.intacct.pages.result_set import ResultSetPaging
from tap_sage_intacct.intacct.query import both
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.reading.balance_key import keyed_balance
from tap_sage_intacct.reading.emitted import EmittedRows
from tap_sage_intacct.reading.passes import (
    Changes,
    FirstLoad,
    KeyedSync,
    gone_before_load,
    key_reader,
)
from tap_sage_intacct.reading.scope import (
    ReadPage,
    Scope,
    changed_or_created,
    pages_of_deleted,
    since,
)
from tap_sage_intacct.reading.state.checkpoint import Checkpoint

logger = logging.getLogger(__name__)


def read_source(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """Read by the first of the source's functions that Intacct serves.

    The first page is asked for when this is called.

    Raises:
        RequestRefused: by the last function, or after rows were given out.
        DriftFound: rows moved, and the settings say to stop.
    """
    scope.deletions.begin(checkpoint.bookmark)

    def ask(function: ReadFunction) -> Iterator[ReadPage]:
        return _BY_FUNCTION[function](source, reader, scope, checkpoint)

    pages = ask(source.functions[0])
    return _first_served(source, pages, ask) if source.functions[1:] else pages


def _first_served(
    source: DataSource,
    pages: Iterator[ReadPage],
    ask: Callable[[ReadFunction], Iterator[ReadPage]],
) -> Iterator[ReadPage]:
    for function, following in pairwise(source.functions):
        has_rows = False
        try:
            for page in pages:
                has_rows = has_rows or bool(page.rows)
                yield page
        except RequestRefused as error:
            if has_rows:
                raise
            logger.info(
                "%s is not served by %s. %s", source.object_name, function.value, error
            )
        else:
            return
        pages = ask(following)
    yield from pages


@dataclass
class BalanceReading:
    """Reads GLACCOUNTBALANCE. Each call must name one period [D].

    A period is read whole. Whether a posting to one period moves the stamps of later
    balances, which it changes too, is unknown [?]: after a period that changed, all
    later ones are read again.

    Attributes:
        key_fields: those that make a balance's key.
        has_changed: a period that was read had changed.
    """

    reader: ObjectReader
    key_fields: Sequence[str]
    has_changed: bool = False

    def read(
        self, scope: Scope, checkpoint: Checkpoint, *, again: bool
    ) -> Iterator[ReadPage]:
        """Read one period, unless nothing has changed in it.

        Args:
            scope: its condition holds PERIOD to one name.
            checkpoint: of the period.
            again: read it whatever Intacct says of changes.
        """
        until = scope.last_second()
        scope.deletions.begin(checkpoint.bookmark)
        scope.deletions.will_end_with(until)
        is_known = checkpoint.bookmark is not None and scope.replication_key is not None
        # The periods to read again are the last ones: no later one depends on them.
        if is_known and not again and not self.has_changed:
            self.has_changed = self._is_changed(scope, checkpoint)
            if not self.has_changed:
                yield ReadPage(checkpoint=replace(checkpoint, bookmark=until))
                return
        yield from self._whole(scope, until)

    def _is_changed(self, scope: Scope, checkpoint: Checkpoint) -> bool:
        """Whether a balance is new, changed or gone; the total shows those that are gone."""
        stamped = changed_or_created(
            replace(scope, creation_stamp=None), checkpoint.bookmark
        )
        changed, total = self.reader.count_result_sets(
            both(scope.condition, stamped), scope.condition
        )
        return changed != 0 or total != checkpoint.rows

    def _whole(self, scope: Scope, until: datetime) -> Iterator[ReadPage]:
        scope.deletions.begin_scan()
        count = 0
        for page in _result_set(self.reader, scope).pages(scope.condition):
            count += len(page.rows)
            yield ReadPage([keyed_balance(row, self.key_fields) for row in page.rows])
        yield from pages_of_deleted(scope.deletions.unseen())
        yield ReadPage(checkpoint=Checkpoint(until, rows=count))


def _by_key(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """Pages by key, resumable after every one of them."""
    is_incremental = scope.replication_key is not None
    resumed = checkpoint.unfinished if is_incremental else None
    has_bookmark = checkpoint.bookmark is not None
    kind = Changes if is_incremental and has_bookmark else FirstLoad
    emitted = EmittedRows(remembers=resumed is not None)
    reading = kind(source, reader, scope, checkpoint, emitted)
    pages = reading.read()
    return pages if resumed is None else _and_changes(reading, pages, resumed.until)


def _and_changes(
    reading: KeyedSync, pages: Iterator[ReadPage], read_up_to: datetime
) -> Iterator[ReadPage]:
    """A sync that is resumed is read to its end; what changed since it began follows.

    Until the changes are read too, the bookmark stays at that begin. Intacct may have
    shown rows late, on pages that were read before the sync broke off. A lookback from
    a later second might not reach them.
    """
    checkpoint = reading.checkpoint
    for page in pages:
        checkpoint = page.checkpoint or checkpoint
        if checkpoint.unfinished is not None:
            read_up_to = checkpoint.unfinished.until
        yield page
    source, reader, scope = reading.source, reading.reader, reading.scope
    scope.deletions.go_on(checkpoint.bookmark)
    yield from Changes(
        source, reader, scope, checkpoint, reading.emitted, read_up_to
    ).read()


def _by_snapshot(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """One result set, which has no order: a checkpoint only holds after its end."""
    until = scope.last_second()
    bookmark = checkpoint.bookmark if scope.replication_key is not None else None
    scope.deletions.will_end_with(until)
    if bookmark is None:
        scope.deletions.begin_load()
    condition = both(scope.condition, changed_or_created(scope, bookmark))
    pages = _result_set(reader, scope).pages(condition)

    def read() -> Iterator[ReadPage]:
        for page in pages:
            yield ReadPage(page.rows)
        living = ResultSetPaging(key_reader(source, reader, scope.deletions))
        if bookmark is None:
            yield from gone_before_load(scope, checkpoint, until, living)
        else:
            begin = since(scope, bookmark)
            yield from pages_of_deleted(scope.deletions.gone(begin, until, living))
        yield ReadPage(checkpoint=Checkpoint(until))

    return read()


def _by_parent(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """All rows, every time: `read` takes no condition.

    Raises:
        ConfigurationError: the user set one.
    """
    if scope.condition is not None:
        raise ConfigurationError(
            f"{source.stream_name}: this company gives its rows only inside "
            f"{source.parent}, where Intacct takes no filter. Remove the stream from "
            "filters, or deselect it."
        )
    until = scope.last_second()
    scope.deletions.will_end_with(until)
    scope.deletions.begin_scan()
    count = 0
    for page in NestedPaging(reader, str(source.parent), source.paging_key).pages():
        count += len(page.rows)
        yield ReadPage(page.rows)
    if not count:
        # The records need not be gone.
        logger.warning(
            "%s: no rows came inside %s, and no other function serves them.",
            source.object_name,
            source.parent,
        )
    elif checkpoint.bookmark is not None:
        yield from pages_of_deleted(scope.deletions.unseen())
    yield ReadPage(checkpoint=Checkpoint(until))


_BY_FUNCTION = {
    ReadFunction.QUERY: _by_key,
    ReadFunction.READ_BY_QUERY: _by_snapshot,
    ReadFunction.READ_PARENT: _by_parent,
}


def _result_set(reader: ObjectReader, scope: Scope) -> ResultSetPaging:
    return ResultSetPaging(reader, scope.detector.read_again, scope.watch)
