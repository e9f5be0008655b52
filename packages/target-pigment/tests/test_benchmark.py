"""The benchmark still runs; its figures are for people to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "load.py"


def test_it_pushes_one_row_per_key_and_tells_the_memory() -> None:
    ended = subprocess.run(
        [sys.executable, SCRIPT, "--rows", "400", "--columns", "15", "--streams", "2"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "400 rows of 15 columns in 2 streams" in ended.stdout
    assert "to push 396 rows" in ended.stdout
    assert "in 2 imports); peak" in ended.stdout
