"""Runs a program to its end and tells what it cost: time, processor, memory.

Linux only: peak memory is read from /proc while the program runs.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SAMPLE_SECONDS = 0.02
# Python as it comes: modules are compiled once, as those of an installed program are.
_CHANGES_PYTHON = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
ENVIRONMENT = {
    **{name: text for name, text in os.environ.items() if name not in _CHANGES_PYTHON},
    # Whatever the machine's proxies are, the servers are on this machine.
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


class ProgramFailed(RuntimeError):
    """The program ended with another exit code than 0; the message is what it said."""


@dataclass(frozen=True)
class Cost:
    """One run, the whole process: interpreter and imports included.

    Attributes:
        started: by the monotonic clock.
        cpu_seconds: user and system time of the process.
        peak_megabytes: VmHWM.
    """

    started: float
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float


def run(
    command: Sequence[str], *, folder: Path, output: int | IO[bytes], log: Path
) -> Cost:
    """Run a program in a folder, and wait for it.

    Raises:
        ProgramFailed: it did not end well.
    """
    with log.open("wb") as stderr:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=stderr, env=ENVIRONMENT
        )
        peak = _watch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ProgramFailed(log.read_text(encoding="utf-8", errors="replace"))
    return Cost(started, wall, usage.ru_utime + usage.ru_stime, peak / 1024)


def run_into_file(
    command: Sequence[str], *, folder: Path, output: Path, log: Path
) -> Cost:
    """As `run`, with its output in a file."""
    with output.open("wb") as file:
        return run(command, folder=folder, output=file, log=log)


def run_into_pipe(command: Sequence[str], *, folder: Path, log: Path) -> Cost:
    """As `run`, with a reader at the end of a pipe that throws all away."""
    with subprocess.Popen(
        ["cat"],  # noqa: S607 - whichever there is
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as reader:
        if reader.stdin is None:
            raise RuntimeError("There is no pipe.")
        return run(command, folder=folder, output=reader.stdin, log=log)


def _watch(pid: int) -> int:
    """The most memory that the process held until it ended, in kilobytes."""
    peak = 0
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while not poll.poll(SAMPLE_SECONDS * 1000):
            peak = max(peak, _resident_kilobytes(pid))
    finally:
        os.close(descriptor)
    return peak


def _resident_kilobytes(pid: int) -> int:
    """VmHWM; `ru_maxrss` would count the memory of the process that starts it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) if found else 0
