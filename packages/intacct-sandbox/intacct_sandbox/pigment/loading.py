"""One import: what a file does to a list, by its saved configuration.

Sources: kb.pigment.com clear-items-prior, community.pigment.com 783; the rest is as the
switches say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from intacct_sandbox.pigment.configuration import (
    Clear,
    Configuration,
    ImportColumn,
    PigmentList,
    PropertyType,
    UnknownItem,
)
from intacct_sandbox.pigment.faults import PigmentFault
from intacct_sandbox.pigment.files import Cells, ImportFailed, read_cell, read_file
from intacct_sandbox.pigment.items import ItemStore, Values
from intacct_sandbox.pigment.reports import Reason, Report
from intacct_sandbox.pigment.switches import PigmentSwitches


class _Refused(Exception):
    """A row that is skipped."""


class Loader:
    """Carries out one import."""

    def __init__(
        self,
        items: ItemStore,
        lists: Mapping[str, PigmentList],
        configuration: Configuration,
        switches: PigmentSwitches,
    ) -> None:
        """Describe an import.

        Args:
            items: of the workspace.
            lists: of the workspace, by name and by id.
            configuration: of the import.
            switches: the unknowns.
        """
        self._items = items
        self._lists = lists
        self._block = lists[configuration.block_id]
        self._configuration = configuration
        self._switches = switches
        self._known: dict[str, set[str]] = {}
        self.report = Report()
        self.rows = 0

    def load(self, body: bytes, fault: PigmentFault | None = None) -> None:
        """Read the file, clear what is to be cleared, then load row by row.

        Args:
            body: the file.
            fault: FAILED and ALL_SKIPPED are carried out here.

        Raises:
            ImportFailed: what was cleared before stays cleared if the switches say so.
        """
        lines = read_file(body, self._configuration, self._switches)
        skips_all = fault is PigmentFault.ALL_SKIPPED
        rows = list(self._read_rows(lines, skips_all=skips_all))
        failure = self._failure(rows, fault)
        if failure and not self._switches.clears_before_failing:
            raise failure
        self._clear(rows)
        if failure:
            raise failure
        for values in rows:
            self._write(values)

    def _failure(
        self, rows: list[Values], fault: PigmentFault | None
    ) -> ImportFailed | None:
        if fault is PigmentFault.FAILED:
            return ImportFailed("InternalError", "the import was stopped")
        if self._has_duplicates(rows):
            return ImportFailed("DuplicateUniqueValue", "a unique value occurs twice")
        return None

    def _read_rows(
        self, lines: Iterator[Cells | None], *, skips_all: bool
    ) -> Iterator[Values]:
        for line in lines:
            self.rows += 1
            try:
                yield self._read_row(line, skips_all=skips_all)
            except _Refused:
                self.report.skipped_rows += 1

    def _read_row(self, cells: Cells | None, *, skips_all: bool) -> Values:
        if cells is None:
            raise self._refused(Reason.PARSING_ERROR, "", "wrong number of cells")
        denied = self._switches.write_denied.intersection(cells.values())
        if skips_all or denied:
            raise self._refused(Reason.ACCESS_DENIED, "", next(iter(cells.values())))
        values = {
            column.header: self._read_cell(cells[column.header], column)
            for column in self._configuration.columns
        }
        unique = self._block.unique
        if unique and not values.get(unique):
            raise self._refused(Reason.PARSING_ERROR, unique, "")
        return values

    def _refused(self, reason: Reason, column: str, sample: str) -> _Refused:
        self.report.note(reason, column, sample)
        return _Refused()

    def _read_cell(self, text: str, column: ImportColumn) -> str:
        if not text:
            return ""
        if column.type is PropertyType.DIMENSION:
            return self._read_item(text, column)
        try:
            return read_cell(text, column.type, self._configuration)
        except ValueError as error:
            raise self._refused(Reason.PARSING_ERROR, column.header, text) from error

    def _read_item(self, text: str, column: ImportColumn) -> str:
        dimension = self._lists[column.dimension]
        if dimension.id not in self._known:
            self._known[dimension.id] = self._items.identities(dimension.id)
        known = self._known[dimension.id]
        if text in known:
            return text
        policy = self._configuration.unknown_item
        if policy is UnknownItem.SKIP:
            raise self._refused(Reason.UNKNOWN_ITEM, column.header, text)
        if policy is UnknownItem.NULL:
            self.report.note(Reason.BLANKED, column.header, text)
            return ""
        self._items.insert(dimension.id, text, {dimension.unique: text})
        known.add(text)
        created = self.report.created_items
        created[dimension.id] = created.get(dimension.id, 0) + 1
        return text

    def _has_duplicates(self, rows: list[Values]) -> bool:
        unique = self._block.unique
        if not unique or self._switches.duplicate_keys == "last":
            return False
        return len({values[unique] for values in rows}) < len(rows)

    def _clear(self, rows: list[Values]) -> None:
        block, clear = self._block, self._configuration.clear
        if clear is Clear.SCOPE:
            self._clear_scope(rows)
        elif clear is Clear.ALL and block.unique:
            # Items of the file stay, with the properties that are not in it [D].
            kept = {values[block.unique] for values in rows}
            gone = self._items.identities(block.id) - kept
            self.report.deleted += self._items.delete(block.id, gone)
        elif clear is Clear.ALL:
            self.report.deleted += self._items.delete_all(block.id)

    def _clear_scope(self, rows: list[Values]) -> None:
        configuration = self._configuration
        cleared = set(configuration.scope_items)
        if self._switches.scope_from == "file":
            cleared = {values[configuration.scope] for values in rows}
        self.report.deleted += self._items.delete_scope(
            self._block.id, configuration.scope, cleared
        )

    def _write(self, values: Values) -> None:
        block = self._block
        if not block.unique:
            self._items.insert(block.id, None, values)
            self.report.inserted += 1
            return
        if block.id not in self._known:
            self._known[block.id] = self._items.identities(block.id)
        identity = values[block.unique]
        if identity not in self._known[block.id]:
            self._items.insert(block.id, identity, values)
            self._known[block.id].add(identity)
            self.report.inserted += 1
            return
        if self._switches.empty_cell == "keep":
            values = {name: text for name, text in values.items() if text}
        self._items.update(block.id, identity, values)
        self.report.updated += 1
