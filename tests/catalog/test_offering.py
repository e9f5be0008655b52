"""What discovery offers, and what a run does with what was selected of it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, Report, Sandbox, Switches
from tap_sage_intacct.catalog.sensitivity import sensitive_fields
from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.errors import PermissionDenied
from tap_sage_intacct.tap import TapSageIntacct
from tests.loading import Loader, Run, parse
from tests.offered import discovered, offered

MakeLoader = Callable[..., Loader]


def fields_offered(loader: Loader) -> dict[str, dict[str, Any]]:
    """The properties of each stream that discovery offers."""
    catalog = discovered(loader.settings)
    return {e["stream"]: e["schema"]["properties"] for e in catalog["streams"]}


def plain(loader: MakeLoader, **settings: Any) -> Loader:
    """A loader that allows no sensitive field by itself."""
    return loader(include_sensitive=False, **settings)


def run_trial(loader: Loader) -> Run:
    """What `--test` writes."""
    tap = TapSageIntacct(config=dict(loader.settings))
    bytes_of = io.BytesIO()
    out = io.TextIOWrapper(bytes_of, encoding="utf-8", newline="")
    with contextlib.redirect_stdout(out):
        assert tap.run_connection_test()
        out.flush()
    lines = bytes_of.getvalue().decode().split("\n")[:-1]
    return Run([parse(line) for line in lines], tap.run.gateway.counts.total)


def test_no_sensitive_field_is_offered_unless_it_is_allowed(
    loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    """Meltano selects whatever is offered."""
    caplog.set_level(logging.INFO)
    extra = {"extra_objects": ["CLASS"], "related_fields": {"bills": ["VENDOR.TAXID"]}}
    found = fields_offered(plain(loader, **extra))
    for source in DATA_SOURCES:
        properties = {"properties": found[source.stream_name]}
        assert not sensitive_fields(source.object_name, properties)
    assert "VENDOR.TAXID" not in found["bills"]
    assert "include_sensitive, such as employees.SSN" in caplog.text


@pytest.mark.parametrize("given", [["employees.SSN", "*.WIRE*"], None])
def test_patterns_say_which_sensitive_fields_are_offered(
    loader: MakeLoader, given: list[str] | None
) -> None:
    allowed = given if given is not None else '["employees.SSN", "*.WIRE*"]'
    found = fields_offered(loader(include_sensitive=allowed))
    assert "SSN" in found["employees"]
    assert "BIRTHDATE" not in found["employees"]
    assert "WIREACCOUNTNUMBER" in found["vendors"]
    assert "TAXID" not in found["vendors"]


def test_catalog_that_selects_a_sensitive_field_keeps_it(
    company: Company, loader: MakeLoader
) -> None:
    """It was chosen, when discovery offered it still."""
    catalog = loader(include_sensitive=True).catalog(["employees"])
    run = plain(loader).run("employees", catalog=catalog)
    loaded = {record["SSN"] for record in run.records("employees")}
    assert loaded == {row["SSN"] for row in company.truth("EMPLOYEE")}


def test_hashes_stand_for_sensitive_values(
    company: Company, loader: MakeLoader
) -> None:
    run = plain(loader, sensitive="hash", sensitive_salt="pepper").run("employees")
    hashes = {
        row["RECORDNO"]: row["SSN"]
        and hmac.new(b"pepper", str(row["SSN"]).encode(), hashlib.sha256).hexdigest()
        for row in company.truth("EMPLOYEE")
    }
    loaded = {row["RECORDNO"]: row["SSN"] for row in run.records("employees")}
    assert loaded == hashes
    (schema,) = (m["schema"] for m in run.messages if m["type"] == "SCHEMA")
    assert schema["properties"]["BIRTHDATE"]["type"] == ["null", "string"]
    assert "format" not in schema["properties"]["BIRTHDATE"]


def test_hashing_comes_upon_a_catalog_of_before(
    company: Company, loader: MakeLoader
) -> None:
    catalog = loader(include_sensitive=True).catalog(["employees"])
    hashing = plain(loader, sensitive="hash", sensitive_salt="pepper")
    run = hashing.run("employees", catalog=catalog)
    ssns = {row["SSN"] for row in company.truth("EMPLOYEE")} - {None}
    assert ssns.isdisjoint(record["SSN"] for record in run.records("employees"))
    (schema,) = (m["schema"] for m in run.messages if m["type"] == "SCHEMA")
    assert schema["properties"]["GENDER"]["type"] == ["null", "string"]


def test_catalog_of_hashes_is_refused_when_hashing_is_off(loader: MakeLoader) -> None:
    hashing = plain(loader, sensitive="hash", sensitive_salt="pepper")
    catalog = hashing.catalog(["employees"])
    with pytest.raises(InvalidSettings, match="discovered with sensitive: hash"):
        plain(loader).run("employees", catalog=catalog)


def test_key_is_never_left_out_or_hashed_in_silence(loader: MakeLoader) -> None:
    extra = {"object": "EMPLOYEE", "stream_name": "people", "primary_keys": ["SSN"]}
    with pytest.raises(InvalidSettings, match=r"SSN of people is sensitive"):
        fields_offered(plain(loader, extra_objects=[extra]))
    found = fields_offered(
        loader(extra_objects=[extra], include_sensitive=["people.SSN"])
    )
    assert "SSN" in found["people"]


def test_filter_may_use_a_field_that_is_left_out(
    company: Company, loader: MakeLoader
) -> None:
    women = plain(loader, filters={"employees": "GENDER = 'female'"})
    run = women.run("employees")
    expected = [r for r in company.truth("EMPLOYEE") if r["GENDER"] == "female"]
    assert len(run.records("employees")) == len(expected)
    assert not any("GENDER" in record for record in run.records("employees"))


def test_columns_of_reports_are_left_out_too(
    loader: MakeLoader, sandbox: Sandbox
) -> None:
    columns = ("VENDORID", "TAXID")
    report_of = Report("R", "interactive", "VENDOR", columns)
    sandbox.switches = replace(sandbox.switches, reports=(report_of,))
    report = {"custom_reports": [{"name": "R"}]}
    assert "TAXID" not in fields_offered(plain(loader, **report))["r"]
    run = plain(loader, **report).run("r")
    assert set(run.records("r")[0]) == {"_report_row", "_report_run_id", "VENDORID"}
    assert (
        "TAXID" in fields_offered(loader(**report, include_sensitive=["r.TAXID"]))["r"]
    )


def test_denied_source_is_offered_where_its_run_is_to_fail(
    loader: MakeLoader, sandbox: Sandbox
) -> None:
    denied = frozenset({"APBILL"})
    sandbox.switches = replace(sandbox.switches, denied_objects=denied)
    assert "bills" not in fields_offered(loader())
    failing = loader(on_denied="fail")
    assert "TOTALDUE" in fields_offered(failing)["bills"]
    with pytest.raises(PermissionDenied):
        failing.run("bills", "departments")


def test_empty_report_of_unknown_columns_is_left_out(
    loader: MakeLoader, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Its definition names none of them, and so would its first page."""
    empty = Report("Empty", "original", "VENDOR", ("VENDORID",), rows_limit=0)
    sandbox.switches = replace(sandbox.switches, reports=(empty,))
    report = {"name": "Empty", "type": "original", "primary_keys": ["VENDORID"]}
    found = fields_offered(loader(custom_reports=[report]))
    assert "empty" not in found
    assert "vendors" in found
    assert "empty is not offered: the report 'Empty' has no rows today" in caplog.text


def test_balances_without_periods_leave_the_other_streams_alone(
    loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    """As `*.*` selects them in every new project."""
    target = loader(balance_periods=[])
    run = target.run("gl_account_balances", "departments")
    assert set(run.counts) == {"departments"}
    assert "gl_account_balances is left out" in caplog.text
    assert "balance_periods" in caplog.text
    with pytest.raises(InvalidSettings, match="balance_periods"):
        target.run("gl_account_balances")


@pytest.mark.parametrize("periods", [True, False])
def test_trial_reads_a_record_of_each_stream(
    loader: MakeLoader, tmp_path: Path, *, periods: bool
) -> None:
    settings: dict[str, Any] = {} if periods else {"balance_periods": []}
    store = tmp_path / "keys.sqlite"
    run = run_trial(loader(include_deletes=True, key_store=str(store), **settings))
    streams = {s.stream_name for s in DATA_SOURCES}
    if not periods:
        streams -= {"gl_account_balances"}
    assert dict(run.counts) == dict.fromkeys(streams, 1)
    assert not store.exists()


def test_trial_asks_for_few_rows(
    loader: MakeLoader, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    run_trial(loader())
    assert "unhandled error" not in caplog.text
    # One for each, those of pages on their way already, periods and preferences.
    assert sum(call.rows for call in sandbox.calls) < 200


@pytest.mark.parametrize(
    ("settings", "own"),
    [
        ({"include_deletes": True}, "_sdc_deleted_at"),
        ({}, "_balance_key"),
    ],
)
def test_schema_has_what_records_have_though_the_catalog_is_older(
    loader: MakeLoader, settings: dict[str, Any], own: str
) -> None:
    stream = "gl_account_balances" if own == "_balance_key" else "departments"
    catalog = loader().catalog([stream])
    for entry in catalog["streams"]:
        entry["schema"]["properties"].pop(own, None)
        entry["metadata"] = [m for m in entry["metadata"] if own not in m["breadcrumb"]]
    run = loader(**settings).run(stream, catalog=catalog)
    (schema,) = (m["schema"] for m in run.messages if m["type"] == "SCHEMA")
    assert own in run.records(stream)[0]
    assert set(run.records(stream)[0]) <= set(schema["properties"])


def test_own_columns_of_reports_are_always_in_the_schema(loader: MakeLoader) -> None:
    """Meltano deselects them where `select` names columns one by one."""
    target = loader(custom_reports=[{"name": "Vendor list"}])
    catalog = target.catalog(["vendor_list"])
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if part["breadcrumb"] and part["breadcrumb"][-1] != "VENDORID":
                part["metadata"]["selected"] = False
    run = target.run("vendor_list", catalog=catalog)
    (schema,) = (m["schema"] for m in run.messages if m["type"] == "SCHEMA")
    assert set(run.records("vendor_list")[0]) == set(schema["properties"])


def test_catalog_of_the_other_tests_is_the_live_one(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    settings = loader(include_deletes=True, page_size=5, balance_periods=[]).settings
    known = offered(sandbox, settings)
    assert sandbox.calls == []
    assert known == discovered(settings)
    sandbox.switches = Switches(denied_objects=frozenset({"VENDOR"}))
    streams = [entry["stream"] for entry in offered(sandbox, settings)["streams"]]
    assert "vendors" not in streams
