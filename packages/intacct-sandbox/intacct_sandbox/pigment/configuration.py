"""What people set up in Pigment's wizard: lists, and how files are imported into them.

Sources: kb.pigment.com, generate-import-config-id and clear-items-prior;
community.pigment.com 231 and 783.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class PropertyType(str, Enum):
    """Pigment's data types [D]; INTEGER truncates, DATE has no time."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    BOOLEAN = "boolean"
    DIMENSION = "dimension"


class ListType(str, Enum):
    """The kinds of block that hold rows; the words are the metadata API's [D]."""

    DIMENSION_LIST = "DimensionList"
    TRANSACTION_LIST = "TransactionList"


class Clear(str, Enum):
    """What an import deletes before it loads [D]."""

    NONE = "none"
    ALL = "all"
    SCOPE = "scope"


class UnknownItem(str, Enum):
    """What becomes of a cell that names no item of its dimension [I, from the report]."""

    SKIP = "skip"
    NULL = "null"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """A column of the file, and the property of the same name that it fills.

    Attributes:
        dimension: name of the list whose items the cells name, by its unique property;
            only with the type DIMENSION.
    """

    header: str
    type: PropertyType = PropertyType.TEXT
    dimension: str = ""


@dataclass(frozen=True, slots=True)
class PigmentList:
    """A Dimension List or a Transaction List.

    Attributes:
        unique: the property that tells items apart; empty: each row is an item.
    """

    id: str
    name: str
    type: ListType
    columns: tuple[ImportColumn, ...]
    unique: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A saved import configuration. The API shows its id and name only [D].

    Attributes:
        scope: property whose values say which items a limited scope clears.
        scope_items: the fixed items of that scope, where it is not taken from the file.
        unknown_item: for all columns of type DIMENSION.
    """

    id: str
    name: str
    block_id: str
    columns: tuple[ImportColumn, ...]
    clear: Clear = Clear.NONE
    scope: str = ""
    scope_items: tuple[str, ...] = ()
    unknown_item: UnknownItem = UnknownItem.SKIP
    delimiter: str = ","
    quotechar: str = '"'
    encoding: str = "utf-8"
    decimal_separator: str = "."
    date_format: str = "%Y-%m-%d"


_READ: Mapping[str, Callable[[Any], Any]] = {
    "clear": Clear,
    "unknown_item": UnknownItem,
    "scope_items": tuple,
}


def read_column(given: str | Mapping[str, str]) -> ImportColumn:
    """A header, or {header, type, dimension}."""
    if isinstance(given, str):
        return ImportColumn(given)
    kind = PropertyType(given.get("type", PropertyType.TEXT.value))
    return ImportColumn(given["header"], kind, given.get("dimension", ""))


def read_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a configuration from their JSON."""
    return {
        **given,
        **{name: read(given[name]) for name, read in _READ.items() if name in given},
    }


def list_from_json(given: Mapping[str, Any]) -> PigmentList:
    """The inverse of `asdict`."""
    columns = tuple(read_column(column) for column in given["columns"])
    return PigmentList(
        given["id"], given["name"], ListType(given["type"]), columns, given["unique"]
    )


def configuration_from_json(given: Mapping[str, Any]) -> Configuration:
    """The inverse of `asdict`."""
    columns = tuple(read_column(column) for column in given["columns"])
    return Configuration(**{**read_options(given), "columns": columns})
