"""The comparison is fair: both taps write the same rows. Its figures are for people."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from benchmarks.page_server import NotUnderstood, asked
from benchmarks.rows import FIELDS, make_pool
from benchmarks.taps import JSON, XML

ROOT = Path(__file__).parents[2]
ROWS = 4000
ABOVE = "<greaterthan><field>RECORDNO</field><value>20</value></greaterthan>"
UP_TO = (
    "<lessthanorequalto><field>RECORDNO</field><value>25</value></lessthanorequalto>"
)
STAMPS = ("WHENCREATED", "WHENMODIFIED")


def records(path: Path) -> list[dict[str, Any]]:
    """Of a tap's output, numbers exact and stamps as instants."""
    messages = [
        json.loads(line, parse_float=Decimal)
        for line in path.read_text("utf-8").splitlines()
    ]
    found = [m["record"] for m in messages if m["type"] == "RECORD"]
    for record in found:
        record.update({name: datetime.fromisoformat(record[name]) for name in STAMPS})
    return found


def test_all_taps_write_the_same_records(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--rows", str(ROWS), "--runs", "1"]
    ended = subprocess.run(
        [*command, "--parts", "speed", "--keep", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert f"{ROWS:,} rows of 25 fields" in ended.stdout
    plain = records(tmp_path / "plain.jsonl")
    assert [record["RECORDNO"] for record in plain] == list(range(1, ROWS + 1))
    assert set(plain[0]) == set(FIELDS)
    for key in (XML, JSON):
        assert records(tmp_path / f"{key}.jsonl") == plain


def query(rest: str, select: str = "<field>RECORDNO</field>") -> etree._Element:
    return etree.fromstring(
        f"<query><object>GLENTRY</object><select>{select}</select>{rest}</query>"
    )


@pytest.mark.parametrize(
    ("rest", "numbers", "remaining"),
    [
        ("<pagesize>10</pagesize><offset>0</offset>", range(1, 11), 90),
        ("<pagesize>10</pagesize><offset>95</offset>", range(96, 101), 0),
        (f"<filter>{ABOVE}</filter><pagesize>10</pagesize>", range(21, 31), 70),
        (f"<filter><and>{ABOVE}{UP_TO}</and></filter>", range(21, 26), 0),
    ],
)
def test_page_server_serves_the_rows_asked_for(
    rest: str, numbers: range, remaining: int
) -> None:
    page = asked(query(rest), 100)
    assert (page.numbers, page.remaining) == (numbers, remaining)


@pytest.mark.parametrize(
    "asked_for",
    [
        query("<filter><or/></filter>"),
        query(f"<filter>{ABOVE.replace('RECORDNO', 'LINE_NO')}</filter>"),
        query("", "<max>RECORDNO</max>"),
        query("<orderby><order><field>LINE_NO</field></order></orderby>"),
    ],
)
def test_page_server_refuses_what_it_does_not_understand(
    asked_for: etree._Element,
) -> None:
    with pytest.raises(NotUnderstood):
        asked(asked_for, 100)


def test_rows_are_the_same_in_either_format() -> None:
    pool = make_pool(20)
    elements = etree.fromstring(b"<data>%b</data>" % pool.xml_rows(range(15, 25)))
    rows = [{cell.tag: cell.text or "" for cell in row} for row in elements]
    assert json.loads(pool.json_rows(range(15, 25))) == rows
    assert [int(row["RECORDNO"]) for row in rows] == list(range(15, 25))
