"""Offset paging over books that move: the fault this project is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intacct_sandbox import Call, Company, Faults
from tests.sandbox.gateway.client import Client, column, query

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.gateway.conftest import Serve

PAGE = 5


def offset_pages(
    serve: Serve, change: Callable[[Company], object]
) -> tuple[list[str], list[str]]:
    """Names read page by page, the books changing once; and those there before."""
    faults = Faults()
    client = serve(faults=faults)
    client.sign_in()
    company = client.sandbox.company
    before = sorted(str(row["DEPARTMENTID"]) for row in company.truth("DEPARTMENT"))

    def change_once(call: Call) -> None:
        if call.function == "query" and len(seen) == PAGE:
            change(company)

    faults.between_calls = change_once
    seen: list[str] = []
    while page := _page(client, len(seen)):
        seen += page
    return seen, before


def _page(client: Client, offset: int) -> list[str]:
    asked = query(
        "DEPARTMENT",
        "DEPARTMENTID",
        order="DEPARTMENTID",
        options="<showprivate>true</showprivate>",
        pagesize=PAGE,
        offset=offset,
    )
    return column(client.data(asked), "DEPARTMENTID")


def test_insert_before_the_offset_repeats_a_row(serve: Serve) -> None:
    seen, before = offset_pages(
        serve, lambda company: company.insert("DEPARTMENT", {"DEPARTMENTID": " first"})
    )
    assert seen[PAGE] == seen[PAGE - 1]
    assert sorted(set(seen)) == before


def test_delete_before_the_offset_loses_a_row(serve: Serve) -> None:
    def delete_first(company: Company) -> None:
        first = min(
            company.truth("DEPARTMENT"), key=lambda row: str(row["DEPARTMENTID"])
        )
        company.delete("DEPARTMENT", int(str(first["RECORDNO"])))

    seen, before = offset_pages(serve, delete_first)
    assert len(seen) == len(set(seen))
    assert set(before) - set(seen) == {before[PAGE]}
