"""The finance model of meltano.yml: tap, target and the demo's lists fit one another."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from intacct_sandbox.pigment import Workspace
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM
from tap_sage_intacct.settings.maintenance import MaintenanceWindow
from target_pigment.settings.settings import settings_schema

ROOT = Path(__file__).parents[2]
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text())
LISTS = json.loads((ROOT / "tools/demo_pigment.json").read_text())
DEMO = yaml.safe_load((ROOT / "tools/demo_meltano.yml").read_text())
CLEAR_OF = {"replace": "all", "upsert": "none"}


def plugin(kind: str, name: str) -> dict[str, Any]:
    (found,) = (p for p in PROJECT["plugins"][kind] if p["name"] == name)
    return dict(found)


TAP = plugin("extractors", "tap-sage-intacct")
TARGET = plugin("loaders", "target-pigment")
STREAMS = TARGET["config"]["streams"]


def test_meltano_knows_every_setting_of_the_target() -> None:
    declared = settings_schema()["properties"]
    assert TARGET["settings"] == [meltano_entry(*item) for item in declared.items()]


def meltano_entry(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A setting as meltano.yml has it, where nothing shows Markdown."""
    words = schema.get("enum", ())
    kind = {"number": "decimal"}.get(schema["type"][0], schema["type"][0])
    entry = {
        "name": name,
        "label": schema["title"],
        "kind": "options" if words else kind,
        "sensitive": schema.get("secret"),
        "value": schema.get("default"),
        "options": [{"label": label_of(word), "value": word} for word in words],
        "description": schema["description"].replace("`", ""),
    }
    return {key: value for key, value in entry.items() if value not in (None, [])}


def label_of(word: str) -> str:
    return word.replace("_", " ").capitalize()


def test_the_job_reads_lists_whole_and_replaces_them() -> None:
    assert PROJECT["jobs"][0] == {
        "name": "intacct-to-pigment",
        "tasks": ["tap-sage-intacct target-pigment"],
    }


def test_the_schedule_keeps_clear_of_the_maintenance_window() -> None:
    (schedule,) = PROJECT["schedules"]
    assert schedule["job"] == PROJECT["jobs"][0]["name"]
    minute, hour, *every_day = schedule["interval"].split()
    assert every_day == ["*"] * 3
    first = datetime(2026, 1, 1, int(hour), int(minute), tzinfo=timezone.utc)
    starts = [first + timedelta(days=day) for day in range(366)]
    assert {MaintenanceWindow().ends_at(start) for start in starts} == {None}


@pytest.mark.parametrize("stream", STREAMS)
def test_what_is_selected_is_what_is_sent(stream: str) -> None:
    sent = {column["name"] for column in STREAMS[stream]["columns"]}
    selected = {
        pattern.partition(".")[2]
        for pattern in TAP["select"]
        if pattern.startswith(f"{stream}.")
    }
    assert selected == {name for name in sent if not name.startswith("_")}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_that_replaces_is_read_whole(stream: str) -> None:
    replaces = STREAMS[stream]["load_mode"] == "replace"
    method = TAP["metadata"].get(stream, {}).get("replication-method")
    assert (method == "FULL_TABLE") is replaces
    marks = {"_sdc_deleted_at"} & {c["name"] for c in STREAMS[stream]["columns"]}
    assert bool(marks) is not replaces


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_goes_after_the_dimensions_that_it_names(stream: str) -> None:
    order = {s["configuration_id"]: s["order"] for s in STREAMS.values()}
    for dimension in dimensions(stream):
        assert order[variable(dimension)] < STREAMS[stream]["order"]


def test_the_streams_are_there() -> None:
    assert set(STREAMS) <= set(DATA_SOURCE_BY_STREAM)


@pytest.mark.parametrize("stream", STREAMS)
def test_the_lists_of_the_demo_fit(stream: str) -> None:
    given = STREAMS[stream]
    made = list_of(stream)
    headers = [c["header"] if isinstance(c, dict) else c for c in made["columns"]]
    assert headers == [column["header"] for column in given["columns"]]
    clear = made.get("import", {}).get("clear", "none")
    assert clear == CLEAR_OF[given["load_mode"]]
    assert made["unique"] == given["columns"][0]["header"]


def test_the_lists_of_the_demo_can_be_made() -> None:
    workspace = Workspace()
    workspace.add_lists(LISTS)
    assert len(workspace.lists) == len(STREAMS)
    workspace.close()


@pytest.mark.parametrize("kind", DEMO["plugins"])
def test_the_demo_runs_what_ships(kind: str) -> None:
    """From a project of its own, which nobody's choices change."""
    (own,) = DEMO["plugins"][kind]
    shipped = plugin(kind, own["name"])
    for part in ("namespace", "pip_url", "executable", "select", "metadata"):
        assert own.get(part) == shipped.get(part)
    for name in set(shipped["config"]) - {"balance_periods", "key_store"}:
        assert own["config"][name] == shipped["config"][name]
    assert DEMO["jobs"] == PROJECT["jobs"][:1]


def test_the_secrets_example_names_the_key_and_every_id() -> None:
    lines = (ROOT / ".secrets.example").read_text().splitlines()
    named = {line.split("=")[0] for line in lines if line and not line.startswith("#")}
    ids = {given["configuration_id"].removeprefix("$") for given in STREAMS.values()}
    wanted = ids | {"TARGET_PIGMENT_API_KEY"}
    assert {n for n in named if "PIGMENT" in n} == wanted


def variable(name: str) -> str:
    return f"$PIGMENT_{re.sub('[^A-Z]+', '_', name.upper())}_ID"


def list_of(stream: str) -> dict[str, Any]:
    (found,) = (
        made
        for made in LISTS
        if variable(made["name"]) == STREAMS[stream]["configuration_id"]
    )
    return dict(found)


def dimensions(stream: str) -> set[str]:
    columns = list_of(stream)["columns"]
    return {c["dimension"] for c in columns if isinstance(c, dict) and "dimension" in c}
