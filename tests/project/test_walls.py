"""`make lint` fails where a new module climbs over a wall."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    ROOT / "tap_sage_intacct",
    ROOT / "packages" / "intacct-sandbox" / "intacct_sandbox",
    ROOT / "packages" / "target-pigment" / "target_pigment",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All packages and their contracts."""
    folder = tmp_path_factory.mktemp("walls")
    for package in PACKAGES:
        shutil.copytree(
            package, folder / package.name, ignore=shutil.ignore_patterns("*.json")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("module", "imported", "contract"),
    [
        ("new", "lxml.etree", "Only the XML gateway knows XML"),
        ("reading/new", "lxml.etree", "Only the XML gateway knows XML"),
        ("intacct/rows/new", "lxml.etree", "Only the XML gateway knows XML"),
        ("intacct/xml/new", "singer_sdk", "The wire does not use Singer"),
        ("selection/new", "singer_sdk", "Selection does not use Singer"),
        ("companion/new", "rich.text", "What the companion finds does not use a"),
        (
            "settings/new",
            "tap_sage_intacct.catalog",
            "The tap's folders, top to bottom",
        ),
        ("new", "tap_sage_intacct.errors", "The tap's folders, top to bottom"),
        ("reading/new", "intacct_sandbox", "Tap, target and sandbox never import"),
        (
            "reading/new",
            "tap_sage_intacct.intacct.xml.calls",
            "Only a run opens a transport",
        ),
    ],
)
def test_module_that_climbs_over_a_wall_is_refused(
    copy: Path, module: str, imported: str, contract: str
) -> None:
    path = copy / "tap_sage_intacct" / f"{module}.py"
    path.write_text(f"import {imported}\n")
    try:
        found = lint(copy)
    finally:
        path.unlink()
    assert found.returncode == 1, found.stderr
    broken = [line for line in found.stdout.splitlines() if " BROKEN" in line]
    assert [line for line in broken if line.startswith(contract)]


def test_packages_as_they_are_keep_all_walls(copy: Path) -> None:
    found = lint(copy)
    assert found.returncode == 0, found.stdout
