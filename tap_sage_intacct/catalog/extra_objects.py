"""Objects beside the primary data sources: which the company has, how each is read.

Keys and stamps come from the schema alone, so that a run with a catalog reads an object
as discovery described it. Does not use Singer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tap_sage_intacct.catalog.definitions import Definitions
from tap_sage_intacct.catalog.schema import value_types
from tap_sage_intacct.catalog.sources import (
    DATA_SOURCE_BY_OBJECT,
    RECORD_KEYS,
    DataSource,
    ReadFunction,
)
from tap_sage_intacct.errors import InvalidSettings, refuse
from tap_sage_intacct.intacct.errors import IntacctError, ObjectNotFound
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.pages.paging_key import KeyField, PagingKey
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.settings.suggestions import did_you_mean
from tap_sage_intacct.settings.values import (
    EVERY_OBJECT,
    ExtraObject,
    stream_name_of,
)

# ACCESSTIME is the audit trail's, whose entries never change.
_CHANGE_STAMPS = ("WHENMODIFIED", "updatedAt", "MODIFIED", "ACCESSTIME")
_CREATION_STAMPS = ("AUWHENCREATED", "WHENCREATED", "createdAt")
DOCUMENT_TYPE = "DOCPARID"
"""The column that names a document's transaction definition [C]."""

logger = logging.getLogger(__name__)


def source_of(wanted: ExtraObject, schema: Mapping[str, Any]) -> DataSource:
    """How an object is read, by the fields that it has.

    Args:
        wanted: by the user.
        schema: its title is the object's name as Intacct spells it.

    Raises:
        InvalidSettings: no key was found, or the user names an unknown field.
    """
    types = value_types(dict(schema))
    object_name = schema.get("title") or wanted.object_name
    _check_named(wanted, types)
    known = DATA_SOURCE_BY_OBJECT.get(object_name.upper())
    if known is None:
        known = _found_source(wanted, object_name, types)
    return replace(
        known,
        stream_name=wanted.stream_name,
        primary_keys=wanted.primary_keys or known.primary_keys,
        replication_key=wanted.replication_key or known.replication_key,
        document_type=wanted.document_type,
    )


def _found_source(
    wanted: ExtraObject, object_name: str, types: Mapping[str, ValueType]
) -> DataSource:
    record_key = _first(RECORD_KEYS, types)
    if record_key is None and len(wanted.primary_keys) == 1:
        record_key = wanted.primary_keys[0]
    if record_key is None:
        raise InvalidSettings(
            f"extra_objects: {object_name} has no record number; name the one column "
            "that tells its rows apart in primary_keys."
        )
    stamps = {name for name, kind in types.items() if kind is ValueType.TIMESTAMP}
    # It is unknown how Intacct compares text keys [?]. So rows with such a key are taken
    # from a result set, which needs no order. So are rows whose key only the user names.
    is_ordered = types[record_key] is ValueType.INTEGER and record_key in RECORD_KEYS
    return DataSource(
        wanted.stream_name,
        object_name,
        object_name,
        functions=(ReadFunction.QUERY, ReadFunction.READ_BY_QUERY)
        if is_ordered
        else (ReadFunction.READ_BY_QUERY,),
        primary_keys=(record_key,),
        record_key=record_key,
        replication_key=_first(_CHANGE_STAMPS, stamps),
        creation_stamp=_first(_CREATION_STAMPS, stamps),
        paging_key=PagingKey((KeyField(record_key, ValueType.INTEGER),)),
        is_audited=False,
    )


def _first(names: Sequence[str], among: Mapping[str, Any] | set[str]) -> str | None:
    return next((name for name in names if name in among), None)


def _check_named(wanted: ExtraObject, types: Mapping[str, ValueType]) -> None:
    named = [*wanted.primary_keys, wanted.replication_key]
    problems = [
        f"extra_objects: {wanted.object_name} has no field '{name}'"
        f"{did_you_mean(name, types)}"
        for name in named
        if name is not None and name not in types
    ]
    stamp = wanted.replication_key
    if stamp and types.get(stamp, ValueType.TIMESTAMP) is not ValueType.TIMESTAMP:
        problems.append(
            f"extra_objects: {stamp} of {wanted.object_name} is no timestamp, and cannot "
            "tell what changed: leave replication_key out, or name another."
        )
    refuse(problems)


def named_objects(
    gateway: Gateway, definitions: Definitions, wanted: Sequence[ExtraObject]
) -> list[ExtraObject]:
    """The objects that the user names; for a user-defined dimension, its object.

    Raises:
        InvalidSettings: the company has no such object; names the nearest.
    """
    named = [extra for extra in wanted if extra.object_name != EVERY_OBJECT]
    definitions.load((extra.object_name, extra.document_type) for extra in named)
    unknown = [extra for extra in named if _is_unknown(definitions, extra)]
    if not unknown:
        return named
    dimensions = {
        label.upper(): dimension.object_name
        for dimension in gateway.dimensions()
        for label in dimension.labels
    }
    labelled = {
        extra: replace(extra, object_name=dimensions[extra.object_name.upper()])
        for extra in unknown
        if extra.object_name.upper() in dimensions
    }
    strangers = [extra.object_name for extra in unknown if extra not in labelled]
    known = gateway.object_names() if strangers else ()
    refuse(
        f"extra_objects: the company has no object '{name}'{did_you_mean(name, known)}"
        for name in strangers
    )
    return [labelled.get(extra, extra) for extra in named]


def _is_unknown(definitions: Definitions, extra: ExtraObject) -> bool:
    found = definitions.of(extra.object_name, extra.document_type)
    return isinstance(found, ObjectNotFound)


def every_object(
    gateway: Gateway, definitions: Definitions, named: Sequence[ExtraObject]
) -> list[ExtraObject]:
    """All other objects that the company has, user-defined dimensions included."""
    names = [*gateway.object_names()]
    dimensions = gateway.dimensions()
    names += [d.object_name for d in dimensions if d.is_user_defined]
    taken = {extra.object_name.upper() for extra in named} | set(DATA_SOURCE_BY_OBJECT)
    others = {name.upper(): name for name in names if name.upper() not in taken}
    definitions.load((name, None) for name in others.values())
    found = []
    for name in others.values():
        definition = definitions.of(name)
        if isinstance(definition, IntacctError):
            logger.info("%s is not offered. %s", name, definition)
        else:
            found.append(ExtraObject(definition.name, stream_name_of(definition.name)))
    return found
