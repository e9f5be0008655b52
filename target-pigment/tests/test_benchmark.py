"""The benchmark still runs; its figures are for people to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "load.py"


def test_it_pushes_one_row_per_key_and_tells_the_memory() -> None:
    ended = subprocess.run(
        [sys.executable, SCRIPT, "--rows", "200", "--columns", "15"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "200 rows of 15 columns" in ended.stdout
    assert "to push 198 rows" in ended.stdout
    assert "in 1 imports); peak" in ended.stdout
