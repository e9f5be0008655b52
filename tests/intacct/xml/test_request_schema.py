"""Every request of a whole run is valid by Sage's own schema, where that lies at hand.

The schema is Sage's and is not ours to ship. It is looked for at the path in
INTACCT_REQUEST_SCHEMA, or beside the checkout. It is older than `query` and `lookup`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from intacct_sandbox import Sandbox, Switches
from tap_sage_intacct.intacct.errors import Call
from tap_sage_intacct.intacct.secrets.credentials import Login, Secret, Sender
from tap_sage_intacct.intacct.xml.envelope import Function, request_document
from tests.loading import Loader

BESIDE = Path(__file__).parents[4] / "shared" / "data" / "request-v3.0.xsd"
SCHEMA = Path(os.environ.get("INTACCT_REQUEST_SCHEMA", BESIDE))
YOUNGER = {"query", "lookup"}

pytestmark = pytest.mark.skipif(not SCHEMA.exists(), reason="Sage's schema is absent")


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


def test_requests_of_a_run_are_valid(
    schema: etree.XMLSchema, sandbox: Sandbox, loader: Callable[..., Loader]
) -> None:
    # Nested entries are read through `read`, long result sets through `readMore`.
    sandbox.switches = Switches(schedule_entries="nested")
    loader(page_size=100).run()
    sender = Sender("sender", Secret("p&<>"))
    seen = set()
    for call in sandbox.calls:
        if call.function in YOUNGER:
            continue
        seen.add(call.function)
        element = etree.fromstring(call.body)
        session: Secret | Login = Secret("session")
        if call.function == "getAPISession":
            session = Login("company", "user", Secret("p&<>"), "E100")
        function = Function(element, Call(call.function))
        document = request_document(sender, session, [function], control_id="1")
        schema.assertValid(etree.fromstring(document))
    assert seen == {
        "getAPISession",
        "readUserFormatting",
        "readByQuery",
        "readMore",
        "read",
    }
