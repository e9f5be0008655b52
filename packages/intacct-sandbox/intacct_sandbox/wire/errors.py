"""Every refusal the gateway knows, by the level at which Intacct answers it.

Code that finds something wrong raises the refusal by name, and the envelope gives it
its shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import Self


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One `<error>`: all four texts may be empty [D].

    `description2` normally carries the message. `brief` is the form the HTTP
    gateway in front of the XML gateway uses: errorno and description alone [D].
    """

    errorno: str
    description2: str = ""
    description: str = ""
    correction: str = ""
    brief: bool = False


class Refusal(Exception):
    """A request or function the gateway does not serve."""

    def __init__(self, *errors: ErrorEntry) -> None:
        """Take the entries in the order in which they are reported."""
        super().__init__(errors[0].description2 or errors[0].errorno)
        self.errors = errors

    @classmethod
    def of(cls, text: str, errorno: str = "XL03000006") -> Self:
        """A refusal with one entry; most have this number."""
        return cls(ErrorEntry(errorno, text))


class ControlRefusal(Refusal):
    """Nothing was executed: malformed document or wrong sender."""

    def __init__(self, *errors: ErrorEntry, http_status: int = 200) -> None:
        """Most are answered with HTTP 200; the gateway's own are not [C]."""
        super().__init__(*errors)
        self.http_status = http_status


class AuthenticationRefusal(Refusal):
    """The control block was good, the login or session was not."""


class FunctionRefusal(Refusal):
    """One function failed; the others in the request do not mind."""


def schema_violation(text: str) -> ControlRefusal:
    """Not well-formed, or against the request schema [D]."""
    return ControlRefusal.of(text, "XL03000003")


def wrong_sender() -> ControlRefusal:
    """Unknown sender id, or wrong sender password [C]."""
    return ControlRefusal.of("Incorrect Intacct XML Partner ID or password.")


def unknown_policy(policy_id: str) -> ControlRefusal:
    """A transport policy, that is an asynchronous call, which is not there [C]."""
    return ControlRefusal.of(f"{policy_id} is not a valid transport policy.")


def rejected_by_gateway(request_id: str) -> ControlRefusal:
    """Company or sender unknown to the HTTP gateway [D]."""
    text = f"Invalid Request [Request ID: {request_id}]"
    return ControlRefusal(
        ErrorEntry("GW-0011", description=text, brief=True), http_status=400
    )


def sign_in_rejected_by_gateway() -> ControlRefusal:
    """Wrong credentials, noticed by the HTTP gateway [C]."""
    text = "Sign-in information is incorrect. Please check your request."
    return ControlRefusal(ErrorEntry("XMLGW_JPP0002", text), http_status=401)


def sign_in_incorrect() -> AuthenticationRefusal:
    """Wrong company, user or user password [C]."""
    return AuthenticationRefusal.of("Sign-in information is incorrect")


def invalid_session(session_id: str) -> AuthenticationRefusal:
    """Unknown or expired session [C]."""
    return AuthenticationRefusal.of(f"Invalid session {session_id}....")


def sender_not_authorised(sender_id: str, company_id: str) -> AuthenticationRefusal:
    """The company's list of web services authorisations lacks the sender [D]."""
    return AuthenticationRefusal(
        ErrorEntry(
            "XL03000006",
            description="Invalid Web Services Authorization",
            description2=(
                f"The sender ID '{sender_id}' is not authorized to make Web "
                f"Services requests to company ID '{company_id}'."
            ),
            correction=(
                "Contact the company administrator to grant Web Services "
                "authorization to this sender ID."
            ),
        )
    )


def not_subscribed() -> AuthenticationRefusal:
    """The company has no Web Services subscription [D]; number [?]."""
    return AuthenticationRefusal.of(
        "This company is not authorized for XML transactions. "
        "Please subscribe to the XML Gateway."
    )


def address_refused() -> AuthenticationRefusal:
    """The company does not allow the caller's address; wording [?]."""
    return AuthenticationRefusal.of(
        "Sign-in from your IP address is not allowed for this company."
    )


def unknown_entity(location_id: str) -> AuthenticationRefusal:
    """Login to an entity that the company does not have; wording [?]."""
    return AuthenticationRefusal.of(f"The location '{location_id}' is not valid.")


def session_failed(text: str) -> FunctionRefusal:
    """A getAPISession that was understood and not granted; errorno [C]."""
    return FunctionRefusal.of(text, "Get API Session Failed")


def repeated_control_id(control_id: str) -> FunctionRefusal:
    """A function controlid executed before, under uniqueid true; wording [?]."""
    return FunctionRefusal.of(
        f"The function control ID '{control_id}' has already been executed."
    )


def too_many_functions(limit: int) -> ControlRefusal:
    """More functions than a request may hold; no number is published [?]."""
    return ControlRefusal.of(f"A request can contain a maximum of {limit} functions.")


def object_not_found(object_name: str) -> FunctionRefusal:
    """No such object, or not one this function reads [C]."""
    return FunctionRefusal.of(
        f"Object definition {object_name} not found", "Query Failed"
    )


def denied(operation: str, object_name: str) -> FunctionRefusal:
    """The role lacks the object, or its module is not subscribed [C]."""
    return FunctionRefusal.of(
        f"You do not have permission for API operation {operation} on objects "
        f"of type {object_name.lower()}",
        "PL04000005",
    )


def audit_history_denied() -> FunctionRefusal:
    """The audit trail has its own text and no errorno [C]."""
    return FunctionRefusal.of("You do not have permission to view audit history.", "")


def unqueryable_fields(names: Mapping[str, Sequence[str]]) -> FunctionRefusal:
    """Fields the object has and `query` will not touch, by object [C]."""
    text = " ; ".join(
        f"{object_name.lower()}: [{', '.join(fields)}]"
        for object_name, fields in names.items()
    )
    return FunctionRefusal.of(f"The following fields cannot be queried: [ {text} ]")


def unknown_fields(
    object_name: str, names: Sequence[str], wording: str
) -> FunctionRefusal:
    r"""Fields the object does not have.

    Three renderings were met by peers: the names in brackets after a line break
    and the object, the first one behind a dot, or the database's own refusal,
    which names none. [C]
    """
    if wording == "unnamed":
        return database_error()
    head = "Field requested is not valid"
    if wording == "bracketed":
        text = f"{head}: \n\t{object_name.lower()}: [{', '.join(names)}]"
    else:
        text = f"{head}: {object_name.lower()}.{names[0]}"
    return FunctionRefusal.of(text, "XL03000010")


def hierarchy_too_deep(path: str) -> FunctionRefusal:
    """More than one hop of a relation of an object to itself [D]; wording [?]."""
    return FunctionRefusal.of(
        f"Field requested is not valid: {path}. "
        "A hierarchical relationship can be followed only once.",
        "XL03000010",
    )


def database_error() -> FunctionRefusal:
    """The database refused: an ISO date, a column it lacks, ORDER BY [C]."""
    return FunctionRefusal.of(
        "There was an error processing the request.", "DL02000001"
    )


def invalid_field_list(fields: str) -> FunctionRefusal:
    """`read` with a field the object lacks: the text is in the errorno [C]."""
    return FunctionRefusal(ErrorEntry(f"Invalid fields list {fields}"))


def invalid_argument(text: str) -> FunctionRefusal:
    """An argument the schema leaves open and the function refuses; wording [?]."""
    return FunctionRefusal.of(text, "Query Failed")


def report_not_found(name: str) -> FunctionRefusal:
    """No such report of that kind, or none this user sees [C]; errorno [?]."""
    return FunctionRefusal.of(f"Report '{name}' does not exist", "")


def unknown_argument(name: str, report_name: str) -> FunctionRefusal:
    """An argument a report does not prompt for is refused [C]; wording [?]."""
    return invalid_argument(
        f"The argument '{name}' is not valid for the report '{report_name}'."
    )


def rolled_back() -> ErrorEntry:
    """The further error of every function of a failed transaction [C]."""
    return ErrorEntry(
        "XL03000009",
        "The entire transaction in this operation has been rolled back due to an "
        "error.",
    )
