"""The functions of the gateway: a table of names and handlers.

What the request schema declares is in this table, or refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml import etree

from intacct_sandbox.functions.auditing import get_audit_trail
from intacct_sandbox.functions.balances import (
    get_account_balances,
    get_account_balances_by_dimensions,
    get_trial_balance,
)
from intacct_sandbox.functions.describe import (
    get_dimensions,
    get_user_permissions,
    inspect,
    lookup,
)
from intacct_sandbox.functions.legacy import read_by_query, read_more
from intacct_sandbox.functions.lists import get, get_list
from intacct_sandbox.functions.querying import query
from intacct_sandbox.functions.reading import read, read_by_name
from intacct_sandbox.functions.related import (
    read_entity_details,
    read_related,
    read_view,
)
from intacct_sandbox.functions.reports import read_report
from intacct_sandbox.functions.signing import get_api_session, read_user_formatting
from intacct_sandbox.functions.surroundings import Answer, Surroundings

Handler = Callable[[etree._Element, Surroundings], Answer]  # noqa: SLF001 - lxml has no public name for it


HANDLERS: Mapping[str, Handler] = {
    "getAPISession": get_api_session,
    "lookup": lookup,
    "inspect": inspect,
    "query": query,
    "readByQuery": read_by_query,
    "readMore": read_more,
    "read": read,
    "readByName": read_by_name,
    "readReport": read_report,
    "readUserFormatting": read_user_formatting,
    "getAuditTrail": get_audit_trail,
    "getUserPermissions": get_user_permissions,
    "getDimensions": get_dimensions,
    "get_list": get_list,
    "get": get,
    "get_trialbalance": get_trial_balance,
    "get_accountbalances": get_account_balances,
    "get_accountbalancesbydimensions": get_account_balances_by_dimensions,
    "readRelated": read_related,
    "readView": read_view,
    "readEntityDetails": read_entity_details,
    "getObjectTrail": get_audit_trail,
}
