"""The smaller API calls, each as a `Function`: no paging, no conditions.

Pure. Element names and order by Sage's request schema [D].
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml.builder import E

from tap_sage_intacct.intacct.errors import Call
from tap_sage_intacct.intacct.xml.envelope import Function


def get_api_session() -> Function:
    """Sign in; must be alone in its request [D]."""
    return Function(E.getAPISession(), Call("getAPISession"))


def lookup(object_name: str, document_type: str | None = None) -> Function:
    """Ask for an object's fields and relationships."""
    element = E.lookup(E.object(object_name))
    if document_type is not None:
        element.append(E.docparid(document_type))
    return Function(element, Call("lookup", object_name))


def inspect_all() -> Function:
    """Ask for the names of all objects, whatever the user may read [D]."""
    return Function(E.inspect(E.object("*")), Call("inspect"))


def get_dimensions() -> Function:
    """Ask for the dimensions, user-defined ones included [C]."""
    return Function(E.getDimensions(), Call("getDimensions"))


def read(object_name: str, keys: Sequence[int], fields: Sequence[str]) -> Function:
    """Read up to 100 records by RECORDNO, owned lines nested inside."""
    element = E.read(
        E.object(object_name),
        E.keys(",".join(map(str, keys))),
        E.fields(",".join(fields)),
    )
    return Function(element, Call("read", object_name))


def read_more(result_id: str, object_name: str) -> Function:
    """Ask for the next page of a readByQuery; the name is for logs only."""
    element = E.readMore(E.resultId(result_id))
    return Function(element, Call("readMore", object_name))


def read_user_formatting(user_id: str) -> Function:
    """Ask how the user writes dates and times."""
    element = E.readUserFormatting(E.userId(user_id))
    return Function(element, Call("readUserFormatting"))


def get_audit_trail(object_name: str, record_number: str) -> Function:
    """Ask what happened to one record, with times in ISO 8601 [D]."""
    element = E.getAuditTrail(E.object(object_name), E.recordNo(record_number))
    return Function(element, Call("getAuditTrail", object_name))


def get_user_permissions(user_id: str) -> Function:
    """Ask for the user's applications and what the role may do in each [C]."""
    element = E.getUserPermissions(E.userId(user_id))
    return Function(element, Call("getUserPermissions"))
