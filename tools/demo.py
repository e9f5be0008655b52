"""The demo: a sandboxed Intacct company through Meltano into a Pigment workspace.

    python -m tools.demo --meltano PATH

Starts both sandboxes and runs `meltano run intacct-to-pigment`: a full load, then again
after each of two days of business. After each run it reads every list back through
Pigment's export and compares it with the company's books. All of it happens in a project
of its own, so that what you chose in meltano.yml, in .env or in this shell has no part in
it; only the installed plugins are shared.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from tools.pigment_comparison import ListComparison, compare_lists

LISTS = Path("tools/demo_pigment.json")
PROJECT_FILE = Path("tools/demo_meltano.yml")
INSTALLED = Path(".meltano")
OUTPUT = Path("output/demo")
PROJECT = OUTPUT / "project"
COMPANY = OUTPUT / "company.sqlite"
WORKSPACE = OUTPUT / "pigment.sqlite"
READY_SECONDS = 60
DAYS = 2
OWN_VARIABLES = ("TAP_", "TARGET_", "PIGMENT_", "MELTANO_")
PROGRESS = re.compile(
    r"(tap-sage-intacct|target-pigment) (?:Stream )?(\w+): "
    r"(?:import \S+ Completed: )?(\d[\d,]* rows?),"
)


@dataclass(frozen=True)
class Load:
    """What one run did: how long it took, and what Pigment holds after it."""

    seconds: float
    lists: Sequence[ListComparison]


def main() -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meltano", type=Path, required=True)
    parser.add_argument("--journal-lines", type=int, default=20_000)
    options = parser.parse_args()
    meltano = options.meltano.absolute()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    make_project()
    say(
        f"Making a company with {options.journal_lines:,} journal lines, and a Pigment "
        "workspace ..."
    )
    with intacct(options.journal_lines) as tap, pigment() as target:
        settings = {**tap, **target}
        say("First run: everything ...")
        loads = [load(meltano, settings, "run-1")]
        for day in range(1, 1 + DAYS):
            say("A day of business passes; the next run loads what changed ...")
            seed = ("--seed", str(day))
            run_sandbox(
                "change", "--company-file", str(COMPANY), "--share", "0.02", *seed
            )
            loads.append(load(meltano, settings, f"run-{day + 1}"))
    show(loads)
    return int(any(found.differences for made in loads for found in made.lists))


def say(text: str) -> None:
    """Print at once, also where the output is no terminal."""
    print(text, flush=True)


def make_project() -> None:
    """The project of the demo, with the plugins of this one."""
    (PROJECT / INSTALLED).mkdir(parents=True)
    shutil.copy(PROJECT_FILE, PROJECT / "meltano.yml")
    for kind in ("extractors", "loaders"):
        (PROJECT / INSTALLED / kind).symlink_to((INSTALLED / kind).absolute())


@contextmanager
def intacct(journal_lines: int) -> Iterator[dict[str, str]]:
    """The company in a process of its own; yields the tap's settings."""
    arguments = ["serve", "--company-file", str(COMPANY), "--scale", str(journal_lines)]
    with sandbox("intacct", *arguments) as settings:
        months = {"from": f"{time.gmtime().tm_year}-01", "type": "month"}
        yield {**settings, "TAP_SAGE_INTACCT_BALANCE_PERIODS": json.dumps(months)}


@contextmanager
def pigment() -> Iterator[dict[str, str]]:
    """The workspace in a process of its own; yields the target's settings."""
    arguments = ["pigment", "--workspace", str(WORKSPACE), "--lists", str(LISTS)]
    with sandbox("pigment", *arguments) as settings:
        yield settings


@contextmanager
def sandbox(name: str, *arguments: str) -> Iterator[dict[str, str]]:
    """A sandbox; yields the settings that it tells."""
    ready, log = OUTPUT / f"{name}.url", OUTPUT / f"{name}.log"
    command = [
        *sandbox_command(),
        *arguments,
        "--port",
        "0",
        "--ready-file",
        str(ready),
    ]
    with log.open("w") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
    try:
        wait_for(ready, process, log)
        exports = re.findall(r"^export (\w+)=(.*)$", log.read_text(), re.MULTILINE)
        yield {setting: shlex.split(value)[0] for setting, value in exports}
    finally:
        process.terminate()
        process.wait()


def wait_for(file: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the sandbox has said that it listens, and where."""
    for _ in range(READY_SECONDS * 10):
        if file.exists() and log.read_text().count("\n") > 1:
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"The sandbox did not start:\n{log.read_text()}")


def load(meltano: Path, settings: Mapping[str, str], name: str) -> Load:
    """One `meltano run`, its log in the output folder, and a comparison."""
    log = (OUTPUT / f"{name}.log").absolute()
    since = datetime.now(timezone.utc).replace(microsecond=0).isoformat()
    own = {k: v for k, v in os.environ.items() if not k.startswith(OWN_VARIABLES)}
    started = time.monotonic()
    with (
        log.open("w") as written,
        subprocess.Popen(
            [str(meltano), "run", "intacct-to-pigment"],
            cwd=PROJECT,
            env={**own, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running,
    ):
        for line in running.stdout or ():
            written.write(line)
            if found := PROGRESS.search(line):
                say("    {:17} {:23} {:>12}".format(*found.groups()))
    seconds = time.monotonic() - started
    if running.returncode:
        lines = log.read_text().splitlines()
        told = [line for line in lines if "[critical" in line] or lines[-20:]
        sys.exit("\n".join([f"Meltano failed; all of its log is in {log}:", *told]))
    say("    comparing every list with the company's books ...")
    return Load(seconds, compare_lists(PROJECT, COMPANY, WORKSPACE, settings, since))


def show(loads: Sequence[Load]) -> None:
    """The table, and where the rows are."""
    runs = (f"run {number}" for number in range(1, 1 + len(loads)))
    heads = f" {'rows sent':>11} {'items':>9} {'equal':>8}" * len(loads)
    print(f"\n{'':22}" + "".join(f" {run:>30}" for run in runs))
    print(f"{'list in Pigment':22}{heads}")
    for lists in zip(*(made.lists for made in loads), strict=True):
        print(f"{lists[0].name:22}" + "".join(map(cells, lists)))
    seconds = "".join(f" {made.seconds:30.1f}" for made in loads)
    print(
        f"{'seconds, with Meltano':22}{seconds}\n\n"
        "Equal: read back through the export, row for row what the company's books say.\n"
        f"The workspace is in {WORKSPACE}, the logs are beside it. To look at it:\n\n"
        f"    .venv/bin/intacct-sandbox pigment --workspace {WORKSPACE} --port 8643\n\n"
        "and open http://127.0.0.1:8643"
    )


def cells(found: ListComparison) -> str:
    """One run's part of a line."""
    verdict = f"{found.differences} off" if found.differences else "yes"
    return f" {found.rows_sent:11,} {found.items:9,} {verdict:>8}"


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
