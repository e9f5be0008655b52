"""Records what an earlier version of the tap wrote and read.

    python -m tests.recorded.record OLD_CHECKOUT/.venv/bin/tap-sage-intacct state_3

The company is that of today's sandbox, so all has to be recorded again when its books
change.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intacct_sandbox import Sandbox
from tests.loading import parse
from tests.recorded.scenarios import (
    FOLDER,
    SCENARIOS,
    Scenario,
    lines_of_records,
    new_company,
    pass_a_day,
)

_FIELDS_PER_STREAM = 5

Message = dict[str, Any]


@dataclass(frozen=True)
class _OldTap:
    program: str
    folder: Path

    def output(self, *arguments: str) -> str:
        return subprocess.run(
            [self.program, "--config=config.json", *arguments],
            cwd=self.folder,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def messages(self, *arguments: str) -> list[Message]:
        lines = self.output("--catalog=catalog.json", *arguments).splitlines()
        return [parse(line) for line in lines]


def main(program: str, version: str) -> None:
    about = subprocess.run(
        [program, "--about", "--format=json"], check=True, stdout=subprocess.PIPE
    ).stdout
    settings = json.loads(about)["settings"]["properties"]
    defaults = {name: setting.get("default") for name, setting in settings.items()}
    (FOLDER / version).mkdir(exist_ok=True)
    _write(FOLDER / version / "defaults.json", defaults)
    for scenario in SCENARIOS:
        if version in scenario.versions:
            with tempfile.TemporaryDirectory() as folder:
                _record(scenario, _OldTap(program, Path(folder)), FOLDER / version)


def _record(scenario: Scenario, tap: _OldTap, version: Path) -> None:
    company = new_company(tap.folder / "company.sqlite")
    keys = tap.folder / "keys.sqlite"
    target = version / scenario.name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with Sandbox(company) as sandbox:
        config = {**sandbox.config(), **scenario.settings}
        _write(tap.folder / "config.json", config)
        catalog = json.loads(tap.output("--discover"))
        _trim(catalog, scenario)
        _write(tap.folder / "catalog.json", catalog)
        first = tap.messages()
        arrived = first[: int(len(first) * scenario.share)]
        state = [m["value"] for m in arrived if m["type"] == "STATE"][-1]
        _write(tap.folder / "state.json", state)
        _write(target / "config.json", dict(scenario.settings))
        _write(target / "catalog.json", catalog)
        _write(target / "state.json", state)
        if keys.exists():
            shutil.copy(keys, target / "keys.sqlite")
        pass_a_day(company)
        second = tap.messages("--state=state.json")
    lines = lines_of_records(second)
    (target / "next_records.jsonl").write_text("".join(f"{line}\n" for line in lines))
    company.close()


def _trim(catalog: dict[str, Any], scenario: Scenario) -> None:
    """Leave the chosen streams, selected, with a few fields."""
    catalog["streams"] = [
        _trimmed(entry, is_full_table=entry["tap_stream_id"] in scenario.full_table)
        for entry in catalog["streams"]
        if entry["tap_stream_id"] in scenario.streams
    ]


def _trimmed(entry: dict[str, Any], *, is_full_table: bool) -> dict[str, Any]:
    properties = entry["schema"]["properties"]
    # All dimensions of balances tell them apart.
    is_cut = entry["tap_stream_id"] != "gl_account_balances"
    kept = _telling(list(properties), properties, entry) if is_cut else set(properties)
    entry["schema"]["properties"] = {
        name: value for name, value in properties.items() if name in kept
    }
    entry["metadata"] = [
        item
        for item in entry["metadata"]
        if not item["breadcrumb"] or item["breadcrumb"][-1] in kept
    ]
    for item in entry["metadata"]:
        item["metadata"]["selected"] = True
        if not item["breadcrumb"] and is_full_table:
            item["metadata"]["forced-replication-method"] = "FULL_TABLE"
            entry["replication_method"] = "FULL_TABLE"
    return entry


def _telling(
    names: Sequence[str], properties: Mapping[str, Any], entry: Mapping[str, Any]
) -> set[str]:
    """Keys, stamps, what the tap added, what is sensitive, and the first others."""
    special = {
        name
        for name in names
        if name.startswith("_") or "." in name or "ensitive" in str(properties[name])
    }
    return {
        *entry["key_properties"],
        entry.get("replication_key"),
        *sorted(special)[:_FIELDS_PER_STREAM],
        *names[:_FIELDS_PER_STREAM],
    } - {None}


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
