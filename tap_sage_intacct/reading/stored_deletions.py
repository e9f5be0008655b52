"""Which records of a stream are gone, by the keys that were loaded before.

With a key store more deletions are found: those that the audit trail does not name, or
names by a business id, and records that the user's filter no longer lets through.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_sage_intacct.catalog.sources import RECORD_NUMBER
from tap_sage_intacct.intacct.errors import PermissionDenied
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.reading.deletions import (
    TrailDeletions,
    missing_keys,
    record_numbers,
)
from tap_sage_intacct.reading.key_store import KeySet, StoredKey

if TYPE_CHECKING:
    from tap_sage_intacct.catalog.sources import Header
    from tap_sage_intacct.intacct.pages.page import PagingStrategy
    from tap_sage_intacct.intacct.rows.row import Row

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class StoredDeletions(TrailDeletions):
    """Deletions by the audit trail and by the keys known.

    Attributes:
        keys: what was loaded.
        elsewhere: what was loaded of the stream in other entities, by their ids. A record
            that is read here has moved away from there.
    """

    keys: KeySet
    elsewhere: Mapping[str, KeySet] = field(default_factory=dict)
    _business_ids: set[str] = field(default_factory=set)
    _bookmark: datetime | None = None
    _next_bookmark: datetime | None = None
    _knows_all: bool = False
    _loads: bool = False

    @override
    def begin(self, bookmark: datetime | None) -> None:
        self._bookmark = bookmark
        if bookmark is None:
            return
        self._knows_all = self.keys.come_back(bookmark)
        if self.keys.is_complete and not self._knows_all:
            logger.warning(
                "%s: the key store does not fit this state: the state is an older one, a "
                "copy, or from a run without this key store. Comparing all keys. Give "
                "each pipeline a key_store of its own.",
                self.source.stream_name,
            )

    @override
    def go_on(self, bookmark: datetime | None) -> None:
        self._bookmark = bookmark

    @override
    def will_end_with(self, bookmark: datetime) -> None:
        self._next_bookmark = bookmark
        self.keys.will_end_with(bookmark)

    @override
    def begin_load(self) -> None:
        self._loads = True
        self.keys.begin_load()

    @override
    def begin_scan(self) -> None:
        self.keys.begin_scan()

    @override
    def note(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        stored = [self._stored(row) for row in rows]
        self.keys.add(stored)
        if self._bookmark is None or self._loads:
            return
        # Of what changed; a first sync has no earlier versions to look for.
        self._business_ids.update(key.business_id for key in stored if key.business_id)

    @override
    def moved(self, rows: Sequence[Row]) -> Iterator[tuple[str, list[str]]]:
        """A record's key is its number, which no other entity gives to another [I]."""
        numbers = [row[self.source.record_key] for row in rows]
        for entity, keys in self.elsewhere.items():
            former = list(keys.among(numbers))
            if former:
                keys.mark_deleted(former, None)
                yield entity, former

    @override
    def loaded(self, living: PagingStrategy) -> Iterator[list[str]]:
        """Where the store was lost in the middle, the next sync scans the keys."""
        self._loads = False
        if not self.keys.is_loading:
            # An earlier run read to the end, and its target may have died.
            yield from self._emit(self._missing(self._marked(), living))
            return
        unseen = list(self.keys.unseen())
        yield from self._emit(self._missing(unseen, living))
        self.keys.complete()

    @override
    def unseen(self) -> Iterator[list[str]]:
        self.keys.complete()
        yield from self._emit(list(self.keys.unseen()))

    @override
    def gone(
        self, since: datetime, until: datetime, living: PagingStrategy
    ) -> Iterator[list[str]]:
        if self.source.header is not None:
            yield from self._gone_lines(self.source.header, since, until, living)
            return
        named = self.trail.deleted(self.source.object_name, since, until)
        is_known = self._knows_all and self.keys.is_complete
        if named is None or not self.source.is_audited or not is_known:
            yield from self._compare(living)
        candidates = {
            *self._meant(named or []),
            *self._earlier_versions(),
            *self._marked(),
        }
        yield from self._emit(self._missing(sorted(candidates - self._emitted), living))

    @override
    def gone_lines(
        self, headers: Sequence[str], present: Container[str]
    ) -> Iterator[list[str]]:
        known = self.keys.with_parent(headers)
        yield from self._emit([key for key in known if key not in present])

    def _gone_lines(
        self, header: Header, since: datetime, until: datetime, living: PagingStrategy
    ) -> Iterator[list[str]]:
        if not self.keys.is_complete or not self._knows_all:
            yield from self._compare(living)
            return
        try:
            dead = self._dead_headers(header.object_name, since, until)
        except PermissionDenied:
            yield from self._compare(living)
            return
        yield from self._emit(list(self.keys.with_parent(dead)))
        yield from self._emit(self._missing(self._marked(), living))

    def _dead_headers(
        self, object_name: str, since: datetime, until: datetime
    ) -> list[str]:
        """By the trail; by looking at them all where it may not be read."""
        reader = ObjectReader(self.trail.gateway, object_name, RECORD_NUMBER.names)
        headers = KeySetPaging(reader, RECORD_NUMBER)
        named = self.trail.deleted(object_name, since, until)
        if named is not None:
            return missing_keys(record_numbers(named), headers, "RECORDNO")
        living = {row["RECORDNO"] for page in headers.pages() for row in page.rows}
        return [parent for parent in self.keys.parents() if parent not in living]

    def _compare(self, living: PagingStrategy) -> Iterator[list[str]]:
        """Scan the keys of all records there are."""
        if not self.keys.is_complete:
            logger.warning(
                "%s: the key store does not know this stream yet; scanning its keys. "
                "What was deleted before now, and the audit trail does not tell, stays.",
                self.source.stream_name,
            )
        self.keys.begin_scan()
        for page in living.pages(self.condition):
            self.keys.add(map(self._stored, page.rows))
        self.keys.complete()
        yield from self._emit(self._missing(list(self.keys.unseen()), living))

    @override
    def _meant(self, object_keys: Sequence[str]) -> list[str]:
        numbers = record_numbers(object_keys)
        # What is not known was never loaded, or its deletion has arrived already.
        known = self.keys.among(numbers) if self._knows_all else numbers
        return [*known, *self.keys.with_business_id(object_keys)]

    def _earlier_versions(self) -> Iterator[str]:
        """Records that share the business id of one that was just read.

        Whether the trail names a bill or invoice that the system itself deletes and
        makes again is unknown [?].
        """
        return self.keys.sharing_business_id(sorted(self._business_ids))

    def _marked(self) -> list[str]:
        """Records whose deletion a run emitted that died, as far as anybody knows."""
        return [key for key in self.keys.marked() if key not in self._emitted]

    @override
    def _mark(self, keys: Sequence[str]) -> None:
        """Note also the bookmark that proves that the deletions have arrived.

        None where a sync within the second of the last one leaves the bookmark as it
        was: then they are emitted once more.
        """
        is_same = self._bookmark == self._next_bookmark
        self.keys.mark_deleted(keys, None if is_same else self._next_bookmark)

    def _stored(self, row: Row) -> StoredKey:
        business_id = row.get(self.source.business_id or "") or None
        header = self.source.header
        parent = row.get(header.field) or None if header else None
        return StoredKey(row[self.source.record_key], business_id, parent)
