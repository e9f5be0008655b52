"""The stream of account balances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_sage_intacct.catalog.sources import BALANCE_KEY, ENTITY_ID
from tap_sage_intacct.intacct.pages.page import LookAtRows
from tap_sage_intacct.intacct.query import Comparison, Operator, both
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.reading.balances import key_fields
from tap_sage_intacct.reading.functions import BalanceReading
from tap_sage_intacct.reading.repeated_keys import check_of_texts
from tap_sage_intacct.reading.scope import Scope
from tap_sage_intacct.reading.state.checkpoint import Checkpoint
from tap_sage_intacct.records.table import RecordTable
from tap_sage_intacct.selection.books import check_books
from tap_sage_intacct.selection.periods import ReportingPeriod, chosen_periods
from tap_sage_intacct.selection.rows import PERIOD
from tap_sage_intacct.streams.source import SourceStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

    from tap_sage_intacct.catalog.discovery import OfferedSource
    from tap_sage_intacct.intacct.gateway import Gateway
    from tap_sage_intacct.intacct.query import Condition
    from tap_sage_intacct.reading.scope import ReadPage


_DISCOVER_AGAIN = (
    "The catalog does not list all dimensions by which the company's balances differ. "
    "Run discovery again, then load the stream anew, since its keys change."
)


class BalanceStream(SourceStream):
    """Account balances: a partition per reporting period, each replaced as a whole."""

    @override
    def _is_wanted(self, offered: OfferedSource) -> bool:
        """Nobody has selected it yet: without its periods it could only be refused."""
        return super()._is_wanted(offered) and bool(self._selection.periods)

    @property
    @override
    def lacks_periods(self) -> bool:
        """Also where no period is named: balances are read period by period."""
        return not self._selection.periods

    @override
    def check_choices(self) -> None:
        """Also refuse books that there are not.

        Raises:
            InvalidSettings: with the nearest right names.
        """
        super().check_choices()
        books = self.settings.balances.books
        if books and (partitions := self.partitions):
            check_books(self._run.gateway, books, partitions[-1][PERIOD])

    @override
    def _read(self, context: Context | None) -> Iterator[list[RecordTable]]:
        """Nothing where no period is named, which a trial run selects all the same."""
        if context is None and not self._partitions():
            return iter(())
        return super()._read(context)

    @override
    def _partitions(self) -> list[dict[str, Any]]:
        entities = super()._partitions() or [{}]
        return [
            {**entity, PERIOD: period.name}
            for entity in entities
            for period in self._periods
        ]

    @cached_property
    def _readings(self) -> dict[str | None, BalanceReading]:
        """By entity; each knows whether one of its periods changed."""
        return {}

    @cached_property
    def _periods(self) -> list[ReportingPeriod]:
        today = self._run.gateway.server_now().date()
        return chosen_periods(self._run.periods, self._selection.periods, today)

    @override
    def _condition(self, context: Context) -> Condition | None:
        period = Comparison(PERIOD, Operator.EQUAL, (context[PERIOD],))
        return both(period, self._selection.condition)

    @override
    def _pages(
        self, gateway: Gateway, scope: Scope, checkpoint: Checkpoint, context: Context
    ) -> Iterator[ReadPage]:
        entity = context.get(ENTITY_ID)
        if entity not in self._readings:
            reader = self._reader(gateway, scope)
            self._readings[entity] = BalanceReading(reader, self._key_fields)
        closed = len(self._periods) - self.settings.balances.reread_periods
        latest = {period.name for period in self._periods[max(closed, 0) :]}
        again = context[PERIOD] in latest
        return self._readings[entity].read(scope, checkpoint, again=again)

    @override
    def _write_checkpoint(self, checkpoint: Checkpoint, context: Context) -> None:
        if self._readings[context.get(ENTITY_ID)].has_changed:
            self._forget_later(context)
        super()._write_checkpoint(checkpoint, context)

    def _forget_later(self, context: Context) -> None:
        """Have later periods read, in another run if this one dies before them."""
        partitions = self._partitions()
        for later in partitions[partitions.index(dict(context)) + 1 :]:
            if later.get(ENTITY_ID) == context.get(ENTITY_ID):
                self._note_checkpoint(Checkpoint(), later)

    @property
    @override
    def _watch(self) -> Callable[[], LookAtRows]:
        """The key is made of the fields that the catalog has; a company may have more."""
        return partial(
            check_of_texts,
            self.name,
            _DISCOVER_AGAIN,
            self._key_fields,
            may_be_empty=True,
        )

    @property
    @override
    def _decoded_types(self) -> dict[str, ValueType]:
        """Also the key, which is made where the rows are read."""
        return {**super()._decoded_types, BALANCE_KEY: ValueType.TEXT}

    @override
    def _keyed(self, keys: Sequence[str]) -> RecordTable:
        return RecordTable({BALANCE_KEY: keys}, len(keys))

    @override
    def _fields(self, key_fields: Iterable[str]) -> tuple[str, ...]:
        return super()._fields((*key_fields, *self._key_fields))

    @cached_property
    def _key_fields(self) -> tuple[str, ...]:
        return key_fields(self.schema["properties"])

    @override
    def _checkpoint(self, gateway: Gateway, context: Context) -> Checkpoint:
        """Of the period; it is read whole or not at all."""
        del gateway
        return self._own_state.checkpoint(self.get_context_state(context))
