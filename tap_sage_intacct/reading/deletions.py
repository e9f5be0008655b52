"""Which records of a stream are gone, as the audit trail names them.

The trail gives candidates, not certainties: it may name a record by its business id,
and a record may live again. So every candidate is looked up before its deletion is
emitted.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_sage_intacct.intacct.audit import deleted_keys, record_number
from tap_sage_intacct.intacct.errors import ObjectNotFound, PermissionDenied
from tap_sage_intacct.intacct.query import MAX_IN_VALUES, Condition, both, in_

if TYPE_CHECKING:
    from tap_sage_intacct.catalog.sources import DataSource
    from tap_sage_intacct.intacct.gateway import Gateway
    from tap_sage_intacct.intacct.pages.page import PagingStrategy
    from tap_sage_intacct.intacct.rows.row import Row

logger = logging.getLogger(__name__)


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


class Deletions:
    """Finds the deletions of one stream in one sync; this one finds none.

    `living` is how a method asks Intacct which records there are: it reads their key
    columns.
    """

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The columns to fetch, selected or not, so that keys can be remembered."""
        return ()

    def begin(self, bookmark: datetime | None) -> None:
        """A sync begins from this bookmark; earlier deletions have been emitted."""

    def go_on(self, bookmark: datetime | None) -> None:
        """The bookmark has moved, but no state has come back that says so."""

    def will_end_with(self, bookmark: datetime) -> None:
        """The bookmark that will prove that this sync's deletions arrived."""

    def begin_load(self) -> None:
        """A first sync, or a full table, begins with the first record there is."""

    def begin_scan(self) -> None:
        """From here on every record there is will be noted."""

    def note(self, rows: Sequence[Row]) -> None:
        """Remember rows that are about to be emitted."""

    def moved(self, rows: Sequence[Row]) -> Iterator[tuple[str, list[str]]]:
        """Entities whose records these were when they were loaded, and their keys."""
        del rows
        return iter(())

    def loaded(self, living: PagingStrategy) -> Iterator[list[str]]:
        """All records were read; what earlier readings had emitted, and is gone."""
        del living
        return iter(())

    def unseen(self) -> Iterator[list[str]]:
        """Records that were not noted since the scan began."""
        return iter(())

    def gone(
        self, since: datetime, until: datetime, living: PagingStrategy
    ) -> Iterator[list[str]]:
        """Primary keys of records deleted since, in parts that suit one page."""
        del since, until, living
        return iter(())

    def named_by_trail(
        self, since: datetime, until: datetime, living: PagingStrategy
    ) -> Iterator[list[str]]:
        """Primary keys of records deleted since by the audit trail alone."""
        del since, until, living
        return iter(())

    def gone_lines(
        self, headers: Sequence[str], present: Container[str]
    ) -> Iterator[list[str]]:
        """Lines of these headers that are not among those they have now."""
        del headers, present
        return iter(())


@dataclass
class TrailDeletions(Deletions):
    """Deletions as the audit trail names them, without memory of what was loaded.

    Attributes:
        source: whose records.
        trail: of the run.
        condition: the user's filter: a record that it no longer lets through is gone.
    """

    source: DataSource
    trail: AuditTrail
    condition: Condition | None = None
    _emitted: set[str] = field(default_factory=set)

    @property
    @override
    def key_fields(self) -> tuple[str, ...]:
        header = self.source.header.field if self.source.header else None
        names = (self.source.record_key, self.source.business_id, header)
        return tuple(name for name in names if name is not None)

    @override
    def unseen(self) -> Iterator[list[str]]:
        self._warn_of_no_key_store()
        return iter(())

    @override
    def gone(
        self, since: datetime, until: datetime, living: PagingStrategy
    ) -> Iterator[list[str]]:
        if self.source.header is not None:
            self._warn_of_no_key_store()
            return
        yield from self.named_by_trail(since, until, living)

    @override
    def named_by_trail(
        self, since: datetime, until: datetime, living: PagingStrategy
    ) -> Iterator[list[str]]:
        if self.source.header is None:
            named = self.trail.deleted(self.source.object_name, since, until)
            yield from self._emit(self._missing(self._meant(named or []), living))

    def _meant(self, object_keys: Sequence[str]) -> list[str]:
        """Primary keys that the trail's names may mean."""
        numbers = record_numbers(object_keys)
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

    def _missing(self, keys: Sequence[str], living: PagingStrategy) -> list[str]:
        """The keys that no record has which the user's filter lets through."""
        return missing_keys(keys, living, self.source.record_key, self.condition)

    def _emit(self, keys: Sequence[str]) -> Iterator[list[str]]:
        """The keys whose deletion was not emitted in this sync."""
        fresh = [key for key in keys if key not in self._emitted]
        self._emitted.update(fresh)
        for part in _parts(fresh):
            self._mark(part)
            yield part

    def _mark(self, keys: Sequence[str]) -> None:
        """Note that the deletions of these are about to be emitted."""

    def _warn_of_no_key_store(self) -> None:
        logger.warning(
            "%s: its deletions are not in the audit trail; set key_store, so that the "
            "tap can compare keys.",
            self.source.stream_name,
        )


def record_numbers(object_keys: Sequence[str]) -> list[str]:
    """The RECORDNOs among the names of the trail."""
    return [str(n) for n in map(record_number, object_keys) if n is not None]


def missing_keys(
    keys: Sequence[str],
    living: PagingStrategy,
    primary_key: str,
    condition: Condition | None = None,
) -> list[str]:
    """The keys that no record has which meets a condition."""
    found: set[str] = set()
    for part in _parts(keys):
        values = [int(key) if key.isdecimal() else key for key in part]
        for page in living.pages(both(condition, in_(primary_key, values))):
            found.update(row[primary_key] for row in page.rows)
    return [key for key in keys if key not in found]


def _parts(keys: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), MAX_IN_VALUES):
        yield list(keys[start : start + MAX_IN_VALUES])
