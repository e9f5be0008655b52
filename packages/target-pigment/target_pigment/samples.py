"""Files to show Pigment once, so that its wizard makes the import configuration.

A configuration cannot be made by API [D]; a sample with the very header of later pushes
is what the wizard wants. A guide beside it says what to choose there.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

from target_pigment.load import StreamLoad
from target_pigment.load_modes import LoadMode, proposed
from target_pigment.rows.csv_file import PushLimits
from target_pigment.settings.settings import (
    Column,
    ColumnType,
    CsvFormat,
    StreamSettings,
)

_LONGEST_STEM = 100

_SOME_DAY = date(2026, 1, 31)


def file_stems(streams: Iterable[str]) -> dict[str, str]:
    """A file name, without its ending, for each stream; no two differ in case only.

    The same streams have the same names in every run, in whichever order they come.
    """
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for stream in sorted(streams, key=lambda name: (name != _sanitised(name), name)):
        stem = _sanitised(stream)
        number = 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{_sanitised(stream)}-{number}"
        taken.add(stem.casefold())
        stems[stream] = stem
    return stems


def _sanitised(stream: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stream)[:_LONGEST_STEM]


def write_sample(
    load: StreamLoad, directory: Path, stem: str, chosen: CsvFormat
) -> str:
    """Write `<stem>.csv`, and `<stem>.md` with what to choose in the wizard.

    Returns:
        The guide; several lines.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{stem}.csv"
    for file in load.spool.files(load.cells.header(), PushLimits()):
        shutil.copyfile(file.path, path)
    text = guide(load, path, chosen)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


def guide(load: StreamLoad, path: Path, chosen: CsvFormat) -> str:
    """The choices in Pigment's wizard that fit the settings; Markdown."""
    mode = load.chosen.load_mode
    shown = mode or proposed(load.keys)
    note = "" if mode else " (a proposal: none is set)"
    return "\n".join(
        (
            f"# Stream {load.name}",
            "",
            f"1. In the block choose Import data and upload `{path}`.",
            f"2. Encoding `{chosen.encoding}`, separator `{chosen.delimiter}`, text "
            f"delimiter `{chosen.quotechar}`, layout flat.",
            f"3. Decimal separator `{chosen.decimal_separator}`, dates as "
            f"`{_SOME_DAY.strftime(chosen.date_format)}` (the last of January), booleans "
            f"`{chosen.true_value}` and `{chosen.false_value}`.",
            f"4. load_mode {shown.name}{note}: {shown.wizard}.",
            "5. Unknown items: decide whether to create them, leave them blank, or skip "
            "the row (a skipped row fails the run unless you allow it).",
            "6. Save, then Block settings > Import configurations > Copy ID.",
            "",
            "| Column | Proposed property |",
            "| --- | --- |",
            *(_row(load, column, chosen) for column in load.cells.columns),
            *_key_note(load.keys),
            "",
            "Put the copied ID into this, and this into `streams` of the settings (JSON "
            "is YAML, too):",
            "",
            "```json",
            _snippet(load, shown),
            "```",
            "",
        )
    )


def _row(load: StreamLoad, column: Column, chosen: CsvFormat) -> str:
    schema = load.properties.get(column.name, {})
    kind = _property_type(column.type, schema, chosen)
    if column.name in load.keys:
        kind += ", unique ID"
    elif kind == "Text":
        kind += ", or Dimension where you have a list of these"
    header = column.header.replace("|", "\\|")
    return f"| {header} | {kind} |"


def _property_type(
    column: ColumnType, schema: Mapping[str, Any], chosen: CsvFormat
) -> str:
    if column != "auto":
        return column.capitalize()
    options = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    formats = {option.get("format") for option in options}
    instants_are_days = "date-time" in formats and chosen.datetime_as == "date"
    if "date" in formats or instants_are_days:
        return "Date"
    types = {word for option in options for word in _types(option)} - {"null"}
    if types == {"integer", "number"}:
        return "Number"
    is_plain = len(types) == 1 and types <= {"number", "integer", "boolean"}
    return types.pop().capitalize() if is_plain else "Text"


def _types(schema: Mapping[str, Any]) -> list[str]:
    found = schema.get("type") or []
    return [found] if isinstance(found, str) else list(found)


def _key_note(keys: tuple[str, ...]) -> tuple[str, ...]:
    if len(keys) < 2:  # noqa: PLR2004  one column needs no word
        return ()
    return (
        "",
        f"The key has several columns ({', '.join(keys)}): upsert needs a list in which "
        "they are unique together.",
    )


def _snippet(load: StreamLoad, mode: LoadMode) -> str:
    usual = StreamSettings()
    chosen = {
        entry.name: getattr(load.chosen, entry.name)
        for entry in fields(StreamSettings)
        if getattr(load.chosen, entry.name) != getattr(usual, entry.name)
    }
    pasted = {
        "configuration_id": "",
        "load_mode": mode.name,
        "columns": [_entry(column) for column in load.cells.columns],
    }
    # Besides, what was set, so that pasting loses nothing.
    return json.dumps(
        {load.name: pasted | chosen | pasted}, indent=2, ensure_ascii=False
    )


def _entry(column: Column) -> str | dict[str, str]:
    entry = {"name": column.name}
    if column.header != column.name:
        entry["header"] = column.header
    if column.type != "auto":
        entry["type"] = column.type
    return entry if len(entry) > 1 else column.name
