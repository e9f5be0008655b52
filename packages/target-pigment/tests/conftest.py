"""What the tests share: a clock that never waits, and a server that answers as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from leaks import LeakScanner
from typing_extensions import override

from target_pigment.pigment.limits import Clock
from target_pigment.singer.target import TargetPigment

CONFIGURATION = "33d0d7d0-1111-4222-8333-444455556666"
NO_IMPORT = "00000000-0000-0000-0000-000000000000"
KEY = "pigment-import-key-of-the-tests"
METADATA_KEY = "pigment-metadata-key-of-the-tests"


def pytest_configure(config: pytest.Config) -> None:
    """No test may let a key out."""
    scanner = LeakScanner(KEY, METADATA_KEY, inputs={"config.json"})
    config.pluginmanager.register(scanner, "leaks")


@dataclass
class FakeTime:
    seconds: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def sleep(self, pause: float) -> None:
        self.pauses.append(pause)
        self.seconds += pause

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self.sleep)


@pytest.fixture
def time_passed(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr(TargetPigment, "clock", fake.clock)
    return fake


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    resets: bool = False


def accepted() -> Answer:
    return Answer(body=json.dumps({"importId": str(uuid4())}))


def status(word: str, report: dict[str, Any] | None = None, **more: Any) -> Answer:
    found = {"importStatus": word, "detailedReport": report, **more}
    return Answer(body=json.dumps(found))


def report(inserted: int = 0, skipped: int = 0, **block: Any) -> dict[str, Any]:
    return {
        "summary": {"insertedCount": inserted, "skippedCount": skipped},
        "impactedBlocks": [block] if block else [],
    }


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Script:
    """A server that gives one answer after the other, the last one for ever."""

    def __init__(self) -> None:
        self.pushes: list[Answer] = [accepted()]
        self.statuses: list[Answer] = [status("Completed", report(1))]
        self.listings: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self.url = ""

    def next_answer(self, method: str, path: str) -> Answer:
        if path in self.listings:
            return self.listings[path]
        answers = self.pushes if method == "POST" else self.statuses
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def lists(self, path: str, *rows: dict[str, Any]) -> None:
        """Let the Metadata API answer so to this path and query."""
        self.listings[f"/api/v1/{path}"] = Answer(body=json.dumps(rows))

    @property
    def bodies(self) -> list[bytes]:
        return [r.body for r in self.requests if r.method == "POST"]


@pytest.fixture
def script() -> Iterator[Script]:
    told = Script()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if NO_IMPORT in self.path:
                # The look at the key before a run, which the scripts leave out.
                self.send_error(404)
                return
            told.requests.append(
                Request(self.command, self.path, dict(self.headers), body)
            )
            answer = told.next_answer(self.command, self.path)
            if answer.resets:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body.encode())))
            self.end_headers()
            self.wfile.write(answer.body.encode())

        do_GET = do_POST = _answer  # noqa: N815

        @override
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield told
        server.shutdown()
        thread.join()


def stream(**more: Any) -> dict[str, Any]:
    return {
        "configuration_id": CONFIGURATION,
        "load_mode": "upsert",
        "columns": ["id", "name"],
        **more,
    }


def config(url: str = "http://127.0.0.1:9", **more: Any) -> dict[str, Any]:
    return {"api_key": KEY, "base_url": url, "streams": {"s": stream()}, **more}


def schema(name: str = "s", /, keys: tuple[str, ...] = ("id",), **types: Any) -> str:
    properties = types or {"id": {"type": "integer"}, "name": {}}
    return json.dumps(
        {
            "type": "SCHEMA",
            "stream": name,
            "key_properties": keys,
            "schema": {"type": "object", "properties": properties},
        }
    )


def record(name: str = "s", /, version: int | None = None, **values: Any) -> str:
    message = {"type": "RECORD", "stream": name, "record": values}
    return json.dumps(message if version is None else {**message, "version": version})


def state(**value: Any) -> str:
    return json.dumps({"type": "STATE", "value": value})


def whole(*names: str) -> str:
    """What a tap of the SDK says after a full table: nothing of it is remembered."""
    return state(bookmarks={name: {} for name in names or ("s",)})


def activate(version: int, name: str = "s") -> str:
    return json.dumps({"type": "ACTIVATE_VERSION", "stream": name, "version": version})


def run(settings: dict[str, Any], *lines: str) -> None:
    TargetPigment(config=settings).listen(iter(lines))  # type: ignore[arg-type]
