"""What a sandboxed company offers: found once for all tests of its likes.

Most tests need a catalog and are not about discovery, which takes longer than they do.
Where nobody changed what the sandbox answers, theirs comes from a sandbox beside their
own, which sees no call of it, and is kept.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from intacct_sandbox import Credentials, Sandbox, Switches
from intacct_sandbox.company.definitions import load_definitions
from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.tap import TapSageIntacct

_SECRETS = frozenset({"user_password", "sender_password"})
# Whoever sets these is about discovery.
_OF_DISCOVERY = frozenset({"custom_reports", "extra_objects", "related_fields"})
# These say which rows are read, how, and what becomes of them. (Periods also select the
# balances, but whoever takes a catalog selects its streams again.)
_OF_READING = frozenset(
    {
        "balance_periods", "balance_reread_periods", "batch_config", "filters",
        "key_store", "lookback_minutes", "max_connections", "max_retries",
        "on_bad_value", "on_changed_selection", "on_drift", "page_size", "paging",
        "response_format", "start_date", "stream_maps", "user_timezone",
    }
)  # fmt: skip

Catalog = dict[str, Any]
Settings = Mapping[str, Any]

_found: dict[str, dict[str, str]] = {}
"""By what was chosen: the entries of the catalog, each as a text, by stream."""


def discovered(settings: Settings) -> Catalog:
    """The live catalog, as a file would hold it."""
    tap = TapSageIntacct(config=dict(settings), setup_mapper=False)
    catalog: Catalog = json.loads(tap.catalog_json_text)
    return catalog


def offered(sandbox: Sandbox, settings: Settings, *streams: str) -> Catalog:
    """The live catalog, or these streams of it; perhaps as an earlier test found it."""
    if not _is_as_made(sandbox) or not _OF_DISCOVERY.isdisjoint(settings):
        return _of_streams(_entries(discovered(settings)), streams)
    choices = {k: v for k, v in settings.items() if k not in _OF_READING}
    key = _key(choices)
    if key not in _found:
        with Sandbox(sandbox.company) as other, _silence():
            _found[key] = _entries(discovered({**choices, "api_url": other.url}))
    return _of_streams(_found[key], streams)


def shipped(settings: Settings, *streams: str) -> Catalog:
    """The catalog that needs no network, or these streams of it."""
    kept = {k: v for k, v in settings.items() if k not in {*_OF_READING, *_SECRETS}}
    key = _key(kept)
    if key not in _found:
        tap = TapSageIntacct(config=kept, validate_config=False, setup_mapper=False)
        assert len(tap.streams) == len(DATA_SOURCES)
        _found[key] = _entries(json.loads(tap.catalog_json_text))
    return _of_streams(_found[key], streams)


def _key(settings: Settings) -> str:
    return json.dumps({**settings, "api_url": ""}, sort_keys=True, default=str)


def _entries(catalog: Catalog) -> dict[str, str]:
    return {entry["stream"]: json.dumps(entry) for entry in catalog["streams"]}


def _of_streams(entries: Mapping[str, str], streams: Collection[str]) -> Catalog:
    chosen = [text for name, text in entries.items() if not streams or name in streams]
    return {"streams": [json.loads(text) for text in chosen]}


def _is_as_made(sandbox: Sandbox) -> bool:
    return (
        sandbox.company.definitions is load_definitions()
        and sandbox.credentials == Credentials()
        and sandbox.switches == Switches()
        and sandbox.faults.are_none
    )


@contextmanager
def _silence() -> Iterator[None]:
    """No test may find in its log what others do not."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
