"""The objects of the sandbox's company: fields, types, labels, codes, relationships.

Metadata and storage follow the same file, `definitions/*.json`, which a tool makes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """A field.

    Attributes:
        datatype: Intacct's word: TEXT, INTEGER, DECIMAL, CURRENCY, PERCENT, BOOLEAN,
            DATE, TIMESTAMP or ENUM.
        valid_values: labels.
        codes: label to what the database stores, for readByQuery's conditions.
        document_type: the transaction definition that has it; empty for all.
        listed: whether lookup lists it and query serves it; readByQuery's `*` returns
            the others too [D].
    """

    id: str
    label: str
    description: str
    datatype: str
    required: bool = False
    read_only: bool = False
    is_custom: bool = False
    valid_values: tuple[str, ...] = ()
    codes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    listed: bool = True
    document_type: str = ""


@dataclass(frozen=True, slots=True)
class RelationshipDefinition:
    """A path to a parent: `related_by` here equals `target_field` there."""

    path: str
    object_name: str
    label: str
    type: str
    related_by: str
    target_field: str


@dataclass(frozen=True)
class ObjectDefinition:
    """An object.

    Attributes:
        natural_key: the id that people use; None where only RECORDNO tells rows apart.
        served_by: the documented functions that read it.
    """

    name: str
    singular: str
    plural: str
    fields: tuple[FieldDefinition, ...]
    relationships: tuple[RelationshipDefinition, ...]
    natural_key: str | None
    served_by: frozenset[str]

    @cached_property
    def _by_id(self) -> dict[str, FieldDefinition]:
        return {field.id: field for field in self.fields}

    @cached_property
    def _by_path(self) -> dict[str, RelationshipDefinition]:
        return {part.path: part for part in self.relationships}

    def field(self, field_id: str) -> FieldDefinition | None:
        """The field of this id."""
        return self._by_id.get(field_id)

    @property
    def field_ids(self) -> Iterable[str]:
        """Their ids, in order."""
        return self._by_id.keys()

    def relationship(self, path: str) -> RelationshipDefinition | None:
        """The relationship of this path."""
        return self._by_path.get(path)

    def of_document(self, document_type: str | None) -> ObjectDefinition:
        """The object with the fields of one transaction definition, or those of all."""
        fields = tuple(
            part
            for part in self.fields
            if part.document_type in {"", document_type or ""}
        )
        if len(fields) == len(self.fields):
            return self
        return dataclasses.replace(self, fields=fields)

    @property
    def record_key(self) -> str:
        """RECORDNO; `id` of custom objects, ID of the audit trail."""
        return next(name for name in ("RECORDNO", "id", "ID") if self.field(name))


def read_facts(path: str) -> Any:
    """What a JSON file of this package holds, by its path without suffix."""
    file = resources.files("intacct_sandbox") / f"{path}.json"
    return json.loads(file.read_text("utf-8"))


@cache
def load_definitions() -> Mapping[str, ObjectDefinition]:
    """All objects, by name."""
    folder = resources.files("intacct_sandbox") / "definitions"
    files = sorted(
        (item for item in folder.iterdir() if item.name.endswith(".json")),
        key=lambda item: item.name,
    )
    contents = (json.loads(file.read_text("utf-8")) for file in files)
    found = (
        _definition(given)
        for content in contents
        for given in (content if isinstance(content, list) else [content])
    )
    return MappingProxyType({part.name: part for part in found})


def _definition(given: dict[str, Any]) -> ObjectDefinition:
    return ObjectDefinition(
        given["name"],
        given["singular"],
        given["plural"],
        tuple(map(_field, given["fields"])),
        tuple(map(_relationship, given["relationships"])),
        given["natural_key"],
        frozenset(given["served_by"]),
    )


def _field(given: dict[str, Any]) -> FieldDefinition:
    return FieldDefinition(
        given["id"],
        given["label"],
        given["description"],
        given["datatype"],
        required=given.get("required", False),
        read_only=given.get("read_only", False),
        is_custom=given.get("custom", False),
        valid_values=tuple(given.get("values", ())),
        codes=MappingProxyType(given.get("codes", {})),
        listed=not given.get("unlisted", False),
        document_type=given.get("document_type", ""),
    )


def _relationship(given: dict[str, Any]) -> RelationshipDefinition:
    return RelationshipDefinition(
        given["path"], given["object"], "", given["type"], given["by"], given["target"]
    )
