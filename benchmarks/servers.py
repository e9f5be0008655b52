"""Starts the servers in processes of their own, and talks to them."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

from benchmarks.process import ENVIRONMENT

ROOT = Path(__file__).parent.parent
PREFIX = "export TAP_SAGE_INTACCT_"
SANDBOX = (sys.executable, "-m", "intacct_sandbox.cli")

# Past whatever proxy the machine has.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Heard:
    """What the page server heard of one run.

    Attributes:
        first: monotonic time of the first request; None if there was none.
        most_at_once: the largest number of requests in flight.
    """

    calls: Counter[str]
    first: float | None
    most_at_once: int


@dataclass(frozen=True)
class Pages:
    """The page server, from the outside."""

    url: str

    def set_answers(self, *, rows: int, latency_seconds: float = 0.0) -> None:
        """How many rows there are from now on, and how long each call takes."""
        answers = {"rows": rows, "latency_seconds": latency_seconds}
        self._ask("/answers", "PUT", json.dumps(answers).encode())

    def heard(self) -> Heard:
        """What was asked since the answers were set.

        Raises:
            RuntimeError: something that the server does not understand.
        """
        heard = self._ask("/heard", "GET")
        if heard["refused"]:
            raise RuntimeError(f"Not understood: {heard['refused'][0]}")
        return Heard(Counter(heard["calls"]), heard["first"], heard["most_at_once"])

    def _ask(self, path: str, method: str, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own address
            urljoin(self.url, path), data=body, method=method
        )
        with _OPENER.open(request) as answer:
            said: dict[str, Any] = json.load(answer)
        return said


@contextmanager
def page_server(pool: int) -> Iterator[Pages]:
    """A page server with so many distinct rows."""
    command = [sys.executable, "-m", "benchmarks.page_server", "--pool", str(pool)]
    with _serving(command) as lines:
        yield Pages(next(lines).strip())


@dataclass(frozen=True)
class Company:
    """A sandboxed company that is being served.

    Attributes:
        settings: with which a tap signs in.
    """

    file: Path
    settings: dict[str, str]

    def change(self, share: float) -> None:
        """Let a day of business pass in which this share of the rows changes."""
        command = [*SANDBOX, "change", "--company-file", str(self.file)]
        subprocess.run(
            [*command, "--share", str(share)],
            check=True,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def company(file: Path, journal_lines: int) -> Iterator[Company]:
    """A new company, served by the sandbox's own command."""
    command = [*SANDBOX, "serve", "--port", "0", "--company-file", str(file)]
    with _serving([*command, "--scale", str(journal_lines)]) as lines:
        settings: dict[str, str] = {}
        while "api_url" not in settings:
            name, _, value = next(lines).removeprefix(PREFIX).partition("=")
            settings[name.lower()] = "".join(shlex.split(value))
        settings = {name: value for name, value in settings.items() if value}
        yield Company(file, settings)


@contextmanager
def _serving(command: list[str]) -> Iterator[IO[str]]:
    """A server and the lines that it prints; it ends with the block."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        if server.stdout is None:
            raise RuntimeError("There is no pipe.")
        try:
            yield server.stdout
        finally:
            server.terminate()
