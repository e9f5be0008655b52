"""Each example of the documentation runs, and each refusal reads as it is printed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tap_sage_intacct.settings.values import stream_name_of
from tests.loading import Loader

MakeLoader = Callable[..., Loader]
DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("filters", "fields", "balances", "reports", "objects", "entities")
EXAMPLE = re.compile(
    r"^```yaml\n(?P<config>config:\n.*?)^```\n(?:\n```error\n(?P<error>.*?)\n```)?",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Example:
    """A configuration, and what the tap says to it if it refuses it."""

    config: Mapping[str, Any]
    error: str | None

    @property
    def streams(self) -> set[str]:
        """Those that the configuration is about; bills where it names none."""
        named = {
            *self.config.get("filters", {}),
            *self.config.get("related_fields", {}),
            *(
                report_stream(report)
                for report in self.config.get("custom_reports", ())
            ),
            *(object_stream(extra) for extra in self.config.get("extra_objects", ())),
        }
        if any(name.startswith("balance_") for name in self.config):
            named.add("gl_account_balances")
        return {*filter(None, named)} or {"bills"}


def report_stream(report: Mapping[str, Any]) -> str:
    return str(report.get("stream_name") or stream_name_of(report["name"]))


def object_stream(extra: str | Mapping[str, Any]) -> str:
    if isinstance(extra, str):
        return "" if extra == "*" else stream_name_of(extra)
    return str(extra["stream_name"])


def examples(*pages: str) -> list[Any]:
    found = []
    for page in pages:
        text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
        for number, match in enumerate(EXAMPLE.finditer(text), start=1):
            config = json.loads(
                json.dumps(yaml.safe_load(match["config"]), default=str)
            )
            example = Example(config["config"], match["error"])
            found.append(pytest.param(example, id=f"{page}-{number}"))
    return found


@pytest.mark.parametrize("example", examples(*PAGES))
def test_example_runs(
    loader: MakeLoader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    example: Example,
) -> None:
    monkeypatch.chdir(tmp_path)
    target = loader(**{"balance_periods": [], **example.config})
    if example.error is not None:
        with pytest.raises(Exception, match=re.escape(example.error)):
            target.run(*example.streams)
        assert target.tables == {}
        return
    run = target.run(*example.streams)
    assert {name for name, count in run.counts.items() if count} == example.streams


@pytest.mark.parametrize("example", examples("batch"))
def test_batches_of_the_example_are_files(
    loader: MakeLoader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    example: Example,
) -> None:
    monkeypatch.chdir(tmp_path)
    run = loader(**example.config).run("bills", "vendors")
    batches = [m for m in run.messages if m["type"] == "BATCH"]
    assert {message["stream"] for message in batches} == {"bills", "vendors"}
    named = {urlsplit(url).path for m in batches for url in m["manifest"]}
    storage = example.config["batch_config"]["storage"]
    files = (tmp_path / storage["root"]).glob(f"{storage.get('prefix', '')}*")
    assert named == {str(file) for file in files}


def conditions() -> list[str]:
    text = (DOCS / "filters.md").read_text(encoding="utf-8")
    table = text.split("## What a condition may hold")[1].split("\n\n")[1]
    return re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)


@pytest.mark.parametrize("condition", conditions())
def test_condition_of_the_table_finds_rows(loader: MakeLoader, condition: str) -> None:
    assert loader(filters={"bills": condition}).run("bills").counts["bills"]


def test_each_page_has_examples() -> None:
    pages = {param.id.split("-")[0] for param in examples(*PAGES)}
    assert pages == set(PAGES)
    assert len(examples("batch")) == 2
    assert len(conditions()) == 12


def test_readme_leads_to_each_page() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert [page for page in PAGES if f"docs/{page}.md" not in readme] == []
