"""Which rows a session sees, and which objects a role reads.

Late rows, private rows and entities are one SQL condition, which every reader adds to
its own.
"""

from __future__ import annotations

from datetime import datetime

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.objects.conditions import Condition, Sql, SqlValue, names_value
from intacct_sandbox.switches import Switches
from intacct_sandbox.wire.errors import (
    audit_history_denied,
    database_error,
    denied,
    object_not_found,
)

_SCHEDULE_ENTRIES = frozenset(
    {"CONTRACTREVENUESCHEDULEENTRY", "CONTRACTEXPENSESCHEDULEENTRY"}
)
# Only reporting periods that are used for budgeting have balances [D/I].
_BUDGETED = Sql(
    't0."PERIOD" IN (SELECT "NAME" FROM "REPORTINGPERIOD" WHERE "BUDGETING" = \'true\')'
)
_OPERATIONS = {"query": "READ_BY_QUERY", "readByQuery": "READ_BY_QUERY"}
_OPERATIONS |= {"read": "READ", "readByName": "READ_BY_NAME"}


def visible_rows(now: datetime, location_id: str | None, *, show_private: bool) -> Sql:
    """The condition on table t0.

    Args:
        now: rows that become visible later are left out.
        location_id: of the entity the session is signed in to: its own rows,
            private or not, and shared ones. None: top level, where private
            rows show only if asked for [D].
        show_private: asked for.
    """
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S")
    text = '(t0."_visible_from" IS NULL OR t0."_visible_from" <= ?)'
    parameters: tuple[SqlValue, ...] = (stamp,)
    if location_id is not None:
        text += ' AND (t0."_entity" IS NULL OR t0."_entity" = ?)'
        parameters += (location_id,)
    elif not show_private:
        text += ' AND t0."_private" = 0'
    return Sql(text, parameters)


def restrict_to_period(
    visible: Sql,
    definition: ObjectDefinition,
    condition: Condition | None,
    switches: Switches,
    *,
    by_query: bool = False,
) -> Sql:
    """Narrow what is visible of balances; other objects are left as they are.

    Raises:
        FunctionRefusal: no period is named (DL02000001).
    """
    if definition.name != "GLACCOUNTBALANCE":
        return visible
    is_empty = by_query and switches.balance_query == "empty"
    operators = frozenset({"=", "in"} if switches.balance_period_lists else {"="})
    if not is_empty and names_value(condition, "PERIOD", operators):
        return visible & _BUDGETED
    if not is_empty and switches.balance_without_period == "fail":
        raise database_error()
    return visible & Sql("0")


def require_readable(
    definition: ObjectDefinition, function: str, switches: Switches
) -> None:
    """Check that a function reads an object, then that the role may.

    Raises:
        FunctionRefusal: the object is unknown to the function, or denied.
    """
    if not _serves(definition, function, switches):
        raise object_not_found(definition.name)
    if definition.name not in switches.denied_objects | switches.unsubscribed_objects:
        return
    if definition.name == "AUDITHISTORY":
        raise audit_history_denied()
    raise denied(_OPERATIONS[function], definition.name)


def require_described(definition: ObjectDefinition, switches: Switches) -> None:
    """Check that lookup and inspect know an object; no permission is needed [C].

    Raises:
        FunctionRefusal: they do not.
    """
    if not _serves(definition, "lookup", switches):
        raise object_not_found(definition.name)


def _serves(definition: ObjectDefinition, function: str, switches: Switches) -> bool:
    if definition.name in _SCHEDULE_ENTRIES:
        setting = switches.schedule_entries
        return setting == "queried" or (
            setting == "legacy" and function == "readByQuery"
        )
    if definition.name == "APIUSAGESUMMARY" and not switches.api_usage:
        return False
    if definition.name == "GLACCOUNTBALANCE" and function == "query":
        return switches.balance_query != "refuse"
    if function == "query" and switches.query_serves_all:
        return True
    return function in definition.served_by
