"""Filters in runs of the tap: what arrives is what the condition says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from intacct_sandbox import Company, Sandbox
from tap_sage_intacct.errors import InvalidSettings
from tests.loading import Loader
from tests.offered import discovered

MakeLoader = Callable[..., Loader]
Row = dict[str, Any]
ON_HOLD = "Terminated"


def due(row: Row) -> Decimal:
    return row["TOTALDUE"] or Decimal(0)


# Pigment's operators, each alone and combined; the Python says what is meant.
CONDITIONS: list[tuple[str, Callable[[Row], bool]]] = [
    ("TOTALDUE < 1000", lambda r: due(r) < 1000),
    ("TOTALDUE > 1000.5", lambda r: due(r) > Decimal("1000.5")),
    ("TOTALDUE >= 1000", lambda r: due(r) >= 1000),
    ("TOTALDUE <= 0", lambda r: due(r) <= 0),
    ("STATE = 'Posted'", lambda r: r["STATE"] == "Posted"),
    ("state = 'posted'", lambda r: r["STATE"] == "Posted"),
    # The stored code, as people know it from readByQuery.
    ("STATE = 'A'", lambda r: r["STATE"] == "Posted"),
    ("VENDORID like 'V-001%'", lambda r: r["VENDORID"].startswith("V-001")),
    ("VENDORID not like 'V-001%'", lambda r: not r["VENDORID"].startswith("V-001")),
    (
        "VENDORID in ('V-0002', 'V-0003')",
        lambda r: r["VENDORID"] in {"V-0002", "V-0003"},
    ),
    ("VENDORID not in ('V-0002')", lambda r: r["VENDORID"] != "V-0002"),
    ("WHENPAID IS NULL", lambda r: r["WHENPAID"] is None),
    ("WHENPAID IS NOT NULL", lambda r: r["WHENPAID"] is not None),
    ("STATE <> 'Paid'", lambda r: r["STATE"] != "Paid"),
    ("STATE != 'Paid'", lambda r: r["STATE"] != "Paid"),
    ("NOT (STATE = 'Paid')", lambda r: r["STATE"] != "Paid"),
    (
        "WHENDUE BETWEEN '2025-01-01' AND '2025-06-30'",
        lambda r: date(2025, 1, 1) <= r["WHENDUE"] <= date(2025, 6, 30),
    ),
    ("TOTALDUE &gt;= 1000", lambda r: due(r) >= 1000),
    (
        "STATE = 'Posted' AND (TOTALDUE > 1000 OR VENDORID in ('V-0002','V-0003')) "
        "AND WHENDUE IS NOT NULL",
        lambda r: (
            r["STATE"] == "Posted"
            and (due(r) > 1000 or r["VENDORID"] in {"V-0002", "V-0003"})
            and r["WHENDUE"] is not None
        ),
    ),
]


@pytest.mark.parametrize(("text", "meant"), CONDITIONS, ids=[c[0] for c in CONDITIONS])
def test_operator(
    company: Company, loader: MakeLoader, text: str, meant: Callable[[Row], bool]
) -> None:
    target = loader(filters={"bills": text})
    target.run("bills")
    expected = {(row["RECORDNO"],) for row in company.truth("APBILL") if meant(row)}
    assert set(target.tables.get("bills", {})) == expected != set()


def test_list_of_conditions(company: Company, loader: MakeLoader) -> None:
    conditions = [
        {"field": "STATE", "operator": "=", "value": "Posted"},
        {"field": "TOTALDUE", "operator": ">", "value": 1000},
    ]
    target = loader(filters={"bills": conditions})
    target.run("bills")
    expected = {
        (row["RECORDNO"],)
        for row in company.truth("APBILL")
        if row["STATE"] == "Posted" and due(row) > 1000
    }
    assert set(target.tables["bills"]) == expected


def test_labels_become_codes_for_readbyquery(
    company: Company, sandbox: Sandbox, loader: MakeLoader
) -> None:
    company.update("REVRECSCHEDULE", 1, {"STATUS": "On Hold"})
    stream = "revenue_recognition_schedules"
    target = loader(filters={stream: "STATUS in ('On Hold', 'Completed')"})
    target.run(stream)
    assert set(target.tables[stream]) == {(1,)}
    bodies = [c.body for c in sandbox.calls if c.object_name == "REVRECSCHEDULE"]
    assert any(b"STATUS in ('H', 'C')" in body for body in bodies)


def test_code_may_be_written_where_a_label_has_none_that_is_known(
    company: Company, loader: MakeLoader
) -> None:
    del company
    stream = "revenue_recognition_schedules"
    loader(filters={stream: "STATUS = 'D'"}).run(stream)


@pytest.mark.parametrize(
    ("stream", "text", "words"),
    [
        ("bills", "STATE = 'Postd'", "did you mean Posted"),
        ("bills", "STAT = 'Posted'", "did you mean STATE"),
        ("bill", "STATE = 'Posted'", "did you mean bills"),
        ("customers", "ACCOUNT_TIER = 'Golden'", "did you mean Gold"),
    ],
)
def test_wrong_name_is_refused_with_the_nearest(
    loader: MakeLoader, stream: str, text: str, words: str
) -> None:
    with pytest.raises(InvalidSettings, match=words):
        discovered(loader(filters={stream: text}).settings)


def insert_bill_on_appeal(company: Company) -> int:
    """A bill with a label that is the company's own; its number."""
    definition = company.definitions["APBILL"]
    fields = tuple(
        replace(field, valid_values=(*field.valid_values, "On appeal"))
        if field.id == "STATE"
        else field
        for field in definition.fields
    )
    company.definitions = {
        **company.definitions,
        "APBILL": replace(definition, fields=fields),
    }
    return company.insert("APBILL", {"STATE": "On appeal"})


def test_companys_own_label_is_known_in_a_run_with_a_catalog(
    company: Company, sandbox: Sandbox, loader: MakeLoader
) -> None:
    """The tap does not ship it, so the one lookup is asked that can tell."""
    number = insert_bill_on_appeal(company)
    target = loader(filters={"bills": "STATE = 'On appeal'"})
    catalog = target.catalog(["bills"])
    sandbox.forget_calls()
    target.run(catalog=catalog)
    assert set(target.tables["bills"]) == {(number,)}
    assert [c.function for c in sandbox.calls].count("lookup") == 1


def test_wrong_label_is_refused_in_a_run_with_a_catalog(loader: MakeLoader) -> None:
    catalog = loader().catalog(["bills"])
    target = loader(filters={"bills": "STATE = 'Postd'"})
    with pytest.raises(InvalidSettings, match="did you mean Posted"):
        target.run(catalog=catalog)
    assert target.tables == {}
