"""Which records of a stream are gone, from the audit trail and from the keys known.

The trail gives candidates, not certainties: it may name a record by its business id,
and a record may live again. So every candidate is looked up before it is told of.
Knows nothing of Singer.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from tap_sage_intacct.catalog.sources import RECORD_NUMBER
from tap_sage_intacct.intacct.audit import deleted_keys, record_number
from tap_sage_intacct.intacct.errors import ObjectNotFound, PermissionDenied
from tap_sage_intacct.intacct.pages.key_set import key_set_pages
from tap_sage_intacct.intacct.pages.pages import snapshot_pages
from tap_sage_intacct.intacct.query import MAX_IN_VALUES, Condition, both, in_
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.reading.key_store import KeySet, StoredKey

if TYPE_CHECKING:
    from tap_sage_intacct.catalog.sources import DataSource
    from tap_sage_intacct.intacct.pages.pages import Page
    from tap_sage_intacct.intacct.pages.paging_key import PagingKey
    from tap_sage_intacct.intacct.rows.row import Row
    from tap_sage_intacct.intacct.xml.gateway import Gateway

logger = logging.getLogger(__name__)


class LivingRecords(Protocol):
    """Asks Intacct which records of an object there are."""

    def pages(self, condition: Condition | None = None) -> Iterator[Page]:
        """Their key columns, all of them or those that meet a condition."""


@dataclass(frozen=True, slots=True)
class QueriedRecords:
    """Records of an object that `query` serves."""

    reader: ObjectReader
    key: PagingKey

    def pages(self, condition: Condition | None = None) -> Iterator[Page]:
        """By key."""
        return key_set_pages(self.reader, self.key, condition)


@dataclass(frozen=True, slots=True)
class LegacyRecords:
    """Records of an object that only `readByQuery` serves."""

    reader: ObjectReader

    def pages(self, condition: Condition | None = None) -> Iterator[Page]:
        """From a result set."""
        return snapshot_pages(self.reader, condition)


@dataclass
class AuditTrail:
    """The company's audit trail, for all streams of a run; asked for until denied."""

    gateway: Gateway
    is_denied: bool = False

    def deleted(
        self, object_name: str, since: datetime, until: datetime
    ) -> list[str] | None:
        """OBJECTKEYs of what was deleted; None where the trail may not be read."""
        if self.is_denied:
            return None
        try:
            pages = deleted_keys(self.gateway, object_name, since, until)
            return [key for page in pages for key in page]
        except (PermissionDenied, ObjectNotFound) as error:
            logger.warning("Deletions are not seen in the audit trail. %s", error)
            self.is_denied = True
            return None


@dataclass
class DeletionFinder:
    """Finds the deletions of one stream.

    Attributes:
        source: whose records.
        trail: of the run.
        keys: what was loaded; None where the user keeps no key store.
        condition: the user's filter: a record that it no longer lets through is gone.
        elsewhere: what was loaded of the stream in other entities, by their ids. A record
            that is read here has moved away from there.
    """

    source: DataSource
    trail: AuditTrail
    keys: KeySet | None = None
    condition: Condition | None = None
    elsewhere: Mapping[str, KeySet] = field(default_factory=dict)
    _business_ids: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)
    _bookmark: datetime | None = None
    _next_bookmark: datetime | None = None
    _knows_all: bool = False
    _loads: bool = False

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The columns to fetch, selected or not, so that keys can be remembered."""
        header = self.source.header.field if self.source.header else None
        names = (self.source.record_key, self.source.business_id, header)
        return tuple(name for name in names if name is not None)

    def begin(self, bookmark: datetime | None) -> None:
        """A sync begins from this bookmark: earlier deletions are told and done."""
        self._bookmark = bookmark
        if self.keys is not None and bookmark is not None:
            self._knows_all = self.keys.come_back(bookmark)
            if self.keys.is_complete and not self._knows_all:
                logger.warning(
                    "%s: the key store does not fit this state: the state is an older "
                    "one, a copy, or from a run without this key store. Comparing all "
                    "keys. Give each pipeline a key_store of its own.",
                    self.source.stream_name,
                )

    def go_on(self, bookmark: datetime | None) -> None:
        """The bookmark has moved, but no state has come back that says so."""
        self._bookmark = bookmark

    def will_end_with(self, bookmark: datetime) -> None:
        """The bookmark that will prove that this sync's deletions arrived."""
        self._next_bookmark = bookmark
        if self.keys is not None:
            self.keys.will_end_with(bookmark)

    def note(self, rows: Sequence[Row]) -> None:
        """Remember rows that are about to be emitted."""
        if self.keys is None or not rows:
            return
        stored = [self._stored(row) for row in rows]
        self.keys.add(stored)
        if self._bookmark is None or self._loads:
            return
        # Of what changed; a first sync has no earlier versions to look for.
        self._business_ids.update(key.business_id for key in stored if key.business_id)

    def begin_load(self) -> None:
        """A first sync, or a full table, begins with the first record there is."""
        self._loads = True
        if self.keys is not None:
            self.keys.begin_load()

    def moved(self, rows: Sequence[Row]) -> Iterator[tuple[str, list[str]]]:
        """Entities whose records these were when they were loaded, and their keys.

        A record's key is its number, which no other entity gives to another [I].
        """
        numbers = [row[self.source.record_key] for row in rows]
        for entity, keys in self.elsewhere.items():
            former = list(keys.among(numbers))
            if former:
                keys.mark_deleted(former, None)
                yield entity, former

    def loaded(self, living: LivingRecords) -> Iterator[list[str]]:
        """All records were read; what earlier readings had emitted, and is gone.

        Where the store was lost in the middle, the next sync scans the keys.
        """
        self._loads = False
        if self.keys is None:
            return
        if not self.keys.is_loading:
            # An earlier run read to the end, and its target may have died.
            yield from self._tell(self._missing(self._marked(), living))
            return
        unseen = list(self.keys.unseen())
        yield from self._tell(self._missing(unseen, living))
        self.keys.complete()

    def begin_scan(self) -> None:
        """From here on every record there is will be noted."""
        if self.keys is not None:
            self.keys.begin_scan()

    def unseen(self) -> Iterator[list[str]]:
        """Records that were not noted since the scan began."""
        if self.keys is None:
            self._miss_key_store()
            return
        self.keys.complete()
        yield from self._tell(list(self.keys.unseen()))

    def gone(
        self, since: datetime, until: datetime, living: LivingRecords
    ) -> Iterator[list[str]]:
        """Primary keys of records deleted since, in parts that suit one page."""
        if self.source.header is not None:
            yield from self._gone_lines(since, until, living)
            return
        named = self.trail.deleted(self.source.object_name, since, until)
        if self.keys is not None and self._must_compare(named):
            yield from self._compare(self.keys, living)
        candidates = {
            *self._resolve(named or []),
            *self._earlier_versions(),
            *self._marked(),
        }
        yield from self._tell(self._missing(sorted(candidates - self._told), living))

    def named_by_trail(
        self, since: datetime, until: datetime, living: LivingRecords
    ) -> Iterator[list[str]]:
        """Primary keys of records that the trail alone tells to be deleted since."""
        if self.source.header is None:
            named = self.trail.deleted(self.source.object_name, since, until)
            yield from self._tell(self._missing(self._resolve(named or []), living))

    def gone_lines(
        self, headers: Sequence[str], present: Container[str]
    ) -> Iterator[list[str]]:
        """Lines of these headers that are not among those they have now."""
        if self.keys is None:
            return
        known = self.keys.with_parent(headers)
        yield from self._tell([key for key in known if key not in present])

    def _gone_lines(
        self, since: datetime, until: datetime, living: LivingRecords
    ) -> Iterator[list[str]]:
        if self.keys is None:
            self._miss_key_store()
            return
        if not self.keys.is_complete or not self._knows_all:
            yield from self._compare(self.keys, living)
            return
        try:
            dead = self._dead_headers(self.keys, since, until)
        except PermissionDenied:
            yield from self._compare(self.keys, living)
            return
        yield from self._tell(list(self.keys.with_parent(dead)))
        yield from self._tell(self._missing(self._marked(), living))

    def _dead_headers(
        self, keys: KeySet, since: datetime, until: datetime
    ) -> list[str]:
        """By the trail; by looking at them all where it may not be read."""
        header = str(self.source.header and self.source.header.object_name)
        reader = ObjectReader(self.trail.gateway, header, RECORD_NUMBER.names)
        headers = QueriedRecords(reader, RECORD_NUMBER)
        named = self.trail.deleted(header, since, until)
        if named is not None:
            numbers = [str(n) for n in map(record_number, named) if n is not None]
            return _missing(numbers, headers, "RECORDNO")
        living = {row["RECORDNO"] for page in headers.pages() for row in page.rows}
        return [parent for parent in keys.parents() if parent not in living]

    def _must_compare(self, named: list[str] | None) -> bool:
        if self.keys is None:
            return False
        is_known = self._knows_all and self.keys.is_complete
        return named is None or not self.source.is_audited or not is_known

    def _compare(self, keys: KeySet, living: LivingRecords) -> Iterator[list[str]]:
        """Scan the keys of all records there are."""
        if not keys.is_complete:
            logger.warning(
                "%s: the key store does not know this stream yet; scanning its keys. "
                "What was deleted before now, and the audit trail does not tell, stays.",
                self.source.stream_name,
            )
        keys.begin_scan()
        for page in living.pages(self.condition):
            keys.add(map(self._stored, page.rows))
        keys.complete()
        yield from self._tell(self._missing(list(keys.unseen()), living))

    def _resolve(self, object_keys: Sequence[str]) -> list[str]:
        """Primary keys that the trail's names may mean."""
        numbers = [str(n) for n in map(record_number, object_keys) if n is not None]
        if self.keys is not None:
            # What is not known was never loaded, or told and taken already.
            known = self.keys.among(numbers) if self._knows_all else numbers
            return [*known, *self.keys.with_business_id(object_keys)]
        unknown = len(object_keys) - len(numbers)
        if unknown:
            logger.warning(
                "%s: the audit trail names %d deleted records by %s, not by RECORDNO: "
                "set key_store, so that the tap can tell which they were.",
                self.source.stream_name,
                unknown,
                self.source.business_id or "another id",
            )
        return numbers

    def _earlier_versions(self) -> Iterator[str]:
        """Records that share the business id of one that was just read.

        Whether the trail tells of a bill or invoice that the system itself deletes and
        makes again is unknown [?].
        """
        if self.keys is None:
            return iter(())
        return self.keys.sharing_business_id(sorted(self._business_ids))

    def _marked(self) -> list[str]:
        """Records told of in a run that died, as far as anybody knows."""
        marked = self.keys.marked() if self.keys is not None else ()
        return [key for key in marked if key not in self._told]

    def _missing(self, keys: Sequence[str], living: LivingRecords) -> list[str]:
        """The keys that no record has which the user's filter lets through."""
        return _missing(keys, living, self.source.record_key, self.condition)

    def _tell(self, keys: Sequence[str]) -> Iterator[list[str]]:
        untold = [key for key in keys if key not in self._told]
        self._told.update(untold)
        for part in _parts(untold):
            if self.keys is not None:
                self.keys.mark_deleted(part, self._proof())
            yield part

    def _proof(self) -> datetime | None:
        """The bookmark that proves this sync's deletions to have arrived.

        None where a sync within the second of the last one leaves the bookmark as it
        was: then they are told once more.
        """
        if self._bookmark == self._next_bookmark:
            return None
        return self._next_bookmark

    def _stored(self, row: Row) -> StoredKey:
        business_id = row.get(self.source.business_id or "") or None
        header = self.source.header
        parent = row.get(header.field) or None if header else None
        return StoredKey(row[self.source.record_key], business_id, parent)

    def _miss_key_store(self) -> None:
        logger.warning(
            "%s: its deletions are not in the audit trail; set key_store, so that the "
            "tap can compare keys.",
            self.source.stream_name,
        )


def _missing(
    keys: Sequence[str],
    living: LivingRecords,
    primary_key: str,
    condition: Condition | None = None,
) -> list[str]:
    found: set[str] = set()
    for part in _parts(keys):
        values = [int(key) if key.isdecimal() else key for key in part]
        for page in living.pages(both(condition, in_(primary_key, values))):
            found.update(row[primary_key] for row in page.rows)
    return [key for key in keys if key not in found]


def _parts(keys: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), MAX_IN_VALUES):
        yield list(keys[start : start + MAX_IN_VALUES])
