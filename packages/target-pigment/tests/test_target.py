"""The target against a server that answers as told: the table of failures, and STATE."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from target_pigment.errors import BrokenInput, PigmentError
from target_pigment.singer.target import Interrupted, TargetPigment
from tests.conftest import (
    CONFIGURATION,
    KEY,
    Answer,
    FakeTime,
    Script,
    activate,
    config,
    record,
    report,
    run,
    schema,
    state,
    status,
    stream,
    whole,
)

WHOLE: dict[str, Any] = {"bookmarks": {"s": {}}}
ROW = (schema(), record(id=1, name="a"), whole())
HOURLY = (
    "Maximum number of reports per configuration per hour exceeded, maximum: 300. "
    "Please try again later."
)
RESET = Answer(resets=True)

pytestmark = pytest.mark.usefixtures("time_passed")


def replace(**more: Any) -> dict[str, Any]:
    return {"streams": {"s": stream(load_mode="replace")}, **more}


def append() -> dict[str, Any]:
    return {"streams": {"s": stream(load_mode="append")}}


def failure(settings: dict[str, Any], *lines: str) -> str:
    with pytest.raises(PigmentError) as caught:
        run(settings, *lines)
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_push_is_a_plain_csv_with_its_length(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config(script.url), *ROW)
    push = script.requests[0]
    assert push.path == f"/api/v1/import/push/csv?configurationId={CONFIGURATION}"
    assert push.body == b"id,name\r\n1,a\r\n"
    assert push.headers["Content-Type"] == "text/csv"
    assert push.headers["Content-Length"] == str(len(push.body))
    assert push.headers["Authorization"] == f"Bearer {KEY}"
    assert json.loads(capsys.readouterr().out) == WHOLE


def test_only_the_last_request_asks_for_the_report(script: Script) -> None:
    script.statuses = [status("InProgress")] * 3 + [status("Completed", report(1))]
    run(config(script.url), *ROW)
    asked = ["includedDetailedReport=true" in r.path for r in script.requests[1:]]
    assert asked == [False, False, False, False, True]


@pytest.mark.parametrize("mode", ["upsert", "replace", "append"])
@pytest.mark.parametrize("body", [HOURLY, "Too many"])
def test_a_429_is_waited_out_in_every_mode(
    script: Script, time_passed: FakeTime, mode: str, body: str
) -> None:
    script.pushes.insert(0, Answer(429, body))
    run(config(script.url, streams={"s": stream(load_mode=mode)}), *ROW)
    assert len(script.bodies) == 2
    assert time_passed.pauses == [300.0 if body == HOURLY else 60.0]


def test_retry_after_is_honoured(script: Script, time_passed: FakeTime) -> None:
    script.pushes.insert(0, Answer(429, "", (("Retry-After", "17"),)))
    run(config(script.url), *ROW)
    assert time_passed.pauses == [17.0]


@pytest.mark.parametrize("body", [HOURLY, ""])
def test_a_429_without_end_fails(script: Script, body: str) -> None:
    script.pushes = [Answer(429, body)]
    assert "HTTP 429" in failure(config(script.url), *ROW)


@pytest.mark.parametrize("lost", [RESET, Answer(502), Answer(503)])
def test_an_ambiguous_push_is_repeated_except_in_append(
    script: Script, lost: Answer
) -> None:
    script.pushes.insert(0, lost)
    run(config(script.url), *ROW)
    assert len(script.bodies) == 2
    script.pushes.insert(0, lost)
    text = failure(config(script.url, **append()), *ROW)
    assert len(script.bodies) == 3
    assert "may have been accepted" in text


def test_on_ambiguous_stop_repeats_in_no_mode(script: Script) -> None:
    script.pushes.insert(0, RESET)
    failure(config(script.url, retry={"on_ambiguous": "stop"}), *ROW)
    assert len(script.bodies) == 1


def test_an_unreachable_host_is_tried_again_even_in_append(
    time_passed: FakeTime,
) -> None:
    text = failure(config(**append()), *ROW)
    assert "cannot be reached; gave up after 5 attempts" in text
    assert len(time_passed.pauses) == 4


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(400, "bad"), "1 rows, 14 bytes"),
        (Answer(401, f"no {KEY}"), "type Import"),
        (Answer(404), "no such import configuration"),
        (Answer(302, "", (("Location", "https://evil.example/x"),)), "evil.example"),
        (Answer(418), "refused"),
        (Answer(200, "<html>"), "named no import"),
    ],
)
def test_a_refusal_is_not_retried(
    script: Script, capsys: pytest.CaptureFixture[str], answer: Answer, words: str
) -> None:
    script.pushes = [answer]
    text = failure(config(script.url), *ROW)
    assert words in text
    assert CONFIGURATION in text
    assert "Stream s" in text
    assert len(script.requests) == 1
    assert capsys.readouterr().out == ""


def test_a_status_may_be_lost_and_late(script: Script) -> None:
    done = status("Completed", report(1))
    script.statuses = [Answer(404), RESET, Answer(502), Answer(429), done]
    run(config(script.url, **append()), *ROW)
    assert len(script.bodies) == 1


def test_an_import_that_never_ends_is_a_failure(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    script.statuses = [status("Pondering")]
    text = failure(config(script.url), *ROW)
    assert "still Pondering after 3600 s" in text
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("found", "more", "words"),
    [
        (status("Failed", errorsDetails=[{"name": "E", "description": "d"}]), {},
         "E: d"),
        (status("Completed"), {}, "no detailed report"),
        (status("Completed", report(0, 1, skippedData=[
            {"count": 1, "reason": "ParsingError", "sourceColumnName": "name",
             "samples": ["private"]}])), {}, "1 ParsingError in column name"),
        (status("Completed", report(1, skippedData=[
            {"count": 1, "reason": "MissingModalityUseDefaultOrNullModality"}])),
         {"fail_on_defaulted": True}, "blank or default"),
    ],
)  # fmt: skip
def test_a_load_that_lost_rows_fails(
    script: Script,
    capsys: pytest.CaptureFixture[str],
    found: Answer,
    more: dict[str, Any],
    words: str,
) -> None:
    script.statuses = [found]
    text = failure(config(script.url, **more), *ROW)
    assert words in text
    assert "import " in text
    assert "private" not in text
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "more", [{"fail_on_skipped": False}, {"max_skipped_rows": 1},
             {"max_skipped_ratio": 1}],
)  # fmt: skip
def test_skips_may_be_allowed(script: Script, more: dict[str, Any]) -> None:
    script.statuses = [status("Completed", report(0, 1))]
    run(config(script.url, **more), *ROW)


def test_a_failed_replace_says_that_the_block_may_be_empty(script: Script) -> None:
    script.statuses = [status("Failed")]
    assert "already have been cleared" in failure(config(script.url, **replace()), *ROW)


def test_upsert_goes_in_parts_with_the_last_row_per_key(script: Script) -> None:
    rows = [record(id=n % 3, name=str(n)) for n in range(7)]
    run(config(script.url, max_rows_per_push=2), schema(), *rows)
    assert script.bodies == [
        b"id,name\r\n1,4\r\n2,5\r\n",
        b"id,name\r\n0,6\r\n",
    ]


def test_a_replace_is_one_push_however_many_states_and_schemas(script: Script) -> None:
    wider = schema(id={}, name={}, more={})
    lines = [schema(), record("s", 7, id=1, name="a"), state(at=1), wider]
    lines += [record("s", 7, id=2, name="b", more=1), state(at=2), activate(7)]
    run(config(script.url, max_rows_per_push=1, **replace()), *lines)
    assert script.bodies == [b"id,name\r\n1,a\r\n2,b\r\n"]


@pytest.mark.parametrize(
    ("lines", "more", "words"),
    [
        ((schema(), whole()), {}, "no records"),
        ((schema(), record(id=1, name="a")), {}, "there was no STATE"),
        ((*ROW, record(id=2, name="b")), {}, "without a sign"),
        (ROW, {"end_mark": "activate_version"}, "without a sign"),
        ((schema(), record("s", 1, id=1, name="a"), whole()), {},
         "without a sign"),
        ((*ROW, state(bookmarks={"s": {"replication_key_value": 3}})), {},
         "STATE holds a bookmark of s"),
        (ROW, {"max_bytes_per_push": 5}, "max_bytes_per_push"),
    ],
)  # fmt: skip
def test_a_replace_that_would_lose_data_is_not_pushed(
    script: Script, lines: tuple[str, ...], more: dict[str, Any], words: str
) -> None:
    assert words in failure(config(script.url, **replace(**more)), *lines)
    assert script.requests == []


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        ((schema(), whole()), {"allow_empty_replace": True}),
        ((schema(), record(id=1, name="a")), {"end_mark": "none"}),
        ((*ROW, state(bookmarks={"s": {"replication_key_value": 3}})),
         {"allow_incremental_replace": True}),
        (ROW, {"max_bytes_per_push": 5, "oversize_replace": "send_anyway"}),
        ((schema(), record("s", 1, id=1, name="a"), activate(1)), {}),
    ],
)  # fmt: skip
def test_each_guard_can_be_lifted(
    script: Script, lines: tuple[str, ...], more: dict[str, Any]
) -> None:
    run(config(script.url, **replace(**more)), *lines)
    assert len(script.bodies) == 1


def test_activate_version_drops_older_rows_from_a_replace(script: Script) -> None:
    old, new = record("s", 1, id=1, name="old"), record("s", 2, id=2, name="new")
    run(config(script.url, **replace()), schema(), old, new, activate(2))
    assert script.bodies == [b"id,name\r\n2,new\r\n"]


@pytest.mark.parametrize("broken", ['{"type": "RECORD", "str', "[]", '{"a": NaN}'])
def test_broken_input_pushes_nothing(script: Script, broken: str) -> None:
    with pytest.raises(BrokenInput) as caught:
        run(config(script.url), *ROW, broken)
    assert broken not in str(caught.value)
    assert script.requests == []


def test_a_signal_pushes_nothing(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    def lines() -> Any:
        yield from ROW
        os.kill(os.getpid(), signal.SIGTERM)
        yield ROW[1]

    with pytest.raises(Interrupted) as caught:
        TargetPigment(config=config(script.url)).listen(lines())
    assert caught.value.exit_code == 143
    assert script.requests == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "numbers",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]],
    ids=["int", "term", "both"],
)
def test_a_signal_tears_no_state_that_a_slow_reader_takes(
    script: Script, tmp_path: Path, numbers: list[signal.Signals], unbuffered: str
) -> None:
    """All is loaded then, so that the run has succeeded."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config(script.url)))
    # More than a pipe takes.
    value = {"bookmarks": {"s": {"text": "x" * 200_000}}}
    lines = tmp_path / "lines.jsonl"
    lines.write_text("\n".join([*ROW, state(**value)]))
    running = subprocess.Popen(
        [
            Path(sys.executable).with_name("target-pigment"),
            f"--config={path}",
            f"--input={lines}",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )
    assert running.stdout is not None
    begin = running.stdout.read(1)
    for number in numbers:
        running.send_signal(number)
    rest, log = running.communicate(timeout=30)
    assert json.loads(begin + rest) == value
    assert running.returncode == 0, log


def deleted(number: int) -> str:
    return record(id=number, _sdc_deleted_at="2025-01-01T00:00:00Z")


def test_deletions_fail_unless_told_otherwise(script: Script) -> None:
    assert "deleted_records" in failure(config(script.url), schema(), deleted(1))


@pytest.mark.parametrize("mode", ["upsert", "replace", "scoped_replace"])
@pytest.mark.parametrize("place", ["of the stream", "of all"])
def test_a_dropped_deletion_takes_the_earlier_row_along(
    script: Script, mode: str, place: str
) -> None:
    lines = [*ROW[:2], record(id=2, name="b"), deleted(1), whole()]
    own = {"deleted_records": "drop"} if place == "of the stream" else {}
    settings = {
        "streams": {"s": stream(load_mode=mode, **own)},
        "deleted_records": "fail" if own else "drop",
    }
    run(config(script.url, **settings), *lines)
    assert script.bodies == [b"id,name\r\n2,b\r\n"]


def test_deletions_are_up_to_each_stream(script: Script) -> None:
    """The stream's own word goes before the one for all, which other streams keep."""
    told = {
        "streams": {"s": stream(deleted_records="fail"), "t": stream()},
        "deleted_records": "drop",
    }
    settings = config(script.url, **told)
    gone = record("t", id=1, _sdc_deleted_at="2025-01-01T00:00:00Z")
    run(settings, schema("t"), gone)
    assert script.requests == []
    assert "Stream s" in failure(settings, schema("t"), gone, schema(), deleted(1))


@pytest.mark.parametrize("choice", ["drop", "include"])
def test_a_deletion_is_not_taken_for_a_partial_record(
    script: Script, caplog: pytest.LogCaptureFixture, choice: str
) -> None:
    """By Singer's custom it holds its key and the time of deletion only."""
    columns = ["id", "name", "_sdc_deleted_at"]
    settings = {
        "streams": {"s": stream(columns=columns, deleted_records=choice)},
        "on_missing_field": "ignore",
    }
    whole = record(id=1, name="a", _sdc_deleted_at=None)
    run(config(script.url, **settings), schema(), whole, deleted(2))
    assert "records without the column" not in caplog.text
    run(config(script.url, **settings), schema(), record(id=1, _sdc_deleted_at=None))
    assert "records without the column name" in caplog.text


@pytest.mark.parametrize("mode", ["replace", "scoped_replace"])
def test_a_replace_holds_one_row_per_key_if_there_is_one(
    script: Script, mode: str
) -> None:
    """Duplicates of a unique property within one file make Pigment fail the import."""
    settings = config(script.url, streams={"s": stream(load_mode=mode)})
    rows = [record(id=n % 2, name=str(n)) for n in range(4)]
    run(settings, schema(), *rows, whole())
    run(settings, schema(keys=()), *rows, whole())
    assert script.bodies == [
        b"id,name\r\n0,2\r\n1,3\r\n",
        b"id,name\r\n0,0\r\n1,1\r\n0,2\r\n1,3\r\n",
    ]


def test_an_included_deletion_is_a_row_with_its_day(script: Script) -> None:
    columns = ["id", "name", "_sdc_deleted_at"]
    settings = {
        "streams": {"s": stream(columns=columns)},
        "deleted_records": "include",
    }
    run(config(script.url, **settings), *ROW, deleted(2))
    body = b"id,name,_sdc_deleted_at\r\n1,a,\r\n2,,2025-01-01T00:00:00Z\r\n"
    assert script.bodies == [body]


INSTANT = {"type": "string", "format": "date-time"}
MORNING, EVENING = "2026-01-31T08:00:00Z", "2026-01-31T20:00:00Z"


@pytest.mark.parametrize("mode", ["upsert", "replace", "scoped_replace"])
@pytest.mark.parametrize(
    ("field", "values"),
    [
        (INSTANT, (MORNING, EVENING)),
        ({}, ("a\nb", "a b")),
        ({}, ("ab", "a\x00b")),
        ({}, ("ab", "ab ")),
        ({}, ("a b", "a  b")),
        ({}, (1, "1")),
        ({}, (True, "TRUE")),
        ({}, ({"a": 1}, '{"a":1}')),
    ],
)
def test_keys_that_would_be_the_same_in_pigment_are_refused(
    script: Script, mode: str, field: dict[str, Any], values: tuple[Any, Any]
) -> None:
    settings = config(script.url, streams={"s": stream(load_mode=mode)})
    rows = [record(id=value, name="") for value in values]
    text = failure(settings, schema(id=field, name={}), *rows, whole())
    assert "whose keys (id) differ" in text
    assert script.requests == []


def test_null_and_what_stands_for_it_are_two_keys(script: Script) -> None:
    chosen = stream(columns=["id", "at", "name"], null_values={"at": "none"})
    settings = config(script.url, streams={"s": chosen})
    typed = schema(keys=("id", "at"), id={}, at={}, name={})
    rows = [record(id=1, at=at, name="") for at in (None, "none")]
    assert "differ would be the same row" in failure(settings, typed, *rows)


@pytest.mark.parametrize("keys", [("id",), ("id", "name")])
def test_a_record_without_any_key_is_refused(
    script: Script, keys: tuple[str, ...]
) -> None:
    typed = schema(keys=keys, id={}, name={})
    text = failure(config(script.url), typed, record(id=None, name=None))
    assert f"no value in its key ({', '.join(keys)})" in text
    assert script.requests == []


def test_a_key_that_is_no_column_is_compared_as_the_tap_sent_it(script: Script) -> None:
    settings = config(
        script.url, streams={"s": stream(load_mode="replace", columns=["name"])}
    )
    typed = schema(keys=("at",), at=INSTANT, name={})
    rows = [
        record(at=f"2026-01-31T0{n}:00:00{zone}", name=f"{n}{zone}")
        for n, zone in ((1, "Z"), (2, "Z"), (3, "+01:00"), (4, "Z"))
    ]
    run(settings, typed, *rows, whole())
    assert script.bodies == [b"name\r\n1Z\r\n3+01:00\r\n4Z\r\n"]


def test_equal_numbers_are_one_key_and_long_ones_are_exact(script: Script) -> None:
    long = "1234567890123456789012345678901234567890"
    rows = [
        f'{{"type": "RECORD", "stream": "s", "record": {{"id": {n}, "name": "{n}"}}}}'
        for n in ("1", "1.0", "10e-1", "-0.0", "0", long + "1", long + "2")
    ]
    run(config(script.url), schema(id={"type": "number"}, name={}), *rows)
    (body,) = script.bodies
    names = [line.split(b",")[1] for line in body.splitlines()[1:]]
    assert names == [b"10e-1", b"0", f"{long}1".encode(), f"{long}2".encode()]


@pytest.mark.parametrize(
    ("lines", "more", "words"),
    [
        ((schema("x"),), {}, "not named in `streams`"),
        ((schema(id={}),), {}, "lacks the columns name"),
        ((schema(id={}, name={}, z={}),), {"on_new_field": "fail"}, "no columns: z"),
        ((schema(keys=()),), {}, "needs the stream's key"),
        ((*ROW, schema(keys=("name",))), {}, "changed within the run"),
        (('{"type": "BATCH", "stream": "s"}',), {}, "BATCH"),
    ],
)
def test_a_stream_that_does_not_fit_is_refused_before_any_push(
    script: Script, lines: tuple[str, ...], more: dict[str, Any], words: str
) -> None:
    assert words in failure(config(script.url, **more), *lines)
    assert script.requests == []


def test_streams_go_in_order_and_state_only_after_the_last(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    other = stream(columns=["id"], order=-1, load_mode="append")
    settings = config(script.url, streams={"s": stream(), "t": other})
    lines = [*ROW, schema("t"), record("t", id=9), state(at=2)]
    run(settings, *lines)
    assert script.bodies == [b"id\r\n9\r\n", b"id,name\r\n1,a\r\n"]
    assert json.loads(capsys.readouterr().out) == {"at": 2}
    done, bad = status("Completed", report(1)), status("Failed")
    script.statuses = [done, done, bad]
    text = failure(settings, *lines)
    assert "1 rows of append streams are already loaded" in text
    assert capsys.readouterr().out == ""


def test_a_dry_run_pushes_nothing_and_passes_on_no_state(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config(script.url, dry_run=True), *ROW)
    assert script.requests == []
    assert capsys.readouterr().out == ""


def test_samples_have_the_header_and_the_first_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"write_samples_to": str(tmp_path), "sample_rows": 1,
                "streams": {"*": {}}}  # fmt: skip
    run(settings, *ROW, record(id=2, name="b"))
    assert (tmp_path / "s.csv").read_bytes() == b"id,name\r\n1,a\r\n"
    assert capsys.readouterr().out == ""


def test_own_limits_are_kept(script: Script, time_passed: FakeTime) -> None:
    rows = [record(id=n, name="") for n in range(310)]
    script.statuses = [status("Completed", report(1))]
    run(config(script.url, max_rows_per_push=1), schema(), *rows)
    assert len(script.bodies) == 310
    assert time_passed.seconds >= 3600


def command(tmp_path: Path, settings: dict[str, Any], *lines: str) -> Any:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings))
    executable = Path(sys.executable).with_name("target-pigment")
    return subprocess.run(
        [executable, "--config", path],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_last_line_tells_and_the_exit_code_too(
    tmp_path: Path, script: Script
) -> None:
    script.statuses = [status("Completed", report(0, 1))]
    settings = config(script.url)
    ended = command(tmp_path, settings, *ROW)
    last = ended.stderr.strip().splitlines()[-1]
    assert ended.returncode == 1
    assert all(word in last for word in ("Stream s", CONFIGURATION, "1 of 1 rows"))
    assert KEY not in ended.stderr + ended.stdout
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


def test_a_good_run_ends_with_0(tmp_path: Path, script: Script) -> None:
    ended = command(tmp_path, config(script.url), *ROW)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == WHOLE


def test_sigterm_ends_the_process_with_143(tmp_path: Path, script: Script) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config(script.url)))
    executable = Path(sys.executable).with_name("target-pigment")
    with subprocess.Popen(
        [executable, "--config", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(f"{schema(id={}, name={}, z={})}\n{ROW[1]}\n")
        process.stdin.flush()
        # The warning of the new field shows that messages are being read.
        assert any("not sent" in line for line in process.stderr)
        process.terminate()
        assert process.wait(20) == 143
    assert script.requests == []
