"""What there is to load: the data sources, and the fields of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tap_sage_intacct.catalog import discovery
from tap_sage_intacct.catalog.discovery import OfferedSource
from tap_sage_intacct.catalog.schema import (
    is_own,
    parents_of,
    text_of,
)
from tap_sage_intacct.catalog.sensitivity import is_sensitive
from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.selection.source_lookup import offered_source, source_named
from tap_sage_intacct.settings.sensitive import SensitivePolicy


@dataclass(frozen=True, slots=True)
class ListedSource:
    """A data source as it is listed.

    Attributes:
        is_readable: None where it was not asked.
        refusal: why it is not readable, in Intacct's words.
    """

    stream: str
    object_name: str
    title: str
    primary_keys: tuple[str, ...]
    replication_key: str | None
    is_readable: bool | None = None
    refusal: str = ""


def listed_sources(run: Run) -> list[ListedSource]:
    """All of them, in the order of Pigment's names; asks Intacct if it can.

    Raises:
        IntacctError: nobody can sign in.
    """
    is_asked = run.settings.gateway is not None
    shipped = [discovery.shipped(source) for source in DATA_SOURCES]
    refused = discovery.refusals(run.gateway, shipped) if is_asked else {}
    return [
        ListedSource(
            source.stream_name,
            source.object_name,
            source.title,
            source.primary_keys,
            source.replication_key,
            source.stream_name not in refused if is_asked else None,
            str(refused.get(source.stream_name, "")),
        )
        for source in DATA_SOURCES
    ]


@dataclass(frozen=True, slots=True)
class ListedField:
    """A field as it is listed.

    Attributes:
        type: of JSON Schema, with the format where it has one: `string (date)`.
        parent: the object that the field comes from; empty for the source's own.
        is_offered: False for a sensitive field that the settings do not allow.
        values: labels of an enumeration.
    """

    id: str
    label: str
    type: str
    parent: str
    description: str
    is_custom: bool
    is_sensitive: bool
    is_offered: bool
    values: tuple[str, ...] = ()

    def has(self, text: str) -> bool:
        """Whether a text stands in one of its texts, in any case."""
        texts = (self.id, self.label, self.parent, self.description)
        return any(text.lower() in part.lower() for part in texts)


def listed_fields(run: Run, name: str, search: str = "") -> list[ListedField]:
    """The fields of a source that hold a text, in the company's order.

    Raises:
        InvalidSettings: there is no such source.
    """
    wanted = source_named(name, run.settings)
    offered = offered_source(run, wanted, run.settings)
    parents = parents_of(offered.definition)
    fields = (
        _listed(run.settings.sensitive, offered, field, parents.get(field, ""))
        for field in offered.schema["properties"]
    )
    return [field for field in fields if field.has(search)]


def _listed(
    policy: SensitivePolicy, offered: OfferedSource, name: str, parent: str
) -> ListedField:
    source, definition = offered.source, offered.schema["properties"][name]
    field = offered.definition.field(name)
    sensitive = not is_own(name) and is_sensitive(source.object_name, name, definition)
    return ListedField(
        name,
        definition.get("title", name),
        _type(definition),
        parent,
        text_of(field, is_seen=offered.definition.is_seen)
        if field
        else definition["description"],
        field is not None and field.is_custom,
        sensitive,
        not sensitive or policy.offers(source.stream_name, name),
        offered.labels.get(name, ()),
    )


def _type(definition: dict[str, Any]) -> str:
    name = next(word for word in definition["type"] if word != "null")
    stated = definition.get("format")
    return f"{name} ({stated})" if stated else name
