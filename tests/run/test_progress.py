"""What a run tells of itself: lines in a log, a display on a terminal, a table at its end."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest

from intacct_sandbox import (
    Company,
    Fault,
    FaultKind,
    ManualClock,
    Sandbox,
    Switches,
)
from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.run.progress import Outcome, StreamProgress, summary
from tests.loading import Loader, shipped_catalog

MakeLoader = Callable[..., Loader]
ESCAPE = "\x1b"


def table(text: str) -> list[list[str]]:
    """The rows of the summary, its words split."""
    lines = text[text.index("Summary of the run:") :].splitlines()[1:]
    shown = takewhile(lambda line: line[:1] in {"", " "}, lines)
    return [line.split() for line in shown if re.search(r"\d", line)]


def test_log_tells_a_line_of_each_stream_and_a_table_at_the_end(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="tap-sage-intacct")
    names = ("bills", "customers", "departments")
    target = loader(include_deletes=True, max_connections=1)
    catalog = target.catalog(names)
    target.run(*names, catalog=catalog)
    clock.advance(60)
    company.delete("APBILL", 3)
    company.update("CUSTOMER", 1, {"NAME": "Changed"})
    sandbox.switches = Switches(denied_objects=frozenset({"DEPARTMENT"}))
    clock.advance(10)
    caplog.clear()
    target.run(*names, catalog=catalog)
    assert re.search(r"customers: 1 row, \d calls?, \d\.\d s\.\n", caplog.text)
    assert re.search(r"bills: 0 rows, 1 deleted, \d calls?, \d\.\d s\.\n", caplog.text)
    assert re.search(r"departments: 0 rows, \d calls?, .* skipped\.\n", caplog.text)
    found = {row[0]: row[1:4] for row in table(caplog.text)}
    assert found == {
        "bills": ["0", "1", "0"],
        "customers": ["1", "0", "0"],
        "departments": ["0", "0", "0"],
        "all": ["1", "1", "0"],
    }
    assert caplog.text.count("Summary of the run") == 1


def test_run_that_fails_tells_how_far_it_came(
    sandbox: Sandbox, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="tap-sage-intacct")
    target = loader(on_denied="fail", page_size=5, max_retries=0)
    catalog = target.catalog(["customers", "vendors"])

    def lose_vendors(call: object) -> None:
        if getattr(call, "object_name", "") == "VENDOR":
            fault = Fault(FaultKind.HTTP_500, object_name="VENDOR", times=None)
            sandbox.faults.add(fault)

    sandbox.faults.between_calls = lose_vendors
    with pytest.raises(IntacctError):
        target.run("customers", "vendors", catalog=catalog)
    rows = table(caplog.text)
    assert [row[0] for row in rows] == ["customers", "vendors", "all"]
    assert "broken" not in rows[0]
    assert rows[1][-2:] == ["broken", "off"]


def test_summary_is_a_table() -> None:
    streams = [
        StreamProgress(
            "vendors", 1_234_567, 3, 0, 620, outcome=Outcome.DONE, seconds=61.25
        ),
        StreamProgress("bills", 0, 0, 12, 1, outcome=Outcome.SKIPPED, seconds=0.3),
    ]
    golden = Path(__file__).parent / "golden" / "summary.txt"
    assert f"{summary(streams)}\n" == golden.read_text("utf-8")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_display_is_drawn_on_a_terminal_alone(
    sandbox: Sandbox, tmp_path: Path, is_terminal: bool
) -> None:
    config = {**sandbox.config(), "page_size": 5}
    (tmp_path / "config.json").write_text(json.dumps(config))
    catalog = shipped_catalog("vendors", config=config)
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    main, terminal = pty.openpty() if is_terminal else os.pipe()
    with (tmp_path / "out.jsonl").open("w") as records:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c"),
                "from tap_sage_intacct.tap import main; main()",
                *("--config", tmp_path / "config.json"),
                *("--catalog", tmp_path / "catalog.json"),
            ],
            stdout=records,
            stderr=terminal,
            env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
        )
        os.close(terminal)
        shown = read_all(main)
        assert process.wait(30) == 0, shown
    assert "Summary of the run" in shown
    assert (ESCAPE in shown) == is_terminal
    assert bool(re.search(r"vendors .*\d+ rows .*\d+ calls", shown)) == is_terminal
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert all(json.loads(line)["type"] for line in lines)


def read_all(descriptor: int) -> str:
    parts = []
    try:
        while part := os.read(descriptor, 4096):
            parts.append(part)
    except OSError:
        # How a terminal tells that nobody writes to it any more.
        pass
    finally:
        os.close(descriptor)
    return b"".join(parts).decode()
