"""The console command as people and Meltano run it: output, messages, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from select import select as select_files
from typing import Any, BinaryIO

import pytest

from intacct_sandbox import Fault, FaultKind, Sandbox, Switches
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM
from tests.loading import PERIODS, SCANNER, select, shipped_catalog
from tests.offered import offered

COMMAND = [sys.executable, "-m", "tap_sage_intacct"]
Tap = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def config(sandbox: Sandbox) -> dict[str, Any]:
    return {**sandbox.config(), "balance_periods": list(PERIODS), "max_retries": 0}


@pytest.fixture
def tap(tmp_path: Path, config: dict[str, Any]) -> Tap:
    """Runs the command with the sandbox's settings, some of them changed."""

    def run(
        *arguments: str, catalog: Mapping[str, Any] | None = None, **changes: Any
    ) -> subprocess.CompletedProcess[str]:
        settings = {k: v for k, v in {**config, **changes}.items() if v is not None}
        (tmp_path / "config.json").write_text(json.dumps(settings))
        given = ["--config", str(tmp_path / "config.json"), *arguments]
        if catalog is not None:
            (tmp_path / "catalog.json").write_text(json.dumps(catalog))
            given += ["--catalog", str(tmp_path / "catalog.json")]
        finished = subprocess.run(
            [*COMMAND, *given], capture_output=True, text=True, timeout=60, check=False
        )
        shown = finished.stdout + finished.stderr
        assert config["user_password"] not in shown
        assert config["sender_password"] not in shown
        return finished

    return run


def catalog_of(sandbox: Sandbox, *streams: str) -> dict[str, Any]:
    catalog = offered(sandbox, sandbox.config())
    for entry in catalog["streams"]:
        select(entry, is_selected=entry["stream"] in streams)
    return catalog


def last_line(finished: subprocess.CompletedProcess[str]) -> str:
    return finished.stderr.strip().splitlines()[-1]


def test_about() -> None:
    finished = subprocess.run(
        [*COMMAND, "--about", "--format=json"], capture_output=True, check=True
    )
    about = json.loads(finished.stdout)
    assert about["name"] == "tap-sage-intacct"
    assert "user_password" in about["settings"]["properties"]


def test_discovery_needs_no_network() -> None:
    finished = subprocess.run([*COMMAND, "--discover"], capture_output=True, check=True)
    streams = json.loads(finished.stdout)["streams"]
    assert {entry["stream"] for entry in streams} == set(DATA_SOURCE_BY_STREAM)


def test_live_discovery_merges_what_the_company_has(tap: Tap) -> None:
    finished = tap("--discover")
    assert finished.returncode == 0
    streams = {e["stream"]: e for e in json.loads(finished.stdout)["streams"]}
    properties = streams["customers"]["schema"]["properties"]
    assert properties["KEY_ACCOUNT"]["type"] == ["null", "boolean"]
    assert properties["KEY_ACCOUNT"]["description"].endswith("Custom field.")
    assert properties["RECORDNO"]["type"] == ["integer"]
    assert streams["customers"]["key_properties"] == ["RECORDNO"]
    assert streams["customers"]["replication_key"] == "WHENMODIFIED"


def test_sensitive_fields_are_offered_only_if_allowed(tap: Tap) -> None:
    def fields(finished: subprocess.CompletedProcess[str]) -> set[str]:
        streams = {e["stream"]: e for e in json.loads(finished.stdout)["streams"]}
        return set(streams["vendors"]["schema"]["properties"])

    found = tap("--discover")
    assert {"TAXID", "ACHACCOUNTNUMBER"}.isdisjoint(fields(found))
    assert "vendors: sensitive fields are not offered" in found.stderr
    everything = tap("--discover", include_sensitive=True)
    assert {"TAXID", "ACHACCOUNTNUMBER"} <= fields(everything)


def test_connection_test_reads_a_record_of_each_stream(tap: Tap) -> None:
    finished = tap("--test")
    assert finished.returncode == 0, finished.stderr


def test_settings_come_from_the_environment(config: dict[str, Any]) -> None:
    choices = {
        "balance_periods": {"from": "2025-01", "type": "month"},
        "entities": "all",
        "extra_objects": ["CLASS", {"object": "region", "stream_name": "regions"}],
        "custom_reports": [{"name": "Vendor list"}],
        "related_fields": {"bills": ["VENDOR.NAME"]},
    }
    environment = {
        f"TAP_SAGE_INTACCT_{name.upper()}": (
            value if isinstance(value, str) else json.dumps(value)
        )
        for name, value in {**config, **choices}.items()
    }
    finished = subprocess.run(
        [*COMMAND, "--config=ENV", "--discover"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "KEY_ACCOUNT" in finished.stdout
    catalog = json.loads(finished.stdout)
    streams = {entry["stream"]: entry for entry in catalog["streams"]}
    assert {"class", "regions", "vendor_list"} <= set(streams)
    bills = streams["bills"]
    assert {"_entity_id", "VENDOR.NAME"} <= set(bills["schema"]["properties"])


@pytest.mark.parametrize(
    ("name", "text"),
    [("KEY_STORE", "keys.sqlite"), ("PAGE_SIZE", "5000"), ("FILTER", "{}")],
)
def test_variable_that_holds_the_wrong_setting_is_named(
    config: dict[str, Any], name: str, text: str
) -> None:
    """Somebody may have exported it for another run."""
    given = {
        f"TAP_SAGE_INTACCT_{key.upper()}": value
        for key, value in {**config, name: text}.items()
        if isinstance(value, str)
    }
    finished = subprocess.run(
        [*COMMAND, "--config=ENV"],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    named = f"TAP_SAGE_INTACCT_{name} is set in the environment."
    assert last_line(finished).endswith(named)


@pytest.mark.parametrize("given", [None, ""], ids=["absent", "empty"])
def test_missing_credentials_are_named_with_their_variables(
    tap: Tap, given: str | None
) -> None:
    finished = tap(sender_id=given, user_password=given)
    assert finished.returncode == 1
    assert last_line(finished).endswith(
        "Credentials are missing: user_password (TAP_SAGE_INTACCT_USER_PASSWORD), "
        "sender_id (TAP_SAGE_INTACCT_SENDER_ID). Set them in .env, as .secrets.example "
        "shows, in the environment, or in a file of --config."
    )


FAILURES: list[tuple[str, dict[str, Any], Switches, str]] = [
    ("wrong-password", {"user_password": "x"}, Switches(), "user_password"),
    ("wrong-sender", {"sender_password": "x"}, Switches(), "sender_password"),
    ("unknown-company", {"company_id": "nowhere"}, Switches(), "company_id"),
    (
        "unauthorised-sender",
        {},
        Switches(sender_authorised=False),
        "Company > Company Info > Security",
    ),
    (
        "server-down",
        {"api_url": "http://127.0.0.1:9/ia/xml/xmlgw.phtml"},
        Switches(),
        "Could not reach 127.0.0.1",
    ),
]


@pytest.mark.parametrize(
    ("changes", "switches", "words"),
    [failure[1:] for failure in FAILURES],
    ids=[failure[0] for failure in FAILURES],
)
def test_failure_is_one_line_and_exit_code_1(
    tap: Tap, sandbox: Sandbox, changes: dict[str, Any], switches: Switches, words: str
) -> None:
    sandbox.switches = switches
    finished = tap(**changes)
    assert finished.returncode == 1
    assert words in last_line(finished)
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""


def test_failure_is_the_last_line_under_meltano_too(
    tap: Tap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meltano shows every warning, also of files that a failed run leaves open."""
    monkeypatch.setenv("PYTHONWARNINGS", "once")
    (tmp_path / "state.json").write_text("{}")
    finished = tap(
        "--state", str(tmp_path / "state.json"), "--discover", user_password="x"
    )
    assert "user_password" in last_line(finished)


def test_throttling_that_stays_ends_the_run(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.faults.add(
        Fault(FaultKind.RATE_LIMIT, function="getAPISession", times=None)
    )
    finished = tap()
    assert finished.returncode == 1
    assert "throttles" in last_line(finished)


def test_expired_session_is_renewed_without_a_word_of_it(
    tap: Tap, sandbox: Sandbox
) -> None:
    catalog = catalog_of(sandbox, "vendors")
    sandbox.faults.add(Fault(FaultKind.SESSION_EXPIRED, function="query"))
    finished = tap(catalog=catalog)
    assert finished.returncode == 0
    assert finished.stdout.count('"type":"RECORD"') == 40
    assert "signing in again" in finished.stderr


def test_denied_object_is_left_out_of_discovery(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.switches = Switches(denied_objects=frozenset({"VENDOR"}))
    finished = tap("--discover")
    assert finished.returncode == 0
    streams = {e["stream"] for e in json.loads(finished.stdout)["streams"]}
    assert streams == set(DATA_SOURCE_BY_STREAM) - {"vendors"}
    assert "vendors is not offered" in finished.stderr
    assert "Company > Roles" in finished.stderr


@pytest.mark.parametrize(("on_denied", "code"), [("warn", 0), ("fail", 1)])
def test_denied_stream_is_skipped_and_the_others_run(
    tap: Tap, sandbox: Sandbox, on_denied: str, code: int
) -> None:
    catalog = catalog_of(sandbox, "customers", "vendors", "departments")
    sandbox.switches = Switches(denied_objects=frozenset({"CUSTOMER"}))
    finished = tap(catalog=catalog, on_denied=on_denied)
    assert finished.returncode == code
    messages = [json.loads(line) for line in finished.stdout.splitlines()]
    assert {m["stream"] for m in messages if m["type"] == "RECORD"} == {
        "vendors",
        "departments",
    }
    assert "customers is skipped" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_refused_field_is_dropped_with_one_warning(tap: Tap, sandbox: Sandbox) -> None:
    catalog = catalog_of(sandbox, "bills")
    sandbox.switches = Switches(unqueryable={"APBILL": frozenset({"DESCRIPTION"})})
    finished = tap(catalog=catalog, page_size=10)
    assert finished.returncode == 0
    assert finished.stderr.count("are left out: DESCRIPTION") == 1
    messages = [json.loads(line) for line in finished.stdout.splitlines()]
    records = [m["record"] for m in messages if m["type"] == "RECORD"]
    assert len(records) == 60
    assert all("DESCRIPTION" not in record for record in records)


def test_state_that_cannot_be_resumed_is_refused_before_any_data_moves(
    tap: Tap, tmp_path: Path
) -> None:
    state = {"bookmarks": {"vendors": {"version": 9}}}
    (tmp_path / "state.json").write_text(json.dumps(state))
    finished = tap("--state", str(tmp_path / "state.json"))
    assert finished.returncode == 1
    assert "The state of vendors has version 9" in last_line(finished)
    assert finished.stdout == ""


def test_unknown_stream_is_refused_with_the_nearest_name(tap: Tap) -> None:
    finished = tap(filters={"bils": "RECORDNO > 1"})
    assert finished.returncode == 1
    assert "did you mean bills" in finished.stderr
    assert finished.stdout == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("VENDRID = 'V1'", "did you mean VENDORID"),
        ("RECORDNO ~ 1", "is not one condition"),
        ("WHENDUE > 'soon'", "such as '2026-01-31'"),
    ],
)
def test_wrong_filter_is_refused_before_any_data_moves(
    tap: Tap, text: str, words: str
) -> None:
    finished = tap(filters={"bills": text})
    assert finished.returncode == 1
    assert words in last_line(finished)
    assert finished.stdout == ""


def test_balances_without_periods_are_refused_before_any_data_moves(
    tap: Tap, sandbox: Sandbox
) -> None:
    catalog = catalog_of(sandbox, "gl_account_balances")
    finished = tap(catalog=catalog, balance_periods=None)
    assert finished.returncode == 1
    assert "balance_periods" in last_line(finished)
    assert finished.stdout == ""


def test_balances_are_not_selected_unless_periods_are_named(
    tap: Tap, sandbox: Sandbox
) -> None:
    assert tap(balance_periods=None).returncode == 0
    asked = {call.object_name for call in sandbox.calls if call.function != "lookup"}
    assert "APBILL" in asked


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_ends_soon_with_a_state_it_can_resume_from(
    sandbox: Sandbox,
    tmp_path: Path,
    config: dict[str, Any],
    number: signal.Signals,
) -> None:
    catalog = catalog_of(sandbox, "gl_journal_entry_lines")
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    (tmp_path / "config.json").write_text(json.dumps({**config, "page_size": 50}))
    sandbox.faults.add(Fault(FaultKind.SLOW, function="query", times=None, seconds=0.1))
    files = ["--config", "config.json", "--catalog", "catalog.json"]
    running = subprocess.Popen(
        [*COMMAND, *files],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    seen = []
    for line in running.stdout:
        SCANNER.look_at(line, "what the tap wrote")
        seen.append(json.loads(line))
        if sum(message["type"] == "STATE" for message in seen) == 3:
            break
    running.send_signal(number)
    rest, log = running.communicate(timeout=10)
    assert running.returncode == 128 + number
    assert f"Interrupted by {number.name}" in log.splitlines()[-1]
    assert "Traceback" not in log
    assert rest[-1:] in {"", "\n"}
    seen += [json.loads(line) for line in rest.splitlines()]
    states = [m["value"] for m in seen if m["type"] == "STATE"]
    written = [m["record"]["RECORDNO"] for m in seen if m["type"] == "RECORD"]
    reading = states[-1]["bookmarks"]["gl_journal_entry_lines"]["reading"]
    assert reading["pass"] == "initial"
    assert reading["after"][0] in written
    (tmp_path / "state.json").write_text(json.dumps(states[-1]))
    sandbox.faults.clear()
    resumed = subprocess.run(
        [*COMMAND, *files, "--state", "state.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    messages = [json.loads(line) for line in resumed.stdout.splitlines()]
    again = [m["record"]["RECORDNO"] for m in messages if m["type"] == "RECORD"]
    assert min(again) > reading["after"][0]
    assert len(set(written) | set(again)) == 600


LINES_OF_COMPANY = 600


@contextmanager
def reading_slowly(
    config: dict[str, Any], folder: Path, **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], BinaryIO]]:
    """The tap, and the pipe that it has filled; a page is much longer than that."""
    catalog = shipped_catalog("gl_journal_entry_lines", config=config)
    (folder / "catalog.json").write_text(json.dumps(catalog))
    (folder / "config.json").write_text(json.dumps(config))
    out, into = os.pipe()
    running = subprocess.Popen(
        [*COMMAND, "--config=config.json", "--catalog=catalog.json"],
        cwd=folder,
        stdout=into,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "", **variables},
    )
    while select_files([], [into], [], 0)[1]:
        time.sleep(0.01)
    os.close(into)
    with running, os.fdopen(out, "rb") as pipe:
        yield running, pipe


def assert_interrupted(
    running: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    _, log = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert f"Interrupted by {number.name}" in log.decode().splitlines()[-1]


SIGNALS = pytest.mark.parametrize(
    "numbers",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]],
    ids=["int", "term", "both"],
)


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@SIGNALS
def test_signal_tears_no_line_that_a_slow_reader_takes(
    config: dict[str, Any],
    tmp_path: Path,
    unbuffered: str,
    numbers: list[signal.Signals],
) -> None:
    """Nor does it wait until all of the page is read."""
    variables = {"PYTHONUNBUFFERED": unbuffered}
    with reading_slowly(config, tmp_path, **variables) as (running, pipe):
        for number in numbers:
            running.send_signal(number)
        written = pipe.read()
        assert_interrupted(running, numbers[0])
    SCANNER.look_at(written, "what the tap wrote")
    assert written[-1:] == b"\n"
    messages = [json.loads(line) for line in written.splitlines()]
    records = [message for message in messages if message["type"] == "RECORD"]
    assert 0 < len(records) < LINES_OF_COMPANY / 2


def test_signal_ends_a_run_whose_target_reads_no_more(
    config: dict[str, Any], tmp_path: Path
) -> None:
    """As under Meltano, which keeps the pipe of a target that has ended."""
    with reading_slowly(config, tmp_path) as (running, pipe):
        running.send_signal(signal.SIGTERM)
        assert_interrupted(running, signal.SIGTERM)
        assert pipe.read()[-1:] == b"\n"


@SIGNALS
def test_signal_ends_a_run_whose_target_it_ended(
    config: dict[str, Any], tmp_path: Path, numbers: list[signal.Signals]
) -> None:
    """Ctrl-C reaches all of a pipeline."""
    with reading_slowly(config, tmp_path) as (running, pipe):
        for number in numbers:
            running.send_signal(number)
        pipe.close()
        assert_interrupted(running, numbers[0])


WAITS = {
    "an-answer": Fault(FaultKind.SLOW, function="query", times=None, seconds=30),
    "a-retry": Fault(FaultKind.CLOUDFLARE, function="query", times=None),
}


@pytest.mark.parametrize("wait", WAITS)
def test_signal_ends_a_run_that_waits(
    sandbox: Sandbox, tmp_path: Path, config: dict[str, Any], wait: str
) -> None:
    catalog = catalog_of(sandbox, "vendors")
    state = {
        "bookmarks": {"vendors": {"replication_key_value": "2026-01-30T00:00:00Z"}}
    }
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    (tmp_path / "config.json").write_text(json.dumps({**config, "max_retries": 3}))
    (tmp_path / "state.json").write_text(json.dumps(state))
    sandbox.faults.add(WAITS[wait])
    running = subprocess.Popen(
        [
            *COMMAND,
            "--config=config.json",
            "--catalog=catalog.json",
            "--state=state.json",
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    lines = [running.stdout.readline() for _ in range(2)]
    SCANNER.look_at("".join(lines), "what the tap wrote")
    first = [json.loads(line) for line in lines]
    assert [message["type"] for message in first] == ["STATE", "SCHEMA"]
    # Until the call is on its way, which nothing outside the tap tells.
    time.sleep(0.7)
    running.send_signal(signal.SIGTERM)
    rest, _ = running.communicate(timeout=5)
    assert running.returncode == 128 + signal.SIGTERM
    assert first[0]["value"] == state
    assert rest == ""


def test_discovery_refuses_a_wrong_setting_in_one_line(tap: Tap) -> None:
    finished = tap("--discover", paging="backwards", user_password=None)
    assert finished.returncode == 1
    assert "paging: 'backwards' is not one of" in last_line(finished)
    assert "Traceback" not in finished.stderr
