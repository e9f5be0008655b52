"""Which permission of a role, in which application, opens each object.

A table. Applications are called as on Company > Subscriptions, permissions as in a
role's list. No document says which of them an object needs: that is inferred from the
pages on which users see the same records [I].
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permission:
    """A line of a role: what it is called, and in which application it stands."""

    application: str
    name: str


_COMPANY = "Company"
_LEDGER = "General Ledger"
_PAYABLE = "Accounts Payable"
_RECEIVABLE = "Accounts Receivable"
_REVENUE = "Revenue Management"
_CONTRACTS = "Contracts"

PERMISSIONS: Mapping[str, Permission] = {
    "GLACCOUNT": Permission(_LEDGER, "Accounts"),
    "GLACCOUNTBALANCE": Permission(_LEDGER, "Account balances"),
    "GLDETAIL": Permission(_LEDGER, "General ledger details"),
    "GLBATCH": Permission(_LEDGER, "Journal entries"),
    "GLENTRY": Permission(_LEDGER, "Journal entries"),
    "REVRECSCHEDULE": Permission(_REVENUE, "Revenue recognition schedules"),
    "REVRECSCHEDULEENTRY": Permission(_REVENUE, "Revenue recognition schedules"),
    "CONTRACT": Permission(_CONTRACTS, "Contracts"),
    "CONTRACTBILLINGSCHEDULE": Permission(_CONTRACTS, "Billing schedules"),
    "CONTRACTBILLINGSCHEDULEENTRY": Permission(_CONTRACTS, "Billing schedules"),
    "CONTRACTEXPENSESCHEDULE": Permission(_CONTRACTS, "Expense schedules"),
    "CONTRACTEXPENSESCHEDULEENTRY": Permission(_CONTRACTS, "Expense schedules"),
    "CONTRACTREVENUESCHEDULE": Permission(_CONTRACTS, "Revenue schedules"),
    "CONTRACTREVENUESCHEDULEENTRY": Permission(_CONTRACTS, "Revenue schedules"),
    "APBILL": Permission(_PAYABLE, "Bills"),
    "VENDOR": Permission(_PAYABLE, "Vendors"),
    "ARINVOICE": Permission(_RECEIVABLE, "Invoices"),
    "CUSTOMER": Permission(_RECEIVABLE, "Customers"),
    "DEPARTMENT": Permission(_COMPANY, "Departments"),
    "EMPLOYEE": Permission(_COMPANY, "Employees"),
    "LOCATION": Permission(_COMPANY, "Locations"),
    "LOCATIONENTITY": Permission(_COMPANY, "Entities"),
}


def remedy_of_denial(object_name: str, applications: Collection[str] | None) -> str:
    """What to switch on so that an object may be read.

    Intacct gives the same answer for a missing permission and a missing subscription [C].
    The user's applications tell them apart, if Intacct lists them.

    Args:
        object_name: one of the table.
        applications: that the user has; None where they could not be read.
    """
    wanted = PERMISSIONS[object_name]
    role = (
        f"open Company > Roles, the user's role, Subscriptions, {wanted.application}, "
        f"Permissions, and set {wanted.name} to Read Only"
    )
    subscription = f"open Company > Subscriptions and subscribe to {wanted.application}"
    if applications is None:
        return (
            f"Permission on {wanted.name} or the subscription {wanted.application} is "
            f"missing: {role}; if {wanted.application} is not there, {subscription}."
        )
    if wanted.application.lower() in {name.lower() for name in applications}:
        return f"The permission on {wanted.name} is missing: {role}."
    return (
        f"The subscription {wanted.application} is missing: {subscription}, then open "
        "Company > Roles, the user's role, and set its permissions to Read Only."
    )
