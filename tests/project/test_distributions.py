"""What users install holds the code, and nothing of the folder it was built in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import venv
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM

ROOT = Path(__file__).parents[2]
SECRET = b"a secret of the folder"
# Where a demo, a user or Meltano leaves books and credentials.
PLANTED = (
    "output/demo.duckdb",
    "output/bills.jsonl",
    ".env",
    ".secrets",
    "intacct-sandbox.sqlite",
    "catalog.json",
    "notes.txt",
    ".meltano/meltano.db",
    "build/old.py",
)
# As those above, but inside the packages.
PLANTED_IN_PACKAGE = (
    ".env",
    "company.sqlite",
    "books.json",
    "output/bills.jsonl",
    ".meltano/run.log",
)
PACKAGES = {
    ".": ("tap_sage_intacct",),
    "packages/intacct-sandbox": ("intacct_sandbox",),
    "packages/target-pigment": ("target_pigment",),
}


def plant(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SECRET)


@pytest.fixture(params=PACKAGES, scope="module")
def distribution(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def archives(
    distribution: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, bytes]]:
    """Contents by path, of the sdist and the wheel of a folder full of secrets."""
    checkout = tmp_path_factory.mktemp("checkout")
    tracked = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - the one on the path
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, tracked):
        copy = checkout / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy)
    folder = checkout / distribution
    plant(checkout, *PLANTED)
    plant(folder, *PLANTED)
    for package in PACKAGES[distribution]:
        plant(folder / package, *PLANTED_IN_PACKAGE)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", "made"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    made = folder / "made"
    return {
        "sdist": dict(sdist_files(next(made.glob("*.tar.gz")))),
        "wheel": dict(wheel_files(next(made.glob("*.whl")))),
    }


def sdist_files(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            if content is not None:
                yield member.name.partition("/")[2], content.read()


def wheel_files(path: Path) -> Iterator[tuple[str, bytes]]:
    with ZipFile(path) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_nothing_of_the_folder_leaves(
    archives: dict[str, dict[str, bytes]], kind: str
) -> None:
    leaked = [name for name, content in archives[kind].items() if SECRET in content]
    assert leaked == []


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_every_file_of_the_packages_is_there(
    archives: dict[str, dict[str, bytes]], distribution: str, kind: str
) -> None:
    wanted = {
        path.relative_to(ROOT / distribution).as_posix()
        for package in PACKAGES[distribution]
        for path in (ROOT / distribution / package).rglob("*")
        if path.is_file() and path.suffix in {".py", ".json", ".html", ".xsd", ".typed"}
    }
    assert wanted - archives[kind].keys() == set()


def test_sdist_holds_no_more_than_is_listed(
    archives: dict[str, dict[str, bytes]], distribution: str
) -> None:
    outside = {
        name
        for name in archives["sdist"]
        if name.partition("/")[0] not in PACKAGES[distribution]
    }
    # What hatchling adds of its own accord.
    expected = {"PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    assert outside == expected | ({"LICENSE"} if distribution == "." else set())


def test_wheel_holds_its_own_package_alone(
    archives: dict[str, dict[str, bytes]], distribution: str
) -> None:
    folders = {name.partition("/")[0] for name in archives["wheel"]}
    packages = {name for name in folders if not name.endswith(".dist-info")}
    assert packages == set(PACKAGES[distribution])


@pytest.mark.long
def test_tap_alone_discovers(tmp_path: Path) -> None:
    """Installed from its wheel where nothing else is, without settings."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    venv.create(tmp_path / "alone", with_pip=True)
    programs = tmp_path / "alone" / "bin"
    (wheel,) = tmp_path.glob("*.whl")
    install(programs / "python", wheel)
    found = subprocess.run(
        [programs / "tap-sage-intacct", "--discover"],
        cwd=tmp_path,
        env={},
        check=True,
        capture_output=True,
        text=True,
    )
    streams = {entry["stream"] for entry in json.loads(found.stdout)["streams"]}
    assert streams == set(DATA_SOURCE_BY_STREAM)


def install(python: Path, wheel: Path) -> None:
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
    ]
    installed = subprocess.run(
        [*pip, "install", wheel], check=False, capture_output=True, text=True
    )
    if installed.returncode and is_without_index(pip, wheel.parent):
        pytest.skip("no index of packages can be reached")
    assert installed.returncode == 0, installed.stderr


def is_without_index(pip: list[str | Path], folder: Path) -> bool:
    """Whether not even a package that is surely there can be had."""
    fetch = [*pip, "download", "--no-deps", "--dest", folder, "typing-extensions"]
    return subprocess.run(fetch, check=False, capture_output=True).returncode != 0
