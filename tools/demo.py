"""The demo: a sandboxed Intacct company through Meltano into files, twice.

    python tools/demo.py --meltano PATH

Starts the sandbox, runs `meltano run tap-sage-intacct target-jsonl` once for a full
load, lets a day of business pass in the company, runs it again, and shows what each
run loaded.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OUTPUT = Path("output/demo")
COMPANY = OUTPUT / "company.sqlite"
LOADER = "target-jsonl"
READY_SECONDS = 60
JOURNAL_LINES = 20_000

# The SDK's own measure, as Meltano passes the tap's log on.
DURATION = re.compile(r'sync_duration.*?"value": ?([0-9.]+).*?"stream": ?"(\w+)"')


@dataclass(frozen=True)
class Load:
    """What one run loaded: rows by stream, and seconds by stream and in all."""

    rows: Counter[str]
    seconds: Mapping[str, float]
    total_seconds: float


def main() -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meltano", type=Path, required=True)
    meltano = parser.parse_args().meltano.absolute()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    print(f"Starting the sandbox: a company with {JOURNAL_LINES:,} journal lines ...")
    with sandbox() as settings:
        print("First run: everything ...")
        first = load(meltano, settings, "first")
        print("A day of business passes ...")
        run_sandbox("change", "--company-file", str(COMPANY), "--share", "0.02")
        print("Second run: what changed ...")
        second = load(meltano, settings, "second")
    show(first, second)
    return 0


@contextmanager
def sandbox() -> Iterator[dict[str, str]]:
    """The sandbox in a process of its own; yields the settings to reach it."""
    command = [*sandbox_command(), "serve", "--port", "0"]
    command += ["--company-file", str(COMPANY), "--scale", str(JOURNAL_LINES)]
    command += ["--ready-file", str(OUTPUT / "url")]
    log = OUTPUT / "sandbox.log"
    with log.open("w") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
    try:
        wait_for(OUTPUT / "url", process, log)
        exports = re.findall(r"^export (\w+)=(.*)$", log.read_text(), re.MULTILINE)
        yield {name: shlex.split(value)[0] for name, value in exports}
    finally:
        process.terminate()
        process.wait()


def wait_for(file: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the sandbox says that it listens."""
    for _ in range(READY_SECONDS * 10):
        if file.exists() and file.read_text().endswith("\n"):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"The sandbox did not start:\n{log.read_text()}")


def load(meltano: Path, settings: Mapping[str, str], name: str) -> Load:
    """One `meltano run`, its log kept beside its output."""
    folder = OUTPUT / name
    folder.mkdir()
    year = time.gmtime().tm_year - 1
    environment = {
        **os.environ,
        **settings,
        "TAP_SAGE_INTACCT_BALANCE_PERIODS": f'["Calendar Year Ended December {year}"]',
        "TAP_SAGE_INTACCT__SELECT": '["*.*"]',
        "TARGET_JSONL_DESTINATION_PATH": str(folder),
    }
    # A state of its own, so that each demo begins with a full load.
    command = [str(meltano), "run", f"--state-id-suffix=demo-{os.getpid()}"]
    command += ["tap-sage-intacct", LOADER]
    log = OUTPUT / f"{name}.log"
    started = time.monotonic()
    with log.open("w") as written:
        finished = subprocess.run(
            command, env=environment, stdout=written, stderr=written, check=False
        )
    seconds = time.monotonic() - started
    if finished.returncode:
        tail = "\n".join(log.read_text().splitlines()[-20:])
        sys.exit(f"Meltano failed; its last lines (all of them in {log}):\n{tail}")
    return Load(rows_in(folder), durations(log), seconds)


def rows_in(folder: Path) -> Counter[str]:
    """Rows by stream."""
    rows: Counter[str] = Counter()
    for file in folder.glob("*.jsonl"):
        with file.open() as lines:
            rows[file.stem] = sum(1 for _ in lines)
    return rows


def durations(log: Path) -> dict[str, float]:
    """Seconds by stream, as the tap measured them."""
    found = DURATION.findall(log.read_text().replace("\\", ""))
    return {stream: float(seconds) for seconds, stream in found}


def show(first: Load, second: Load) -> None:
    """The table, and where the rows are."""
    print(f"\n{'stream':38} {'first run':>10} {'second run':>10} {'seconds':>8}")
    for stream in sorted(first.rows | second.rows):
        taken = first.seconds.get(stream, 0) + second.seconds.get(stream, 0)
        print(
            f"{stream:38} {first.rows[stream]:10,} {second.rows[stream]:10,} {taken:8.2f}"
        )
    taken = first.total_seconds + second.total_seconds
    rows = (first.rows.total(), second.rows.total())
    print(f"{'all, with Meltano itself':38} {rows[0]:10,} {rows[1]:10,} {taken:8.2f}")
    print(
        f"\nThe rows are in {OUTPUT}/first and {OUTPUT}/second, the logs beside them."
    )


def run_sandbox(*arguments: str) -> None:
    """One of the sandbox's other commands."""
    subprocess.run(
        [*sandbox_command(), *arguments], check=True, stdout=subprocess.DEVNULL
    )


def sandbox_command() -> list[str]:
    """The sandbox of this environment."""
    return [
        sys.executable,
        "-c",
        "import intacct_sandbox.cli as c; raise SystemExit(c.main())",
    ]


if __name__ == "__main__":
    sys.exit(main())
