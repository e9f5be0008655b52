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

from typing_extensions import override

from tap_sage_intacct.catalog.sources import DataSource
from tap_sage_intacct.intacct.audit import deleted_keys, record_number
from tap_sage_intacct.intacct.errors import ObjectNotFound, PermissionDenied
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.pages.page import PagingStrategy
from tap_sage_intacct.intacct.query import MAX_IN_VALUES, Condition, both, in_
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
    """Finds the deletions of one stream in one sync.

    The kinds of deletion finders derive from it. Used itself, where deletions are not
    wanted, it finds none.

    What is found are primary keys, in parts that suit one page. `living` asks Intacct
    which records there are: it reads their key columns.
    """

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The columns to fetch, selected or not, so that keys can be remembered."""
        return ()

    def begin(self, bookmark: datetime | None) -> None:
        """A sync begins from this bookmark; earlier deletions have been emitted."""

    def go_on(self, bookmark: datetime | None) -> None:
        """The bookmark has moved within this run; no later run has confirmed it yet."""

    def will_end_with(self, bookmark: datetime) -> None:
        """The bookmark that will prove that this sync's deletions arrived."""

    def begin_load(self) -> None:
        """A first sync, or a full table, begins with the first record."""

    def begin_scan(self) -> None:
        """From here on every record of the stream will be noted."""

    def note(self, rows: Sequence[Row]) -> None:
        """Remember rows that are about to be emitted."""

    def moved(self, rows: Sequence[Row]) -> Iterator[tuple[str, list[str]]]:
        """Other entities under which these records were loaded, and their keys there."""
        del rows
        return iter(())

    def gone_before_load(
        self, since: datetime | None, until: datetime, living: PagingStrategy
    ) -> Iterator[list[str]]:
        """All records were read; those that earlier readings emitted, and are gone.

        Args:
            since: from when on the trail is asked; None not to ask it.
            until: up to when.
            living: reads the keys of the records that exist.
        """
        del since, until, living
        return iter(())

    def unseen(self) -> Iterator[list[str]]:
        """Records that were not noted since the scan began."""
        return iter(())

    def gone(
        self, since: datetime, until: datetime, living: PagingStrategy
    ) -> Iterator[list[str]]:
        """Records deleted since."""
        del since, until, living
        return iter(())

    def gone_lines(
        self, headers: Sequence[str], present: Container[str]
    ) -> Iterator[list[str]]:
        """Lines that these headers had before, and that are not present now."""
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
        return self.gone_before_load(since, until, living)

    @override
    def gone_before_load(
        self, since: datetime | None, until: datetime, living: PagingStrategy
    ) -> Iterator[list[str]]:
        """By the audit trail alone, which names no lines."""
        if since is not None and self.source.header is None:
            named = self.trail.deleted(self.source.object_name, since, until) or []
            yield from self._emit(self._missing(self._meant(named), living))

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
        """The keys that have no record, or none that the user's filter lets through."""
        return missing_keys(keys, living, self.source.record_key, self.condition)

    def _emit(self, keys: Sequence[str]) -> Iterator[list[str]]:
        """The keys whose deletion was not emitted in this sync."""
        fresh = [key for key in dict.fromkeys(keys) if key not in self._emitted]
        self._emitted.update(fresh)
        yield from _parts(fresh)

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
    """The keys that have no record which meets the condition."""
    found: set[str] = set()
    for part in _parts(keys):
        values = [int(key) if key.isdecimal() else key for key in part]
        for page in living.pages(both(condition, in_(primary_key, values))):
            found.update(row[primary_key] for row in page.rows)
    return [key for key in keys if key not in found]


def _parts(keys: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), MAX_IN_VALUES):
        yield list(keys[start : start + MAX_IN_VALUES])
