"""Settings, catalogs and states that earlier versions of the tap wrote still work.

`tests/recorded` says what was recorded, and how it is recorded again.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, Credentials, Sandbox
from tap_sage_intacct.tap import TapSageIntacct
from tests.loading import Loader
from tests.recorded.scenarios import (
    FOLDER,
    lines_of_records,
    new_company,
    pass_a_day,
)

VERSIONS = sorted(path.parent for path in FOLDER.glob("*/defaults.json"))
# Sensitive fields are not offered by discovery; catalogs that select them keep working.
NO_LONGER_OFFERED = frozenset({"PAYTO.TAXID"})
# A full table that broke off before states of version 3 is read again, and so whole.
READ_WHOLE = {"state_2/full_table_interrupted": "state_2/full_table"}
RUNS = sorted(path.parent for path in FOLDER.glob("*/*/state.json"))


def recorded(path: Path) -> Any:
    return json.loads(path.read_text())


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The recorded company, a day after the recorded states."""
    company: Company = new_company(tmp_path_factory.mktemp("books") / "company.sqlite")
    pass_a_day(company)
    with Sandbox(company) as found:
        yield found
    company.close()


@pytest.fixture
def run_folder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Where the key store lies, which the settings name by a relative path."""
    folder: Path = request.param
    if "key_store" in recorded(folder / "config.json"):
        shutil.copy(folder / "keys.sqlite", tmp_path)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize("run_folder", RUNS, ids=name_of, indirect=True)
def test_the_next_run_reads_what_the_version_itself_read_next(
    run_folder: Path, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {**sandbox.config(), **recorded(run_folder / "config.json")}
    target = Loader(settings, state=recorded(run_folder / "state.json"))
    run = target.run(catalog=recorded(run_folder / "catalog.json"))
    name = name_of(run_folder)
    expected = FOLDER / READ_WHOLE.get(name, name) / "next_records.jsonl"
    assert lines_of_records(run.messages) == expected.read_text().splitlines()
    warnings = [r.message for r in caplog.records if r.levelname != "INFO"]
    assert warnings == []


@pytest.mark.parametrize("run_folder", RUNS, ids=name_of, indirect=True)
def test_discovery_still_offers_what_the_catalog_selects(
    run_folder: Path, sandbox: Sandbox
) -> None:
    settings = {**sandbox.config(), **recorded(run_folder / "config.json")}
    offered = {
        entry["tap_stream_id"]: entry["schema"]["properties"]
        for entry in TapSageIntacct(config=settings).catalog_dict["streams"]
    }
    for entry in recorded(run_folder / "catalog.json")["streams"]:
        found = offered[entry["tap_stream_id"]]
        for name, schema in entry["schema"]["properties"].items():
            expected = {**schema, "description": described_once(schema["description"])}
            assert name in NO_LONGER_OFFERED or found[name] == expected


def described_once(description: str) -> str:
    """Earlier versions named the parent of a related field twice."""
    return re.sub(r"(, by the path [\w.]+\.) Parent object: \w+\.", r"\1", description)


@pytest.mark.parametrize("version", VERSIONS, ids=name_of)
def test_no_setting_went_and_no_default_changed(version: Path) -> None:
    declared = TapSageIntacct.config_jsonschema["properties"]
    for name, default in recorded(version / "defaults.json").items():
        assert declared[name].get("default") == default, name


@pytest.mark.parametrize("version", VERSIONS, ids=name_of)
def test_every_setting_was_recorded(version: Path) -> None:
    used = {name for path in version.glob("*/config.json") for name in recorded(path)}
    declared = set(recorded(version / "defaults.json"))
    of_the_sdk = {"batch_config", "faker_config"} | {
        name for name in declared if name.startswith(("flattening_", "stream_map"))
    }
    # Those with which to sign in are the sandbox's.
    credentials = {*Credentials().__dataclass_fields__, "api_url"}
    assert declared - used - of_the_sdk == credentials & declared
