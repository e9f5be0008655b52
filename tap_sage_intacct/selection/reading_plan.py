"""What the user wants of one source: fields, rows, parts and keys.

Streams and companion follow the same plan. It is made once, from the settings and from
what a catalog or the company offers. Only `parts` makes calls: it asks for entities and
periods.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Protocol

from tap_sage_intacct.catalog.discovery import OfferedSource
from tap_sage_intacct.catalog.offering import hash_converters
from tap_sage_intacct.catalog.schema import DELETED_AT, is_own, with_own_properties
from tap_sage_intacct.catalog.sensitivity import is_sensitive
from tap_sage_intacct.catalog.sources import (
    BALANCE_KEY,
    ENTITY_ID,
    OWNER,
    RECORD_NUMBER,
    DataSource,
)
from tap_sage_intacct.catalog.stored_codes import stored_values
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.objects import ObjectDefinition
from tap_sage_intacct.intacct.pages.page import LookAtRows, unwatched
from tap_sage_intacct.intacct.query import Comparison, Condition, Operator, both
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.reading.balance_key import key_fields
from tap_sage_intacct.reading.deletions import Deletions
from tap_sage_intacct.reading.drift import DriftDetector
from tap_sage_intacct.reading.repeated_keys import check_of_texts
from tap_sage_intacct.reading.scope import Scope
from tap_sage_intacct.reading.state.fingerprint import Fingerprint
from tap_sage_intacct.selection.entities import belongs_to, partitions_of
from tap_sage_intacct.selection.periods import ReportingPeriod, chosen_periods
from tap_sage_intacct.selection.row_selection import PERIOD, RowSelection, row_selection
from tap_sage_intacct.settings.settings import Settings

NAME_OTHER_KEYS = (
    "The primary_keys in extra_objects do not tell its records apart: name more columns, "
    "or leave primary_keys out where the object has a record number."
)
_DISCOVER_AGAIN = (
    "The catalog does not list all dimensions by which the company's balances differ. "
    "Run discovery again, then load the stream again from the start, since its keys "
    "change."
)


class Company(Protocol):
    """The company. Each answer is asked for when it is first needed."""

    @property
    def gateway(self) -> Gateway:
        """Signed in as the settings say."""

    @property
    def entities(self) -> tuple[str, ...]:
        """To read one by one; empty where all is read at once."""

    @property
    def periods(self) -> list[ReportingPeriod]:
        """All that there are."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a source that is read by itself; all of it if neither is named.

    Attributes:
        entity: whose records; `TOP_LEVEL` for those that all entities share.
        period: the name of a reporting period.
    """

    entity: str | None = None
    period: str | None = None

    @classmethod
    def of(cls, context: Mapping[str, Any] | None) -> Part:
        """The part that a state names."""
        named = context or {}
        return cls(named.get(ENTITY_ID), named.get(PERIOD))

    @property
    def context(self) -> dict[str, Any]:
        """As a state names it; empty for the whole."""
        named = {ENTITY_ID: self.entity, PERIOD: self.period}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True)
class ReadingPlan:
    """What is read of a source, and how.

    Attributes:
        offered: the source, and what there is to read of it.
        settings: of the run.
        rows: which rows the user wants.
        fields: Intacct's fields to load.
        replication_key: None where the source is read whole every time.
    """

    offered: OfferedSource
    settings: Settings
    rows: RowSelection
    fields: tuple[str, ...]
    replication_key: str | None

    @property
    def source(self) -> DataSource:
        """What is read."""
        return self.offered.source

    @property
    def stream(self) -> str:
        """The name of the stream."""
        return self.source.stream_name

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Of the records, with the tap's own properties.

        A catalog may be older than the settings that add these.
        """
        added = {
            ENTITY_ID: bool(self.settings.entities),
            BALANCE_KEY: self.source.needs_period,
            DELETED_AT: self.tells_deletions,
        }
        names = (name for name, is_added in added.items() if is_added)
        return with_own_properties(self.offered.schema, *names)

    @property
    def primary_keys(self) -> tuple[str, ...]:
        """Of the records."""
        entity = (ENTITY_ID,) if self.settings.entities else ()
        return (*entity, *self.source.primary_keys)

    @property
    def tells_deletions(self) -> bool:
        """Whether deletions can be emitted: only for records with Intacct's key alone."""
        is_keyed_by_record = self.source.primary_keys == (self.source.record_key,)
        return self.settings.include_deletes and is_keyed_by_record

    @property
    def lacks_periods(self) -> bool:
        """Whether nothing can be read until periods are named."""
        return self.source.needs_period and not self.rows.periods

    @property
    def is_default(self) -> bool:
        """Whether the stream is loaded unless something says otherwise."""
        return not (self.offered.is_listed_only or self.lacks_periods)

    def moves_between(self, parts: Sequence[Part]) -> Sequence[Part]:
        """The parts between which a record may move without a new number."""
        is_numbered = self.source.record_key in RECORD_NUMBER.names
        is_owned = OWNER in self.schema["properties"]
        return parts if is_numbered and is_owned and len(parts) > 1 else ()

    @cached_property
    def balance_key_fields(self) -> tuple[str, ...]:
        """The fields that tell balances apart; empty for other sources."""
        return key_fields(self.schema["properties"]) if self.source.needs_period else ()

    def choosing(
        self, fields: Iterable[str], *, is_incremental: bool = True
    ) -> ReadingPlan:
        """The plan for some of the fields; the tap's own fields are always there."""
        return replace(
            self,
            fields=tuple(name for name in fields if not is_own(name)),
            replication_key=self.replication_key if is_incremental else None,
        )

    def parts(self, company: Company) -> list[Part]:
        """What is read by itself, in the order of reading.

        Raises:
            InvalidSettings: the company has no such entity or period.
            PermissionDenied: the role may not read entities or periods.
        """
        entities: Sequence[str | None] = (None,)
        if company.entities:
            entities = partitions_of(self.source, self.schema, company.entities)
        if not self.source.needs_period:
            return [Part(entity) for entity in entities]
        names = [period.name for period in self._periods(company)]
        return [Part(entity, name) for entity in entities for name in names]

    def _periods(self, company: Company) -> list[ReportingPeriod]:
        if self.lacks_periods:
            return []
        today = company.gateway.server_now().date()
        return chosen_periods(company.periods, self.rows.periods, today)

    def condition(self, part: Part) -> Condition | None:
        """The rows of a part that the user wants."""
        if part.period is not None:
            own: Condition | None = Comparison(PERIOD, Operator.EQUAL, (part.period,))
        elif part.entity is not None:
            own = belongs_to(part.entity, self.schema)
        else:
            own = None
        return both(own, self.rows.condition)

    def reader(
        self, gateway: Gateway, page_size: int, keys: Iterable[str] = ()
    ) -> ObjectReader:
        """Reads the fields to load, and those that make keys.

        Args:
            gateway: of the part.
            page_size: rows at most.
            keys: further fields, by which deletions are found.
        """
        source = self.source
        own = (source.record_key,) if source.has_other_keys else ()
        made_of = [
            name
            for name in (*own, *keys, *self.balance_key_fields)
            if name in self.schema["properties"] and not is_own(name)
        ]
        return ObjectReader(
            gateway,
            source.object_name,
            tuple(dict.fromkeys((*made_of, *self.fields))),
            page_size=page_size,
            stored=stored_values(source.object_name),
            document_type=source.document_type,
        )

    def scope(
        self,
        part: Part,
        now: Callable[[], datetime],
        detector: DriftDetector,
        deletions: Deletions,
    ) -> Scope:
        """What a sync reads of a part.

        Args:
            part: one of `parts`.
            now: the server's clock.
            detector: gets a report of what moves meanwhile.
            deletions: finds deletions, or nothing if they are not wanted.
        """
        creation_stamp = self.source.creation_stamp
        has_stamp = creation_stamp in self.schema["properties"]
        return Scope(
            now=now,
            detector=detector,
            condition=self.condition(part),
            start_date=self.settings.start_date,
            lookback=self.settings.lookback,
            replication_key=self.replication_key,
            creation_stamp=creation_stamp if has_stamp else None,
            paging=self.settings.paging,
            deletions=deletions,
            watch=self._watch,
        )

    def fingerprint(self) -> Fingerprint:
        """The choices that a state is written for."""
        hashed = hash_converters(self.schema, self.settings.sensitive)
        source = self.source
        return Fingerprint.of(
            " ".join(filter(None, (source.object_name, source.document_type))),
            replication_key=self.replication_key,
            condition=self.rows.condition,
            start_date=self.settings.start_date,
            fields={
                name: str(hashed[name]([name])[0]) if name in hashed else name
                for name in self.fields
            },
        )

    def missing_paths(self) -> list[str]:
        """Related fields of the settings that an older catalog lacks."""
        known = {name.upper() for name in self.schema["properties"]}
        offers = self.settings.sensitive.offers
        return [
            path
            for path in self.settings.related_fields.get(self.stream, ())
            if path.upper() not in known
            and (
                offers(self.stream, path)
                or not is_sensitive(self.source.object_name, path)
            )
        ]

    @property
    def _watch(self) -> Callable[[], LookAtRows]:
        """Checks the keys of result sets whose records have no number of Intacct's."""
        if self.source.needs_period:
            # The key is made of the catalog's fields; the company may have more.
            return partial(
                check_of_texts,
                self.stream,
                _DISCOVER_AGAIN,
                self.balance_key_fields,
                may_be_empty=True,
            )
        if self.source.is_numbered:
            return unwatched
        return partial(
            check_of_texts, self.stream, NAME_OTHER_KEYS, self.source.primary_keys
        )


def reading_plan(
    offered: OfferedSource,
    settings: Settings,
    look_up: Callable[[DataSource], ObjectDefinition] | None = None,
) -> ReadingPlan:
    """The plan of all fields that are offered.

    Args:
        offered: by a catalog, or by the company.
        settings: of the run.
        look_up: for a filter with a label that the tap does not ship: it may be the
            company's own. None if all labels are known, or Intacct cannot be asked.

    Raises:
        InvalidSettings: the filter is wrong, or names periods beside
            `balance_periods`.
    """
    try:
        rows = row_selection(offered, settings)
    except InvalidSettings:
        if look_up is None:
            raise
        live = look_up(offered.source)
        rows = row_selection(replace(offered, live=live), settings)
    properties: Collection[str] = offered.schema["properties"]
    stamp = offered.source.replication_key
    plan = ReadingPlan(
        offered, settings, rows, (), stamp if stamp in properties else None
    )
    return plan.choosing(properties)
