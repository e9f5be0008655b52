"""What Pigment's wizard is shown, and what its user is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from target_pigment.samples import file_stems
from tests.conftest import CONFIGURATION, config, record, run, schema

TYPES: dict[str, Any] = {
    "id": {"type": "integer"},
    "name": {"type": ["null", "string"]},
    "amount": {"type": ["number", "null"]},
    "either": {"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]},
    "day": {"type": "string", "format": "date"},
    "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    "open": {"type": "boolean"},
    "tags": {"type": "array"},
    "any": {},
    "mixed": {"type": ["integer", "string"]},
}


def guide(directory: Path, chosen: dict[str, Any], *lines: str, **more: Any) -> str:
    run({"write_samples_to": str(directory), "streams": chosen, **more}, *lines)
    return (directory / "s.md").read_text(encoding="utf-8")


def proposals(text: str) -> dict[str, str]:
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0].removeprefix("| "): row[1].removesuffix(" |") for row in rows[2:]}


def snippet(text: str) -> dict[str, Any]:
    block = text.partition("```json\n")[2].partition("```")[0]
    found: dict[str, Any] = json.loads(block)
    return found


def test_each_column_has_a_property_type_in_its_order(tmp_path: Path) -> None:
    list_ = "Text, or Dimension where you have a list of these"
    found = proposals(guide(tmp_path, {"*": {}}, schema(**TYPES)))
    assert list(found.items()) == [
        ("id", "Integer, unique ID"),
        ("name", list_),
        ("amount", "Number"),
        ("either", "Number"),
        ("day", "Date"),
        ("at", "Date"),
        ("open", "Boolean"),
        ("tags", list_),
        ("any", list_),
        ("mixed", list_),
    ]


def test_what_is_set_goes_before_the_schema(tmp_path: Path) -> None:
    chosen = {"columns": [{"name": "name", "header": "A|B", "type": "number"}, "at"]}
    more = {"csv": {"datetime_as": "text"}}
    found = proposals(guide(tmp_path, {"s": chosen}, schema(**TYPES), **more))
    assert found["A\\|B"] == "Number"
    assert found["at"].startswith("Text")


def test_the_snippet_is_an_entry_that_lacks_the_id_only(tmp_path: Path) -> None:
    column = {"name": "name", "header": "Name", "type": "text"}
    chosen = {
        "columns": ["id", column],
        "null_values": {"name": "None"},
        "order": 3,
        "deleted_records": "drop",
        "load_mode": "scoped_replace",
    }
    text = guide(tmp_path, {"s": chosen}, schema())
    assert snippet(text) == {"s": {"configuration_id": "", **chosen}}
    assert "clear a limited scope" in text
    assert "a proposal" not in text
    found = snippet(text)
    found["s"]["configuration_id"] = CONFIGURATION
    lifted: dict[str, Any] = {"end_mark": "none", "allow_empty_replace": True}
    run(config(dry_run=True, streams=found, **lifted), schema())


@pytest.mark.parametrize(("keys", "mode"), [(("id",), "upsert"), ((), "append")])
def test_a_load_mode_is_proposed_where_none_is_set(
    tmp_path: Path, keys: tuple[str, ...], mode: str
) -> None:
    text = guide(tmp_path, {"*": {}}, schema(keys=keys))
    assert snippet(text)["s"]["load_mode"] == mode
    assert f"load_mode {mode} (a proposal" in text


def test_a_key_of_several_columns_has_a_word(tmp_path: Path) -> None:
    text = guide(tmp_path, {"*": {}}, schema(keys=("id", "name")))
    assert "(id, name): upsert needs" in text


def test_included_deletions_are_a_column_of_the_sample(tmp_path: Path) -> None:
    entry = {"deleted_records": "include"}
    found = snippet(guide(tmp_path, {"*": entry}, schema()))
    assert found["s"]["columns"] == ["id", "name", "_sdc_deleted_at"]


def test_the_guide_is_printed_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert guide(tmp_path, {"*": {}}, schema()) in caplog.text


def test_a_sample_holds_one_row_per_key_unless_append_is_set(tmp_path: Path) -> None:
    rows = [record(id=1, name="a"), record(id=1, name="b")]
    for chosen, expected in (({}, "1,b"), ({"load_mode": "append"}, "1,a\n1,b")):
        guide(tmp_path, {"*": chosen}, schema(), *rows)
        assert (tmp_path / "s.csv").read_text() == f"id,name\n{expected}\n"


def test_streams_whose_names_look_alike_have_files_of_their_own(
    tmp_path: Path,
) -> None:
    streams = ["a:b", "a_b", "A_B", "A/B"]
    lines = [
        line
        for n, name in enumerate(streams)
        for line in (schema(name), record(name, id=n, name=name))
    ]
    run({"write_samples_to": str(tmp_path), "streams": {"*": {}}}, *lines)
    rows = {p.read_text().splitlines()[1] for p in tmp_path.glob("*.csv")}
    assert rows == {"0,a:b", "1,a_b", "2,A_B", "3,A/B"}
    names = {path.stem.casefold() for path in tmp_path.glob("*.md")}
    assert len(names) == len(streams)


def test_file_names_do_not_depend_on_the_order_of_streams() -> None:
    names = ["a:b", "a_b", "a?b", "a_b-2", "日本", "中国", "x" * 300, "x" * 301]
    stems = file_stems(names)
    assert stems == file_stems(reversed(names))
    assert stems["a_b"] == "a_b"
    assert stems["a_b-2"] == "a_b-2"
    assert len(set(stems.values())) == len(names)
