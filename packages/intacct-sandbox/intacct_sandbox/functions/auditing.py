"""getAuditTrail: what happened to one record.

Its times are ISO 8601 with an offset, whatever the user prefers [D]. How its elements
are called is a guess [?].
"""

from __future__ import annotations

from lxml import etree

from intacct_sandbox.company.company import Company
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.wire.envelope import element
from intacct_sandbox.wire.errors import invalid_argument


def get_audit_trail(call: etree._Element, around: Surroundings) -> Answer:
    """The entries of one record, oldest first.

    Raises:
        FunctionRefusal: the role may not view the audit trail.
    """
    around.readable("AUDITHISTORY", "query")
    name = call.findtext("object") or ""
    key = call.findtext("objectKey") or _key(around.company, name, call)
    rows = around.company.cells(
        'SELECT "ACCESSTIME", "ACCESSMODE", "USERID" FROM "AUDITHISTORY" '
        'WHERE "OBJECTTYPE" = ? AND "OBJECTKEY" = ? ORDER BY "ACCESSTIME"',
        name.lower(),
        key,
    )
    entries = "".join(
        f"<audittrail>{element('accesstime', f'{when}+00:00')}"
        f"{element('accessmode', mode)}{element('userid', user)}</audittrail>"
        for when, mode, user in rows
    )
    return Answer(
        f'<data listtype="audittrail" count="{len(rows)}">{entries}</data>',
        rows=len(rows),
    )


def _key(company: Company, name: str, call: etree._Element) -> str:
    number = call.findtext("recordNo") or ""
    try:
        return company.audit_key(name, int(number))
    except (LookupError, ValueError) as error:
        raise invalid_argument(f"Record {number} of {name} not found") from error
