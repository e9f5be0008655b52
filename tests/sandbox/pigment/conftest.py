"""A workspace with a list of each kind, and a client that pushes as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import requests

from intacct_sandbox.pigment import (
    ImportColumn,
    ListType,
    PigmentFaults,
    PigmentSandbox,
    PropertyType,
    Workspace,
)

COLUMNS = (
    ImportColumn("id"),
    ImportColumn("amount", PropertyType.NUMBER),
    ImportColumn("day", PropertyType.DATE),
    ImportColumn("account", PropertyType.DIMENSION, "accounts"),
)


@dataclass
class Seconds:
    """A clock that stands still until it is moved."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Client:
    """Calls a sandbox with plain HTTP."""

    sandbox: PigmentSandbox
    seconds: Seconds
    prefix: str = "/api/v1"

    @property
    def workspace(self) -> Workspace:
        return self.sandbox.workspace

    @property
    def faults(self) -> PigmentFaults:
        return self.sandbox.faults

    def switch(self, **switches: Any) -> None:
        self.sandbox.switches = replace(self.sandbox.switches, **switches)

    def call(
        self, method: str, path: str, key: str = "", **options: Any
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {key or self.sandbox.import_key}"}
        headers |= options.pop("headers", {})
        url = f"{self.sandbox.url}{self.prefix}{path}"
        return requests.request(method, url, headers=headers, timeout=10, **options)

    def push(self, name: str, body: str | bytes, **options: Any) -> requests.Response:
        options.setdefault("headers", {"Content-Type": "text/csv"})
        options.setdefault(
            "params", {"configurationId": self.workspace.configuration(name).id}
        )
        data = body.encode() if isinstance(body, str) else body
        return self.call("POST", "/import/push/csv", data=data, **options)

    def load(self, name: str, *lines: str) -> dict[str, Any]:
        """Push, and ask until it is done; returns the status with its report."""
        body = "".join(f"{line}\r\n" for line in lines)
        id_ = self.push(name, body).json()["importId"]
        for _ in range(5):
            found = self.status(id_)
            if found["importStatus"] != "InProgress":
                return found
        return found

    def status(self, id_: str, word: str = "true") -> dict[str, Any]:
        answer = self.call(
            "GET", f"/import/{id_}/status", params={"includedDetailedReport": word}
        )
        found: dict[str, Any] = answer.json()
        return found

    def ids(self, name: str) -> list[str]:
        return [row["id"] for row in self.workspace.rows(name)]


@pytest.fixture
def client() -> Iterator[Client]:
    seconds = Seconds()
    workspace = Workspace()
    _add_lists(workspace)
    with PigmentSandbox(workspace, now=seconds, sleep=seconds.slept.append) as sandbox:
        yield Client(sandbox, seconds)
    workspace.close()


def _add_lists(workspace: Workspace) -> None:
    accounts = (ImportColumn("id"), ImportColumn("title"))
    dimension = ListType.DIMENSION_LIST
    workspace.add_list("accounts", accounts, unique="id", type=dimension)
    workspace.add_list("appended", COLUMNS)
    workspace.add_list("upserted", COLUMNS, unique="id", unknown_item="null")
    workspace.add_list("emptied", COLUMNS, clear="all", unknown_item="create")
    workspace.add_list("replaced", COLUMNS, unique="id", clear="all")
    workspace.add_list(
        "scoped", COLUMNS, clear="scope", scope="day", scope_items=["2026-01-31"]
    )
