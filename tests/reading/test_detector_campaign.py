"""The detector's own proof: no drift that changed the result goes unreported."""

from __future__ import annotations

import logging
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox
from tests.conftest import NOON
from tests.loading import Loader, Run

pytestmark = pytest.mark.long

READINGS = 150
STILL_READINGS = 30
PAGE = 6
STREAM, OBJECT = "vendors", "VENDOR"


class Mover:
    """Before pages of the stream, deletes rows and lets others appear among them."""

    def __init__(self, company: Company, chance: random.Random) -> None:
        self._company = company
        self._chance = chance
        self.hidden: list[int] = []

    def hide_some(self) -> None:
        """Rows that will become visible in the middle of the reading."""
        numbers = [int(str(row["RECORDNO"])) for row in self._company.truth(OBJECT)]
        self.hidden = self._chance.sample(numbers, 4)
        self._show(self.hidden, from_="2099-01-01T00:00:00")

    def __call__(self, call: object) -> None:
        if getattr(call, "object_name", "") != OBJECT or self._chance.random() < 0.7:
            return
        for _ in range(self._chance.randint(1, 3)):
            self._move()

    def _move(self) -> None:
        if self.hidden and self._chance.random() < 0.3:
            self._show([self.hidden.pop()], from_=None)
            return
        numbers = [int(str(row["RECORDNO"])) for row in self._company.truth(OBJECT)]
        self._company.delete(OBJECT, self._chance.choice(numbers))

    def _show(self, numbers: list[int], from_: str | None) -> None:
        marks = ", ".join("?" * len(numbers))
        self._company.connection().execute(
            f'UPDATE "VENDOR" SET "_visible_from" = ? WHERE "RECORDNO" IN ({marks})',
            (from_, *numbers),
        )


def visible(company: Company) -> set[int]:
    rows = company.truth(OBJECT, where='"_visible_from" IS NULL')
    return {int(str(row["RECORDNO"])) for row in rows}


def result_changed(run: Run, throughout: set[int]) -> bool:
    """Whether a row that was there throughout is missing, or any came twice."""
    counts = Counter(record["RECORDNO"] for record in run.records(STREAM))
    return not throughout <= set(counts) or max(counts.values()) > 1


def reported(caplog: pytest.LogCaptureFixture) -> bool:
    return any("Drift in" in record.getMessage() for record in caplog.records)


def test_every_drift_that_changed_the_result_is_reported(
    company_file: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    record_property: Callable[[str, object], None],
) -> None:
    """As a warning only, so that the drift shows in the result; then repaired."""
    caplog.set_level(logging.INFO)
    found: Counter[str] = Counter()
    for seed in range(READINGS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for file in company_file.parent.glob(f"{company_file.name}*"):
            shutil.copy(file, folder / file.name)
        on_drift = "warn" if seed % 3 else "repair"
        caplog.clear()
        company = Company.open(folder / company_file.name, clock=ManualClock(NOON))
        mover = Mover(company, random.Random(seed))  # noqa: S311 - repeatable
        with Sandbox(company) as sandbox:
            target = Loader(
                {
                    **sandbox.config(),
                    "paging": "offset",
                    "page_size": PAGE,
                    "on_drift": on_drift,
                }
            )
            catalog = target.catalog([STREAM])
            mover.hide_some()
            before = visible(company)
            sandbox.faults.between_calls = mover
            run = target.run(catalog=catalog)
        changed = result_changed(run, before & visible(company))
        company.close()
        shutil.rmtree(folder)
        found[f"{on_drift}, changed: {changed}, reported: {reported(caplog)}"] += 1
    record_property("campaign", f"detector: {dict(found)} of {READINGS} readings")
    assert found["warn, changed: True, reported: True"] > 10
    assert found["warn, changed: True, reported: False"] == 0
    assert found["repair, changed: False, reported: True"] > 10
    assert found["repair, changed: True, reported: True"] == 0
    assert found["repair, changed: True, reported: False"] == 0


def test_still_company_is_never_reported(
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    record_property: Callable[[str, object], None],
) -> None:
    caplog.set_level(logging.INFO)
    streams = ("vendors", "gl_details", "revenue_recognition_schedules")
    for seed in range(STILL_READINGS):
        chance = random.Random(seed)  # noqa: S311 - repeatable
        settings = {
            "paging": chance.choice(["auto", "offset"]),
            "page_size": chance.randint(2, 90),
            "on_drift": "fail",
        }
        target = Loader({**sandbox.config(), **settings})
        target.run(streams[seed % 3])
    record_property("campaign", f"detector: silent in {STILL_READINGS} still readings")
    assert not reported(caplog)
