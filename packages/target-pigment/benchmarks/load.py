"""How fast, and in how much memory, a large upsert stream is loaded.

Ledger rows are made on the fly and piped into a real `target-pigment` process, which
pushes them to a server that counts lines and keeps nothing:

    python benchmarks/load.py --rows 1000000 --columns 25
    python benchmarks/load.py --rows 1100000 --streams 22
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from typing_extensions import override

CONFIGURATION = "33d0d7d0-1111-4222-8333-444455556666"
STREAM = "general_ledger_details"
PIECE = 1 << 16

_FIXED: dict[str, tuple[dict[str, Any], Any]] = {
    "ACCOUNTTITLE": ({"type": ["string", "null"]}, "Trade receivables, domestic"),
    "DEPARTMENTID": ({"type": ["string", "null"]}, "0100"),
    "LOCATIONID": ({"type": ["string", "null"]}, "Zürich"),
    "ENTRY_DATE": ({"type": ["string", "null"], "format": "date"}, "2025-06-30"),
    "WHENMODIFIED": (
        {"type": ["string", "null"], "format": "date-time"},
        "2025-07-01T08:15:30Z",
    ),
    "STATISTICAL": ({"type": ["boolean", "null"]}, False),
    "EXCHANGERATE": ({"type": ["number", "null"]}, 1.0825),
    "LINE_NO": ({"type": ["integer", "null"]}, 3),
    "PROJECTID": ({"type": ["string", "null"]}, None),
}
"""Columns whose value is the same in each row, so that making rows costs little."""


def fixed_columns(count: int) -> dict[str, tuple[dict[str, Any], Any]]:
    """So many of them, the kinds in turn."""
    kinds = list(_FIXED.items())
    return {
        name if n < len(kinds) else f"{name}_{n // len(kinds)}": column
        for n in range(count)
        for name, column in [kinds[n % len(kinds)]]
    }


def stream_names(count: int) -> list[str]:
    """So many names."""
    return [STREAM, *(f"{STREAM}_{n}" for n in range(1, count))]


def messages(rows: int, columns: int, streams: int) -> Iterator[bytes]:
    """Streams of so many rows together, then STATE."""
    for name in stream_names(streams):
        yield from stream_messages(name, rows // streams, columns)
    yield b'{"type": "STATE", "value": {"at": 1}}\n'


def stream_messages(stream: str, rows: int, columns: int) -> Iterator[bytes]:
    """SCHEMA, and so many RECORDs of so many columns; a row in 100 comes twice."""
    fixed = fixed_columns(columns - 3)
    properties = {
        "RECORDNO": {"type": "string"},
        "AMOUNT": {"type": "number"},
        "DESCRIPTION": {"type": ["string", "null"]},
        **{name: schema for name, (schema, _) in fixed.items()},
    }
    schema = {"type": "object", "properties": properties}
    head = {"type": "SCHEMA", "stream": stream, "key_properties": ["RECORDNO"]}
    yield json.dumps({**head, "schema": schema}).encode() + b"\n"
    rest = json.dumps({name: value for name, (_, value) in fixed.items()})[1:]
    for number in range(rows):
        key = number - 50 if number % 100 == 99 else number  # noqa: PLR2004
        yield (
            f'{{"type": "RECORD", "stream": "{stream}", "record": {{"RECORDNO": "{key}", '
            f'"AMOUNT": {number % 90_000}.{number % 100:02}, "DESCRIPTION": '
            f'"Invoice {number}, \\"net\\" 30", {rest}}}\n'
        ).encode()


@dataclass
class Received:
    """What the server was sent."""

    url: str = ""
    rows: int = 0
    bytes: int = 0
    imports: dict[str, int] = field(default_factory=dict)


@contextmanager
def server() -> Iterator[Received]:
    """Takes every push for an import of all its rows, done at once."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            left = int(self.headers["Content-Length"])
            received.bytes += left
            lines = 0
            while left:
                piece = self.rfile.read(min(left, PIECE))
                left -= len(piece)
                lines += piece.count(b"\n")
            import_id = str(uuid4())
            received.imports[import_id] = lines - 1
            received.rows += lines - 1
            self._answer({"importId": import_id})

        def do_GET(self) -> None:
            rows = received.imports.get(self.path.split("/")[-2])
            if rows is None:
                self.send_error(404)
                return
            summary = {"insertedCount": rows}
            report = {"summary": summary, "impactedBlocks": []}
            self._answer({"importStatus": "Completed", "detailedReport": report})

        def _answer(self, found: dict[str, Any]) -> None:
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        received.url = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield received
        running.shutdown()


def settings(url: str, columns: int, streams: int) -> dict[str, Any]:
    """Upserts of all columns."""
    names = ["RECORDNO", "AMOUNT", "DESCRIPTION", *fixed_columns(columns - 3)]
    entry = {
        "configuration_id": CONFIGURATION,
        "load_mode": "upsert",
        "columns": names,
    }
    entries = dict.fromkeys(stream_names(streams), entry)
    return {"api_key": "benchmark", "base_url": url, "streams": entries}


def feed(pipe: IO[bytes], rows: int, columns: int, streams: int) -> None:
    """Write all messages, and close."""
    with pipe:
        pipe.writelines(messages(rows, columns, streams))


def peak_megabytes(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process, and tell the most memory that it held.

    Raises:
        SystemExit: it failed.
    """
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"target-pigment ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit / 1_000_000


def measure(rows: int, columns: int, streams: int, directory: Path) -> str:
    """One run, as one line."""
    with server() as received:
        config = directory / "config.json"
        config.write_text(json.dumps(settings(received.url, columns, streams)))
        executable = Path(sys.executable).with_name("target-pigment")
        started = time.monotonic()
        process = subprocess.Popen(
            [executable, "--config", config],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        if process.stdin is None:
            raise SystemExit("no pipe")
        feed(process.stdin, rows, columns, streams)
        fed = time.monotonic()
        peak = peak_megabytes(process)
        ended = time.monotonic()
    return (
        f"{rows} rows of {columns} columns in {streams} streams: "
        f"{rows / (ended - started):.0f} rows/s "
        f"({fed - started:.1f} s to read, {ended - fed:.1f} s to push "
        f"{received.rows} rows, {received.bytes / 1e6:.0f} MB, in "
        f"{len(received.imports)} imports); peak {peak:.0f} MB"
    )


def main() -> None:
    """Measure once, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=25, help="3 or more")
    parser.add_argument("--streams", type=int, default=1, help="share the rows")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        print(measure(given.rows, given.columns, given.streams, Path(directory)))


if __name__ == "__main__":
    main()
