"""Make the reference pages of docs/ out of the code that they describe.

Usage: python -m tools.make_reference

Settings come from the JSON schemas of tap and target, sources and fields from the table
of data sources and the shipped schemas. A test fails when a committed page is another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap_sage_intacct.catalog.schema import (
    is_own,
    load_shipped_schema,
    parents_of,
    shipped_definition,
    text_of,
)
from tap_sage_intacct.catalog.sensitivity import is_sensitive
from tap_sage_intacct.catalog.sources import DATA_SOURCES, DataSource, ReadFunction
from tap_sage_intacct.intacct.objects import ObjectDefinition
from tap_sage_intacct.settings.settings import SETTINGS as TAP_SETTINGS
from target_pigment.settings.settings import settings_schema

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
TARGET_README = ROOT / "packages" / "target-pigment" / "README.md"

_MADE = "<!-- Made by `make reference`; edit the code that it describes instead. -->"
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
}

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Program:
    """Whose settings a page tells.

    Attributes:
        settings: JSON schemas by name.
        needed: names of the settings without which there is no run.
        prefix: of the environment variables.
    """

    name: str
    settings: Mapping[str, Schema]
    needed: frozenset[str]
    prefix: str
    introduction: str


def tap() -> Program:
    """The tap's settings."""
    schema = TAP_SETTINGS.to_dict()
    return Program(
        "tap-sage-intacct",
        schema["properties"],
        frozenset(schema["required"]),
        "TAP_SAGE_INTACCT_",
        "`tap-sage-intacct --about` tells the same, and the SDK's own settings.\n"
        "Names and values are checked before any data moves; what each choice does is "
        "told, with examples that a test runs, on the pages about "
        "[filters](../filters.md), [fields](../fields.md), "
        "[account balances](../balances.md), [custom reports](../reports.md), "
        "[other objects](../objects.md) and [entities](../entities.md).",
    )


def target() -> Program:
    """The target's settings."""
    return Program(
        "target-pigment",
        settings_schema()["properties"],
        frozenset(),
        "TARGET_PIGMENT_",
        "`target-pigment --about` tells the same, and the SDK's own settings.\n"
        "[Into Pigment](../pigment.md) shows them at work.",
    )


def settings_page(program: Program) -> str:
    """A page with a heading per setting, so that each can be linked to."""
    parts = [
        f"# Settings of {program.name}\n",
        f"{_MADE}\n",
        f"{program.introduction}\n",
        "From the environment, objects and lists are given as JSON.\n",
    ]
    for name, schema in program.settings.items():
        parts += _setting(program, name, schema)
    return "\n".join(parts)


def _setting(program: Program, name: str, schema: Schema) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{schema['description']}\n"
    yield "| | |"
    yield "|---|---|"
    yield f"| type | {type_words(schema)} |"
    if "default" in schema:
        yield f"| default | `{json.dumps(schema['default'])}` |"
    else:
        yield f"| default | none{', required' if name in program.needed else ''} |"
    yield f"| environment | `{program.prefix}{name.upper()}` |"
    if schema.get("secret"):
        yield "| secret | kept out of logs, errors and files |"
    yield ""
    members = _members(schema)
    if members:
        yield "| member | type | default |"
        yield "|---|---|---|"
        yield from (_member(member, found) for member, found in members.items())
        yield ""


def _member(name: str, schema: Schema) -> str:
    default = f"`{json.dumps(schema['default'])}`" if "default" in schema else ""
    return f"| `{name}` | {type_words(schema)} | {default} |"


def _members(schema: Schema) -> Mapping[str, Schema]:
    """The properties of an object, of each object of a list, or of each value."""
    places = [schema, schema.get("items", {}), schema.get("additionalProperties")]
    places += schema.get("items", {}).get("oneOf", ())
    found = [p["properties"] for p in places if isinstance(p, dict) and _has_members(p)]
    return found[0] if found else {}


def _has_members(schema: Schema) -> bool:
    return bool(schema.get("properties"))


def type_words(schema: Schema) -> str:
    """A type for people: `integer, at least 1`, `one of ...`, `list of text`."""
    if "oneOf" in schema:
        return " or ".join(type_words(kind) for kind in schema["oneOf"])
    if "enum" in schema:
        return f"one of {', '.join(f'`{_shown(word)}`' for word in schema['enum'])}"
    types = [word for word in schema["type"] if word != "null"]
    if isinstance(schema["type"], str):
        types = [schema["type"]]
    bounds = [
        text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema
    ]
    return ", ".join([" or ".join(_type_word(t, schema) for t in types), *bounds])


def _shown(word: str) -> str:
    return json.dumps(word)[1:-1] if not word.isprintable() else word


def _type_word(json_type: str, schema: Schema) -> str:
    if json_type == "array":
        return f"list of {type_words(schema['items'])}"
    if json_type == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_words(schema['additionalProperties'])}"
    if json_type == "string":
        return "date or instant" if schema.get("format") == "date-time" else "text"
    return json_type


def settings_table(program: Program) -> str:
    """A row per setting: for a README that is read without the site."""
    rows = [
        f"| `{name}` | {_short_default(schema)} | {schema['description']} |"
        for name, schema in program.settings.items()
    ]
    return "\n".join(["| Setting | Default | |", "| --- | --- | --- |", *rows])


def _short_default(schema: Schema) -> str:
    default = schema.get("default")
    if default is None:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def put(text: str, name: str, content: str) -> str:
    """The text with what stands between its two markers replaced.

    Raises:
        ValueError: the text has no such markers.
    """
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"there are no markers of {name}")
    return f"{before}{begin}\n{content}\n{end}{after}"


def sources_page(sources: Sequence[DataSource] = DATA_SOURCES) -> str:
    """The primary data sources, a row each."""
    rows = [
        f"| [{source.stream_name}](fields/{source.stream_name}.md) "
        f"| {source.object_name} | {source.title} "
        f"| {_names(source.primary_keys)} | {_names([source.replication_key or ''])} "
        f"| {' '.join(_notes(source))} |"
        for source in sources
    ]
    return "\n".join(
        [
            "# Sources\n",
            f"{_MADE}\n",
            "The primary data sources of Pigment's own connector, under its names.",
            "Each is a stream; [any other object](../objects.md) and "
            "[custom reports](../reports.md) become streams too.\n",
            "| stream | Intacct object | label | primary key | replication key | notes |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names if name)


def _notes(source: DataSource) -> Iterator[str]:
    if source.needs_period:
        yield "Needs [periods](../balances.md); read by whole periods."
    if source.functions[0] is ReadFunction.READ_BY_QUERY:
        yield "Read by `readByQuery`: no related fields, no rows of private entities."
    if ReadFunction.READ_PARENT in source.functions:
        yield (
            "Reading is not documented: `query`, `readByQuery` and "
            f"`read` of {source.parent} are tried in this order."
        )
    if source.header:
        yield f"Read again when its {source.header.object_name} changed."
    if not source.is_audited:
        yield "Deletions need `key_store`."


def fields_page(source: DataSource) -> str:
    """The fields of one source, as discovery without credentials offers them."""
    properties = load_shipped_schema(source.stream_name)["properties"]
    definition = shipped_definition(source.object_name)
    parents = parents_of(definition)
    rows = [
        _field_row(definition, name, found, parents.get(name, ""))
        for name, found in properties.items()
    ]
    return "\n".join(
        [
            f"# Fields of {source.stream_name}\n",
            f"{_MADE}\n",
            f"{source.title}: Intacct's object {source.object_name}, {len(rows)} fields.",
            "A company's own `lookup` decides: it adds custom fields and dimensions, and "
            "leaves out what the company lacks.",
            "Sensitive fields are offered only if "
            "[include_sensitive](../settings.md#include_sensitive) allows them.\n",
            "| field | label | type | parent object | description | sensitive |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _field_row(
    definition: ObjectDefinition, name: str, found: Schema, parent: str
) -> str:
    field = definition.field(name)
    text = text_of(field, is_seen=definition.is_seen) if field else ""
    cells = [
        f"`{name}`",
        str(found["title"]),
        _field_type(found),
        parent,
        text or str(found["description"]),
        "yes" if not is_own(name) and is_sensitive(definition.name, name) else "",
    ]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _field_type(found: Schema) -> str:
    (json_type,) = (word for word in found["type"] if word != "null")
    words = {"string": "text", "number": "decimal"}
    formats = {"date": "date", "date-time": "timestamp"}
    return str(formats.get(str(found.get("format")), words.get(json_type, json_type)))


def pages() -> dict[Path, str]:
    """Every made file, by its path."""
    target_readme = TARGET_README.read_text(encoding="utf-8")
    return {
        REFERENCE / "settings.md": settings_page(tap()),
        REFERENCE / "target-settings.md": settings_page(target()),
        REFERENCE / "sources.md": sources_page(),
        **{
            REFERENCE / "fields" / f"{source.stream_name}.md": fields_page(source)
            for source in DATA_SOURCES
        },
        TARGET_README: put(target_readme, "settings", settings_table(target())),
    }


def main() -> None:
    """Write them."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
