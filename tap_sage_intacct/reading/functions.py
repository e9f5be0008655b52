"""How a source is read: by which of its functions, and in which readings."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

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
    gone_before_load,
    key_reader,
)
from tap_sage_intacct.reading.scope import ReadPage, Scope, changed_or_created, since
from tap_sage_intacct.reading.state.checkpoint import Checkpoint, Progress

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
    first, *others = source.functions
    pages = _BY_FUNCTION[first](source, reader, scope, checkpoint)
    if not others:
        return pages
    return _first_served(source, reader, scope, checkpoint, pages)


def _first_served(
    source: DataSource,
    reader: ObjectReader,
    scope: Scope,
    checkpoint: Checkpoint,
    pages: Iterator[ReadPage],
) -> Iterator[ReadPage]:
    for function, following in zip(
        source.functions, source.functions[1:], strict=False
    ):
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
        pages = _BY_FUNCTION[following](source, reader, scope, checkpoint)
    yield from pages


@dataclass
class BalanceReading:
    """Reads GLACCOUNTBALANCE, whose calls must name one period each [D].

    A period is read whole. Whether a posting to one period moves the stamps of later
    balances, which it changes too, is unknown [?]: after a period that changed, all
    later ones are read again.

    Attributes:
        key_fields: tell balances apart.
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
        # The periods to read again are the last ones: none after them needs to know.
        if is_known and not again and not self.has_changed:
            self.has_changed = self._is_changed(scope, checkpoint)
        if is_known and not again and not self.has_changed:
            yield ReadPage(checkpoint=replace(checkpoint, bookmark=until))
            return
        yield from self._whole(scope, until)

    def _is_changed(self, scope: Scope, checkpoint: Checkpoint) -> bool:
        """Whether a balance is new, changed or gone; balances that are gone only count."""
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
        for dead in scope.deletions.unseen():
            yield ReadPage(deleted=dead)
        yield ReadPage(checkpoint=Checkpoint(until, rows=count))


def _by_key(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """Pages by key, resumable after every one of them."""
    progress = checkpoint.progress if scope.replication_key is not None else None
    emitted = EmittedRows() if progress is not None else None
    reading: FirstLoad | Changes
    if scope.replication_key is None or checkpoint.bookmark is None:
        reading = FirstLoad(source, reader, scope, checkpoint, emitted)
    else:
        reading = Changes(source, reader, scope, checkpoint, emitted)
    if progress is None or emitted is None:
        return reading.read()
    return _resumed(reading, reading.read(), progress, emitted)


def _resumed(
    reading: FirstLoad | Changes,
    pages: Iterator[ReadPage],
    progress: Progress,
    emitted: EmittedRows,
) -> Iterator[ReadPage]:
    """A sync that is resumed is read to its end; what changed since it began follows.

    Until that is done too the bookmark goes no further than to that begin: what Intacct
    showed late, behind the page where the sync broke off, may lie too far back for a
    lookback from a later second.
    """
    checkpoint, read_up_to = reading.checkpoint, progress.until
    for page in pages:
        checkpoint = page.checkpoint or checkpoint
        if checkpoint.progress is not None:
            read_up_to = checkpoint.progress.until
        yield page
    source, reader, scope = reading.source, reading.reader, reading.scope
    scope.deletions.go_on(checkpoint.bookmark)
    yield from Changes(source, reader, scope, checkpoint, emitted, read_up_to).read()


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
        gone = (
            gone_before_load(scope, checkpoint, until, living)
            if bookmark is None
            else scope.deletions.gone(since(scope, bookmark), until, living)
        )
        for dead in gone:
            yield ReadPage(deleted=dead)
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
    pages = NestedPaging(reader, str(source.parent), source.paging_key).pages()

    def read() -> Iterator[ReadPage]:
        count = 0
        for page in pages:
            count += len(page.rows)
            yield ReadPage(page.rows)
        if not count:
            logger.warning(
                "%s: no rows came inside %s, and no other function serves them.",
                source.object_name,
                source.parent,
            )
        # Where nothing came, nothing shows that the records are gone.
        elif checkpoint.bookmark is not None:
            for dead in scope.deletions.unseen():
                yield ReadPage(deleted=dead)
        yield ReadPage(checkpoint=Checkpoint(until))

    return read()


_BY_FUNCTION = {
    ReadFunction.QUERY: _by_key,
    ReadFunction.READ_BY_QUERY: _by_snapshot,
    ReadFunction.READ_PARENT: _by_parent,
}


def _result_set(reader: ObjectReader, scope: Scope) -> ResultSetPaging:
    return ResultSetPaging(reader, scope.detector.read_again, scope.watch)
