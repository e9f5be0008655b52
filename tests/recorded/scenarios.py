"""What was recorded with earlier versions, and the company it was recorded from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from intacct_sandbox import Company, ManualClock

FOLDER = Path(__file__).parent
_NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
_DAY_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Scenario:
    """A run that wrote a state, and what the next run read.

    Attributes:
        name: of the folder.
        streams: that are selected.
        settings: besides credentials and URL.
        share: of the first run's messages that arrived; 1 if it finished.
        full_table: streams that the catalog reads whole.
        versions: folders of the versions that know all these settings.
    """

    name: str
    streams: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    share: float = 1
    full_table: tuple[str, ...] = ()
    versions: tuple[str, ...] = ("state_2", "state_3")


# Each setting of state_2 but for credentials, with a value that is not its default.
_EVERY_SETTING: Mapping[str, Any] = {
    "entity_id": "E100",
    "start_date": "2025-06-01T00:00:00Z",
    "filters": {
        "bills": [{"field": "RECORDNO", "operator": ">", "value": 5}],
        "vendors": "RECORDNO < 30 OR VENDORID IS NULL",
    },
    "related_fields": {"bills": ["VENDOR.CREDITLIMIT"]},
    "balance_periods": {"from": "2025-07", "to": "2025-08", "type": "month"},
    "balance_books": ["ACCRUAL"],
    "balance_leave_out_zero": True,
    "balance_reread_periods": 1,
    "custom_reports": [
        {
            "name": "Vendor list",
            "stream_name": "vendor_list",
            "type": "interactive",
            "primary_keys": ["VENDORID"],
            "typed": True,
        }
    ],
    "report_timeout_minutes": 5,
    "extra_objects": ["CLASS", {"object": "region", "stream_name": "regions"}],
    "include_deletes": True,
    "key_store": "keys.sqlite",
    "include_sensitive": True,
    "lookback_minutes": 30,
    "page_size": 10,
    "paging": "offset",
    "response_format": "json",
    "on_drift": "fail",
    "on_denied": "fail",
    "max_connections": 1,
    "request_timeout_seconds": 60,
    "max_retries": 2,
    "maintenance_window": {
        "start": "00:00",
        "end": "02:00",
        "timezone": "America/Los_Angeles",
        "action": "ignore",
    },
    "emit_activate_version_messages": False,
}

SCENARIOS = (
    Scenario("finished", ("bills", "gl_journal_entry_lines", "vendors")),
    Scenario("interrupted", ("gl_details", "bills"), {"page_size": 40}, share=0.5),
    Scenario("by_entity", ("bills", "departments"), {"entities": "all"}),
    Scenario(
        "by_entity_interrupted",
        ("bills",),
        {"entities": ["E100", "E200"], "page_size": 5},
        share=0.6,
    ),
    Scenario(
        "filtered",
        ("bills",),
        {"filters": {"bills": "RECORDNO > 10 AND RECORDNO < 50"}},
    ),
    Scenario(
        "balances",
        ("gl_account_balances",),
        {
            "balance_periods": {"from": "2025-11", "to": "2025-12", "type": "month"},
            "balance_books": ["ACCRUAL"],
        },
    ),
    Scenario("full_table", ("customers",), full_table=("customers",)),
    Scenario(
        "full_table_interrupted",
        ("customers",),
        {"page_size": 10},
        share=0.5,
        full_table=("customers",),
    ),
    Scenario("by_offset", ("bills",), {"paging": "offset", "page_size": 10}, share=0.5),
    Scenario(
        "key_store",
        ("gl_journal_entry_lines", "vendors"),
        {"include_deletes": True, "key_store": "keys.sqlite"},
    ),
    Scenario(
        "more_fields",
        ("bills", "classes"),
        {
            "extra_objects": [{"object": "CLASS", "stream_name": "classes"}],
            "related_fields": {"bills": ["VENDOR.CREDITLIMIT"]},
        },
    ),
    Scenario(
        "hashed",
        ("vendors", "employees"),
        {"sensitive": "hash", "sensitive_salt": "a long and random text"},
        versions=("state_3",),
    ),
    Scenario("every_setting", ("vendors", "bills"), _EVERY_SETTING),
    Scenario(
        "every_newer_setting",
        ("vendors", "bills"),
        {
            **_EVERY_SETTING,
            "include_sensitive": ["vendors.TAXID"],
            "sensitive": "hash",
            "sensitive_salt": "a long and random text",
            "user_timezone": "Africa/Abidjan",
            "on_bad_value": "null",
            "on_changed_selection": "fail",
        },
        versions=("state_3",),
    ),
)


def new_company(path: Path) -> Company:
    """The one that the first runs read; always the same."""
    return Company.create(path, journal_lines=60, clock=ManualClock(_NOON))


def pass_a_day(company: Company) -> None:
    """What happens before the second run; always the same."""
    clock = company.clock
    assert isinstance(clock, ManualClock)
    clock.advance(_DAY_SECONDS)
    company.change(seed=7, share=0.1)
    clock.advance(_DAY_SECONDS)


def lines_of_records(messages: Iterable[Mapping[str, Any]]) -> list[str]:
    """What was read, one record a line, in an order of its own."""
    return sorted(
        json.dumps([message["stream"], _telling(message["record"])], default=str)
        for message in messages
        if message["type"] == "RECORD"
    )


def _telling(record: Mapping[str, Any]) -> dict[str, Any]:
    """Without nulls, and without the time of this machine at which a row was missed."""
    return {
        name: True if name == "_sdc_deleted_at" else value
        for name, value in sorted(record.items())
        if value is not None
    }
