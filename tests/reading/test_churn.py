"""Loads while the company changes between any two calls: nothing lost, nothing twice."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intacct_sandbox import Company, ManualClock, Sandbox
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM
from tests.conftest import NOON
from tests.loading import PERIODS, ROADS, Loader, Road, Run, as_json

EXAMPLES = int(os.environ.get("CHURN_EXAMPLES", "4"))
# The kinds of paging: by RECORDNO, by a key that rows share, from a snapshot.
STREAMS = ("vendors", "gl_details", "revenue_recognition_schedules")
ALL_FIELDS = {"include_sensitive": True}
KEYED = ("departments", "gl_journal_entries", "locations", "vendors")
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update", "delete", "wait", "unstamped", "post"]),
        st.integers(0, 10_000),
    ),
    max_size=25,
)


class Churn:
    """Applies the next changes whenever a page is about to be served."""

    def __init__(self, company: Company, changes: list[tuple[str, int]]) -> None:
        self._company = company
        self._changes = iter(changes)
        self.failures: list[Exception] = []

    def __call__(self, call: object) -> None:
        if getattr(call, "function", "") not in {"query", "readByQuery", "readMore"}:
            return
        for kind, number in (next(self._changes, ("wait", 1)) for _ in range(2)):
            try:
                self._apply(kind, number)
            except Exception as error:
                # In the server's thread it would only look like a dropped connection.
                self.failures.append(error)
                raise

    def _apply(self, kind: str, number: int) -> None:
        clock = self._company.clock
        assert isinstance(clock, ManualClock)
        clock.advance(number % 3)
        if kind == "post":
            self._company.change(seed=number, share=0.0)
            return
        for name in ("VENDOR", "REVRECSCHEDULE", "GLBATCH"):
            self._change(name, kind, number)

    def _change(self, name: str, kind: str, number: int) -> None:
        numbers = [int(str(row["RECORDNO"])) for row in self._company.truth(name)]
        chosen = numbers[number % len(numbers)]
        text = {"VENDOR": "NAME", "REVRECSCHEDULE": "DESCRIPTION"}.get(
            name, "BATCH_TITLE"
        )
        if kind == "insert":
            self._company.insert(name, {text: f"new {number}"})
        elif kind == "unstamped":
            self._company.insert(name, {text: "unstamped", "WHENMODIFIED": None})
        elif kind == "update":
            self._company.update(name, chosen, {text: f"changed {number}"})
        elif kind == "delete":
            self._company.delete(name, chosen)


@contextmanager
def sandboxed(company_file: Path) -> Iterator[tuple[Company, Sandbox]]:
    with tempfile.TemporaryDirectory() as folder:
        for file in company_file.parent.glob(f"{company_file.name}*"):
            shutil.copy(file, Path(folder) / file.name)
        path = Path(folder) / company_file.name
        company = Company.open(path, clock=ManualClock(NOON))
        with Sandbox(company) as sandbox:
            yield company, sandbox
        company.close()


@contextmanager
def churning(sandbox: Sandbox, changes: list[tuple[str, int]]) -> Iterator[None]:
    churn = Churn(sandbox.company, changes)
    sandbox.faults.between_calls = churn
    yield
    sandbox.faults.between_calls = None
    assert churn.failures == []


@pytest.mark.parametrize("stream", STREAMS)
@settings(max_examples=EXAMPLES)
@given(changes=CHANGES, road=st.sampled_from(ROADS))
def test_load_under_churn_converges(
    company_file: Path, stream: str, changes: list[tuple[str, int]], road: Road
) -> None:
    with sandboxed(company_file) as (company, sandbox):
        before = keys(company, stream)
        config = {
            **sandbox.config(),
            **road,
            **ALL_FIELDS,
            "balance_periods": list(PERIODS),
        }
        page_size = 7 if stream == "vendors" else 60
        target = Loader({**config, "page_size": page_size}, sandbox=sandbox)
        catalog = target.catalog([stream])
        with churning(sandbox, changes):
            first = target.run(stream, catalog=catalog)
        throughout = before & keys(company, stream)
        assert throughout <= {key for (key,) in target.tables[stream]}
        assert_nothing_twice(first, stream)
        clock = company.clock
        assert isinstance(clock, ManualClock)
        clock.advance(5)
        target.run(stream, catalog=catalog)
        assert_converged(company, target, stream)


@settings(max_examples=EXAMPLES)
@given(
    changes=CHANGES,
    road=st.sampled_from(ROADS),
    seconds=st.sampled_from([0, 60]),
    upto=st.integers(1, 150),
)
def test_streams_that_begin_before_their_turn_converge(
    company_file: Path,
    changes: list[tuple[str, int]],
    road: Road,
    seconds: int,
    upto: int,
) -> None:
    """Also where they wait too long for it, and the run dies and is resumed."""
    with (
        sandboxed(company_file) as (company, sandbox),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("tap_sage_intacct.streams.base.MAX_SECONDS_BEGUN", seconds)
        config = {**sandbox.config(), **road, **ALL_FIELDS, "page_size": 20}
        target = Loader(config, sandbox=sandbox)
        catalog = target.catalog(KEYED)
        with churning(sandbox, changes):
            target.run(*KEYED, catalog=catalog, upto=upto)
            target.run(*KEYED, catalog=catalog)
        clock = company.clock
        assert isinstance(clock, ManualClock)
        clock.advance(5)
        target.run(*KEYED, catalog=catalog)
        for stream in KEYED:
            assert_converged(company, target, stream)


def keys(company: Company, stream: str) -> set[object]:
    source = DATA_SOURCE_BY_STREAM[stream]
    return {row["RECORDNO"] for row in company.truth(source.object_name)}


def assert_nothing_twice(run: Run, stream: str) -> None:
    """A row comes again only if it is another version of it."""
    versions = Counter(str(sorted(r.items(), key=str)) for r in run.records(stream))
    assert max(versions.values()) == 1


def assert_converged(company: Company, target: Loader, stream: str) -> None:
    """What exists is in the target as it is; deletions are not looked for yet."""
    source = DATA_SOURCE_BY_STREAM[stream]
    for row in company.truth(source.object_name):
        expected = {name: as_json(value) for name, value in row.items()}
        assert target.tables[stream][(row["RECORDNO"],)] == expected
