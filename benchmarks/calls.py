"""How many calls the loads of a company cost, against the sandbox: Intacct bills them.

The calls are counted in the tap's own log, which has a line for each.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import run_into_file
from benchmarks.rows import STREAM
from benchmarks.servers import company
from benchmarks.suite import count_records
from benchmarks.taps import TAP, catalog_of, write

CHANGED_SHARE = 0.01
PERIODS = ("Month Ended June 2025", "Month Ended July 2025")
LOG_EACH_CALL = "TAP_SAGE_INTACCT_LOGLEVEL=DEBUG"
_CALL = re.compile(r"\bcall [0-9a-f]+-\d+: (\w+)")


@dataclass(frozen=True)
class LoadCalls:
    """One run.

    Attributes:
        streams: which, for people.
        load: what it had to find.
        functions: calls by function.
    """

    streams: str
    load: str
    rows: int
    functions: Counter[str]


@dataclass(frozen=True)
class Loading:
    """Runs the tap on a company, each run from the state of the one before.

    Attributes:
        key: begins the names of its files.
        title: of its streams, for people.
    """

    folder: Path
    key: str
    title: str

    def prepare(self, settings: dict[str, str], streams: Iterable[str]) -> None:
        """Write the settings, a catalog of these streams, and no state."""
        config = {**settings, "balance_periods": list(PERIODS)}
        write(self._file("config.json"), config)
        write(self._file("catalog.json"), catalog_of(self.folder, config, streams))
        write(self._file("state.json"), {})

    def load(self, title: str) -> LoadCalls:
        """Run once."""
        command = ["env", LOG_EACH_CALL, *TAP]
        for option in ("config", "catalog", "state"):
            command += [f"--{option}", self._file(f"{option}.json").name]
        output, log = self._file("jsonl"), self._file("log")
        run_into_file(command, folder=self.folder, output=output, log=log)
        write(self._file("state.json"), _last_state(output))
        calls = Counter(_CALL.findall(log.read_text("utf-8")))
        return LoadCalls(self.title, title, count_records(output), calls)

    def _file(self, name: str) -> Path:
        return self.folder / f"{self.key}.{name}"


def count_calls(folder: Path, journal_lines: int) -> list[LoadCalls]:
    """One stream and all of them: everything, nothing new, a day of changes."""
    one = Loading(folder, "one", f"`{STREAM}`")
    every = Loading(folder, "every", "all 22 streams")
    with company(folder / "company.sqlite", journal_lines) as served:
        one.prepare(served.settings, [STREAM])
        every.prepare(served.settings, [])
        first = [loading.load("first load") for loading in (one, every)]
        idle = [loading.load("nothing changed") for loading in (one, every)]
        served.change(CHANGED_SHARE)
        changed = f"{CHANGED_SHARE:.0%} changed"
        later = [loading.load(changed) for loading in (one, every)]
    by_streams = zip(first, idle, later, strict=True)
    return [load for loads in by_streams for load in loads]


def _last_state(output: Path) -> object:
    with output.open("rb") as lines:
        states = [line for line in lines if line.startswith(b'{"type":"STATE"')]
    return json.loads(states[-1])["value"]
