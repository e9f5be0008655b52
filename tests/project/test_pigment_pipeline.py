"""The whole: Meltano, tap and target against both sandboxes, read back by export."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from intacct_sandbox import Company, Sandbox, SystemClock
from intacct_sandbox.pigment import PigmentFault, PigmentSandbox, Workspace
from tests.shipped_project import PROJECT, copy_of_project
from tools.pigment_comparison import (
    Column,
    ListComparison,
    LoadedStream,
    as_cell,
    compare_lists,
    count_differences,
)

ROOT = Path(__file__).parents[2]
LISTS = json.loads((ROOT / "tools/demo_pigment.json").read_text())

long = pytest.mark.long
alone = pytest.mark.usefixtures("meltano_alone")


@pytest.fixture
def meltano() -> str:
    found = os.environ.get("MELTANO")
    if found is None:
        pytest.skip("MELTANO does not name the command: run `make test-long`")
    return found


@long
@alone
def test_the_demo_loads_the_companys_books_whatever_was_chosen(
    meltano: str, tmp_path: Path
) -> None:
    """Its exit code is 1 if one row of one list is not as in the books."""
    project = copy_of_project(tmp_path)
    (project / "tools").symlink_to(ROOT / "tools")
    (project / "meltano.yml").write_text(with_choices(PROJECT), encoding="utf-8")
    (project / ".env").write_text("TARGET_PIGMENT_API_KEY=own\n", encoding="utf-8")
    command = [sys.executable, "-m", "tools.demo", "--meltano", meltano]
    shown = subprocess.run(
        [*command, "--journal-lines", "2000"],
        cwd=project,
        env={**os.environ, "TAP_SAGE_INTACCT_INCLUDE_DELETES": "false"},
        check=False,
        capture_output=True,
        text=True,
    )
    # The sandbox says its passwords, for people.
    (project / "output/demo/intacct.log").unlink()
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.count(" yes") == 3 * len(LISTS)
    assert shown.stdout.count("tap-sage-intacct  vendors ") == 3


def with_choices(shipped: dict[str, Any]) -> str:
    """The project as somebody left it who tried `sage-intacct select`."""
    project = deepcopy(shipped)
    tap = project["plugins"]["extractors"][0]
    tap["select"] = ["vendors.VENDORID", "vendors.NAME"]
    tap["config"]["filters"] = {"vendors": "STATUS = 'active'"}
    return yaml.safe_dump(project)


class Pipeline:
    """A company, a workspace, and `meltano run` with a state of its own."""

    def __init__(self, meltano: str, folder: Path) -> None:
        self._command = [meltano, "run", f"--state-id-suffix={uuid4()}"]
        self._folder = folder
        self.company = Company.create(self.company_file, clock=SystemClock())
        self.workspace = Workspace(self.workspace_file)
        self.workspace.add_lists(LISTS)
        self.sandbox = Sandbox(self.company)
        self.pigment = PigmentSandbox(self.workspace)

    @property
    def company_file(self) -> Path:
        return self._folder / "company.sqlite"

    @property
    def workspace_file(self) -> Path:
        return self._folder / "pigment.sqlite"

    @property
    def settings(self) -> dict[str, str]:
        months = {"from": f"{date.today().year}-01", "type": "month"}  # noqa: DTZ011
        tap = {**self.sandbox.config(), "balance_periods": json.dumps(months)}
        tap["key_store"] = str(self._folder / "keys.sqlite")
        ids = {
            f"PIGMENT_{one.name.upper().replace(' ', '_')}_ID": one.id
            for one in self.workspace.configurations
        }
        return {
            **{
                f"TAP_SAGE_INTACCT_{name.upper()}": value for name, value in tap.items()
            },
            **ids,
            "TARGET_PIGMENT_BASE_URL": self.pigment.url,
            "TARGET_PIGMENT_API_KEY": self.pigment.import_key,
            "TARGET_PIGMENT_POLL": '{"interval": 0.05}',
        }

    def run(self, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, "intacct-to-pigment"],
            cwd=ROOT,
            env={**os.environ, **self.settings, **settings},
            check=False,
            capture_output=True,
            text=True,
        )

    def compare(self) -> list[ListComparison]:
        files = self.company_file, self.workspace_file
        return compare_lists(ROOT, *files, self.settings, "")


@pytest.fixture
def pipeline(meltano: str, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(meltano, tmp_path)
    with closing(made.company), closing(made.workspace), made.sandbox, made.pigment:
        yield made


@long
@alone
def test_a_load_that_failed_is_made_good_by_the_next_run(pipeline: Pipeline) -> None:
    """STATE is passed on only when everything is in: nothing is missed, or doubled."""
    refused = pipeline.run(TARGET_PIGMENT_API_KEY="wrong")
    assert refused.returncode != 0
    assert "HTTP 401" in refused.stdout + refused.stderr
    assert pipeline.workspace.imports == []
    # The eighth import is the journal's: the lists before it are in.
    pipeline.pigment.faults.add(PigmentFault.ALL_SKIPPED, after=7)
    lossy = pipeline.run()
    assert lossy.returncode != 0
    assert "rows were skipped" in lossy.stdout + lossy.stderr
    assert len(pipeline.workspace.imports) == len(LISTS)
    for seed in (1, 2):
        pipeline.company.change(seed=seed, share=0.05)
        # Deletions that a refused run told of must be told again.
        assert pipeline.run(TARGET_PIGMENT_API_KEY="wrong").returncode != 0
        pipeline.pigment.faults.add(PigmentFault.FAILED, after=6)
        assert pipeline.run().returncode != 0
        whole = pipeline.run()
        assert whole.returncode == 0, whole.stderr[-3000:]
        assert {found.name: found.differences for found in pipeline.compare()} == {
            made["name"]: 0 for made in LISTS
        }
    assert pipeline.pigment.overlapping_pushes == 0
    assert pipeline.pigment.import_key not in whole.stdout + whole.stderr


STREAM = LoadedStream("lines", "", (Column("A", "a"), Column("B", "b")))
ROW: dict[str, Any] = {"A": "0100", "B": Decimal("1.50")}


@pytest.mark.parametrize(
    ("items", "differences"),
    [
        ([{"a": "0100", "b": "1.5"}], 0),
        ([], 1),
        ([{"a": "0100", "b": "1.5"}] * 2, 1),
        ([{"a": "100", "b": "1.5"}], 2),
        ([{"a": "0100", "b": ""}], 2),
    ],
)
def test_a_comparison_counts_what_only_one_side_has(
    items: list[dict[str, str]], differences: int
) -> None:
    assert count_differences(items, [ROW], STREAM) == differences


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (Decimal(100), "100"),
        (Decimal("0.10"), "0.1"),
        (date(2026, 1, 31), "2026-01-31"),
        ("first\r\nsecond", "first second"),
    ],
)
def test_values_are_compared_as_pigment_shows_them(value: object, cell: str) -> None:
    assert as_cell(value) == cell
