"""What a sandboxed company offers: found once for all tests of its likes.

Most tests need a catalog and are not about discovery, which takes longer than they do.
Where nobody changed what the sandbox answers, theirs comes from a sandbox beside their
own, which sees no call of it, and is kept.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from intacct_sandbox import Credentials, Sandbox, Switches
from intacct_sandbox.definitions import load_definitions

from tap_sage_intacct.tap import TapSageIntacct

# Whoever sets these is about discovery.
_OF_DISCOVERY = frozenset({"custom_reports", "extra_objects", "related_fields"})
# These say which rows are read, how, and what becomes of them. (Periods also select the
# balances, but whoever takes a catalog selects its streams anew.)
_OF_READING = frozenset(
    {
        "balance_periods", "balance_reread_periods", "batch_config", "filters",
        "key_store", "lookback_minutes", "max_connections", "max_retries",
        "on_bad_value", "on_changed_selection", "on_drift", "page_size", "paging",
        "response_format", "start_date", "stream_maps", "user_timezone",
    }
)  # fmt: skip

_found: dict[str, str] = {}


def discovered(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The live catalog, as a file would hold it."""
    tap = TapSageIntacct(config=dict(settings), setup_mapper=False)
    catalog: dict[str, Any] = json.loads(tap.catalog_json_text)
    return catalog


def offered(sandbox: Sandbox, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The live catalog, perhaps that of an earlier test."""
    if not _is_as_made(sandbox) or not _OF_DISCOVERY.isdisjoint(settings):
        return discovered(settings)
    choices = {k: v for k, v in settings.items() if k not in _OF_READING}
    key = json.dumps({**choices, "api_url": ""}, sort_keys=True, default=str)
    if key not in _found:
        with Sandbox(sandbox.company) as other, _silence():
            catalog = discovered({**choices, "api_url": other.url})
        _found[key] = json.dumps(catalog)
    known: dict[str, Any] = json.loads(_found[key])
    return known


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
