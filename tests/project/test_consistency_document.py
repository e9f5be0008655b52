"""The table in docs/consistency.md is what the command measures, but for the seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import measure_consistency as tool

pytestmark = pytest.mark.long

DOCUMENT = Path(__file__).parents[2] / "docs" / "consistency.md"


def cells(line: str) -> list[str]:
    """Of a row of the table, without the seconds."""
    return [cell.strip() for cell in line.strip("| \n").split("|")][:-1]


@pytest.mark.parametrize("churn", [0, 10])
def test_table_is_what_the_command_measures(churn: int) -> None:
    documented = [
        cells(line) for line in DOCUMENT.read_text().splitlines() if "|" in line
    ]
    for reader in tool.READERS:
        *_, measured = tool.table([tool.measure(reader, churn)]).splitlines()
        assert cells(measured) in documented


def test_the_tap_loses_and_repeats_nothing() -> None:
    rows = [cells(line) for line in DOCUMENT.read_text().splitlines() if "|" in line]
    loads = [row for row in rows if row[0].isdigit() and row[1].startswith("tap")]
    assert len(loads) == 2 * len(tool.CHURNS)
    assert {(row[3], row[4]) for row in loads} == {("0", "0")}
