"""Make the sandbox's object definitions.

    python -m tools.make_sandbox_definitions SHARED OUT_DIR

SHARED holds the notes on Intacct. Objects come from four places, the first that has one
deciding: the field notes of the 22 data sources; recorded lookups; the table `FURTHER`
(`ID:DATATYPE`, with `!` for required fields and `{a|b}` for values), which is what
clients in use ask these objects for [P]; and the list of all standard objects, of which
only key and stamps are noted. The last are written into one file.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from tools.sandbox_objects import (
    CODES,
    CUSTOM_FIELDS,
    DOCUMENT_FIELDS,
    FURTHER,
    NATURAL_KEYS,
    PARENTS,
    RECORDED,
    STATUS,
    UNRECORDED,
)

DATATYPES = {
    "string": "TEXT",
    "enum": "TEXT",
    "integer": "INTEGER",
    "number": "DECIMAL",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
}
ALL_FUNCTIONS = "lookup query readByQuery read readByName"
FIELD = re.compile(
    r"(?P<id>[^:!{\s]+)(?::(?P<datatype>[A-Z]+))?(?P<required>!?)"
    r"(?:\{(?P<values>[^}]*)\})?"
)
# What a name suggests of its type, where nothing else tells it [I].
SUGGESTED = (
    (re.compile(r"^RECORDNO$|KEY$"), "INTEGER"),
    (re.compile(r"^(AU)?WHEN(CREATED|MODIFIED)$"), "TIMESTAMP"),
    (re.compile(r"DATE$"), "DATE"),
    (
        re.compile(r"AMOUNT|^(TRX_)?TOTAL|QTY|PRICE$|_COST$|RATE$|QUANTITY|BALANCE$"),
        "DECIMAL",
    ),
    (re.compile(r"MULTIPLIER|_WEIGHT$|^(MIN|MAX)TAX|AMN$|APPLIED$"), "DECIMAL"),
)
STANDARD_OBJECT = re.compile(r"(?P<name>[A-Z0-9_]+) \d+((?: [ITSD-]){4})")
SHAPE = {"I": "INTEGER", "T": "TEXT", "S": "TIMESTAMP", "D": "DATE"}


def main(shared: str, out_dir: str) -> None:
    """Write a definition file per object that is described, and one for the others."""
    folder = Path(shared)
    notes = (folder / "facts" / "fields.json").read_text(encoding="utf-8")
    sources = json.loads(notes)
    known = frozenset({*sources, *RECORDED, *FURTHER})
    types = namesakes(sources)
    definitions = [
        source_definition(name, source, known) for name, source in sources.items()
    ]
    definitions += [
        recorded_definition(folder / "data" / "lookup" / f"{name}.xml", known)
        for name in RECORDED
    ]
    definitions += [further_definition(*item, types) for item in FURTHER.items()]
    for definition in definitions:
        write(Path(out_dir) / f"{definition['name']}.json", definition)
    api_notes = (folder / "facts" / "intacct-api.md").read_text(encoding="utf-8")
    others = list(standard_definitions(api_notes, known))
    write(Path(out_dir) / "standard_objects.json", others, indent=None)
    print(f"{len(definitions)} definitions, {len(others)} of keys and stamps alone")


def write(path: Path, content: Any, indent: int | None = 1) -> None:
    """One file of definitions."""
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def namesakes(sources: Mapping[str, Any]) -> dict[str, str]:
    """The datatype of each field id of the data sources; the first one's decides."""
    found: dict[str, str] = {}
    for source in sources.values():
        for field in source["fields"]:
            datatype = field.get("sage_type") or DATATYPES[field["type"]]
            found.setdefault(field["id"], datatype)
    return found


def source_definition(
    name: str, source: dict[str, Any], known: frozenset[str]
) -> dict[str, Any]:
    """One of the 22; its relationships are those to objects that are known."""
    fields = [source_field(name, field) for field in source["fields"]]
    fields += compact_fields(name, CUSTOM_FIELDS.get(name, ""), {}, is_custom=True)
    ids = {field["id"] for field in fields}
    functions = source["documented_read_functions"]
    return {
        **names(name),
        "served_by": sorted(
            {word.split()[0] for word in functions} & set(ALL_FUNCTIONS.split())
        )
        or ALL_FUNCTIONS.split(),
        "fields": fields,
        "relationships": [
            relationship(given)
            for given in source["relationships"]
            # Some hang on columns that lookup does not list; nothing joins on those.
            if given["by"] in ids and given["object"] in known
        ],
    }


def source_field(name: str, field: dict[str, Any]) -> dict[str, Any]:
    """A field as the notes have it."""
    values = [str(value) for value in field.get("enum") or ()]
    return {
        "id": field["id"],
        "label": field["label"],
        "description": field["description"],
        "datatype": field.get("sage_type") or DATATYPES[field["type"]],
        **flag("required", field.get("required_on_create")),
        **flag("read_only", field.get("read_only")),
        **flag("unlisted", field["queryable"] is False),
        **enumeration(name, field["id"], values),
    }


def recorded_definition(path: Path, known: frozenset[str]) -> dict[str, Any]:
    """An object as Intacct described it, without that company's custom fields."""
    root = etree.parse(path).getroot()

    def text(element: etree._Element, name: str) -> str:
        return element.findtext(name) or ""

    fields = [
        {
            "id": text(field, "ID"),
            "label": text(field, "LABEL"),
            "description": text(field, "DESCRIPTION"),
            "datatype": text(field, "DATATYPE"),
            **flag("required", text(field, "REQUIRED") == "true"),
            **flag("read_only", text(field, "READONLY") == "true"),
            **enumeration(
                path.stem,
                text(field, "ID"),
                [value.text or "" for value in field.iter("VALIDVALUE")],
            ),
        }
        for field in root.iter("Field")
        if text(field, "ISCUSTOM") != "true"
    ]
    paths = [
        relationship(
            {
                "path": text(part, "OBJECTPATH"),
                "object": text(part, "OBJECTNAME"),
                "type": text(part, "RELATIONSHIPTYPE"),
                "by": text(part, "RELATEDBY"),
            }
        )
        for part in root.iter("Relationship")
        if text(part, "OBJECTNAME") in known
    ]
    return definition(path.stem, "", fields, paths)


def further_definition(
    name: str, given: tuple[str | None, str, str], types: Mapping[str, str]
) -> dict[str, Any]:
    """One of the table."""
    _, functions, text = given
    fields = compact_fields(name, text, types, is_custom=False)
    fields += [
        {**field, "document_type": kind}
        for kind, own in DOCUMENT_FIELDS.get(name, {}).items()
        for field in compact_fields(name, own, {}, is_custom=True)
    ]
    paths = {
        **{target: (target, by) for target, by in PARENTS.get(name, {}).items()},
        # As nearly every lookup has them [C].
        "USERINFOCREATEDBY": ("USERINFO", "CREATEDBY"),
        "USERINFOMODIFIEDBY": ("USERINFO", "MODIFIEDBY"),
        "MELOCATION": ("LOCATION", "MEGAENTITYID"),
    }
    ids = {field["id"] for field in fields}
    relationships = [
        relationship({"path": path, "object": target, "type": "MANY2ONE", "by": by})
        for path, (target, by) in paths.items()
        if by in ids
    ]
    return definition(name, functions, fields, relationships)


def standard_definitions(
    api_notes: str, known: frozenset[str]
) -> Iterator[dict[str, Any]]:
    """All other standard objects, with the key and the stamps that are noted of them."""
    names = ("RECORDNO", "WHENMODIFIED", "WHENCREATED", "AUWHENCREATED")
    shapes = {
        match["name"]: match[2].split() for match in STANDARD_OBJECT.finditer(api_notes)
    }
    shapes |= {name: ["I", "S", "S", "-"] for name in UNRECORDED.split()}
    for name, shape in sorted(shapes.items()):
        # Four have no record number, and how they are read is not known.
        if name in known or shape[0] == "-":
            continue
        text = " ".join(
            f"{field}:{SHAPE[letter]}"
            for field, letter in zip(names, shape, strict=True)
            if letter != "-"
        )
        fields = compact_fields(name, f"{text} RECORD_URL", {}, is_custom=False)
        yield definition(name, "", fields, [])


def definition(
    name: str,
    functions: str,
    fields: list[dict[str, Any]],
    relationships: list[dict[str, Any]],
) -> dict[str, Any]:
    """A definition as the sandbox reads it."""
    return {
        **names(name),
        "served_by": (functions or ALL_FUNCTIONS).split(),
        "fields": fields,
        "relationships": relationships,
    }


def compact_fields(
    name: str, text: str, types: Mapping[str, str], *, is_custom: bool
) -> list[dict[str, Any]]:
    """Fields written as `ID:DATATYPE!{values}`."""
    return [
        {
            "id": match["id"],
            "label": match["id"].replace("_", " ").capitalize(),
            "description": "",
            "datatype": match["datatype"] or datatype(match["id"], types),
            **flag("required", match["required"]),
            **flag("custom", is_custom),
            **enumeration(name, match["id"], (match["values"] or "").split("|")),
        }
        for match in FIELD.finditer(text)
    ]


def datatype(field_id: str, types: Mapping[str, str]) -> str:
    """A key is a number; else as its namesakes, as its name suggests, or text."""
    found = (kind for pattern, kind in SUGGESTED if pattern.search(field_id))
    suggested = next(found, "TEXT")
    return suggested if suggested == "INTEGER" else types.get(field_id, suggested)


def names(name: str) -> dict[str, Any]:
    """How an object is called and known."""
    singular = name.replace("_", " ").capitalize()
    return {
        "name": name,
        "singular": singular,
        "plural": f"{singular}s",
        "natural_key": NATURAL_KEYS.get(name),
    }


def relationship(given: dict[str, Any]) -> dict[str, Any]:
    """A path, and the column of its target that the own column equals."""
    by_number = given["by"].endswith("KEY") or given["by"] in {
        "CREATEDBY",
        "MODIFIEDBY",
        "RECORDNO",
    }
    natural = NATURAL_KEYS.get(given["object"])
    return {
        "path": given["path"],
        "object": given["object"],
        "type": given["type"],
        "by": given["by"],
        "target": "RECORDNO" if by_number or not natural else natural,
    }


def enumeration(name: str, field: str, values: list[str]) -> dict[str, Any]:
    """Labels, and the codes of those that have one."""
    values = [value for value in values if value]
    codes = CODES.get((name, field), STATUS if field == "STATUS" else {})
    known = {value: codes[value] for value in values if value in codes}
    return {
        **({"values": values} if values else {}),
        **({"codes": known} if known else {}),
    }


def flag(name: str, claim: object) -> dict[str, bool]:
    """Only what is true is written."""
    return {name: True} if claim else {}


if __name__ == "__main__":
    main(*sys.argv[1:])
