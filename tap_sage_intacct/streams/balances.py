"""The stream of account balances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from typing_extensions import override

from tap_sage_intacct.catalog.sources import BALANCE_KEY
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.reading.read_source import BalanceReading
from tap_sage_intacct.reading.scope import ReadPage, Scope
from tap_sage_intacct.reading.state.checkpoint import Checkpoint
from tap_sage_intacct.records.table import RecordTable
from tap_sage_intacct.selection.books import check_books
from tap_sage_intacct.selection.reading_plan import Part
from tap_sage_intacct.selection.row_selection import PERIOD
from tap_sage_intacct.streams.source import SourceStream


class BalanceStream(SourceStream):
    """Account balances: a part per reporting period, each replaced as a whole."""

    @override
    def check_choices(self) -> None:
        """Also refuse books that do not exist.

        Raises:
            InvalidSettings: with the nearest right names.
        """
        super().check_choices()
        books = self.settings.balances.books
        if books and (partitions := self.partitions):
            check_books(self._run.gateway, books, partitions[-1][PERIOD])

    @cached_property
    def _readings(self) -> dict[str | None, BalanceReading]:
        """By entity; each remembers whether one of its periods changed."""
        return {}

    @override
    def _pages(
        self, gateway: Gateway, scope: Scope, checkpoint: Checkpoint, part: Part
    ) -> Iterator[ReadPage]:
        if part.entity not in self._readings:
            reader = self._reader(gateway, scope)
            self._readings[part.entity] = BalanceReading(
                reader, self._plan.balance_key_fields
            )
        reread = self.settings.balances.reread_periods
        again = len(self._later_parts(part)) < reread
        return self._readings[part.entity].read(scope, checkpoint, again=again)

    def _later_parts(self, part: Part) -> list[Part]:
        """Later periods of the same entity."""
        later = self._parts[self._parts.index(part) + 1 :]
        return [each for each in later if each.entity == part.entity]

    @override
    def _write_checkpoint(self, checkpoint: Checkpoint, part: Part) -> None:
        if self._readings[part.entity].has_changed:
            # Another run reads them, if this one dies before it does.
            for later in self._later_parts(part):
                self._note_checkpoint(Checkpoint(), later)
        super()._write_checkpoint(checkpoint, part)

    @property
    @override
    def _decoded_types(self) -> dict[str, ValueType]:
        """As the others', and the key, which is made where the rows are read."""
        return {**super()._decoded_types, BALANCE_KEY: ValueType.TEXT}

    @override
    def _keyed(self, keys: Sequence[str]) -> RecordTable:
        return RecordTable({BALANCE_KEY: keys}, len(keys))

    @override
    def _checkpoint(self, gateway: Gateway, part: Part) -> Checkpoint:
        """Where to start in the period, which is read whole or not at all."""
        del gateway
        return self._own_state.checkpoint(self.get_context_state(part.context))
