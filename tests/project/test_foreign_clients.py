"""Clients that nobody here wrote, as they are published, read the sandbox.

Each runs in an environment of its own, made for the test; where it cannot be installed
the test is skipped. Of the clients only the host that they call is changed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, Sandbox, Switches

pytestmark = pytest.mark.long

CLIENTS = Path(__file__).parent / "clients"
INSTALL_SECONDS = 300
# The object of each reader of `sageintacctsdk`.
OBJECTS = {
    "accounts": "GLACCOUNT",
    "allocations": "ALLOCATION",
    "ap_detail": "APDETAIL",
    "ap_payments": "APPYMT",
    "ar_invoice_items": "ARINVOICEITEM",
    "ar_invoices": "ARINVOICE",
    "ar_payments": "ARPYMT",
    "bills": "APBILL",
    "charge_card_accounts": "CREDITCARD",
    "charge_card_transactions": "CCTRANSACTION",
    "checking_accounts": "CHECKINGACCOUNT",
    "classes": "CLASS",
    "contacts": "CONTACT",
    "contract_lines": "CONTRACTDETAIL",
    "contracts": "CONTRACT",
    "cost_types": "COSTTYPE",
    "customers": "CUSTOMER",
    "departments": "DEPARTMENT",
    "employees": "EMPLOYEE",
    "expense_payment_types": "EXPENSEPAYMENTTYPE",
    "expense_reports": "EEXPENSES",
    "expense_types": "EEACCOUNTLABEL",
    "gl_detail": "GLDETAIL",
    "items": "ITEM",
    "journal_entries": "GLBATCH",
    "location_entities": "LOCATIONENTITY",
    "locations": "LOCATION",
    "projects": "PROJECT",
    "rev_rec_schedule_entries": "REVRECSCHEDULEENTRY",
    "rev_rec_schedules": "REVRECSCHEDULE",
    "tasks": "TASK",
    "tax_details": "TAXDETAIL",
    "tax_solutions": "TAXSOLUTION",
    "vendors": "VENDOR",
}
# Their readByQuery does not show rows of private entities.
READ_BY_QUERY = {"rev_rec_schedule_entries", "rev_rec_schedules"}

Reads = Callable[[Sandbox], dict[str, Any]]


def run(*command: str, folder: Path | None = None, seconds: float = 120) -> str:
    finished = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout


def install(*command: str, folder: Path) -> None:
    try:
        run(*command, folder=folder, seconds=INSTALL_SECONDS)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{command[-1]} cannot be installed: {str(error)[-200:]}")


@pytest.fixture(scope="module")
def python_client(tmp_path_factory: pytest.TempPathFactory) -> Reads:
    folder = tmp_path_factory.mktemp("python")
    install(sys.executable, "-m", "venv", "environment", folder=folder)
    python = str(folder / "environment" / "bin" / "python")
    install(python, "-m", "pip", "install", "--quiet", "sageintacctsdk", folder=folder)
    script = str(CLIENTS / "read.py")

    def reads(sandbox: Sandbox) -> dict[str, Any]:
        settings = json.dumps(sandbox.config())
        found = json.loads(run(python, script, settings, *OBJECTS))
        assert isinstance(found, dict)
        return found

    return reads


@pytest.fixture(scope="module")
def javascript_client(tmp_path_factory: pytest.TempPathFactory) -> Reads:
    folder = tmp_path_factory.mktemp("javascript")
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("There is no Node.js.")
    (folder / "package.json").write_text("{}")
    options = ("--no-audit", "--no-fund", "--ignore-scripts")
    install(npm, "install", *options, "@intacct/intacct-sdk", folder=folder)
    script = str(shutil.copy(CLIENTS / "read.js", folder))

    def reads(sandbox: Sandbox) -> dict[str, Any]:
        # The session's endpoint, too, has to be one of intacct.com.
        host = sandbox.url.replace("127.0.0.1", "sandbox.intacct.com")
        sandbox.switches = Switches(endpoint=host)
        found = json.loads(run(node, script, json.dumps(sandbox.config())))
        assert isinstance(found, dict)
        return found

    return reads


@pytest.fixture
def listed(company: Company) -> Callable[..., list[str]]:
    def numbers(name: str, where: str = "1") -> list[str]:
        return sorted(str(row["RECORDNO"]) for row in company.truth(name, where=where))

    return numbers


def fields_of(company: Company, name: str) -> list[str]:
    return [part.id for part in company.definitions[name].fields if part.listed]


def test_python_client_reads_everything(
    company: Company,
    sandbox: Sandbox,
    python_client: Reads,
    listed: Callable[..., list[str]],
) -> None:
    found = python_client(sandbox)
    # It asks some objects for no record number.
    counts = {name: len(rows) for name, rows in found["readers"].items()}
    assert counts == {
        name: len(
            listed(OBJECTS[name], '"_private" = 0' if name in READ_BY_QUERY else "1")
        )
        for name in found["readers"]
    }
    assert counts.keys() == OBJECTS.keys()
    numbered = {name: rows for name, rows in found["readers"].items() if all(rows)}
    assert len(numbered) > 25
    for name, rows in numbered.items():
        where = '"_private" = 0' if name in READ_BY_QUERY else "1"
        assert sorted(rows) == listed(OBJECTS[name], where), name
    due = listed("APBILL", 'CAST("TOTALDUE" AS REAL) > 1000')
    assert sorted(found["get_by_query"]) == due != []
    assert found["lookup"] == fields_of(company, "VENDOR")
    assert found["read_by_query"] == len(listed("VENDOR"))
    assert {"DEPARTMENT", "LOCATION", "PROJECT"} <= set(found["dimensions"])


def test_javascript_client_reads_everything(
    company: Company,
    sandbox: Sandbox,
    javascript_client: Reads,
    listed: Callable[..., list[str]],
) -> None:
    found = javascript_client(sandbox)
    names = {name.lower() for name in company.definitions}
    assert set(found["objects"]) == names
    assert found["lookup"] == fields_of(company, "VENDOR")
    # Three pages, each with a login of its own.
    assert sorted(found["readByQuery"]) == listed("VENDOR")
    due = listed("APBILL", '"_private" = 0 AND CAST("TOTALDUE" AS REAL) > 1000')
    assert sorted(found["query"]) == due != []
    assert found["read"] == ["V-0001", "V-0002"]
    assert found["readByName"] == [next(company.truth("VENDOR"))["NAME"]]
    assert found["session"] == sandbox.url.replace("127.0.0.1", "sandbox.intacct.com")
