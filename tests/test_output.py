"""Pages leave as the SDK would write them, record for record; or as files of a batch."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from intacct_sandbox import Company, ManualClock
from tap_sage_intacct.streams import IntacctStream
from tests.loading import Loader, Run, parse

MakeLoader = Callable[..., Loader]
SETTINGS: tuple[dict[str, Any], ...] = (
    {"page_size": 150},
    {"page_size": 150, "include_deletes": True},
    {"entities": "all"},
    {"custom_reports": [{"name": "Vendor list", "primary_keys": ["VENDORID"]}]},
)


def timeless(run: Run) -> list[dict[str, Any]]:
    kept = [dict(message) for message in run.messages]
    for message in kept:
        message.pop("time_extracted", None)
    return kept


def in_order(run: Run) -> list[dict[str, Any]]:
    """Balances come from a result set, whose order is another each time."""
    return sorted(timeless(run), key=lambda m: str(m) if is_balance(m) else m["type"])


def is_balance(message: dict[str, Any]) -> bool:
    return bool(message.get("record", {}).get("_balance_key"))


def streams_of(loader: Loader) -> dict[str, Any]:
    reports = loader.settings.get("custom_reports", [])
    chosen = ["vendor_list"] if reports else ["bills", "gl_accounts", "departments"]
    chosen += [] if reports else ["gl_account_balances", "gl_journal_entry_lines"]
    return loader.catalog(chosen)


@pytest.mark.parametrize("settings", SETTINGS)
def test_pages_are_what_the_sdk_would_write(
    loader: MakeLoader, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    """Fails if an SDK of another version makes more of a record than this tap does."""
    catalog = streams_of(loader(**settings))
    by_page = loader(**settings).run(catalog=catalog)
    monkeypatch.setattr(IntacctStream, "_passes_through", False)
    one_by_one = loader(**settings).run(catalog=catalog)
    assert by_page.counts.total() > 10
    assert in_order(by_page) == in_order(one_by_one)


def test_a_record_bears_the_time_of_its_page(loader: MakeLoader) -> None:
    run = loader(page_size=150).run("gl_journal_entry_lines")
    stamps = [m["time_extracted"] for m in run.messages if m["type"] == "RECORD"]
    assert len(set(stamps)) == 4
    assert all(stamp.endswith(("Z", "+00:00")) for stamp in stamps)


@pytest.mark.parametrize(
    "settings",
    [
        {"stream_maps": {"departments": {"TITLE": "TITLE.upper()"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
)
def test_maps_and_flattening_see_each_record(
    loader: MakeLoader, settings: dict[str, Any]
) -> None:
    plain = loader().run("departments")
    mapped = loader(**settings).run("departments")
    titles = [record["TITLE"] for record in plain.records("departments")]
    if "stream_maps" in settings:
        titles = [title.upper() for title in titles]
    assert [record["TITLE"] for record in mapped.records("departments")] == titles


def batched(loader: MakeLoader, folder: Path, **settings: Any) -> Loader:
    return loader(
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": folder.as_uri()},
            "batch_size": 170,
        },
        **settings,
    )


def records_in(message: dict[str, Any]) -> list[dict[str, Any]]:
    records = []
    for url in message["manifest"]:
        with gzip.open(urlsplit(url).path, "rt", encoding="utf-8") as lines:
            records += [parse(line) for line in lines]
    return records


STREAMS = ["gl_journal_entry_lines", "bills", "departments"]


def test_batches_hold_what_records_would(loader: MakeLoader, tmp_path: Path) -> None:
    plain = loader(page_size=100).run(*STREAMS)
    run = batched(loader, tmp_path, page_size=100).run(*STREAMS)
    assert not run.counts
    for stream in STREAMS:
        batches = [m for m in run.messages if m["type"] == "BATCH"]
        found = [
            record
            for message in batches
            if message["stream"] == stream
            for record in records_in(message)
        ]
        assert found == plain.records(stream)


def test_no_state_runs_ahead_of_its_batch(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path
) -> None:
    """A target that dies after any message resumes from the last STATE it had."""
    run = batched(loader, tmp_path, page_size=100).run("gl_journal_entry_lines")
    for died in range(1, len(run.messages) + 1):
        seen = run.messages[:died]
        taken = {
            record["RECORDNO"]
            for message in seen
            if message["type"] == "BATCH"
            for record in records_in(message)
        }
        states = [m["value"] for m in seen if m["type"] == "STATE"]
        state = json.loads(json.dumps(states[-1])) if states else None
        resumed = loader(page_size=100)
        resumed.state = state
        clock.advance(1)
        rest = resumed.run("gl_journal_entry_lines")
        taken |= {r["RECORDNO"] for r in rest.records("gl_journal_entry_lines")}
        assert len(taken) == company.count("GLENTRY")
