"""Fields of parent objects: typed by the parent's lookup, fetched, filtered by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from intacct_sandbox import Company, Sandbox
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.tap import TapSageIntacct
from tests.loading import Loader, as_json

MakeLoader = Callable[..., Loader]

PATHS = ["VENDOR.CREDITLIMIT", "vendor.displaycontact.mailaddress.city"]


def properties(loader: Loader, stream: str) -> dict[str, dict[str, object]]:
    (entry,) = (
        entry
        for entry in loader.catalog([stream])["streams"]
        if entry["stream"] == stream
    )
    found: dict[str, dict[str, object]] = entry["schema"]["properties"]
    return found


def test_path_becomes_a_field_of_the_parents_type(loader: MakeLoader) -> None:
    found = properties(loader(related_fields={"bills": PATHS}), "bills")
    limit = found["VENDOR.CREDITLIMIT"]
    assert limit["type"] == ["null", "number"]
    assert limit["title"] == "Credit limit (VENDOR)"
    assert str(limit["description"]).count("Parent object") == 1
    assert "Parent object: VENDOR, by the path VENDOR." in str(limit["description"])
    assert "VENDOR.DISPLAYCONTACT.MAILADDRESS.CITY" in found


def test_records_hold_the_parents_values(company: Company, loader: MakeLoader) -> None:
    target = loader(related_fields={"bills": PATHS})
    target.run("bills")
    vendors = {row["VENDORID"]: row for row in company.truth("VENDOR")}
    bills = list(target.tables["bills"].values())
    assert len(bills) == company.count("APBILL")
    for bill in bills:
        vendor = vendors[bill["VENDORID"]]
        assert bill["VENDOR.CREDITLIMIT"] == as_json(vendor["CREDITLIMIT"])
        city = vendor["DISPLAYCONTACT.MAILADDRESS.CITY"]
        assert bill["VENDOR.DISPLAYCONTACT.MAILADDRESS.CITY"] == city


def test_filter_may_use_a_related_field(company: Company, loader: MakeLoader) -> None:
    target = loader(
        related_fields={"bills": ["VENDOR.STATUS"]},
        filters={"bills": "VENDOR.STATUS = 'inactive'"},
    )
    target.run("bills")
    inactive = {
        row["VENDORID"] for row in company.truth("VENDOR") if row["STATUS"] != "active"
    }
    expected = {
        row["RECORDNO"]
        for row in company.truth("APBILL")
        if row["VENDORID"] in inactive
    }
    assert {key[0] for key in target.tables["bills"]} == expected != set()


def test_deselected_related_field_is_not_fetched(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(related_fields={"bills": PATHS})
    catalog = target.catalog(["bills"])
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if "VENDOR.CREDITLIMIT" in metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = False
    sandbox.forget_calls()
    target.run(catalog=catalog)
    bodies = b"".join(call.body for call in sandbox.calls)
    assert b"VENDOR.DISPLAYCONTACT.MAILADDRESS.CITY" in bodies
    assert b"VENDOR.CREDITLIMIT" not in bodies


def test_one_step_up_a_hierarchy_is_followed(
    company: Company, loader: MakeLoader
) -> None:
    target = loader(related_fields={"customers": ["PARENT.NAME"]})
    target.run("customers")
    rows = {row["CUSTOMERID"]: row for row in company.truth("CUSTOMER")}
    for customer in target.tables["customers"].values():
        parent = rows.get(customer["PARENTID"])
        assert customer["PARENT.NAME"] == (parent["NAME"] if parent else None)


@pytest.mark.parametrize(
    ("stream", "path", "words"),
    [
        ("bills", "VENDOR.CREDITLIMT", "did you mean CREDITLIMIT"),
        ("bills", "VENDR.NAME", "did you mean VENDOR"),
        ("bills", "VENDOR", "APBILL has no 'VENDOR': did you mean VENDORID"),
        ("customers", "PARENT.PARENT.NAME", "only once"),
        ("revenue_recognition_schedules", "ARINVOICEITEM.AMOUNT", "readByQuery"),
        ("bill", "VENDOR.NAME", "did you mean bills"),
    ],
)
def test_wrong_path_is_refused_with_the_nearest(
    loader: MakeLoader, stream: str, path: str, words: str
) -> None:
    with pytest.raises(InvalidSettings, match=words):
        loader(related_fields={stream: [path]}).catalog([stream])


def test_catalog_from_before_is_refused(loader: MakeLoader) -> None:
    catalog = loader().catalog(["bills"])
    words = r"bills does not fit \(VENDOR\.NAME\)\. Discover again"
    with pytest.raises(InvalidSettings, match=words):
        loader(related_fields={"bills": ["VENDOR.NAME"]}).run(catalog=catalog)


def test_without_credentials_paths_cannot_be_described() -> None:
    config = {"related_fields": {"bills": ["VENDOR.NAME"]}}
    with pytest.raises(InvalidSettings, match="set the credentials"):
        TapSageIntacct(config=config, validate_config=False).catalog_dict  # noqa: B018
