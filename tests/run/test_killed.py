"""SIGKILL at random instants: what stands on disk is enough to go on from, and no more.

The tap writes into a file, as into a target that keeps every line it was given. What was
written when the kill came counts, up to its last whole line; the next run starts from the
last STATE among it.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox
from tests.loading import ROADS, Loader, as_json, parse

pytestmark = pytest.mark.long

KILLS = 50
STREAM, OBJECT = "gl_journal_entry_lines", "GLENTRY"
PAGE = 25
LONGEST_DELAY_SECONDS = 0.06
COMMAND = [sys.executable, "-m", "tap_sage_intacct"]


@dataclass
class Target:
    """A folder that holds what the tap wrote, and the table that it makes up."""

    folder: Path
    catalog: dict[str, Any]
    config: dict[str, Any]
    table: dict[int, dict[str, Any]] = field(default_factory=dict)
    state: dict[str, Any] | None = None
    records: int = 0

    def run(self, started: Callable[[subprocess.Popen[bytes]], None]) -> int:
        """Run the tap on the last state; returns the exit code."""
        (self.folder / "config.json").write_text(json.dumps(self.config))
        (self.folder / "catalog.json").write_text(json.dumps(self.catalog))
        arguments = ["--config", "config.json", "--catalog", "catalog.json"]
        if self.state is not None:
            (self.folder / "state.json").write_text(json.dumps(self.state))
            arguments += ["--state", "state.json"]
        output = self.folder / "output.jsonl"
        with output.open("wb") as lines:
            process = subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=self.folder,
                stdout=lines,
                stderr=subprocess.PIPE,
            )
            started(process)
            _, log = process.communicate(timeout=60)
        text = output.read_text()
        # Where the interpreter is about to end, it no longer handles signals itself.
        terminated = {128 + signal.SIGTERM, -signal.SIGTERM}
        if process.returncode in terminated:
            assert text[-1:] in {"", "\n"}, "a line is torn"
        else:
            assert process.returncode in {0, -signal.SIGKILL}, log.decode()[-2000:]
        self._take(text)
        return process.returncode

    def _take(self, text: str) -> None:
        whole, _, _torn = text.rpartition("\n")
        for line in whole.splitlines():
            message = parse(line)
            if message["type"] == "RECORD":
                self.records += 1
                self.table[message["record"]["RECORDNO"]] = message["record"]
            elif message["type"] == "STATE":
                self.state = message["value"]


class Killer:
    """Sends the tap a signal, a moment after it made its n-th call."""

    def __init__(
        self, sandbox: Sandbox, number: signal.Signals, call: int, delay: float
    ) -> None:
        self._number = number
        self._countdown = call
        self._delay = delay
        self._process: subprocess.Popen[bytes] | None = None
        sandbox.faults.between_calls = self

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __call__(self, _call: object) -> None:
        self._countdown -= 1
        if self._countdown == 0 and self._process is not None:
            send = self._process.send_signal
            threading.Timer(self._delay, send, (self._number,)).start()


def truth(company: Company) -> dict[int, dict[str, Any]]:
    return {
        int(str(row["RECORDNO"])): {name: as_json(v) for name, v in row.items()}
        for row in company.truth(OBJECT)
    }


def pages_read(sandbox: Sandbox) -> int:
    """Pages that held rows; a page whose answer never arrived was in flight."""
    return sum(call.rows > 1 for call in sandbox.calls if call.object_name == OBJECT)


@pytest.mark.parametrize(
    ("sync", "number", "times"),
    [
        ("full", signal.SIGKILL, KILLS),
        ("incremental", signal.SIGKILL, KILLS),
        ("full", signal.SIGTERM, KILLS // 2),
    ],
    ids=["full-kill", "incremental-kill", "full-term"],
)
def test_killed_at_any_instant_it_resumes(
    company: Company,
    clock: ManualClock,
    sandbox: Sandbox,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    sync: str,
    number: signal.Signals,
    times: int,
) -> None:
    chosen = int(os.environ.get("KILL_SEED", secrets.randbelow(10**9)))
    chance = random.Random(chosen)  # noqa: S311 - instants, not secrets
    # Without a lookback, which reads recent rows twice on purpose.
    limits = {"page_size": PAGE, "lookback_minutes": 0}
    config = {**sandbox.config(), **limits}
    loader = Loader(config)
    catalog = loader.catalog([STREAM])
    loaded: dict[int, dict[str, Any]] = {}
    before: dict[str, Any] | None = None
    if sync == "incremental":
        target = Target(tmp_path, catalog, config)
        assert target.run(lambda _: None) == 0
        loaded, before = dict(target.table), target.state
        clock.advance(24 * 3600)
        for key in truth(company):
            company.update(OBJECT, key, {"DESCRIPTION": f"changed {key}"})
        clock.advance(10)
    expected = truth(company)
    full_pages = -(-len(expected) // PAGE)
    killed, most_again, most_pages = 0, 0, 0
    for _ in range(times):
        road = chance.choice(ROADS)
        target = Target(tmp_path, catalog, {**config, **road}, dict(loaded), before)
        sandbox.forget_calls()
        delay = chance.uniform(0, LONGEST_DELAY_SECONDS)
        killer = Killer(sandbox, number, chance.randint(1, full_pages + 3), delay)
        killed += target.run(killer.watch) != 0
        sandbox.faults.between_calls = None
        assert target.run(lambda _: None) == 0
        assert target.table == expected
        most_again = max(most_again, target.records - len(expected))
        pages_again = pages_read(sandbox) - full_pages
        most_pages = max(most_pages, pages_again)
        # The page that was being written, those asked for ahead, which are one more than
        # there are connections, and what guesses cost where they overlap.
        ahead, overlap = int(str(road["max_connections"])) + 1, full_pages // 10
        assert pages_again <= 1 + ahead + overlap
    record_property(
        "campaign",
        f"{sync} sync: ended by {number.name} {killed} times of {times}, at most "
        f"{most_again} of {len(expected)} rows written and {most_pages} of "
        f"{full_pages} pages read again, seed {chosen}",
    )
    assert killed > times * 0.8
    # The page that was being written.
    assert most_again <= PAGE
