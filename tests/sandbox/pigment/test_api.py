"""Paths, keys, limits, and when a status tells the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests

from intacct_sandbox.pigment import PigmentFault
from tests.sandbox.pigment.conftest import Client

BODY = "id,amount,day,account\r\n1,1234.5,2026-01-31,\r\n"


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
def test_both_paths_push_and_only_one_reports(client: Client, prefix: str) -> None:
    client = replace(client, prefix=prefix)
    id_ = client.push("appended", BODY).json()["importId"]
    assert client.status(id_)["importStatus"] == "InProgress"
    found = client.status(id_)
    assert found["importStatus"] == "Completed"
    assert found["completedAt"]
    assert bool(found["detailedReport"]) is (prefix == "/api/v1")
    assert client.status(id_, "True")["detailedReport"] is None


def test_polls_go_by_before_the_end(client: Client) -> None:
    client.switch(polls=3)
    id_ = client.push("appended", BODY).json()["importId"]
    words = [client.status(id_)["importStatus"] for _ in range(5)]
    assert words == ["InProgress"] * 3 + ["Completed"] * 2


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"key": "wrong"}, 401),
        ({"params": {"configurationId": "cfg_1"}}, 400),
        ({"params": {}}, 400),
        ({"params": {"configurationId": "00000000-0000-4000-8000-000000000000"}}, 404),
        ({"headers": {"Content-Type": "multipart/form-data"}}, 415),
        ({"headers": {"Content-Type": "text/csv", "Content-Encoding": "gzip"}}, 415),
    ],
)
def test_a_push_is_refused(
    client: Client, options: dict[str, Any], status: int
) -> None:
    assert client.push("appended", BODY, **options).status_code == status
    assert client.workspace.imports == []


def test_keys_are_of_one_type_each(client: Client) -> None:
    sandbox = client.sandbox
    for key in (sandbox.export_key, sandbox.metadata_key):
        assert client.push("appended", BODY, key=key).status_code == 401
    for path in ("/applications", "/blocks", "/importConfigurations"):
        assert client.call("GET", path).status_code == 401
    client.switch(key_expired=True)
    assert client.push("appended", BODY).status_code == 401


def test_a_large_push_is_a_bad_request(client: Client) -> None:
    client.switch(size_limit_bytes=len(BODY) - 1)
    assert client.push("appended", BODY).status_code == 400


def test_pushes_are_limited_by_the_hour_and_configuration(client: Client) -> None:
    client.switch(pushes_per_hour=2)
    for _ in range(2):
        assert client.push("appended", BODY).ok
    refused = client.push("appended", BODY)
    assert refused.status_code == 429
    assert "per configuration per hour exceeded, maximum: 2" in refused.text
    assert "Retry-After" not in refused.headers
    assert client.push("upserted", BODY).ok
    client.seconds.now += 3600
    assert client.push("appended", BODY).ok


def test_requests_are_limited_by_the_client(client: Client) -> None:
    client.switch(requests_per_window=2, retry_after=7)
    id_ = client.push("appended", BODY).json()["importId"]
    client.status(id_)
    refused = client.push("upserted", BODY)
    assert refused.status_code == 429
    assert "per configuration" not in refused.text
    assert refused.headers["Retry-After"] == "7"
    client.seconds.now += 300
    assert client.push("upserted", BODY).ok


def test_bodies_of_refusals_take_turns(client: Client) -> None:
    client.switch(error_body="rotate")
    found = [client.push("appended", BODY, key="wrong") for _ in range(4)]
    kinds = [answer.headers["Content-Type"].partition(";")[0] for answer in found]
    assert kinds == ["application/json", "text/plain", "text/html", "text/plain"]
    assert found[-1].text == ""


@pytest.mark.parametrize(
    ("fault", "imports"),
    [(PigmentFault.RESET_BEFORE, 0), (PigmentFault.RESET_AFTER, 1)],
)
def test_a_reset_comes_before_or_after_the_work(
    client: Client, fault: PigmentFault, imports: int
) -> None:
    client.faults.add(fault, on="push")
    with pytest.raises(requests.ConnectionError):
        client.push("appended", BODY)
    assert len(client.workspace.imports) == imports
    assert client.push("appended", BODY).ok


@pytest.mark.parametrize(
    ("fault", "status", "imports"),
    [
        (PigmentFault.HTTP_502, 502, 0),
        (PigmentFault.HTTP_503, 503, 0),
        (PigmentFault.GATEWAY_TIMEOUT, 504, 1),
    ],
)
def test_a_proxy_may_answer(
    client: Client, fault: PigmentFault, status: int, imports: int
) -> None:
    client.faults.add(fault, on="push", after=1)
    assert client.push("upserted", BODY).ok
    assert client.push("appended", BODY).status_code == status
    assert len(client.workspace.imports) == 1 + imports


def test_a_slow_answer_waits(client: Client) -> None:
    client.faults.add(PigmentFault.SLOW, on="push", seconds=9)
    assert client.push("appended", BODY).ok
    assert client.seconds.slept == [9]


def test_a_status_may_be_late_stuck_or_odd(client: Client) -> None:
    client.faults.add(PigmentFault.STATUS_404)
    id_ = client.push("appended", BODY).json()["importId"]
    assert client.call("GET", f"/import/{id_}/status").status_code == 404
    assert client.status(id_)["importStatus"] == "InProgress"
    client.faults.add(PigmentFault.STUCK)
    client.faults.add(PigmentFault.UNKNOWN_STATUS, after=1)
    assert client.load("appended", *BODY.split())["importStatus"] == "InProgress"
    assert client.load("appended", *BODY.split())["importStatus"] == "Postponed"


def test_an_import_may_skip_everything(client: Client) -> None:
    client.faults.add(PigmentFault.ALL_SKIPPED)
    found = client.load("appended", *BODY.split())
    assert found["importStatus"] == "Completed"
    assert found["detailedReport"]["summary"]["skippedCount"] == 1
    assert client.workspace.rows("appended") == []


def test_pushes_that_overlap_are_counted(client: Client) -> None:
    client.load("appended", *BODY.split())
    client.push("appended", BODY)
    assert client.sandbox.overlapping_pushes == 0
    client.push("upserted", BODY)
    client.push("appended", BODY)
    assert client.sandbox.overlapping_pushes == 1


def test_the_journal_keeps_no_key(client: Client) -> None:
    client.push("appended", BODY)
    (entry,) = client.sandbox.requests
    assert (entry.method, entry.status, entry.rows) == ("POST", 200, 1)
    assert entry.size == len(BODY)
    assert client.sandbox.import_key not in str(entry)


def test_metadata_tells_ids_names_and_types(client: Client) -> None:
    key = client.sandbox.metadata_key
    (application,) = client.call("GET", "/applications", key).json()
    where = {"applicationId": application["id"]}
    blocks = client.call("GET", "/blocks", key, params=where).json()
    types = {block["name"]: block["type"] for block in blocks}
    assert types["accounts"] == "DimensionList"
    assert types["appended"] == "TransactionList"
    all_ = client.call("GET", "/importConfigurations", key, params=where).json()
    assert len(all_) == 6
    where["blockId"] = blocks[0]["id"]
    (one,) = client.call("GET", "/importConfigurations", key, params=where).json()
    assert one == {
        "id": client.workspace.configuration("accounts").id,
        "name": "accounts",
    }
    assert client.call("GET", "/blocks", key).status_code == 404


def export(client: Client, path: str = "", **options: Any) -> list[str]:
    block = client.workspace.list_named("appended")
    url = f"{client.sandbox.url}{path or client.prefix}/export/list/{block.id}"
    key = {"Authorization": f"Bearer {client.sandbox.export_key}"}
    answer = requests.post(url, json=options, headers=key, timeout=10)
    answer.raise_for_status()
    return answer.content.decode().splitlines()


def test_export_reads_back(client: Client) -> None:
    client.load("appended", *BODY.split())
    assert export(client) == ["id;amount;day;account", "1;1234.5;2026-01-31;"]
    assert export(client, "/api")[1] == "1;1234.5;01/31/2026;"
    assert export(
        client,
        properties=["id", "amount"],
        fieldDelimiter=",",
        decimalSeparator="/",
        encoding="Utf8WithBom",
    ) == ["\ufeffid,amount", "1,1234/5"]
    assert (
        client.call("POST", "/export/list/none", client.sandbox.export_key).status_code
        == 404
    )


def test_what_is_no_path_is_not_found(client: Client) -> None:
    assert client.call("GET", "/import/push/csv").status_code == 404
    assert client.call("GET", "/nothing").status_code == 404
