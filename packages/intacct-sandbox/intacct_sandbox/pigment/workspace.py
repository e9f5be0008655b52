"""A Pigment workspace: its lists, their items, its configurations and its imports.

Imports are carried out as they arrive, one after the other; the API decides when a
status says so.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid4, uuid5

from intacct_sandbox.clock import Clock, SystemClock
from intacct_sandbox.company.store import open_database
from intacct_sandbox.pigment.configuration import (
    Configuration,
    ImportColumn,
    ListType,
    PigmentList,
    PropertyType,
    configuration_from_json,
    list_from_json,
    read_column,
    read_options,
)
from intacct_sandbox.pigment.faults import PigmentFault
from intacct_sandbox.pigment.files import ImportFailed
from intacct_sandbox.pigment.items import ItemStore, Values
from intacct_sandbox.pigment.loading import Loader
from intacct_sandbox.pigment.reports import Import
from intacct_sandbox.pigment.switches import PigmentSwitches

_TABLES = """
CREATE TABLE IF NOT EXISTS block (id TEXT PRIMARY KEY, name TEXT UNIQUE, body TEXT);
CREATE TABLE IF NOT EXISTS configuration (
  id TEXT PRIMARY KEY, name TEXT UNIQUE, body TEXT
);
CREATE TABLE IF NOT EXISTS import (
  number INTEGER PRIMARY KEY, id TEXT UNIQUE, body TEXT
);
"""


_Named = TypeVar("_Named", PigmentList, Configuration)


class Workspace:
    """What a workspace holds. Thread-safe."""

    def __init__(self, path: Path | None = None, *, clock: Clock | None = None) -> None:
        """Open a workspace.

        Args:
            path: of its file, created if absent; None: in memory.
            clock: of the instants in imports.

        Raises:
            OSError: the file cannot be opened, or is no workspace.
        """
        self.clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._database = open_database(
            path or ":memory:", _TABLES, isolation_level=None, check_same_thread=False
        )
        self._items = ItemStore(self._database)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def add_list(
        self,
        name: str,
        columns: Sequence[ImportColumn],
        *,
        unique: str = "",
        type: ListType = ListType.TRANSACTION_LIST,  # noqa: A002 - Pigment's word
        **options: Any,
    ) -> Configuration:
        """Make a list together with an import configuration that fills it.

        Args:
            name: of both.
            columns: of the list and of the file.
            unique: property that tells items apart.
            type: of the list.
            options: other fields of `Configuration`; words for its choices will do.
        """
        id_ = _id("list", name)
        block = PigmentList(id_, name, type, tuple(columns), unique)
        self._insert("block", block)
        return self.add_configuration(name, block, **options)

    def add_configuration(
        self, name: str, block: PigmentList, **options: Any
    ) -> Configuration:
        """Make another import configuration of a list."""
        id_ = _id("configuration", name)
        given = {"columns": block.columns, **read_options(options)}
        made = Configuration(id_, name, block.id, **given)
        self._insert("configuration", made)
        return made

    def add_lists(self, given: Iterable[Mapping[str, Any]]) -> None:
        """Make the lists that a JSON file describes, each with a configuration.

        Args:
            given: {name, columns: [header or {header, type, dimension}], unique, type,
                import: {clear, scope, unknown_item, ...}} each.

        Raises:
            LookupError: a name is missing, or a word is not among the choices.
        """
        for entry in given:
            try:
                self.add_list(
                    entry["name"],
                    [read_column(column) for column in entry["columns"]],
                    unique=entry.get("unique", ""),
                    type=ListType(entry.get("type", ListType.TRANSACTION_LIST.value)),
                    **entry.get("import", {}),
                )
            except ValueError as error:
                raise LookupError(f"list {entry.get('name')}: {error}") from error

    @property
    def lists(self) -> list[PigmentList]:
        """In the order in which they were made."""
        return [list_from_json(body) for body in self._bodies("block")]

    @property
    def configurations(self) -> list[Configuration]:
        """In the order in which they were made."""
        return [configuration_from_json(body) for body in self._bodies("configuration")]

    @property
    def imports(self) -> list[Import]:
        """In the order in which they came."""
        return [Import.from_json(body) for body in self._bodies("import")]

    def configuration(self, name_or_id: str) -> Configuration:
        """One, by name or id.

        Raises:
            LookupError: there is none.
        """
        return _find(self.configurations, name_or_id)

    def list_named(self, name: str) -> PigmentList:
        """A list, by name or id.

        Raises:
            LookupError: there is none.
        """
        return _find(self.lists, name)

    def import_of(self, import_id: str) -> Import | None:
        """One import; None where there is none."""
        query = "SELECT body FROM import WHERE id = ?"
        with self._lock:
            found = self._database.execute(query, (import_id,)).fetchone()
        return Import.from_json(json.loads(found[0])) if found else None

    def take(
        self,
        configuration: Configuration,
        body: bytes,
        switches: PigmentSwitches,
        fault: PigmentFault | None = None,
    ) -> Import:
        """Carry out an import; what it did is in the record returned.

        Args:
            configuration: of the import.
            body: the file.
            switches: the unknowns.
            fault: that the import meets.
        """
        with self._lock:
            self._database.execute("BEGIN")
            done = self._carry_out(configuration, body, switches, fault)
            self._database.execute(
                "INSERT INTO import (id, body) VALUES (?, ?)",
                (done.id, json.dumps(asdict(done))),
            )
            self._database.execute("COMMIT")
            return done

    def _carry_out(
        self,
        configuration: Configuration,
        body: bytes,
        switches: PigmentSwitches,
        fault: PigmentFault | None,
    ) -> Import:
        began = self.clock.now().isoformat()
        lists = {key: one for one in self.lists for key in (one.id, one.name)}
        loader = Loader(self._items, lists, configuration, switches)
        errors: tuple[Mapping[str, str], ...] = ()
        try:
            loader.load(body, fault)
        except ImportFailed as error:
            errors = ({"name": error.name, "description": error.description},)
        return Import(
            str(uuid4()),
            configuration.id,
            began,
            self.clock.now().isoformat(),
            "Failed" if errors else "Completed",
            loader.rows,
            errors,
            None if errors else loader.report.to_json(configuration.block_id),
        )

    def rows(self, name: str, offset: int = 0, limit: int = -1) -> list[Values]:
        """Items of a list by name or id, in the order in which they were made.

        A value of type Dimension is blank while its list has no such item.
        """
        block = self.list_named(name)
        with self._lock:
            known = self._known_items(block)
            return [
                {c.header: _shown(item, c, known) for c in block.columns}
                for item in self._items.page(block.id, offset, limit)
            ]

    def count(self, name: str) -> int:
        """How many items a list has."""
        block = self.list_named(name)
        with self._lock:
            return self._items.count(block.id)

    def _insert(self, table: str, one: PigmentList | Configuration) -> None:
        values = (one.id, one.name, json.dumps(asdict(one)))
        with self._lock:
            self._database.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", values)

    def _known_items(self, block: PigmentList) -> dict[str, set[str]]:
        return {
            column.header: self._items.identities(self.list_named(column.dimension).id)
            for column in block.columns
            if column.type is PropertyType.DIMENSION
        }

    def _bodies(self, table: str) -> list[dict[str, Any]]:
        query = f"SELECT body FROM {table} ORDER BY rowid"
        with self._lock:
            found = self._database.execute(query).fetchall()
        return [json.loads(body) for (body,) in found]


def _shown(item: Values, column: ImportColumn, known: Mapping[str, set[str]]) -> str:
    value = item.get(column.header, "")
    dangles = column.header in known and value not in known[column.header]
    return "" if dangles else value


def _find(named: Sequence[_Named], name_or_id: str) -> _Named:
    for one in named:
        if name_or_id in {one.id, one.name}:
            return one
    raise LookupError(f"there is no {name_or_id}")


def _id(kind: str, name: str) -> str:
    """The same for the same name, so that a model's settings need not change."""
    return str(uuid5(NAMESPACE_URL, f"https://pigment.sandbox/{kind}/{name}"))
