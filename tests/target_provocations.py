"""How each message of the target that docs/errors.md shows comes about."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox.loopback import LoopbackServer
from intacct_sandbox.pigment import (
    ImportColumn,
    PigmentFault,
    PigmentSandbox,
    PropertyType,
    UnknownItem,
    Workspace,
)
from target_pigment.command import main
from target_pigment.pigment.limits import Clock
from target_pigment.rows import csv_file
from target_pigment.singer.target import TargetPigment
from tests.provoking import Provocation, Told, process_kept, told

COMMAND = [sys.executable, "-c", "from target_pigment.command import main; main()"]
UUID = "33d0d7d0-1111-4222-8333-444455556666"


def schema(name: str = "s", /, keys: tuple[str, ...] = ("id",), **fields: Any) -> str:
    """A SCHEMA line."""
    properties = fields or {"id": {"type": "integer"}, "name": {}}
    message = {"type": "SCHEMA", "stream": name, "key_properties": keys}
    return json.dumps({**message, "schema": {"properties": properties}})


def record(name: str = "s", /, **values: Any) -> str:
    """A RECORD line."""
    return json.dumps({"type": "RECORD", "stream": name, "record": values})


def ruled(**rule: Any) -> str:
    """A SCHEMA line with a rule for whole records."""
    message = {"type": "SCHEMA", "stream": "s", "key_properties": ["id"]}
    schema = {"properties": {"id": {}, "name": {}}, **rule}
    return json.dumps({**message, "schema": schema})


def state(**value: Any) -> str:
    """A STATE line."""
    return json.dumps({"type": "STATE", "value": value})


# As a tap of the SDK after a full table: nothing of it is remembered.
ROW = (schema(), record(id=1, name="a"), state(bookmarks={"s": {}}))


@dataclass
class TargetScene:
    """The workspace, and the load that is to go wrong in it.

    Attributes:
        chosen: the settings of the one stream `s`.
        lines: what the tap says.
        file: what the settings file holds; None for the settings.
        asked: the settings file that the command names.
        reads_environment: whether variables are read as well.
        ends_by: what the run is sent while it waits for more; then it runs in a
            process of its own.
        closing: is closed with the scene.
    """

    closing: ExitStack
    workspace: Workspace
    sandbox: PigmentSandbox
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    settings: dict[str, Any] = field(default_factory=dict)
    chosen: dict[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ROW
    file: bytes | None = None
    asked: str = "config.json"
    reads_environment: bool = False
    ends_by: signal.Signals | None = None

    def __post_init__(self) -> None:
        """A list per load mode, and the settings to upsert into one."""
        columns = [ImportColumn("id"), ImportColumn("name")]
        self.ids = {
            "append": self.workspace.add_list("append", columns).id,
            "upsert": self.workspace.add_list("upsert", columns, unique="id").id,
            "replace": self.workspace.add_list("replace", columns, clear="all").id,
        }
        self.mode("upsert")
        self.chosen["columns"] = ["id", "name"]
        known = {"api_key": self.sandbox.import_key, "base_url": self.sandbox.url}
        self.settings = {**known, "streams": {"s": self.chosen}, **self.settings}

    def mode(self, word: str) -> None:
        """Load so, into a list that is made for it."""
        self.chosen.update(load_mode=word, configuration_id=self.ids[word])

    def run(self, caplog: pytest.LogCaptureFixture) -> Told:
        """Run the command."""
        settings = json.dumps(self.settings).encode()
        content = settings if self.file is None else self.file
        (self.folder / "config.json").write_bytes(content)
        (self.folder / "lines.jsonl").write_text("\n".join(self.lines))
        arguments = ["--config", str(self.folder / self.asked)]
        if self.ends_by is not None:
            return self._run_apart(arguments, self.ends_by)
        if self.reads_environment:
            arguments.append("--config=ENV")
        arguments += ["--input", str(self.folder / "lines.jsonl")]
        self.monkeypatch.setattr("sys.argv", ["target-pigment", *arguments])
        caplog.clear()
        caplog.set_level(logging.INFO)
        with process_kept(), pytest.raises(SystemExit) as ended:
            main()
        return told(ended.value.code, caplog)

    def _run_apart(self, arguments: list[str], number: signal.Signals) -> Told:
        running = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stdin is not None
        running.stdin.write(f"{self.lines[0]}\n")
        running.stdin.flush()
        until = time.monotonic() + 20
        while not self.sandbox.requests and time.monotonic() < until:
            time.sleep(0.02)
        running.send_signal(number)
        _, log = running.communicate(timeout=20)
        return Told(running.returncode, log.splitlines()[-1:], [])


Prepare = Callable[[TargetScene], object]


@contextmanager
def target_scene(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TargetScene]:
    """A scene in which waiting takes no time."""
    passed = [0.0]
    clock = Clock(lambda: passed[0], lambda pause: passed.append(passed.pop() + pause))
    monkeypatch.setattr(TargetPigment, "clock", clock)
    with ExitStack() as stack:
        workspace = Workspace()
        stack.callback(workspace.close)
        sandbox = PigmentSandbox(workspace, now=clock.now, sleep=clock.sleep)
        stack.enter_context(sandbox)
        yield TargetScene(stack, workspace, sandbox, folder, monkeypatch)


def settings(**given: Any) -> Prepare:
    """Load with these."""
    return lambda scene: scene.settings.update(given)


def chosen(**given: Any) -> Prepare:
    """Load the stream with these."""
    return lambda scene: scene.chosen.update(given)


def lines(*given: str) -> Prepare:
    """Let the tap say this."""

    def prepare(scene: TargetScene) -> None:
        scene.lines = given

    return prepare


def file(content: bytes) -> Prepare:
    """Let the settings file hold this."""

    def prepare(scene: TargetScene) -> None:
        scene.file = content

    return prepare


def no_file(scene: TargetScene) -> None:
    """Name a settings file that is not there."""
    scene.asked = "missing.json"


def variable(name: str, text: str) -> Prepare:
    """Set a variable of the environment."""

    def prepare(scene: TargetScene) -> None:
        scene.monkeypatch.setenv(f"TARGET_PIGMENT_{name}", text)
        scene.reads_environment = True

    return prepare


def full_disk(scene: TargetScene) -> None:
    """Let SQLite have no room for more than a few pages."""
    pragmas = (*csv_file._PRAGMAS, "max_page_count = 3")  # noqa: SLF001
    scene.monkeypatch.setattr(csv_file, "_PRAGMAS", pragmas)
    rows = [record(id=n, name="a" * 2_000) for n in range(9)]
    scene.lines = (schema(), *rows)


def no_folder(scene: TargetScene) -> None:
    """Let there be no place for temporary files."""
    scene.monkeypatch.setattr(tempfile, "tempdir", str(scene.folder / "none"))


def full_output(scene: TargetScene) -> None:
    """Let nothing be written to the output."""
    # What could not be written is tried again when it closes.
    scene.closing.enter_context(suppress(OSError))
    output = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115  it is below
    full = scene.closing.enter_context(output)
    scene.monkeypatch.setattr("sys.stdout", full)


def broken_clock(scene: TargetScene) -> None:
    """Let the clock fail as nobody foresees."""
    clock = Clock(lambda: 1 / 0, lambda _: None)
    scene.monkeypatch.setattr(TargetPigment, "clock", clock)


def mode(word: str) -> Prepare:
    """Load in this mode."""
    return lambda scene: scene.mode(word)


def fault(kind: PigmentFault, *, on: str = "push", times: int = 1) -> Prepare:
    """Let the sandbox do this."""
    return lambda scene: scene.sandbox.faults.add(kind, times=times, on=on)


def switched(**given: Any) -> Prepare:
    """Let the sandbox behave so."""

    def prepare(scene: TargetScene) -> None:
        scene.sandbox.switches = replace(scene.sandbox.switches, **given)

    return prepare


def first(*steps: Prepare) -> Prepare:
    """One after the other."""

    def prepare(scene: TargetScene) -> None:
        for step in steps:
            step(scene)

    return prepare


def ahead(**given: Any) -> Prepare:
    """Look ahead with the metadata key."""

    def prepare(scene: TargetScene) -> None:
        scene.settings.update({"metadata_api_key": scene.sandbox.metadata_key, **given})

    return prepare


def typed(kind: str, value: Any) -> Prepare:
    """A column of a type, and a value for it."""
    columns = ["id", {"name": "name", "type": kind}]
    row = (schema(), record(id=1, name=value), state(at=1))
    return first(chosen(columns=columns), lines(*row))


def instead(status: int, body: str = "", **headers: str) -> Prepare:
    """Let another server answer each push so."""
    return served(lambda _: (404, "", {}), (status, body, headers))


Answer = tuple[int, str, dict[str, str]]
ACCEPTED: Answer = (200, json.dumps({"importId": UUID}), {})


def completed(inserted: int) -> Callable[[str], Answer]:
    """Every import is done, with these counts."""
    summary = {"insertedCount": inserted, "skippedCount": 0}
    body = {"importStatus": "Completed", "detailedReport": {"summary": summary}}
    return lambda _: (200, json.dumps(body), {})


def expiring(path: str) -> Answer:
    """The key is good before the push, and no longer after it."""
    return (401 if UUID in path else 404), "", {}


def metric(path: str) -> Answer:
    """Every configuration leads to a metric."""
    if "status" in path:
        return completed(1)(path)
    row = {"id": UUID, "name": "Sales", "type": "Metric"}
    return 200, json.dumps([row]), {}


def served(get: Callable[[str], Answer], push: Answer = ACCEPTED) -> Prepare:
    """Load into a server that looks like Pigment and answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*get(self.path))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send(*push)

        def _send(self, code: int, text: str, more: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing: a test's log is the target's."""

    def prepare(scene: TargetScene) -> None:
        server = LoopbackServer(Handler)
        server.start()
        scene.closing.callback(server.stop)
        scene.settings["base_url"] = server.origin
        scene.chosen["configuration_id"] = UUID

    return prepare


def two_ways_to_one_block(scene: TargetScene) -> None:
    """Two streams, two configurations, one list that one of them empties."""
    other = scene.workspace.add_configuration(
        "other", scene.workspace.list_named("replace")
    )
    scene.mode("replace")
    more = {**scene.chosen, "load_mode": "upsert", "configuration_id": other.id}
    scene.settings["streams"] = {"s": scene.chosen, "t": more}
    ahead()(scene)
    scene.lines = (*ROW[:2], schema("t"), record("t", id=1, name="a"), ROW[2])


def unknown_item(scene: TargetScene, found: UnknownItem) -> None:
    """Name an item that its dimension does not have."""
    scene.workspace.add_list("names", [ImportColumn("name")], unique="name")
    column = ImportColumn("name", PropertyType.DIMENSION, "names")
    made = scene.workspace.add_list(
        "facts", [ImportColumn("id"), column], unique="id", unknown_item=found
    )
    scene.chosen["configuration_id"] = made.id


def after_an_append(scene: TargetScene) -> None:
    """Fail after rows of another stream were appended."""
    append = {**scene.chosen, "load_mode": "append"}
    append.update(configuration_id=scene.ids["append"], order=0)
    scene.chosen["order"] = 1
    scene.settings["streams"] = {"t": append, "s": scene.chosen}
    scene.lines = (schema("t"), record("t", id=1, name="a"), *ROW)
    scene.sandbox.faults.add(PigmentFault.RESET_BEFORE, on="push", after=1, times=9)


def interrupted(scene: TargetScene) -> None:
    """End the run before the tap has ended."""
    scene.ends_by = signal.SIGTERM


def by_glob(scene: TargetScene) -> None:
    """Two streams that one pattern leads to the same list."""
    scene.mode("replace")
    scene.settings["streams"] = {"*": scene.chosen}
    scene.lines = (schema(), schema("t"))


MARK = {"_sdc_deleted_at": "2026-01-31T00:00:00Z"}
ACTIVATE = json.dumps({"type": "ACTIVATE_VERSION", "stream": "s", "version": 1})

SETTINGS = [
    ("target-key-missing", settings(api_key=None), ""),
    ("target-key-character", settings(api_key="two words"), ""),
    ("target-application", settings(application_id="Finance"), ""),
    ("target-base-url", settings(base_url="https://[x"), "is not an address"),
    ("target-base-url", settings(base_url="http://pigment.app"), "must begin"),
    ("target-base-url", settings(base_url="https://a:b@pigment.app"), "no user"),
    ("target-base-url", settings(base_url="https://pigment.app/api"), "no path"),
    ("target-csv", settings(csv={"timezone": "Mars/Base"}), "timezone"),
    ("target-csv", settings(csv={"bom": True, "encoding": "iso-8859-1"}), "bom"),
    ("target-csv", settings(csv={"true_value": "x", "false_value": "x"}), "differ"),
    ("target-streams-empty", settings(streams={}), ""),
    ("target-stream-incomplete", chosen(configuration_id=""), "id is missing"),
    ("target-stream-incomplete", lambda s: s.chosen.pop("load_mode"), "load_mode"),
    ("target-stream-incomplete", chosen(columns=[]), "columns is"),
    ("target-configuration-shape", chosen(configuration_id="cfg_1"), ""),
    ("target-columns-twice", chosen(columns=["a", "a"]), "names '"),
    ("target-columns-twice", chosen(columns=["a", {"name": "b", "header": "a"}]),
     "the header"),
    ("target-null-values", chosen(null_values={"z": ""}), ""),
    ("target-deletions-column", chosen(deleted_records="include"), ""),
    ("target-configuration-shared", lambda s: s.settings.update(streams={
        "a": {**s.chosen, "load_mode": "replace"}, "b": s.chosen}), "several streams"),
    ("target-configuration-shared", by_glob, "would clear"),
]  # fmt: skip

FILES = [
    ("target-settings-file", no_file, "be read"),
    ("target-settings-file", file(b"\xff"), "UTF-8"),
    ("target-settings-file", file(b"{"), "line …"),
    ("target-settings-file", file(b"[]"), "object"),
    ("target-variable", variable("DRY_RUN", "yess"), ""),
]

INPUT = [
    ("target-broken-line", lines(schema(), '{"type": "REC'), "no JSON;"),
    ("target-broken-line", lines(schema(), "[1]"), "no JSON object"),
    ("target-batch", lines(schema(), json.dumps({
        "type": "BATCH", "stream": "s", "encoding": {}, "manifest": []})), ""),
    ("target-record-without-schema", lines(record(id=1)), ""),
    ("target-message-unknown", lines('{"type": "LOG"}'), "a type"),
    ("target-message-unknown", lines('{"type": "RECORD", "stream": "s"}'), "usable"),
    ("target-schema-invalid", lines(schema(id={"type": "txt"})), "no JSON schema"),
    ("target-schema-invalid", lines(
        '{"type": "SCHEMA", "stream": "s", "schema": {}}'), "no properties"),
    ("target-record-invalid", lines(schema(), record(id="x")), "where SCHEMA says"),
    ("target-record-invalid", lines(
        schema(id={"maximum": 3}, name={}), record(id=4)), "field … holds … that"),
    ("target-record-invalid", lines(
        ruled(required=["name"]), record(id=4)), "requires"),
    ("target-record-invalid", lines(
        ruled(minProperties=2), record(id=4)), "a record breaks"),
    ("target-record-date", lines(schema(
        id={}, name={"type": "string", "format": "date"}), record(id=1, name="x")), ""),
    ("target-record-without-key", lines(schema(), record(name="x"), ROW[2]), ""),
    ("target-map-failed", settings(stream_maps={"s": {"name": "float(name)"}}), ""),
    ("target-disk", full_disk, "be kept"),
    ("target-disk", no_folder, "go on"),
    ("target-state-unwritten", full_output, ""),
    ("target-unexpected", broken_clock, ""),
    ("target-stream-unmapped", lines(schema("t")), "; add it"),
    ("target-key-changed", lines(*ROW, schema(keys=("name",))), ""),
    ("target-upsert-key", chosen(columns=["name"]), ""),
    ("target-columns-missing", chosen(columns=["id", "more"]), ""),
    ("target-fields-new", first(chosen(columns=["id"]),
        settings(on_new_field="fail")), ""),
    ("target-deletion", lines(schema(), record(id=1, **MARK), ROW[2]), ""),
    ("target-value", typed("boolean", "perhaps"), "neither true nor false"),
    ("target-value", typed("number", "many"), "is no number"),
    ("target-value", typed("number", "Infinity"), "no finite"),
    ("target-value", typed("integer", 1.5), "a fraction"),
    ("target-key-missing-value", lines(
        schema(id={}, name={}), record(id=None, name="a")), ""),
    ("target-keys-alike", lines(schema(id={}, name={}), record(id=1), record(id="1")), ""),
    ("target-value", typed("date", 5), "is no date"),
    ("target-value", typed("date", "soon"), "no ISO 8601"),
    ("target-value", first(settings(csv={"newlines": "fail"}), typed("text", "a\nb")),
     "a line break"),
    ("target-character", first(settings(csv={"encoding": "iso-8859-1"}),
        typed("text", "\u20ac")), ""),
]  # fmt: skip

REFUSED = [
    ("target-append-open", first(mode("append"), lines(*ROW[:2])), ""),
    ("target-replace-incremental", first(mode("replace"), lines(*ROW[:2], state(
        bookmarks={"s": {"replication_key_value": "2026-01-01"}}))), ""),
    ("target-replace-open", first(mode("replace"), lines(*ROW, ROW[1])), ""),
    ("target-replace-resumed", first(mode("replace"), lines(state(
        bookmarks={"s": {"reading": {"after": [3]}}}), *ROW)), ""),
    ("target-replace-empty", first(mode("replace"), lines(ROW[0], ROW[2])), ""),
    ("target-replace-large", first(mode("replace"), settings(max_bytes_per_push=5)), ""),
    ("target-preflight-configuration", first(
        ahead(), chosen(configuration_id=UUID)), ""),
    ("target-preflight-block", two_ways_to_one_block, ""),
    ("target-preflight-key", settings(metadata_api_key="wrong"), ""),
    ("target-preflight-answer", ahead(application_id=UUID), ""),
]  # fmt: skip

PIGMENT = [
    ("pigment-unreachable", settings(base_url="http://127.0.0.1:9"), ""),
    ("pigment-certificate", lambda s: s.settings.update(
        base_url=s.settings["base_url"].replace("http:", "https:")), ""),
    ("pigment-key", settings(api_key="wrong"), ""),
    ("pigment-configuration", chosen(configuration_id=UUID), ""),
    ("pigment-file-refused", switched(size_limit_bytes=5), ""),
    ("pigment-redirect", instead(302, Location="https://elsewhere.example/x"), ""),
    ("pigment-refused", instead(418), ""),
    ("pigment-no-import", instead(200, "{}"), ""),
    ("pigment-answer-lost", first(mode("append"), fault(PigmentFault.RESET_AFTER)), ""),
    ("pigment-gave-up", fault(PigmentFault.HTTP_503, times=9), ""),
    ("pigment-limit", switched(pushes_per_hour=0), "300 pushes"),
    ("pigment-limit", switched(requests_per_window=0), "500 requests"),
    ("pigment-still-running", fault(PigmentFault.STUCK), ""),
    ("pigment-status-refused", served(expiring), ""),
    ("pigment-status-lost", fault(PigmentFault.STATUS_404, on="status", times=9), ""),
    ("pigment-import-failed", fault(PigmentFault.FAILED), ""),
    ("pigment-report-missing", switched(detailed_report="null"), ""),
    ("pigment-rows-skipped", switched(write_denied=frozenset({"a"})), ""),
    ("pigment-defaulted", first(lambda s: unknown_item(s, UnknownItem.NULL),
        settings(fail_on_defaulted=True)), ""),
    ("pigment-doubling", after_an_append, ""),
]  # fmt: skip

WARNINGS = [
    ("target-stream-unmapped", first(lines(*ROW, schema("t")),
        settings(on_unmapped_stream="warn")), "; left out"),
    ("target-fields-unsent", lines(
        schema(id={}, name={}, more={}), record(id=1, name="a"), ROW[2]), ""),
    ("target-column-absent", lines(schema(), record(id=1), ROW[2]), ""),
    ("target-version-ignored", lines(*ROW, ACTIVATE), ""),
    ("target-deletions-dropped", first(settings(deleted_records="drop"),
        lines(schema(), record(id=1, **MARK), ROW[2])), ""),
    ("target-preflight-cells", first(served(metric), ahead()), ""),
    ("pigment-retry", fault(PigmentFault.HTTP_503), ""),
    ("pigment-waiting", switched(requests_per_window=2), ""),
    ("pigment-counts", served(completed(7)), ""),
    ("pigment-items-created", lambda s: unknown_item(s, UnknownItem.CREATE), ""),
]  # fmt: skip

WARNED_BEFORE = [
    ("pigment-status-unknown", fault(PigmentFault.UNKNOWN_STATUS), ""),
    ("pigment-report-lost", lambda s: s.sandbox.faults.add(
        PigmentFault.STATUS_404, after=3, times=9), ""),
]  # fmt: skip

TARGET_PROVOCATIONS: list[Provocation[TargetScene]] = [
    *(
        Provocation(entry, prepare, words)
        for entry, prepare, words in (*SETTINGS, *FILES, *INPUT, *REFUSED, *PIGMENT)
    ),
    *(Provocation(entry, prepare, words, code=0) for entry, prepare, words in WARNINGS),
    *(
        Provocation(entry, prepare, words, warns=True)
        for entry, prepare, words in WARNED_BEFORE
    ),
    Provocation("target-interrupted", interrupted, code=128 + signal.SIGTERM),
]
