"""Who is measured: the plain tap, and this tap by each format that it reads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rows import FIELDS, STREAM

PLAIN, XML, JSON = "plain", "xml", "json"
TAP = (sys.executable, "-m", "tap_sage_intacct")
PLAIN_TAP = (sys.executable, str(Path(__file__).with_name("plain_tap.py")))

CREDENTIALS = {
    "company_id": "company",
    "user_id": "user",
    "user_password": "secret",
    "sender_id": "sender",
    "sender_password": "secret",
}
Catalog = dict[str, Any]


@dataclass(frozen=True)
class Contestant:
    """One that reads the pages.

    Attributes:
        key: short, for file names.
        title: for people.
        command: run in the folder that holds its files.
    """

    key: str
    title: str
    command: tuple[str, ...]

    def with_settings(self, folder: Path, **settings: object) -> Contestant:
        """The same with more settings."""
        config = json.loads((folder / f"{self.key}.config.json").read_text("utf-8"))
        key = "-".join([self.key, *map(str, settings.values())])
        command = self.command if self.key == PLAIN else _tap_command(key)
        write(folder / f"{key}.config.json", {**config, **settings})
        return Contestant(key, self.title, command)


def contestants(folder: Path, url: str) -> list[Contestant]:
    """All that can take part, their configurations and the catalog written."""
    write(folder / "catalog.json", catalog_of_one_stream(folder))
    write(folder / "plain.config.json", {"api_url": url, "session_id": "bench"})
    found = [
        Contestant(
            PLAIN,
            "plain SDK tap, XML",
            (*PLAIN_TAP, "--config", "plain.config.json"),
        )
    ]
    for key in (XML, JSON):
        config = {**CREDENTIALS, "api_url": url, "response_format": key}
        write(folder / f"{key}.config.json", config)
        found.append(Contestant(key, f"this tap, {key.upper()}", _tap_command(key)))
    return found


def _tap_command(key: str) -> tuple[str, ...]:
    config = ("--config", f"{key}.config.json")
    return (*TAP, *config, "--catalog", "catalog.json")


def catalog_of_one_stream(folder: Path) -> Catalog:
    """The shipped catalog, with the 25 fields of the one stream selected."""
    catalog = discover(folder, {})
    for entry in catalog["streams"]:
        _select(entry, FIELDS if entry["stream"] == STREAM else ())
    return catalog


def catalog_of(
    folder: Path, settings: Mapping[str, Any], streams: Iterable[str]
) -> Catalog:
    """A company's catalog with these streams selected, or all if none is named."""
    catalog, wanted = discover(folder, settings), set(streams)
    for entry in catalog["streams"]:
        is_wanted = not wanted or entry["stream"] in wanted
        _select(entry, tuple(entry["schema"]["properties"]) if is_wanted else ())
    return catalog


def discover(folder: Path, settings: Mapping[str, Any]) -> Catalog:
    """What the tap offers under these settings; without credentials, what it ships."""
    write(folder / "discover.config.json", settings)
    command = [*TAP, "--config", "discover.config.json", "--discover"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    catalog: Catalog = json.loads(ended.stdout)
    return catalog


def _select(entry: dict[str, Any], fields: Iterable[str]) -> None:
    wanted = set(fields)
    for metadata in entry["metadata"]:
        name = (metadata["breadcrumb"] or [""])[-1]
        metadata["metadata"]["selected"] = name in wanted if name else bool(wanted)


def write(path: Path, value: object) -> None:
    """As JSON."""
    path.write_text(json.dumps(value), encoding="utf-8")
