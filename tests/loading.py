"""Runs the tap in this process and keeps what a target would: rows by key, last state."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from intacct_sandbox import Credentials, Sandbox
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM
from tap_sage_intacct.tap import TapSageIntacct
from tests.offered import discovered, offered, shipped
from tests.plugins.leaks import LeakScanner

SCANNER = LeakScanner(
    Credentials().user_password,
    Credentials().sender_password,
    # As the tests write what they hand over, and the sandbox its books.
    inputs={"config.json", "company.sqlite"},
)
"""Fails every test whose output, wherever it went, holds a password or a session."""

PERIODS = ("Month Ended June 2025", "Month Ended July 2025")

# Lets every test run on either road and with more or fewer calls at once, and holds the
# campaigns to one: RESPONSE_FORMAT=xml or json, MAX_CONNECTIONS=1 or 4.
_FORMAT = os.environ.get("RESPONSE_FORMAT")
_CONNECTIONS = os.environ.get("MAX_CONNECTIONS")

Road = dict[str, object]
"""Settings of the tap that change how rows are fetched, and nothing else."""


def _road(response_format: str, max_connections: int) -> Road:
    return {"response_format": response_format, "max_connections": max_connections}


ROAD = _road(_FORMAT or "auto", int(_CONNECTIONS or 2))
ROADS = [
    _road(response_format, connections)
    for response_format in ([_FORMAT] if _FORMAT else ["xml", "json"])
    for connections in ([int(_CONNECTIONS)] if _CONNECTIONS else [1, 2, 4])
]
"""For campaigns, which run on all of them."""

Record = dict[str, Any]
Key = tuple[Any, ...]


@dataclass
class Run:
    """What one run wrote."""

    messages: list[dict[str, Any]]
    calls: int

    @property
    def counts(self) -> Counter[str]:
        """Records by stream."""
        return Counter(m["stream"] for m in self.messages if m["type"] == "RECORD")

    def records(self, stream: str) -> list[Record]:
        """Records of a stream, in the order written."""
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    def deleted(self, stream: str) -> list[Any]:
        """RECORDNOs of the deletions of a stream, in the order written."""
        return [
            record["RECORDNO"]
            for record in self.records(stream)
            if record.get("_sdc_deleted_at")
        ]

    @property
    def states(self) -> list[dict[str, Any]]:
        """STATE values, in the order written."""
        return [m["value"] for m in self.messages if m["type"] == "STATE"]


@dataclass
class Loader:
    """Loads into memory, as a target that upserts by key would.

    Attributes:
        sandbox: that the settings name, if its catalog need not be found again.
    """

    settings: Mapping[str, Any]
    state: dict[str, Any] | None = None
    tables: dict[str, dict[Key, Record]] = field(default_factory=dict)
    versions: dict[tuple[str, Key], int | None] = field(default_factory=dict)
    sandbox: Sandbox | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the state is of a sync that was broken off."""
        return is_under_way(self.state)

    def catalog(self, streams: Collection[str]) -> dict[str, Any]:
        """These streams of the live catalog, selected, sensitive fields included."""
        if self.sandbox is None:
            live = discovered(self.settings)["streams"]
            return selected({"streams": [e for e in live if e["stream"] in streams]})
        return selected(offered(self.sandbox, self.settings, *streams))

    def run(
        self,
        *streams: str,
        catalog: dict[str, Any] | None = None,
        upto: int | None = None,
    ) -> Run:
        """Sync and upsert.

        Args:
            streams: all if none is given.
            catalog: instead of a live one.
            upto: the target dies after this many messages; only what it had taken,
                and the last state among it, counts.
        """
        names = streams or tuple(DATA_SOURCE_BY_STREAM)
        catalog = catalog or self.catalog(names)
        tap = TapSageIntacct(
            config=dict(self.settings), catalog=catalog, state=deepcopy(self.state)
        )
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
        try:
            with contextlib.redirect_stdout(out):
                tap.sync_all()
        finally:
            SCANNER.look_at(out.buffer.getvalue(), "what the tap wrote")
            lines = out.buffer.getvalue().decode().split("\n")[:-1][:upto]
            run = Run([parse(line) for line in lines], tap.run.gateway.counts.total)
            self._take(run)
        return run

    def _take(self, run: Run) -> None:
        keys = {
            message["stream"]: message["key_properties"]
            for message in run.messages
            if message["type"] == "SCHEMA"
        }
        for message in run.messages:
            table = self.tables.setdefault(message.get("stream", ""), {})
            if message["type"] == "ACTIVATE_VERSION":
                self._drop_other_versions(message["stream"], message["version"])
            if message["type"] != "RECORD":
                continue
            record = message["record"]
            key = tuple(record[name] for name in keys[message["stream"]])
            if record.get("_sdc_deleted_at") is None:
                table[key] = record
            else:
                table.pop(key, None)
            self.versions[message["stream"], key] = message.get("version")
        if run.states:
            self._keep_state(run.states)

    def _keep_state(self, states: Sequence[dict[str, Any]]) -> None:
        self.state = states[-1]

    def _drop_other_versions(self, stream: str, version: int) -> None:
        table = self.tables[stream]
        for key in list(table):
            if self.versions[stream, key] != version:
                del table[key]


def is_under_way(state: object) -> bool:
    """Whether the state holds a sync that is not complete."""
    return '"pass": "' in json.dumps(state)


def parse(line: str) -> dict[str, Any]:
    """A message, its numbers exact."""
    message: dict[str, Any] = json.loads(line, parse_float=Decimal)
    return message


def select(entry: dict[str, Any], *, is_selected: bool) -> None:
    """Select a stream whole, or deselect it."""
    for metadata in entry["metadata"]:
        metadata["metadata"]["selected"] = is_selected


def shipped_catalog(*streams: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """These streams of the offline catalog, selected."""
    return selected(shipped(config, *streams))


def selected(catalog: dict[str, Any]) -> dict[str, Any]:
    """The catalog with all its streams selected whole."""
    for entry in catalog["streams"]:
        select(entry, is_selected=True)
    return catalog


def as_json(value: object) -> object:
    """A value of the sandbox's truth as a record should hold it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value
