"""Stream maps that let deletions through: with their key, and with their mark.

A deletion is a record with its key and `_sdc_deleted_at`, and no other value. The SDK's
maps do not expect such a record: an expression fails on what is missing, a filter drops
it, and `__else__: null` drops the mark, so that the record looks alive. Here deletions
have a second map. The SDK makes it from those parts of the user's map that need only
the key and the mark. This module uses the SDK's mapper, and nothing of Intacct.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from fnmatch import fnmatch
from logging import Logger
from typing import Any

from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
    CustomStreamMap,
    PluginMapper,
    StreamMap,
)
from typing_extensions import override

from tap_sage_intacct.catalog.schema import DELETED_AT
from tap_sage_intacct.records.table import Record

Definition = Mapping[str, Any]
"""One entry of the setting `stream_maps`."""

_OPTIONS = (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
)
_NOTHING = (None, NULL_STRING)
# How an expression may name a field, beside the bare name.
_RECORDS = ("record", "_")
_THE_MARK = (
    DELETED_AT,
    "self",
    *(f"{r}[{DELETED_AT!r}]" for r in _RECORDS),
    *(f"{r}.get({DELETED_AT!r})" for r in _RECORDS),
)


class DeletionMapper(PluginMapper):
    """The SDK's mapper, whose maps let deletions through.

    Attributes:
        problems: by stream, why a deletion could not arrive as one.
    """

    def __init__(self, plugin_config: Mapping[str, Any], logger: Logger) -> None:
        # The SDK takes `__else__` out of what it is given.
        super().__init__(deepcopy(dict(plugin_config)), logger)
        self.problems: dict[str, list[str]] = {}

    @override
    def register_raw_stream_schema(
        self, stream_name: str, schema: dict[str, Any], key_properties: Any
    ) -> None:
        """As the SDK's; for a stream that emits deletions, maps that let them through."""
        if DELETED_AT not in schema["properties"]:
            super().register_raw_stream_schema(stream_name, schema, key_properties)
            return
        keys = tuple(key_properties or ())
        given = self.stream_maps_dict
        fields = frozenset(schema["properties"])
        living = {name: _keeping_mark(each) for name, each in given.items()}
        self.problems[stream_name] = [
            problem
            for name, each in living.items()
            if isinstance(each, dict) and _is_meant(stream_name, name, each)
            for problem in _mark_problems(name, each, keys, fields)
        ]
        maps = self._maps(living, stream_name, schema, key_properties)
        if not self.problems[stream_name]:
            dead = {
                name: _of_deletions(each, keys, fields) for name, each in living.items()
            }
            of_deletions = self._maps(dead, stream_name, schema, key_properties)
            maps = [
                _MapOfBoth(one, other, (*keys, DELETED_AT))
                if isinstance(one, CustomStreamMap)
                else one
                for one, other in zip(maps, of_deletions, strict=True)
            ]
        self.stream_maps_dict = given
        self.stream_maps[stream_name] = maps

    def _maps(
        self,
        definitions: dict[str, Any],
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Any,
    ) -> list[StreamMap]:
        self.stream_maps_dict = definitions
        self.stream_maps.pop(stream_name, None)
        # The SDK changes what it is given.
        super().register_raw_stream_schema(
            stream_name, deepcopy(schema), key_properties
        )
        return self.stream_maps[stream_name]


class _MapOfBoth(StreamMap):
    """The user's map for living records, and another one for deletions."""

    def __init__(
        self, living: StreamMap, deletions: StreamMap, kept: Sequence[str]
    ) -> None:
        """Look like the first.

        Args:
            living: the user's.
            deletions: needs the kept fields alone.
            kept: what a deletion holds.
        """
        super().__init__(
            living.stream_alias, living.raw_schema, living.raw_key_properties, None
        )
        self.transformed_schema = living.transformed_schema
        self.transformed_key_properties = living.transformed_key_properties
        self._living = living
        self._deletions = deletions
        self._kept = kept

    @override
    def transform(self, record: Record) -> Record | None:
        """The record, mapped; None of a living one that the filter drops."""
        if record.get(DELETED_AT) is None:
            return self._living.transform(record)
        return self._deletions.transform({name: record[name] for name in self._kept})

    @override
    def get_filter_result(self, record: Record) -> bool:
        """Whether the record is let through."""
        if record.get(DELETED_AT) is None:
            return self._living.get_filter_result(record)
        return True


def maps_rows(stream_map: StreamMap) -> bool:
    """Whether a map changes more than the stream's name."""
    return isinstance(stream_map, CustomStreamMap | _MapOfBoth)


def _is_meant(stream_name: str, name: str, definition: Definition) -> bool:
    """Whether an entry is of this stream, as the SDK decides it."""
    source = definition.get(MAPPER_SOURCE_OPTION, name)
    return stream_name == source or fnmatch(stream_name, source)


def _keeping_mark(definition: Any) -> Any:
    """The definition, with the mark named if other unnamed properties are dropped."""
    if not isinstance(definition, dict) or MAPPER_ELSE_OPTION not in definition:
        return definition
    return {DELETED_AT: DELETED_AT, **definition}


def _of_deletions(
    definition: Any, keys: Collection[str], fields: Collection[str]
) -> Any:
    """The parts of a definition that need only the key and the mark; no filter."""
    if not isinstance(definition, dict):
        return definition
    return {
        name: part
        for name, part in definition.items()
        if name != MAPPER_FILTER_OPTION
        and (name in _OPTIONS or _reads_only({*keys, DELETED_AT}, name, part, fields))
    }


def _reads_only(
    known: Collection[str], name: str, expression: Any, fields: Collection[str]
) -> bool:
    """Whether a property is made of these fields alone."""
    if not isinstance(expression, str) or expression == NULL_STRING:
        return True
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError:
        # The SDK refuses it.
        return True
    return all(field in known for field in _fields_in(tree, name, fields))


def _fields_in(
    tree: ast.AST, own: str, fields: Collection[str]
) -> Iterator[str | None]:
    """The fields that an expression reads; None where that cannot be told."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Subscript(ast.Name(owner), ast.Constant(str(name))) | ast.Call(
                ast.Attribute(ast.Name(owner), "get"), [ast.Constant(str(name))]
            ) if owner in _RECORDS:
                yield name
            case ast.Name(name) if name in _RECORDS:
                yield None
            case ast.Name("self"):
                yield own if own in fields else None
            case ast.Name(name) if name in fields:
                yield name
            case _:
                yield from _fields_in(node, own, fields)


def _mark_problems(
    name: str, definition: Definition, keys: Sequence[str], fields: Collection[str]
) -> list[str]:
    """Why a deletion could not arrive as one, a sentence each."""
    mark = definition.get(DELETED_AT, DELETED_AT)
    if not isinstance(mark, str) or mark.strip().replace('"', "'") not in _THE_MARK:
        return [
            f"stream_maps: {name} drops or changes {DELETED_AT}, by which a target tells "
            "deletions: leave it as it is, or set include_deletes to false."
        ]
    given = definition.get(MAPPER_KEY_PROPERTIES_OPTION, keys)
    # Without keys a target appends: then the record's own key tells what is gone.
    wanted = given or keys
    lost = [key for key in wanted if not _keeps(key, definition, keys, fields)]
    return [
        f"stream_maps: {name} leaves a deletion without its key {key}: make it from "
        f"{', '.join(keys)} alone, or set include_deletes to false."
        for key in lost
    ]


def _keeps(
    key: str, definition: Definition, keys: Sequence[str], fields: Collection[str]
) -> bool:
    """Whether a deletion has this key, and the same one as the record had."""
    if key not in definition:
        return key in keys and MAPPER_ELSE_OPTION not in definition
    part = definition[key]
    return part not in _NOTHING and _reads_only(keys, key, part, fields)
