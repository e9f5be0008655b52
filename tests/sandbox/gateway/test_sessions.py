"""Sessions: their life, their entity, their endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intacct_sandbox import ManualClock, Switches
from tests.sandbox.gateway.client import Client, query, rows

if TYPE_CHECKING:
    from tests.sandbox.gateway.conftest import Serve


def test_every_call_moves_the_end_of_a_session(
    client: Client, clock: ManualClock
) -> None:
    for _ in range(3):
        clock.advance(5 * 3600)
        assert client.post("<getDimensions/>").find(".//data") is not None
    clock.advance(6 * 3600)
    answer = client.post("<getDimensions/>")
    text = answer.findtext("operation/errormessage/error/description2") or ""
    assert text.startswith(f"Invalid session {client.session_id}....")


def test_length_of_a_session_can_be_set(serve: Serve, clock: ManualClock) -> None:
    client = serve(Switches(session_seconds=60))
    client.sign_in()
    clock.advance(60)
    assert client.post("<getDimensions/>").find(".//data") is None


def test_sessions_can_be_ended_from_outside(client: Client) -> None:
    client.sandbox.end_sessions()
    assert client.post("<getDimensions/>").find(".//data") is None


def test_endpoint_is_the_sandbox_itself_or_what_the_switch_says(serve: Serve) -> None:
    client = serve()
    asked = {"authentication": client.login()}
    answer = client.post("<getAPISession/>", **asked)
    assert answer.findtext(".//endpoint") == client.sandbox.url
    elsewhere = "http://na12.example.com/ia/xml/xmlgw.phtml"
    client.sandbox.switches = Switches(endpoint=elsewhere)
    answer = client.post("<getAPISession/>", **asked)
    assert answer.findtext(".//endpoint") == elsewhere


def test_end_of_session_may_be_left_out(client: Client) -> None:
    client.sandbox.switches = Switches(session_timeout_sent=False)
    block = client.post("<getDimensions/>").find("operation/authentication")
    assert block is not None
    assert block.find("sessiontimestamp") is not None
    assert block.find("sessiontimeout") is None


def test_entity_session_sees_its_own_and_shared_rows(client: Client) -> None:
    company = client.sandbox.company
    entity = next(iter(company.truth("LOCATIONENTITY")))["LOCATIONID"]
    assert isinstance(entity, str)
    client.sign_in(locationid=entity)
    found = rows(client.data(query("GLBATCH", "RECORDNO")))
    statement = 'SELECT COUNT(*) FROM "GLBATCH" WHERE "_entity" IS NULL OR "_entity"=?'
    wanted = company.connection().execute(statement, (entity,)).fetchone()[0]
    assert len(found) == wanted
    block = client.post("<getDimensions/>").find("operation/authentication")
    assert block is not None
    assert block.findtext("locationid") == entity


def test_session_can_move_to_an_entity_and_back(client: Client) -> None:
    company = client.sandbox.company
    entity = str(next(iter(company.truth("LOCATIONENTITY")))["LOCATIONID"])
    asked = f"<getAPISession><locationid>{entity}</locationid></getAPISession>"
    answer = client.post(asked)
    assert answer.findtext(".//api/locationid") == entity
    client.session_id = answer.findtext(".//sessionid") or ""
    inside = client.post("<getAPISession/>")
    assert inside.findtext(".//api/locationid") == entity
    back = client.post("<getAPISession><locationid/></getAPISession>")
    assert back.findtext(".//api/locationid") == ""


def test_unknown_entity_is_refused(client: Client) -> None:
    login = client.login(locationid="nowhere")
    answer = client.post("<getAPISession/>", authentication=login)
    assert answer.findtext("operation/authentication/status") == "failure"
    asked = "<getAPISession><locationid>nowhere</locationid></getAPISession>"
    errorno, _ = client.error(asked)
    assert errorno == "Get API Session Failed"


def test_address_filter_refuses_whoever_signs_in(serve: Serve) -> None:
    client = serve(Switches(address_allowed=False))
    answer = client.post("<getAPISession/>", authentication=client.login())
    assert answer.findtext("operation/authentication/status") == "failure"
    text = answer.findtext("operation/errormessage/error/description2") or ""
    assert "IP address" in text
