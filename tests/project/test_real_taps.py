"""Taps made with real libraries, complete and killed, before a replace of target-pigment."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from target_pigment.errors import UnsuitableStream
from target_pigment.singer.target import TargetPigment

TAPS = Path(__file__).parent / "taps"
ROWS = 30_000
SETTINGS: dict[str, Any] = {
    "dry_run": True,
    "streams": {
        "s": {
            "configuration_id": "33d0d7d0-1111-4222-8333-444455556666",
            "load_mode": "replace",
            "columns": ["id"],
        }
    },
}

pytestmark = pytest.mark.long

Tap = Callable[..., list[str]]


@pytest.fixture(
    scope="module",
    params=[
        ("singer-sdk==0.54.0", "of_the_sdk.py"),
        ("singer-sdk", "of_the_sdk.py"),
        ("singer-python", "of_singer_python.py"),
    ],
    ids=lambda param: str(param[0]),
)
def tap(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Tap:
    """Runs the tap in an environment of its own, and gives its lines."""
    requirement, script = request.param
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", requirement], check=False
    )
    if installed.returncode:
        pytest.skip(f"{requirement} cannot be installed here")

    def run(*arguments: int) -> list[str]:
        command = [python, TAPS / script, *map(str, arguments)]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        return ended.stdout.splitlines()

    return run


def load(lines: list[str]) -> None:
    TargetPigment(config=SETTINGS).listen(iter(lines))  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [9_999, 10_000, 10_001, ROWS])
def test_a_complete_run_is_taken_or_refused_with_the_choice(
    tap: Tap, rows: int
) -> None:
    lines = tap(rows)
    names_the_end = "currently_syncing" in lines[-1] or rows < 10_000
    if names_the_end:
        load(lines)
        return
    with pytest.raises(UnsuitableStream, match="end_mark to none"):
        load(lines)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_was_killed_is_never_taken(tap: Tap, number: signal.Signals) -> None:
    for rows in range(1_000, ROWS, 1_000):
        lines = tap(ROWS, rows, number)
        assert sum('"RECORD"' in line for line in lines) == rows
        with pytest.raises(UnsuitableStream):
            load(lines)
