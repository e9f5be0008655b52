"""How fast the tap loads, in a process of its own: rows a second, memory, calls.

    python benchmarks/load.py [--journal-lines N] [--runs N]

The server is the sandbox, which is no fast one: its share of the time is told apart by
the processor seconds of the tap alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from intacct_sandbox import Company, Sandbox, SystemClock

STREAMS = (
    "gl_journal_entry_lines",
    "gl_details",
    "bills",
    "revenue_recognition_schedules",
)
SAMPLE_SECONDS = 0.02
TAP = [sys.executable, "-c", "from tap_sage_intacct.tap import main; main()"]


@dataclass(frozen=True)
class Measure:
    """One run of the tap."""

    rows: int
    calls: int
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float


def main() -> None:
    """Print a line per stream: medians over the runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journal-lines", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        company = Company.create(
            folder / "company.sqlite",
            journal_lines=options.journal_lines,
            clock=SystemClock(),
        )
        print(
            f"{'stream':32} {'rows':>8} {'calls':>6} {'wall s':>8} {'cpu s':>8}", end=""
        )
        print(f" {'rows/cpu s':>11} {'peak MB':>8}")
        with Sandbox(company) as sandbox:
            for stream in STREAMS:
                prepare(folder, sandbox, stream)
                show(stream, [run(folder, sandbox) for _ in range(options.runs)])
        company.close()


def prepare(folder: Path, sandbox: Sandbox, stream: str) -> None:
    """Configuration and a catalog with this stream alone."""
    (folder / "config.json").write_text(json.dumps(sandbox.config()))
    command = [*TAP, "--config", str(folder / "config.json"), "--discover"]
    found = subprocess.run(command, capture_output=True, check=True)
    catalog = json.loads(found.stdout)
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = entry["stream"] == stream
    (folder / "catalog.json").write_text(json.dumps(catalog))


def run(folder: Path, sandbox: Sandbox) -> Measure:
    """One full load into a file."""
    sandbox.forget_calls()
    command = [*TAP, "--config", "config.json", "--catalog", "catalog.json"]
    with (folder / "out.jsonl").open("wb") as out, (folder / "log").open("wb") as log:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=log)
        peak = 0
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, resident_kilobytes(process.pid))
            time.sleep(SAMPLE_SECONDS)
        wall = time.monotonic() - started
        _, status, usage = ended
    if os.waitstatus_to_exitcode(status):
        sys.exit((folder / "log").read_text())
    with (folder / "out.jsonl").open() as lines:
        rows = sum('"type":"RECORD"' in line for line in lines)
    return Measure(rows, len(sandbox.calls), wall, cpu(usage), peak / 1024)


def resident_kilobytes(pid: int) -> int:
    """The most memory so far, by Linux; what wait4 tells counts that of our fork."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) if found else 0


def cpu(usage: resource.struct_rusage) -> float:
    """Seconds of the processor, in the program and for it."""
    return usage.ru_utime + usage.ru_stime


def show(stream: str, measures: list[Measure]) -> None:
    """One line of the table."""
    wall = statistics.median(measure.wall_seconds for measure in measures)
    used = statistics.median(measure.cpu_seconds for measure in measures)
    peak = statistics.median(measure.peak_megabytes for measure in measures)
    rows, calls = measures[-1].rows, measures[-1].calls
    print(f"{stream:32} {rows:8,} {calls:6} {wall:8.2f} {used:8.2f}", end="")
    print(f" {rows / used:11,.0f} {peak:8.0f}")


if __name__ == "__main__":
    main()
