"""End to end against the sandbox of Pigment, which really applies clear and unique ids.

Each trap twice: what the sandbox does to data when the guard is absent (a bare push),
and that the target does not get there.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import pytest
import requests

from target_pigment.command import main
from target_pigment.errors import PigmentError
from tests.conftest import (
    FakeTime,
    activate,
    config,
    record,
    run,
    schema,
    state,
    stream,
    whole,
)

pigment = pytest.importorskip("intacct_sandbox.pigment")

HEADER = b"id,name\r\n"
ROWS = (
    schema(),
    record(id=1, name="a"),
    record(id=2, name="b"),
    record(id=1, name="c"),
    whole(),
)

pytestmark = pytest.mark.usefixtures("time_passed")


TYPES = pigment.PropertyType


@pytest.fixture
def workspace() -> Iterator[Any]:
    found = pigment.Workspace()
    yield found
    found.close()


@pytest.fixture
def ids(workspace: Any) -> dict[str, str]:
    columns = [pigment.ImportColumn("id"), pigment.ImportColumn("name")]
    kinds: dict[str, dict[str, Any]] = {
        "append": {},
        "upsert": {"unique": "id"},
        "replace": {"clear": "all"},
        "scoped_replace": {"clear": "scope", "scope": "name", "scope_items": ["a"]},
    }
    return {
        mode: workspace.add_list(mode, columns, **kind).id
        for mode, kind in kinds.items()
    }


@pytest.fixture
def faults() -> Any:
    return pigment.PigmentFaults()


@pytest.fixture
def sandbox(workspace: Any, faults: Any, time_passed: FakeTime) -> Iterator[Any]:
    """Its clock is the target's, so that waiting for a limit ends it."""
    with pigment.PigmentSandbox(
        workspace, faults=faults, now=time_passed.clock.now, sleep=time_passed.sleep
    ) as running:
        yield running


def settings(sandbox: Any, ids: dict[str, str], mode: str, **more: Any) -> Any:
    chosen = stream(load_mode=mode, configuration_id=ids[mode])
    chosen.update(more.pop("chosen", {}))
    return config(
        sandbox.url, streams={"s": chosen}, **{"api_key": sandbox.import_key, **more}
    )


def bare_push(sandbox: Any, configuration_id: str, body: bytes) -> None:
    """A push, and polls until it is done, without any of the target's guards."""
    import_id = push(sandbox, configuration_id, body)
    key = {"Authorization": f"Bearer {sandbox.import_key}"}
    for _ in range(5):
        url = f"{sandbox.url}/api/v1/import/{import_id}/status"
        requests.get(url, headers=key, timeout=10)


def push(sandbox: Any, configuration_id: str, body: bytes) -> str:
    answer = requests.post(
        f"{sandbox.url}/api/v1/import/push/csv",
        params={"configurationId": configuration_id},
        data=body,
        headers={
            "Authorization": f"Bearer {sandbox.import_key}",
            "Content-Type": "text/csv",
        },
        timeout=10,
    )
    return str(answer.json()["importId"])


def identities(workspace: Any, name: str) -> list[str]:
    return sorted(row["id"] for row in workspace.rows(name))


def statuses(sandbox: Any) -> set[int]:
    """Of all requests but the first, which looks whether the key is accepted."""
    assert sandbox.requests[0].status == 404
    return {entry.status for entry in sandbox.requests[1:]}


def test_upsert(workspace: Any, sandbox: Any, ids: dict[str, str]) -> None:
    run(settings(sandbox, ids, "upsert"), *ROWS)
    run(settings(sandbox, ids, "upsert", max_rows_per_push=1), *ROWS)
    found = sorted((r["id"], r["name"]) for r in workspace.rows("upsert"))
    assert found == [("1", "c"), ("2", "b")]
    assert not sandbox.overlapping_pushes


def test_append(workspace: Any, sandbox: Any, ids: dict[str, str]) -> None:
    run(settings(sandbox, ids, "append", max_rows_per_push=2), *ROWS)
    assert identities(workspace, "append") == ["1", "1", "2"]


def test_a_replace_in_two_parts_would_leave_the_last(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    bare_push(sandbox, ids["replace"], HEADER + b"1,a\r\n")
    bare_push(sandbox, ids["replace"], HEADER + b"2,b\r\n")
    assert identities(workspace, "replace") == ["2"]
    run(settings(sandbox, ids, "replace", max_rows_per_push=1), *ROWS)
    assert identities(workspace, "replace") == ["1", "2"]


def test_an_empty_replace_would_empty_the_list(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    bare_push(sandbox, ids["replace"], HEADER + b"1,a\r\n")
    with pytest.raises(PigmentError, match="no records"):
        run(settings(sandbox, ids, "replace"), schema(), whole())
    assert identities(workspace, "replace") == ["1"]
    bare_push(sandbox, ids["replace"], HEADER)
    assert identities(workspace, "replace") == []


REMEMBERED = [
    {"bookmarks": {"s": {"replication_key_value": "2026-01-01"}}},
    {"bookmarks": {"s": {"partitions": [{"context": {}, "replication_key_value": 1}]}}},
    {"bookmarks": {"s": {"updated_at": "2026-01-01"}}},
    {"s": {"updated_at": "2026-01-01"}},
    {"last_run": "2026-01-01"},
]


@pytest.mark.parametrize("remembered", REMEMBERED)
def test_a_replace_by_changes_only_would_delete_the_rest(
    workspace: Any, sandbox: Any, ids: dict[str, str], remembered: dict[str, Any]
) -> None:
    run(settings(sandbox, ids, "replace"), *ROWS)
    changes = (schema(), record(id=2, name="new"), state(**remembered))
    with pytest.raises(PigmentError, match="may hold only what changed"):
        run(settings(sandbox, ids, "replace"), *changes)
    assert identities(workspace, "replace") == ["1", "2"]
    given = {"allow_incremental_replace": True, "end_mark": "state"}
    run(settings(sandbox, ids, "replace", **given), *changes)
    assert identities(workspace, "replace") == ["2"]


def test_a_resumed_full_table_would_delete_what_came_before_the_break(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    run(settings(sandbox, ids, "replace"), *ROWS)
    broken = state(bookmarks={"s": {"reading": {"pass": "initial", "after": [1]}}})
    rest = (broken, schema(), record("s", 7, id=2, name="b"), activate(7))
    with pytest.raises(PigmentError, match="where an earlier run stopped"):
        run(settings(sandbox, ids, "replace"), *rest)
    assert identities(workspace, "replace") == ["1", "2"]


def test_marks_are_up_to_each_stream(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    given = settings(sandbox, ids, "replace")
    given["streams"]["s"] |= {"end_mark": "none", "allow_incremental_replace": True}
    run(given, *ROWS[:-1])
    assert identities(workspace, "replace") == ["1", "2"]


def test_half_a_stream_would_delete_the_other_half(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    run(settings(sandbox, ids, "replace"), *ROWS)
    half = [schema(), record("s", 7, id=1, name="a"), whole()]
    with pytest.raises(PigmentError, match="without a sign"):
        run(settings(sandbox, ids, "replace"), *half)
    assert identities(workspace, "replace") == ["1", "2"]
    run(settings(sandbox, ids, "replace", end_mark="none"), *half)
    assert identities(workspace, "replace") == ["1"]


def test_appended_rows_behind_the_last_state_would_come_twice(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    died = [schema(), record(id=1, name="a"), state(at=1), record(id=2, name="b")]
    again = [schema(), record(id=2, name="b"), state(at=2)]
    with pytest.raises(PigmentError, match="no STATE follows"):
        run(settings(sandbox, ids, "append"), *died)
    assert identities(workspace, "append") == []
    for lines in (died, again):
        run(settings(sandbox, ids, "append", end_mark="none"), *lines)
    assert identities(workspace, "append") == ["1", "2", "2"]


def test_a_scope_that_straddles_two_pushes_would_keep_the_last(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    for number in (b"1", b"2"):
        bare_push(sandbox, ids["scoped_replace"], HEADER + number + b",a\r\n")
    assert identities(workspace, "scoped_replace") == ["2"]
    rows = [record(id=n, name="a") for n in (1, 2)]
    chosen = settings(sandbox, ids, "scoped_replace", max_rows_per_push=1)
    run(chosen, schema(), *rows, whole())
    assert identities(workspace, "scoped_replace") == ["1", "2"]


@pytest.mark.parametrize(
    ("scope_from", "left"), [("file", ["1", "2"]), ("configuration", ["1", "2", "2"])]
)
def test_a_fixed_scope_must_cover_the_stream(
    workspace: Any, sandbox: Any, ids: dict[str, str], scope_from: str, left: list[str]
) -> None:
    sandbox.switches = changed(sandbox.switches, scope_from=scope_from)
    rows = (record(id=1, name="a"), record(id=2, name="b"))
    for _ in range(2):
        run(settings(sandbox, ids, "scoped_replace"), schema(), *rows, whole())
    assert identities(workspace, "scoped_replace") == left


def test_duplicate_keys_would_fail_the_import(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    bare_push(sandbox, ids["upsert"], HEADER + b"1,a\r\n1,b\r\n")
    assert workspace.imports[-1].status == "Failed"


def test_pushes_that_do_not_wait_would_overlap(
    sandbox: Any, ids: dict[str, str]
) -> None:
    for _ in range(2):
        push(sandbox, ids["upsert"], HEADER + b"1,a\r\n")
    assert sandbox.overlapping_pushes == 1


@pytest.mark.parametrize(("empty_cell", "left"), [("blank", ""), ("keep", "a")])
def test_an_empty_cell_may_leave_a_stale_value(
    workspace: Any, sandbox: Any, ids: dict[str, str], empty_cell: str, left: str
) -> None:
    sandbox.switches = changed(sandbox.switches, empty_cell=empty_cell)
    emptied = (schema(), record(id=1, name=None), state(at=2))
    run(settings(sandbox, ids, "upsert"), schema(), record(id=1, name="a"), state(at=1))
    run(settings(sandbox, ids, "upsert"), *emptied)
    assert workspace.rows("upsert")[0]["name"] == left
    chosen = {"null_values": {"name": "none"}}
    run(settings(sandbox, ids, "upsert", chosen=chosen), *emptied)
    assert workspace.rows("upsert")[0]["name"] == "none"


@pytest.mark.parametrize(
    ("unknown_item", "order", "left"),
    [
        ("skip", (1, 2), [("1", "0100")]),
        ("skip", (2, 1), []),
        ("null", (2, 1), [("1", "")]),
    ],
)
def test_rows_before_their_dimension_would_be_skipped_or_blanked(
    workspace: Any,
    sandbox: Any,
    unknown_item: str,
    order: tuple[int, int],
    left: list[tuple[str, str]],
) -> None:
    columns = [
        pigment.ImportColumn("id"),
        pigment.ImportColumn("account", TYPES.DIMENSION, "accounts"),
    ]
    accounts = workspace.add_list("accounts", columns[:1], unique="id")
    lines = workspace.add_list("l", columns, unique="id", unknown_item=unknown_item)
    streams = {
        "l": stream(
            configuration_id=lines.id, columns=["id", "account"], order=order[1]
        ),
        "accounts": stream(
            configuration_id=accounts.id, columns=["id"], order=order[0]
        ),
    }
    messages = (
        schema("l", id={"type": "integer"}, account={"type": "string"}),
        record("l", id=1, account="0100"),
        schema("accounts", id={"type": "string"}),
        record("accounts", id="0100"),
        state(at=1),
    )
    skips = (
        contextlib.nullcontext() if left else pytest.raises(PigmentError, match="skip")
    )
    with skips:
        run(config(sandbox.url, api_key=sandbox.import_key, streams=streams), *messages)
    assert [(r["id"], r["account"]) for r in workspace.rows("l")] == left


TYPED: dict[str, Any] = {
    "id": {"type": "string"},
    "amount": {"type": "number"},
    "count": {"type": "number"},
    "day": {"type": "string", "format": "date-time"},
}


@pytest.fixture
def typed(workspace: Any, ids: dict[str, str]) -> list[str]:
    """A list whose properties have types; the columns as the target names them."""
    kinds = {"amount": TYPES.NUMBER, "count": TYPES.INTEGER, "day": TYPES.DATE}
    columns = [pigment.ImportColumn("id")]
    columns += [pigment.ImportColumn(name, kind) for name, kind in kinds.items()]
    ids["upsert"] = workspace.add_list("typed", columns, unique="id").id
    return ["id", *kinds]


def test_values_arrive_as_they_were(
    workspace: Any, sandbox: Any, ids: dict[str, str], typed: list[str]
) -> None:
    header = ",".join(typed).encode() + b"\r\n"
    plain = b"0100,1E+3,2.0,2026-01-31T23:30:00+00:00\r\n"
    bare_push(sandbox, ids["upsert"], header + plain)
    assert workspace.rows("typed") == []
    line = (
        '{"type": "RECORD", "stream": "s", "record": {"id": "0100", "amount": '
        '12345678901234567890.10, "count": 2.0, "day": "2026-01-31T23:30:00Z"}}'
    )
    columns = [
        {"name": name, "type": "integer"} if name == "count" else name for name in typed
    ]
    chosen = {"columns": columns}
    in_paris = {"timezone": "Europe/Paris"}
    run(
        settings(sandbox, ids, "upsert", chosen=chosen, csv=in_paris),
        schema(**TYPED),
        line,
        state(at=1),
    )
    assert workspace.rows("typed") == [
        {
            "id": "0100",
            "amount": "12345678901234567890.1",
            "count": "2",
            "day": "2026-02-01",
        }
    ]


def test_a_fraction_would_be_cut_off_without_a_word(
    workspace: Any, sandbox: Any, ids: dict[str, str], typed: list[str]
) -> None:
    columns = [
        {"name": name, "type": "integer"} if name == "count" else name for name in typed
    ]
    messages = (schema(**TYPED), record(id="1", count=2.7), state(at=1))
    with pytest.raises(PigmentError, match="fraction in an integer column"):
        run(settings(sandbox, ids, "upsert", chosen={"columns": columns}), *messages)
    run(settings(sandbox, ids, "upsert", chosen={"columns": typed}), *messages)
    assert workspace.rows("typed")[0]["count"] == "2"


@pytest.mark.parametrize("headers", ["strict", "by_name", "by_position"])
def test_columns_arrive_however_pigment_finds_them(
    workspace: Any, sandbox: Any, ids: dict[str, str], headers: str
) -> None:
    """Even where the schema comes in another order, with a field more."""
    sandbox.switches = changed(sandbox.switches, headers=headers)
    fields: dict[str, Any] = {"more": {}, "name": {}, "id": {"type": "integer"}}
    run(
        settings(sandbox, ids, "upsert"),
        schema(**fields),
        record(more="x", name="a", id=1),
        state(at=1),
    )
    assert workspace.rows("upsert") == [{"id": "1", "name": "a"}]


def test_other_columns_than_the_samples_fail_the_import(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    with pytest.raises(PigmentError, match="the import failed: InvalidStructure"):
        run(settings(sandbox, ids, "upsert", chosen={"columns": ["name", "id"]}), *ROWS)
    assert workspace.rows("upsert") == []


def test_an_append_repeated_after_a_lost_answer_would_double(
    workspace: Any, sandbox: Any, faults: Any, ids: dict[str, str]
) -> None:
    faults.add(pigment.PigmentFault.RESET_AFTER, on="push")
    with pytest.raises(PigmentError, match="may have been accepted"):
        run(settings(sandbox, ids, "append"), *ROWS)
    assert len(workspace.rows("append")) == 3
    bare_push(sandbox, ids["append"], HEADER + b"1,a\r\n2,b\r\n1,c\r\n")
    assert len(workspace.rows("append")) == 6


@pytest.mark.parametrize("mode", ["upsert", "replace", "scoped_replace"])
@pytest.mark.parametrize(
    "fault", ["RESET_BEFORE", "RESET_AFTER", "HTTP_502", "HTTP_503", "GATEWAY_TIMEOUT"]
)
def test_a_lost_answer_is_repeated_where_that_is_safe(
    workspace: Any,
    sandbox: Any,
    faults: Any,
    ids: dict[str, str],
    mode: str,
    fault: str,
) -> None:
    faults.add(pigment.PigmentFault[fault], on="push")
    run(settings(sandbox, ids, mode), *ROWS)
    assert "2" in identities(workspace, mode)
    assert len(workspace.rows(mode)) == len({r["id"] for r in workspace.rows(mode)})


def test_a_failed_replace_may_have_emptied_the_list(
    workspace: Any, sandbox: Any, faults: Any, ids: dict[str, str]
) -> None:
    run(settings(sandbox, ids, "replace"), *ROWS)
    faults.add(pigment.PigmentFault.FAILED)
    with pytest.raises(PigmentError, match="may already have been cleared"):
        run(settings(sandbox, ids, "replace"), *ROWS)
    assert workspace.rows("replace") == []


def test_a_status_that_is_late_or_lost_is_asked_for_again(
    workspace: Any, sandbox: Any, faults: Any, ids: dict[str, str]
) -> None:
    for fault in ("STATUS_404", "RESET_BEFORE", "HTTP_503"):
        faults.add(pigment.PigmentFault[fault], on="status")
    run(settings(sandbox, ids, "upsert"), *ROWS)
    assert len(workspace.rows("upsert")) == 2


def test_a_limit_that_others_used_up_is_waited_out(
    workspace: Any, sandbox: Any, ids: dict[str, str], time_passed: FakeTime
) -> None:
    sandbox.switches = changed(
        sandbox.switches, pushes_per_hour=2, requests_per_window=3
    )
    rows = [record(id=n, name="a") for n in range(5)]
    chosen = settings(sandbox, ids, "upsert", max_rows_per_push=1)
    run(chosen, schema(), *rows, state(at=1))
    assert len(workspace.rows("upsert")) == 5
    assert statuses(sandbox) == {200, 429}
    assert time_passed.seconds > 3600


def test_own_pushes_stay_below_the_limits(
    workspace: Any, sandbox: Any, ids: dict[str, str]
) -> None:
    rows = [record(id=n, name="a") for n in range(320)]
    chosen = settings(sandbox, ids, "upsert", max_rows_per_push=1)
    run(chosen, schema(), *rows, state(at=1))
    assert len(workspace.rows("upsert")) == 320
    assert statuses(sandbox) == {200}


@dataclass(frozen=True)
class Trouble:
    """What the sandbox does, and what the user is told."""

    words: str
    switches: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    mode: str = "upsert"


UNKNOWN = {"configuration_id": "00000000-0000-4000-8000-000000000000"}
TROUBLES = {
    "wrong key": Trouble("HTTP 401.*type Import", settings={"api_key": "wrong"}),
    "expired key": Trouble("HTTP 401.*not expired", {"key_expired": True}),
    "unknown configuration": Trouble(
        "HTTP 404.*Copy|copy", settings={"chosen": UNKNOWN}
    ),
    "size limit": Trouble(
        "HTTP 400.*lower max_bytes_per_push", {"size_limit_bytes": 10}
    ),
    "hourly limit": Trouble("300 pushes", {"pushes_per_hour": 0}),
    "address limit": Trouble("500 requests", {"requests_per_window": 0}),
    "reset after acceptance": Trouble(
        "may have been accepted", fault="RESET_AFTER", mode="append"
    ),
    "forever in progress": Trouble("still InProgress after 3600 s", fault="STUCK"),
    "unknown status": Trouble("still Postponed", fault="UNKNOWN_STATUS"),
    "failed": Trouble("the import failed", fault="FAILED"),
    "all rows skipped": Trouble("2 of 2 rows were skipped", fault="ALL_SKIPPED"),
    "some rows skipped": Trouble(
        "1 of 2 rows were skipped .1 MissingWriteAccessRights",
        {"write_denied": frozenset({"b"})},
    ),
    "no detailed report": Trouble("no detailed report", {"detailed_report": "null"}),
}


@pytest.mark.parametrize("body", ["empty", "text", "html", "json"])
@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_is_one_line_exit_code_1_and_no_state(
    name: str,
    body: str,
    sandbox: Any,
    faults: Any,
    ids: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble = TROUBLES[name]
    sandbox.switches = changed(sandbox.switches, error_body=body, **trouble.switches)
    if trouble.fault:
        faults.add(pigment.PigmentFault[trouble.fault], times=1, on="push")
    file = tmp_path / "config.json"
    chosen = settings(sandbox, ids, trouble.mode, **trouble.settings)
    file.write_text(json.dumps(chosen))
    messages = tmp_path / "messages.jsonl"
    messages.write_text("\n".join(ROWS))
    arguments = ["--config", str(file), "--input", str(messages)]
    monkeypatch.setattr("sys.argv", ["target-pigment", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    last = caplog.records[-1].getMessage()
    assert ended.value.code == 1
    assert re.search(trouble.words, last)
    assert "\n" not in last
    assert capsys.readouterr().out == ""
    assert sandbox.import_key not in caplog.text


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
def test_a_key_of_another_type_is_refused_before_anything_is_read(
    sandbox: Any, ids: dict[str, str], prefix: str
) -> None:
    chosen = settings(
        sandbox, ids, "upsert", api_key=sandbox.export_key, api_prefix=prefix
    )
    with pytest.raises(PigmentError, match=r"type Import.*Nothing was pushed\."):
        run(chosen, schema(), "no JSON")
