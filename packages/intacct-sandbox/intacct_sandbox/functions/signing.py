"""getAPISession and readUserFormatting: what a client asks first."""

from __future__ import annotations

from lxml import etree

from intacct_sandbox.company.company import Company
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.wire.envelope import element
from intacct_sandbox.wire.errors import invalid_argument, session_failed


def get_api_session(call: etree._Element, around: Surroundings) -> Answer:
    """A session at the login's entity, the one named, or top level.

    Raises:
        FunctionRefusal: no such entity.
    """
    location = around.session.location_id
    named = call.find("locationid")
    if named is not None:
        # An empty element asks for the top level. [D]
        location = named.text or None
    if location is not None and not entity_exists(around.company, location):
        raise session_failed(f"The location '{location}' is not valid.")
    switches = around.switches
    session = around.sessions.issue(around.session, location, switches.session_seconds)
    endpoint = switches.endpoint or around.own_url
    return Answer(
        f"<data><api>{element('sessionid', session.session_id)}"
        f"{element('endpoint', endpoint)}{element('locationid', location or '')}"
        "</api></data>"
    )


def entity_exists(company: Company, location_id: str) -> bool:
    """Whether the company has this entity."""
    query = 'SELECT 1 FROM "LOCATIONENTITY" WHERE "LOCATIONID" = ?'
    return bool(company.cells(query, location_id))


def read_user_formatting(call: etree._Element, around: Surroundings) -> Answer:
    """The preferences of a user, named by record number or by login [D].

    Raises:
        FunctionRefusal: no such user.
    """
    key = call.findtext("key")
    column, value = ("RECORDNO", key) if key else ("LOGINID", call.findtext("userId"))
    query = f'SELECT "RECORDNO" FROM "USERINFO" WHERE "{column}" = ?'
    found = around.company.cells(query, value)
    if not found:
        raise invalid_argument(f"User {value} not found")
    formatting = around.switches.formatting
    return Answer(
        f"<data><userformatting>{element('recordno', str(found[0][0]))}"
        f"{element('locale', formatting.locale)}"
        f"{element('dateformat', formatting.date_format)}"
        f"{element('gmtoffset', formatting.gmt_offset)}"
        f"{element('clock', formatting.clock)}</userformatting></data>",
        rows=1,
    )
