"""What a company offers: live `lookup`s merged into the shipped schemas.

Asks the gateway, in a few requests for all objects together. Does not use Singer.
Without a gateway it offers the shipped schemas.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tap_sage_intacct.catalog.definitions import Definitions
from tap_sage_intacct.catalog.extra_objects import (
    every_object,
    named_objects,
    source_of,
)
from tap_sage_intacct.catalog.offering import (
    concealed,
    hashed,
    is_offered_though_denied,
)
from tap_sage_intacct.catalog.related_fields import with_related_fields
from tap_sage_intacct.catalog.schema import (
    json_schema,
    load_shipped_schema,
    merge,
    shipped_definition,
    value_types,
    with_known_texts,
)
from tap_sage_intacct.catalog.sensitivity import sensitive_fields
from tap_sage_intacct.catalog.sources import (
    DATA_SOURCE_BY_STREAM,
    DATA_SOURCES,
    DataSource,
    ReadFunction,
)
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.errors import IntacctError, PermissionDenied
from tap_sage_intacct.intacct.gateway import Gateway, Probe
from tap_sage_intacct.intacct.objects import ObjectDefinition
from tap_sage_intacct.intacct.query import Comparison, Operator, Query
from tap_sage_intacct.intacct.rows.values import ValueType, value_type_of
from tap_sage_intacct.settings.sensitive import SensitivePolicy
from tap_sage_intacct.settings.settings import OnDenied, Settings
from tap_sage_intacct.settings.values import EVERY_OBJECT, ExtraObject

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OfferedSource:
    """A data source and the schema of its records.

    Attributes:
        live: what the company says of its object; None if it was not asked.
        is_listed_only: found by `*` and not named, so not selected by default.
        concealed: the original of each sensitive property that the schema leaves out or
            hashes; filters may use them.
    """

    source: DataSource
    schema: dict[str, Any]
    live: ObjectDefinition | None = None
    is_listed_only: bool = False
    concealed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def definition(self) -> ObjectDefinition:
        """The object, as the company or else the tap knows it."""
        return self.live or shipped_definition(self.source.object_name)

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """The labels of enumerations that are texts, by field.

        They are not in the catalog: a target would refuse any value beside them.
        """
        return {
            field.id: tuple(label for label in field.valid_values if label)
            for field in self.definition.fields
            if any(field.valid_values)
            and value_type_of(field.datatype) is ValueType.TEXT
        }


def shipped(source: DataSource) -> OfferedSource:
    """What a typical company offers; needs no network."""
    schema = load_shipped_schema(source.stream_name)
    return OfferedSource(source, schema)


def catalogued(
    stream: str, schema: dict[str, Any], settings: Settings
) -> OfferedSource:
    """A stream of a catalog, read as discovery described it."""
    source = DATA_SOURCE_BY_STREAM.get(stream)
    if source is None:
        wanted = {extra.stream_name: extra for extra in settings.extra_objects}
        extra = wanted.get(stream) or ExtraObject(schema.get("title", stream), stream)
        source = source_of(extra, schema)
    is_filtered = stream in settings.filters
    return OfferedSource(
        source,
        hashed(source.object_name, schema, source.primary_keys, settings.sensitive),
        concealed=_shipped_sensitive(source) if is_filtered else {},
    )


def _shipped_sensitive(source: DataSource) -> Mapping[str, Any]:
    """The sensitive fields of a typical company's source, which a catalog may lack."""
    if DATA_SOURCE_BY_STREAM.get(source.stream_name) is not source:
        return {}
    schema = load_shipped_schema(source.stream_name)
    found = sensitive_fields(source.object_name, schema)
    return {name: schema["properties"][name] for name in found}


def offline(settings: Settings) -> list[OfferedSource]:
    """What a typical company offers, without sensitive fields that are not allowed."""
    return [selectable(shipped(source), settings.sensitive) for source in DATA_SOURCES]


def selectable(offered: OfferedSource, policy: SensitivePolicy) -> OfferedSource:
    """The source with its sensitive fields left out or hashed, as the settings say.

    Raises:
        InvalidSettings: a key is sensitive.
    """
    source = offered.source
    schema, hidden = concealed(
        source.stream_name,
        source.object_name,
        offered.schema,
        source.primary_keys,
        policy,
    )
    return replace(offered, schema=schema, concealed=hidden)


def live(gateway: Gateway, settings: Settings) -> list[OfferedSource]:
    """What this company offers this user.

    `lookup` answers for objects that the user may not read, too [C]. So each object is
    also probed with a query that finds nothing. Denied objects are left out with a
    warning; with `on_denied: fail` they are offered, so that a run of them fails.

    Raises:
        InvalidSettings: an extra object or related field does not exist.
    """
    offered = described(gateway, DATA_SOURCES, settings)
    refused = refusals(gateway, offered)
    found = [
        part
        for part in offered
        if (refusal := refused.get(part.source.stream_name)) is None
        or _is_offered_though_refused(part, refusal, settings.on_denied)
    ]
    return [selectable(part, settings.sensitive) for part in found]


def _is_offered_though_refused(
    part: OfferedSource, refusal: IntacctError, on_denied: OnDenied
) -> bool:
    name = part.source.stream_name
    if part.is_listed_only:
        logger.info("%s is not offered. %s", name, refusal)
        return False
    return is_offered_though_denied(name, refusal, on_denied)


def described(
    gateway: Gateway, sources: Sequence[DataSource], settings: Settings
) -> list[OfferedSource]:
    """What this company has, whether this user may read it or not.

    Raises:
        InvalidSettings: an extra object or related field does not exist.
    """
    definitions = Definitions(gateway)
    definitions.load((source.object_name, None) for source in sources)
    offered = [_primary(definitions, source, settings) for source in sources]
    return offered + _extra(gateway, definitions, settings)


def refusals(
    gateway: Gateway, offered: Iterable[OfferedSource]
) -> Mapping[str, IntacctError]:
    """By stream, why Intacct refused each function that reads it; others are left out."""
    refused: dict[str, IntacctError] = {}
    pending = [(part, list(part.source.functions)) for part in offered]
    while pending:
        probes = [_probe(part, untried.pop(0)) for part, untried in pending]
        answers = gateway.refusals(probes)
        asked, pending = pending, []
        for (part, untried), answer in zip(asked, answers, strict=True):
            name = part.source.stream_name
            if answer is None:
                refused.pop(name, None)
                continue
            refused[name] = answer
            # What is denied to one function is denied to all of them.
            if untried and not isinstance(answer, PermissionDenied):
                pending.append((part, untried))
    return refused


def live_definition(gateway: Gateway, source: DataSource) -> ObjectDefinition:
    """What this company says of an object; without fields if it cannot be looked up."""
    found = Definitions(gateway).of(source.object_name, source.document_type)
    if isinstance(found, IntacctError):
        return ObjectDefinition(source.object_name)
    return found


def _primary(
    definitions: Definitions, source: DataSource, settings: Settings
) -> OfferedSource:
    found = definitions.of(source.object_name)
    if isinstance(found, IntacctError):
        logger.warning(
            "%s: the fields cannot be looked up; those that the tap ships are offered. %s",
            source.stream_name,
            found,
        )
        return shipped(source)
    found = _with_related(definitions, found, source, settings)
    schema = load_shipped_schema(source.stream_name)
    found = with_known_texts(found, shipped_definition(source.object_name))
    schema = merge(schema, found, required_keys=source.primary_keys)
    return OfferedSource(source, schema, found)


def _extra(
    gateway: Gateway, definitions: Definitions, settings: Settings
) -> list[OfferedSource]:
    wanted = named_objects(gateway, definitions, settings.extra_objects)
    offered = [_extra_source(definitions, extra, settings) for extra in wanted]
    if any(extra.object_name == EVERY_OBJECT for extra in settings.extra_objects):
        for extra in every_object(gateway, definitions, wanted):
            try:
                offered.append(
                    _extra_source(definitions, extra, settings, is_listed_only=True)
                )
            except InvalidSettings as error:
                logger.info("%s is not offered. %s", extra.object_name, error)
    return offered


def _extra_source(
    definitions: Definitions,
    wanted: ExtraObject,
    settings: Settings,
    *,
    is_listed_only: bool = False,
) -> OfferedSource:
    """An object beside the primary data sources.

    Raises:
        InvalidSettings: it has no key, or cannot be looked up.
    """
    found = definitions.of(wanted.object_name, wanted.document_type)
    if isinstance(found, IntacctError):
        raise InvalidSettings(
            f"extra_objects: {wanted.object_name} cannot be looked up. {found}"
        )
    source = source_of(wanted, json_schema(found))
    found = _with_related(definitions, found, source, settings)
    schema = json_schema(found, required_keys=source.primary_keys)
    if source.needs_period:
        # The same balances under another name, with the same key.
        shipped_balances = load_shipped_schema("gl_account_balances")
        found = with_known_texts(found, shipped_definition(found.name))
        schema = {**merge(shipped_balances, found), "title": found.name}
    return OfferedSource(source, schema, found, is_listed_only)


def _with_related(
    definitions: Definitions,
    found: ObjectDefinition,
    source: DataSource,
    settings: Settings,
) -> ObjectDefinition:
    paths = settings.related_fields.get(source.stream_name, ())
    if paths and source.functions[0] is ReadFunction.READ_BY_QUERY:
        raise InvalidSettings(
            f"related_fields: {source.stream_name} can have none, since Intacct reads "
            f"{source.object_name} by readByQuery, which follows no relation."
        )
    return with_related_fields(definitions, found, paths)


def _probe(offered: OfferedSource, function: ReadFunction) -> Probe:
    """A query that finds nothing: permission is checked before data is read [C]."""
    source = offered.source
    object_name, key = source.object_name, source.record_key
    if source.needs_period:
        key = "RECORDNO"
        nothing = Comparison("PERIOD", Operator.EQUAL, ("no such period",))
    else:
        is_number = value_types(offered.schema).get(key) is ValueType.INTEGER
        nothing = Comparison(key, Operator.EQUAL, (0 if is_number else "0",))
    if function is ReadFunction.READ_PARENT:
        object_name = str(source.parent)
    query = Query(object_name, (key,), nothing, document_type=source.document_type)
    return Probe(query, by_result_set=function is ReadFunction.READ_BY_QUERY)
