"""What is special about GLACCOUNTBALANCE.

What lives here: the demand for a period. What it must not know: how a page is
read. The idea: PERIOD must name a reporting period that is used for budgeting;
every other period has no rows [D/I].
"""

from __future__ import annotations

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.objects.conditions import Condition, Sql, names_value
from intacct_sandbox.switches import Switches
from intacct_sandbox.wire.errors import database_error

_NOTHING = " AND 0"
_BUDGETED = (
    ' AND t0."PERIOD" IN '
    '(SELECT "NAME" FROM "REPORTINGPERIOD" WHERE "BUDGETING" = \'true\')'
)


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
    operators = frozenset({"=", "in"} if switches.balance_period_lists else {"="})
    if by_query and switches.balance_query == "empty":
        return Sql(visible.text + _NOTHING, visible.parameters)
    if names_value(condition, "PERIOD", operators):
        return Sql(visible.text + _BUDGETED, visible.parameters)
    if switches.balance_without_period == "fail":
        raise database_error()
    return Sql(visible.text + _NOTHING, visible.parameters)
