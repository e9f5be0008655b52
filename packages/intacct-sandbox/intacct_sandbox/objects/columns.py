"""Fields as SQL columns, related fields as joins.

A field that is asked for becomes a column, with the joins that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from sqlite3 import Connection
from typing import Any

from intacct_sandbox.company.definitions import (
    FieldDefinition,
    ObjectDefinition,
    RelationshipDefinition,
)
from intacct_sandbox.company.store import plain, quote
from intacct_sandbox.objects.conditions import DECIMAL_TYPES, Column, Sql, SqlValue
from intacct_sandbox.objects.rows import OutputColumn
from intacct_sandbox.switches import Switches
from intacct_sandbox.wire.errors import (
    FunctionRefusal,
    hierarchy_too_deep,
    unknown_fields,
    unqueryable_fields,
)
from intacct_sandbox.wire.formatting import UserFormatting

_LARGEST_INTEGER = 2**63 - 1
# A boolean filter value in neither form matches no row, as an unknown label does.
_NEITHER = -1


def parse_integer(text: str) -> int:
    """An integer that fits the database.

    Raises:
        ValueError: anything else.
    """
    number = int(text)
    if abs(number) > _LARGEST_INTEGER:
        raise ValueError(text)
    return number


def parse_decimal(text: str) -> str:
    """A decimal in the canonical notation in which the books hold it.

    Raises:
        ValueError: not a finite number.
    """
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not number.is_finite():
        raise ValueError(text)
    return plain(number)


def parser_of(
    datatype: str, formatting: UserFormatting, *, true: str, false: str
) -> Callable[[str], SqlValue]:
    """How filter values of a type are read; `true` and `false` are its words."""
    if datatype == "DATE":
        return formatting.parse_date
    if datatype == "TIMESTAMP":
        return formatting.parse_timestamp
    if datatype == "INTEGER":
        return parse_integer
    if datatype in DECIMAL_TYPES:
        return parse_decimal
    if datatype == "BOOLEAN":
        return lambda text: {true: 1, false: 0}.get(text.lower(), _NEITHER)
    return str


class QueryColumns:
    """The columns of one `query`: the object's own and those of related objects."""

    def __init__(
        self,
        definitions: Mapping[str, ObjectDefinition],
        definition: ObjectDefinition,
        switches: Switches,
    ) -> None:
        """Start with the object alone, as table `t0`."""
        self._definitions = definitions
        self._definition = definition
        self._switches = switches
        self._found: dict[str, Column] = {}
        self._aliases: dict[tuple[str, ...], str] = {(): "t0"}
        self._joins: list[str] = []

    @property
    def tables(self) -> str:
        """The FROM clause for the columns asked for so far."""
        own = f"{quote(self._definition.name)} AS t0"
        return " ".join([own, *self._joins])

    def require(self, names: Iterable[str]) -> None:
        """Find all these fields.

        Raises:
            FunctionRefusal: naming every field that does not exist, or else
                every field that cannot be queried.
        """
        missing: list[str] = []
        unqueryable: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            found = self._walk(name)
            if found is None:
                missing.append(name)
                continue
            owner, definition, column = found
            if self._is_unqueryable(owner, definition):
                unqueryable.setdefault(owner.name, []).append(definition.id)
            self._found[name] = column
        self._refuse(missing, unqueryable)

    def column(self, name: str) -> Column:
        """A field that was required before."""
        return self._found[name]

    def _refuse(self, missing: list[str], unqueryable: dict[str, list[str]]) -> None:
        if missing:
            wording = self._switches.unknown_fields
            raise unknown_fields(self._definition.name, missing, wording)
        if unqueryable:
            raise unqueryable_fields(unqueryable)

    def _is_unqueryable(self, owner: ObjectDefinition, found: FieldDefinition) -> bool:
        refused = self._switches.unqueryable.get(owner.name, frozenset())
        # `#` cannot stand in an element name, so such a field has no answer.
        return not found.listed or "#" in found.id or found.id in refused

    def _walk(
        self, name: str
    ) -> tuple[ObjectDefinition, FieldDefinition, Column] | None:
        owner, rest, climbs = self._definition, name, 0
        path: tuple[str, ...] = ()
        while True:
            found = owner.field(rest)
            if found is not None:
                return owner, found, self._column(name, owner, found, path)
            step = _first_step(owner, rest)
            target = step and self._definitions.get(step[0].object_name)
            if not step or target is None:
                return None
            climbs += target.name == owner.name
            if climbs > 1:
                raise hierarchy_too_deep(name)
            path = self._join(path, step[0])
            owner, rest = target, step[1]

    def _join(
        self, path: tuple[str, ...], relationship: RelationshipDefinition
    ) -> tuple[str, ...]:
        longer = (*path, relationship.path)
        if longer not in self._aliases:
            alias = f"t{len(self._aliases)}"
            left = f"{self._aliases[path]}.{quote(relationship.related_by)}"
            right = f"{alias}.{quote(relationship.target_field)}"
            table = quote(relationship.object_name)
            self._joins.append(f"LEFT JOIN {table} AS {alias} ON {right} = {left}")
            self._aliases[longer] = alias
        return longer

    def _column(
        self,
        name: str,
        owner: ObjectDefinition,
        found: FieldDefinition,
        path: tuple[str, ...],
    ) -> Column:
        formatting = self._switches.formatting
        parse = parser_of(found.datatype, formatting, true="true", false="false")
        if (owner.name, found.id) == ("AUDITHISTORY", "ACCESSMODE"):
            # The one enumeration that `query` filters by code. [D]
            parse = _label_parser(found.codes)
        return Column(
            name,
            found.datatype,
            f"{self._aliases[path]}.{quote(found.id)}",
            parse,
            is_numeric_text=self._switches.numeric_text_keys
            and (found.id, found.datatype) == ("RECORDNO", "TEXT"),
        )


class LegacyColumns:
    """The columns of one readByQuery: own fields only, filtered by stored codes."""

    def __init__(
        self,
        definition: ObjectDefinition,
        formatting: UserFormatting,
        refusal: FunctionRefusal,
    ) -> None:
        """Names are compared without regard to case, as in the docs' examples.

        Args:
            definition: of the object.
            formatting: of the user who asks.
            refusal: of a field that the object lacks.
        """
        self.definition = definition
        self._formatting = formatting
        self._refusal = refusal
        self._ids = {part.id.upper(): part.id for part in definition.fields}

    def column(self, name: str) -> Column:
        """The column of a field.

        Raises:
            FunctionRefusal: the object lacks it.
        """
        found = self.definition.field(self._ids.get(name.upper(), name))
        if found is None or "#" in found.id:
            raise self._refusal
        parse = parser_of(found.datatype, self._formatting, true="t", false="f")
        stored = f"t0.{quote(found.id)}"
        if not found.codes or self.definition.name == "AUDITHISTORY":
            return Column(found.id, found.datatype, stored, parse)
        coded = _as_code(stored, found.codes)
        return Column(found.id, "TEXT", coded.text, str, coded.parameters)

    def ids(self, text: str) -> tuple[str, ...]:
        """The fields that a comma list names; all of them for `*` or nothing.

        Raises:
            FunctionRefusal: the object lacks one.
        """
        if text.strip() in {"", "*"}:
            return tuple(
                part.id for part in self.definition.fields if "#" not in part.id
            )
        return tuple(self.column(name.strip()).name for name in text.split(","))

    def output(self, ids: Iterable[str]) -> list[OutputColumn]:
        """The columns of rows that hold these fields."""
        types = {part.id: part.datatype for part in self.definition.fields}
        return [OutputColumn(name, types[name]) for name in ids]

    def select(
        self, connection: Connection, ids: Iterable[str], where: Sql, order: str = ""
    ) -> list[tuple[Any, ...]]:
        """These fields of the rows that satisfy a condition, ordered by a field."""
        selection = ", ".join(f"t0.{quote(name)}" for name in ids)
        table = quote(self.definition.name)
        statement = f"SELECT {selection} FROM {table} AS t0 WHERE {where.text}"
        if order:
            statement += f" ORDER BY t0.{quote(order)}"
        return connection.execute(statement, where.parameters).fetchall()


def _label_parser(codes: Mapping[str, str]) -> Callable[[str], SqlValue]:
    labels = {code: label for label, code in codes.items()}
    return lambda text: labels.get(text, "")


def _as_code(stored: str, codes: Mapping[str, str]) -> Sql:
    whens = " ".join("WHEN ? THEN ?" for _ in codes)
    values = tuple(value for pair in codes.items() for value in pair)
    return Sql(f"CASE {stored} {whens} ELSE {stored} END", values)


def _first_step(
    owner: ObjectDefinition, path: str
) -> tuple[RelationshipDefinition, str] | None:
    head, dot, rest = path.partition(".")
    relationship = owner.relationship(head) if dot else None
    if relationship is None or relationship.type not in {"MANY2ONE", "ONE2ONE"}:
        return None
    return relationship, rest
