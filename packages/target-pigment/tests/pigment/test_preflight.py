"""What is found out, by the Metadata API, before anything is pushed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from target_pigment.errors import PigmentError
from target_pigment.load_modes import LOAD_MODES
from target_pigment.pigment.preflight import Block, Use, faults, find_blocks, warnings
from tests.conftest import (
    CONFIGURATION,
    KEY,
    METADATA_KEY,
    Answer,
    FakeTime,
    Script,
    config,
    record,
    run,
    schema,
    stream,
    whole,
)

OTHER = "44d0d7d0-1111-4222-8333-444455556666"
APPLICATION = "55d0d7d0-1111-4222-8333-444455556666"
ROW = (schema(), record(id=1, name="a"), whole())

pytestmark = pytest.mark.usefixtures("time_passed")


def workspace(script: Script, kind: str = "TransactionList", *ids: str) -> None:
    """One application with a metric that has no configuration, and a block that has."""
    script.lists("applications", {"id": APPLICATION, "name": "Finance"})
    script.lists(
        f"blocks?applicationId={APPLICATION}",
        {"id": "m", "name": "Empty", "type": "Metric"},
        {"id": "b", "name": "Ledger", "type": kind},
    )
    asked = f"importConfigurations?applicationId={APPLICATION}&blockId="
    script.lists(f"{asked}m")
    rows = [{"id": id_, "name": "x"} for id_ in ids or (CONFIGURATION.upper(),)]
    script.lists(f"{asked}b", *rows)


def settings(script: Script, **more: Any) -> dict[str, Any]:
    return config(script.url, metadata_api_key=METADATA_KEY, **more)


def failure(given: dict[str, Any], *lines: str) -> str:
    with pytest.raises(PigmentError) as caught:
        run(given, *lines)
    return str(caught.value)


def asked(script: Script) -> list[str]:
    return [r.path.rpartition("/")[2] for r in script.requests if r.method == "GET"]


def test_every_configuration_is_found_before_the_first_push(script: Script) -> None:
    workspace(script)
    run(settings(script), *ROW)
    keys = [r.headers["Authorization"] for r in script.requests]
    assert keys[:3] == [f"Bearer {METADATA_KEY}"] * 3
    assert set(keys[3:]) == {f"Bearer {KEY}"}
    # The metric is not asked: the list came first and had what was wanted.
    assert not any("blockId=m" in path for path in asked(script))
    assert [r.method for r in script.requests][3] == "POST"


def test_without_its_key_nothing_is_asked(script: Script) -> None:
    run(config(script.url), *ROW)
    assert not any("applications" in path for path in asked(script))


def test_a_known_application_is_not_looked_for(script: Script) -> None:
    workspace(script)
    run(settings(script, application_id=APPLICATION.upper()), *ROW)
    assert asked(script)[0] == f"blocks?applicationId={APPLICATION}"


def test_the_legacy_path_is_not_for_metadata(script: Script) -> None:
    workspace(script)
    run(settings(script, api_prefix="/api", fail_on_skipped=False), *ROW)
    assert script.requests[0].path == "/api/v1/applications"


def test_a_configuration_that_is_not_there_is_told_with_its_stream(
    script: Script,
) -> None:
    workspace(script, "TransactionList", OTHER)
    text = failure(settings(script), *ROW)
    assert f"Stream s: there is no import configuration {CONFIGURATION}" in text
    assert script.bodies == []


def test_a_dry_run_looks_ahead_with_the_metadata_key_alone(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace(script, "TransactionList", OTHER)
    dry = settings(script, dry_run=True, api_key=None)
    assert CONFIGURATION in failure(dry, *ROW)
    workspace(script)
    run(dry, *ROW)
    assert script.bodies == []
    assert capsys.readouterr().out == ""


def test_a_wrong_key_says_which_type_it_must_be(script: Script) -> None:
    script.listings["/api/v1/applications"] = Answer(401, f"no {METADATA_KEY}")
    text = failure(settings(script), *ROW)
    assert "type Modeling Metadata" in text
    assert "leave metadata_api_key out" in text
    assert METADATA_KEY not in text
    assert len(script.requests) == 1


@pytest.mark.parametrize("body", ["", "<html>", "{}", "[1]"])
def test_an_answer_that_is_no_listing_pushes_nothing(script: Script, body: str) -> None:
    script.listings["/api/v1/applications"] = Answer(200, body)
    assert "application_id" in failure(settings(script), *ROW)
    assert script.bodies == []


def test_a_server_that_is_down_is_asked_again(
    script: Script, time_passed: FakeTime
) -> None:
    script.listings["/api/v1/applications"] = Answer(503)
    assert "gave up after 5 attempts" in failure(settings(script), *ROW)
    assert len(time_passed.pauses) == 4


def test_its_requests_count_with_all_others(
    script: Script, time_passed: FakeTime
) -> None:
    """500 in 5 minutes from one address, whichever the key [D]."""
    workspace(script)
    blocks = [{"id": str(n), "name": "x", "type": "Metric"} for n in range(494)]
    script.lists(f"blocks?applicationId={APPLICATION}", *blocks)
    for block in blocks:
        path = f"importConfigurations?applicationId={APPLICATION}&blockId={block['id']}"
        script.lists(path, {"id": CONFIGURATION} if block["id"] == "493" else {})
    run(settings(script), *ROW)
    assert time_passed.seconds >= 300


@pytest.mark.parametrize("kind", ["Metric", "Table"])
@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_a_mode_for_lists_is_warned_of_where_there_are_cells(
    script: Script, caplog: pytest.LogCaptureFixture, kind: str, mode: str
) -> None:
    workspace(script, kind)
    run(settings(script, streams={"s": stream(load_mode=mode)}), *ROW)
    assert f"leads to {kind} Ledger" in caplog.text
    assert len(script.bodies) == 1


def test_two_ways_to_one_block_that_is_emptied_are_refused(script: Script) -> None:
    workspace(script, "TransactionList", CONFIGURATION, OTHER)
    streams = {
        "s": stream(),
        "t": stream(load_mode="replace", configuration_id=OTHER),
    }
    lines = [*ROW, schema("t"), record("t", id=1, name="a"), whole("s", "t")]
    text = failure(settings(script, streams=streams), *lines)
    assert "Streams s and t both lead to TransactionList Ledger" in text
    assert script.bodies == []


BLOCK = Block("a", "b", "Ledger", "TransactionList")


@pytest.mark.parametrize(
    ("one", "other", "is_refused"),
    [
        ("replace", "replace", True),
        ("append", "replace", True),
        ("scoped_replace", "scoped_replace", False),
        ("upsert", "append", False),
    ],
)
def test_only_a_whole_clear_wipes_the_other_stream(
    one: str, other: str, is_refused: bool
) -> None:
    uses = [Use("s", "1", LOAD_MODES[one]), Use("t", "2", LOAD_MODES[other])]
    assert bool(faults(uses, {"1": BLOCK, "2": BLOCK})) is is_refused
    elsewhere = Block("a", "c", "Ledger", "TransactionList")
    assert not faults(uses, {"1": BLOCK, "2": elsewhere})
    assert not warnings(uses, {"1": BLOCK, "2": BLOCK})


def test_blocks_are_asked_only_as_far_as_needed() -> None:
    calls: list[str] = []

    def ask(path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        calls.append(json.dumps([path, *query.values()]))
        if path == "blocks":
            kinds = {"1": "Metric", "2": "DimensionList", "3": "New"}
            return [{"id": i, "name": i, "type": kind} for i, kind in kinds.items()]
        return [{"id": f"C{query['blockId']}", "name": ""}]

    found = find_blocks(ask, frozenset({"c1", "c2"}), "a")
    assert {id_: block.id for id_, block in found.items()} == {"c1": "1", "c2": "2"}
    assert len(calls) == 3
    assert not find_blocks(ask, frozenset({"c9"}), "a")
