"""No value of a row in any output, and one line for what goes wrong: real runs."""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from target_pigment.command import main
from target_pigment.errors import InvalidSettings
from target_pigment.singer.target import EXPLAINED, TargetPigment
from tests.conftest import CONFIGURATION, Script, config, record, run, schema, state

VALUE = "Jane Doe 4711"
ENOUGH = 64 * 1024

Preparation = Callable[[], object]


def ended(
    tmp_path: Path,
    settings: Any,
    *lines: str,
    level: str = "INFO",
    before: Preparation | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """A run by the command; settings that are text are the file as it is."""
    path = tmp_path / "config.json"
    if settings is not None:
        path.write_text(settings if isinstance(settings, str) else json.dumps(settings))
    executable = Path(sys.executable).with_name("target-pigment")
    return subprocess.run(
        [executable, "--config", path, *(["--config=ENV"] if environment else [])],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=before,
        cwd=tmp_path,
        env={**os.environ, "TARGET_PIGMENT_LOGLEVEL": level, **(environment or {})},
    )


def typed(**field: Any) -> str:
    return schema(id={"type": "integer"}, name=field)


MAPPED = {"stream_maps": {"s": {"name": "float(name)"}}}
UNFIT: dict[str, tuple[tuple[str, ...], Mapping[str, Any], str]] = {
    "type": ((typed(type="integer"), record(id=1, name=VALUE)), {},
             "Stream s: field name holds text where SCHEMA says integer"),
    "nested": ((typed(type="object", properties={"x": {"type": "integer"}}),
                record(id=1, name={"x": VALUE})), {}, "Stream s: field name holds text"),
    "rule": ((typed(type="string", maxLength=1), record(id=1, name=VALUE)), {},
             "Stream s: field name holds text that breaks the rule maxLength"),
    "enumeration": ((typed(enum=["a"]), record(id=1, name=VALUE)), {},
                    "breaks the rule enum"),
    "date": ((typed(type="string", format="date"), record(id=1, name=VALUE)), {},
             "Stream s: field name holds text that is no date;"),
    "instant": ((typed(type="string", format="date-time"), record(id=1, name=VALUE)), {},
                "Stream s: field name holds text that is no date-time;"),
    "no key": ((schema(), record(name=VALUE)), {}, "Stream s: a record lacks id of its key"),
    "null key": ((schema(id={}, name={}), record(id=None, name=VALUE)), {},
                 "no value in its key"),
    "map": ((schema(), record(id=1, name=VALUE)), MAPPED,
            "Stream s: a stream map failed with"),
    "no stream": ((schema(), json.dumps({"type": "RECORD", "record": {"id": VALUE}})), {},
                  "RECORD without a usable 'stream'"),
    "no record": ((schema(), json.dumps({"type": "RECORD", "stream": "s", "row": VALUE})),
                  {}, "RECORD without a usable 'record'"),
    "a list": ((schema(), json.dumps({"type": "RECORD", "stream": "s", "record": [VALUE]})),
               {}, "RECORD without a usable 'record'"),
    "unknown": ((schema(), json.dumps({"type": VALUE})), {}, "a type that Singer does not"),
    "no type": ((schema(), json.dumps({"name": VALUE})), {}, "a type that Singer does not"),
    "text": ((schema(), VALUE), {}, "is no JSON"),
    "cut": ((schema(), record(id=1, name=VALUE)[:-4]), {}, "is no JSON"),
    "no schema": ((record(id=1, name=VALUE),), {}, "'s'"),
    "bad schema": ((typed(type="txt"),), {}, "Stream s: its SCHEMA is no JSON schema"),
    "no properties": (('{"type": "SCHEMA", "stream": "s", "schema": {}}',), {},
                      "Stream s: its SCHEMA has no properties"),
    "column": ((schema(id={}, name={}), record(id=1, name=VALUE)), {"streams": {"s": {
        "configuration_id": CONFIGURATION, "load_mode": "upsert",
        "columns": ["id", {"name": "name", "type": "date"}]}}}, "column name holds a str"),
    "character": ((schema(id={}, name={}), record(id=1, name=f"{VALUE}\u20ac")),
                  {"csv": {"encoding": "iso-8859-1"}}, "a character that"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "more", "words"), UNFIT.values(), ids=UNFIT)
def test_what_does_not_fit_is_named_and_not_shown(
    script: Script,
    caplog: pytest.LogCaptureFixture,
    lines: tuple[str, ...],
    more: Mapping[str, Any],
    words: str,
) -> None:
    """Neither in the message, nor in what DEBUG adds: the chain of errors."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(EXPLAINED) as caught:
        run(config(script.url, **more), *lines)
    assert words in str(caught.value)
    told = "".join(traceback.format_exception(caught.value))
    assert VALUE not in told + caplog.text
    assert script.requests == []


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_run_that_fails_tells_it_in_its_last_line(
    tmp_path: Path, script: Script, level: str
) -> None:
    lines, more, words = UNFIT["map"]
    run = ended(tmp_path, config(script.url, **more), *lines, level=level)
    assert run.returncode == 1
    assert VALUE not in run.stdout + run.stderr
    assert ("Traceback" in run.stderr) is (level == "DEBUG")
    critical = next(line for line in run.stderr.splitlines() if "CRITICAL" in line)
    assert words in critical
    assert level == "DEBUG" or run.stderr.strip().splitlines()[-1] == critical


def test_a_good_run_shows_no_row_at_any_level(tmp_path: Path, script: Script) -> None:
    maps = {"stream_maps": {"s": {"name": "name + '!'", "__filter__": "name"}}}
    lines = (schema(), record(id=1, name=VALUE), state(bookmarks={"s": {"at": VALUE}}))
    run = ended(tmp_path, config(script.url, **maps), *lines, level="DEBUG")
    assert run.returncode == 0, run.stderr
    assert VALUE not in run.stderr
    assert VALUE in run.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read: No such file"),
        ("", "config.json is not JSON: look at line 1, column 1"),
        ('{"api_key":', "config.json is not JSON: look at line 1"),
        ("[1]", "config.json must hold one JSON object"),
    ],
)
def test_a_settings_file_that_is_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    text: str | None,
    words: str,
) -> None:
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(sys, "argv", ["target-pigment", f"--config={path}"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert words in caplog.records[-1].message


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("MAX_ROWS_PER_PUSH", "abc", "a whole number"),
        ("MAX_ROWS_PER_PUSH", "3.5", "a whole number"),
        ("REQUEST_TIMEOUT", "soon", "a number"),
        ("REQUEST_TIMEOUT", "NaN", "a number"),
        ("DRY_RUN", "yess", "true or false"),
        ("STREAMS", "text", "a JSON object"),
        ("POLL", "[1]", "a JSON object"),
        ("STREAM_MAPS", "{", "a JSON object"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, wanted: str
) -> None:
    monkeypatch.setenv(f"TARGET_PIGMENT_{name}", text)
    with pytest.raises(InvalidSettings) as caught:
        TargetPigment(config=config(), parse_env_config=True)
    told = "".join(traceback.format_exception(caught.value))
    assert f"TARGET_PIGMENT_{name} must be {wanted}." in told


def test_variables_that_are_wrong_end_a_run_in_a_line(tmp_path: Path) -> None:
    given = {"TARGET_PIGMENT_DRY_RUN": "yess", "TARGET_PIGMENT_SAMPLE_ROWS": "x"}
    run = ended(tmp_path, config(), environment=given)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    last = run.stderr.strip().splitlines()[-1]
    assert "SAMPLE_ROWS must be a whole number" in last
    assert "DRY_RUN must be true or false" in last


def test_a_number_of_the_environment_is_one(tmp_path: Path, script: Script) -> None:
    given = {"TARGET_PIGMENT_REQUEST_TIMEOUT": "2.5", "TARGET_PIGMENT_DRY_RUN": "Yes"}
    lines = (schema(), record(id=1, name="a"))
    run = ended(tmp_path, config(script.url), *lines, environment=given)
    assert run.returncode == 0, run.stderr
    assert "Dry run" in run.stderr


def test_a_full_disk_is_one_line(tmp_path: Path, script: Script) -> None:
    rows = [record(id=n, name="a" * 40_000) for n in range(2_000)]
    limit = (ENOUGH, ENOUGH)
    run = ended(
        tmp_path, config(script.url), schema(), *rows,
        before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )  # fmt: skip
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert "The rows cannot be kept in" in run.stderr.strip().splitlines()[-1]
    assert script.requests == []


def test_without_settings_it_says_which_are_missing(tmp_path: Path) -> None:
    executable = Path(sys.executable).with_name("target-pigment")
    run = subprocess.run(
        [executable],
        input="",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode == 1
    assert "api_key is missing: give a key of type Import, as TARGET_" in run.stderr
    assert "unexpected" not in run.stderr


def test_a_full_disk_for_the_state_is_one_line(tmp_path: Path, script: Script) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config(script.url)))
    executable = Path(sys.executable).with_name("target-pigment")
    lines = "\n".join((schema(), record(id=1, name="a"), state(at=1)))
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        run = subprocess.run(
            [executable, "--config", path], input=lines, stdout=full, text=True,
            stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert "STATE cannot be written" in run.stderr.splitlines()[-1]
