"""What can go wrong between us and Intacct, ordered by what the caller does about it.

    IntacctError
    ├── ConfigurationError     correct the settings, or the set-up in Sage Intacct
    ├── PermissionDenied       ask for a role permission or a subscription
    ├── RequestRefused         correct the request
    │   ├── FieldsRefused      ask again without the fields it names
    │   ├── ObjectNotFound     the company does not know the object
    │   ├── ObjectRefused      for a reason that is not known: go on with other objects
    │   ├── ReportNotFound     there is no custom report of this name and kind
    │   └── DatabaseRefused    bad field, or a passing fault: retried a few times
    ├── ReportFailed           Intacct could not run a custom report
    ├── PagesMoved             read again: pages that do not fit together
    ├── WrongAnswer            ask once more: it answers another request
    ├── SessionExpired         sign in again
    ├── TransientError         wait, then ask the same again
    │   ├── HostUnreachable    fail soon: the host has not answered yet
    │   └── InvalidResponse    what came back is no whole response document
    └── RequestTimedOut        ask for less; the same call must not be repeated

`classify` turns the errors of a response document into one of these by the table
`RULES`; no other code reads Intacct's error texts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from urllib.parse import unquote

from typing_extensions import override

from tap_sage_intacct.errors import TapError
from tap_sage_intacct.intacct.secrets.masking import masked


class Cause(Enum):
    """Which part of signing in failed."""

    SENDER = "sender"
    AUTHORISATION = "authorisation of the sender"
    SUBSCRIPTION = "subscription"
    ADDRESS = "address filter"
    USER = "user"
    ENTITY = "entity"


class Level(Enum):
    """Where in a response the errors stood (Sage's page on responses [D])."""

    CONTROL = "control"
    OPERATION = "operation"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """One `<error>` of a response; any of its texts may be empty."""

    errorno: str = ""
    description: str = ""
    description2: str = ""
    correction: str = ""

    @property
    def text(self) -> str:
        """All texts in one line, un-escaped, without the support id."""
        parts = (self.description, self.description2, self.correction)
        joined = " ".join(part for part in map(_clean, parts) if part)
        return _SUPPORT_ID.sub("", joined).strip()

    @property
    def support_id(self) -> str | None:
        """The id to quote to Sage's support, where the texts hold one."""
        for part in (self.description2, self.description, self.correction):
            if match := _SUPPORT_ID.search(_clean(part)):
                return unquote(match["id"])
        return None


@dataclass(frozen=True, slots=True)
class Call:
    """A function that was called, and its object, for error texts and logs."""

    function: str
    object_name: str | None = None

    @override
    def __str__(self) -> str:
        """`query of APBILL`, or the function's name alone."""
        return (
            f"{self.function} of {self.object_name}"
            if self.object_name
            else self.function
        )


class IntacctError(TapError):
    """Root of the errors that Intacct or the network causes.

    Attributes:
        remedy: what is wrong and what to do, one sentence or two.
        details: Intacct's own errors; empty where the fault is not in a document.
        call: the function that failed; None for the envelope as a whole.
        retry_after_seconds: how long Intacct asked us to wait, if it did.
        cause: why signing in failed; None for other errors.
    """

    def __init__(
        self,
        remedy: str,
        *,
        details: Sequence[ErrorDetail] = (),
        call: Call | None = None,
        retry_after_seconds: float | None = None,
        cause: Cause | None = None,
    ) -> None:
        self.remedy = masked(remedy)
        self.cause = cause
        self.details = tuple(map(_without_secrets, details))
        self.call = call
        self.retry_after_seconds = retry_after_seconds
        super().__init__(self._message())

    @property
    def errorno(self) -> str:
        """The first, most specific error number; empty where none came."""
        return self.details[0].errorno if self.details else ""

    @property
    def support_id(self) -> str | None:
        """The first support id among the errors."""
        return next((d.support_id for d in self.details if d.support_id), None)

    def _message(self) -> str:
        parts = [self.remedy]
        said = "; ".join(
            f"{d.errorno}: {d.text}".strip(": ")
            for d in self.details
            if d.errorno or d.text
        )
        if said:
            asked = f" to {self.call}" if self.call else ""
            parts.append(f"Intacct's answer{asked}: {said}.")
        if self.support_id:
            parts.append(f"[Support ID: {self.support_id}]")
        return " ".join(parts).replace("..", ".")


class ConfigurationError(IntacctError):
    """The settings, or the set-up of the company, do not allow what was asked."""


class PermissionDenied(IntacctError):
    """The user's role lacks the object, or the company its subscription."""


class RequestRefused(IntacctError):
    """Intacct accepts the user, but refuses the request."""


class ObjectNotFound(RequestRefused):
    """The company has no object of this name."""


class ObjectRefused(RequestRefused):
    """A function of one object was refused, for a reason that is not in the table."""


class ReportNotFound(RequestRefused):
    """There is no custom report of this name and kind that the user may see."""


class DatabaseRefused(RequestRefused):
    """DL02000001: a field or value the database cannot use, or a passing fault."""


class FieldsRefused(RequestRefused):
    """Some of the fields cannot be used.

    Attributes:
        fields: names that the answer brackets; empty where it names none.
    """

    @property
    def fields(self) -> frozenset[str]:
        """Names in the innermost brackets of the texts, in upper and own case.

        The exact wording is unknown [?]: two renderings were seen, both of which
        end in a bracketed list, and one message that names `object.FIELD`
        without brackets [C].
        """
        names: set[str] = set()
        for detail in self.details:
            for listed in _BRACKETED.findall(detail.text):
                names.update(name.strip() for name in listed.split(","))
            names.update(_DOTTED_FIELD.findall(detail.text))
        return frozenset(name for name in names if name)


class ReportFailed(IntacctError):
    """A custom report that Intacct could not run, or not in time."""


class PagesMoved(IntacctError):
    """Pages that do not fit together: a row may be missing or repeated."""


class WrongAnswer(IntacctError):
    """A whole answer, but to another request."""


class SessionExpired(IntacctError):
    """The session id is unknown or too old."""


class TransientError(IntacctError):
    """Throttled, off-line, or cut off: the same call may succeed a little later."""


class HostUnreachable(TransientError):
    """No connection to a host that has not answered before in this run."""


class InvalidResponse(TransientError):
    """The body is not a whole response document."""


class RequestTimedOut(IntacctError):
    """No answer in time. The call may still be running on Intacct's side."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the error table: what to recognise, and what it means."""

    error: type[IntacctError]
    remedy: str
    errorno: str = ""
    text: str = ""
    levels: frozenset[Level] = field(default_factory=lambda: frozenset(Level))
    cause: Cause | None = None

    def matches(self, level: Level, detail: ErrorDetail) -> bool:
        """Whether the error is of this kind; both patterns must be found."""
        return (
            level in self.levels
            and re.search(self.errorno, detail.errorno) is not None
            and re.search(self.text, detail.text, re.IGNORECASE) is not None
        )


_SUPPORT_ID = re.compile(r"\s*\[Support ID:\s*(?P<id>[^\]]*)\]")
_BRACKETED = re.compile(r"\[([^\[\]]*)\]")
_DOTTED_FIELD = re.compile(r"not valid: [a-z0-9_]+\.([A-Za-z0-9_.]+)")
_SESSION_ID = re.compile(r"(Invalid session)\s.*", re.DOTALL)

# Not if it names fields: others may still be read.
_DENIAL = (
    r"^(?!.*\bfields?\b).*(?:"
    r"not have (?:\w+ ){0,3}(?:permission|privilege|right|access|authori[sz]ation)"
    r"|not (?:authori[sz]ed|permitted|entitled) to"
    r"|(?:you|user) (?:is|are) not allowed"
    r"|(?:disabled|not enabled|not available|unavailable) (?:for|in|to) (?:your|this|the) "
    r"(?:\w+ )?(?:company|user)"
    r"|not (?:\w+ )?subscribed|must subscribe|requires? (?:a |the )?subscription"
    r"|(?:insufficient|missing) (?:\w+ )?(?:permission|privilege|right)"
    r"|(?:access|permission) (?:is |was )?denied"
    r")"
)
_RESULT = frozenset({Level.RESULT})
_ABOVE_RESULT = frozenset({Level.CONTROL, Level.OPERATION})

# Sources: Sage's pages on error handling and the FAQ [D], and the clients and
# captures that intacct-api.md names [C]. The first row that fits decides.
RULES: tuple[Rule, ...] = (
    Rule(
        TransientError, "Intacct throttles this company's calls.", errorno=r"^GW-0010$"
    ),
    Rule(
        TransientError,
        "Intacct throttles this company's calls.",
        text="API rate limit exceeded|too many operations",
    ),
    Rule(
        TransientError,
        "Intacct is off-line for the moment.",
        text="Temporarily Off-?line",
    ),
    Rule(
        TransientError,
        "Intacct asks to try again later.",
        text="Please Try Again Later",
    ),
    Rule(TransientError, "Intacct's gateway failed.", errorno=r"^GW-000\d$"),
    Rule(
        SessionExpired,
        "The session has expired.",
        text="Invalid session",
        levels=_ABOVE_RESULT,
    ),
    Rule(
        ConfigurationError,
        "The company has not authorised this web services sender: in Sage Intacct open "
        "Company > Company Info > Security, edit, and add the sender ID under Web "
        "Services authorizations.",
        text="Invalid Web Services Authorization|not authorized to make Web Services",
        cause=Cause.AUTHORISATION,
    ),
    Rule(
        ConfigurationError,
        "The web services sender is not known: check sender_id and sender_password.",
        text="XML Partner ID or password",
        cause=Cause.SENDER,
    ),
    Rule(
        ConfigurationError,
        "The company does not subscribe to Web Services: in Sage Intacct open Company > "
        "Subscriptions and switch on Web Services.",
        text="not authorized for XML transactions|subscribe to the XML Gateway",
        cause=Cause.SUBSCRIPTION,
    ),
    Rule(
        ConfigurationError,
        "Sign-in failed: check company_id, user_id and user_password (and entity_id), and "
        "that the user is not locked.",
        text="Sign-in information is incorrect|JPP0002",
        cause=Cause.USER,
    ),
    Rule(
        ConfigurationError,
        "Sign-in failed: check company_id, user_id and user_password.",
        errorno=r"JPP0002$",
        cause=Cause.USER,
    ),
    Rule(
        ConfigurationError,
        "Intacct does not know this company or sender, or one of them is inactive: check "
        "company_id and sender_id.",
        errorno=r"^GW-0011$",
        cause=Cause.SENDER,
    ),
    Rule(
        ConfigurationError,
        "Intacct does not know this company: check company_id.",
        text="company title .* does not exist",
        cause=Cause.USER,
    ),
    Rule(
        ConfigurationError,
        "This demo company has expired: use a live company.",
        errorno=r"^PL04000055$",
        cause=Cause.USER,
    ),
    Rule(
        ConfigurationError,
        "The company's address filter refuses this machine: in Sage Intacct open Company "
        "> Company Info > Security and add the address from which the tap calls.",
        text="IP address",
        levels=_ABOVE_RESULT,
        cause=Cause.ADDRESS,
    ),
    Rule(
        ConfigurationError,
        "The user cannot sign in to this entity: check entity_id, and that the user is "
        "not restricted to other entities (Company > Admin > Web Services users).",
        text="The location '.*' is not valid",
        cause=Cause.ENTITY,
    ),
    Rule(
        ConfigurationError,
        "Intacct's gateway refuses the request.",
        errorno=r"^GW-\d+$|^invalidRequest$",
    ),
    Rule(
        PermissionDenied,
        "The audit trail may not be read: give the user's role View permission on custom "
        "reports (Platform Services).",
        text="permission to view audit history",
    ),
    Rule(
        PermissionDenied,
        "The object may not be read: give the user's role Read permission on it (Company "
        "> Roles), or subscribe to its application (Company > Subscriptions).",
        errorno=r"^PL04000005$",
    ),
    Rule(
        PermissionDenied,
        "The object may not be read: give the user's role Read permission on it (Company "
        "> Roles), or subscribe to its application (Company > Subscriptions).",
        text=_DENIAL,
        levels=_RESULT,
    ),
    Rule(
        ObjectNotFound,
        "The company does not know this object.",
        text="Object definition .* not found",
    ),
    Rule(
        ReportNotFound,
        "There is no such custom report: write its name exactly as in Sage Intacct, and "
        "see that it is shared with the web services user.",
        text="Report .* does not exist",
    ),
    Rule(
        FieldsRefused,
        "Intacct does not let these fields be read.",
        errorno=r"^XL03000010$",
        levels=_RESULT,
    ),
    Rule(
        FieldsRefused,
        "Intacct does not let these fields be read.",
        errorno=r"^XL03000006$",
        levels=_RESULT,
    ),
    Rule(
        FieldsRefused,
        "Intacct does not let these fields be read.",
        text="cannot be queried|field requested is not valid",
        levels=_RESULT,
    ),
    Rule(
        DatabaseRefused,
        "Intacct's database could not serve the call.",
        errorno=r"^DL02000001$",
        levels=_RESULT,
    ),
    Rule(
        RequestRefused,
        "Intacct finds the request malformed; please report this as a bug of the tap.",
        errorno=r"^XL03000003$",
    ),
    Rule(
        ConfigurationError,
        "Sign-in was refused: check the company, the user and the sender.",
        errorno=r"^XL03000006$",
        levels=_ABOVE_RESULT,
        cause=Cause.USER,
    ),
)


def classify(
    level: Level,
    details: Sequence[ErrorDetail],
    *,
    call: Call | None = None,
    http_status: int = HTTPStatus.OK,
    retry_after_seconds: float | None = None,
) -> IntacctError:
    """The exception that a response's errors stand for.

    Unknown ones are ObjectRefused for one function and RequestRefused for a sign-in. For
    a whole request, under HTTP 200, they are a TransientError: nothing was executed, and
    no lasting refusal of this kind is known.

    Several errors are usual: the first is specific, later ones are wrappers [C];
    so each error is tried against the whole table before the next.

    Args:
        level: where the errors stood.
        details: the errors in the order of the document.
        call: the function that failed, where one did.
        http_status: of the answer.
        retry_after_seconds: from the HTTP answer's `Retry-After`.
    """
    details = tuple(details)
    rule = next(
        (rule for detail in details for rule in RULES if rule.matches(level, detail)),
        None,
    )
    is_passing = level is Level.CONTROL and http_status == HTTPStatus.OK
    unknown = ObjectRefused if level is Level.RESULT else RequestRefused
    error: type[IntacctError] = TransientError if is_passing else unknown
    remedy = "Intacct refused the call."
    if not any(detail.errorno or detail.text for detail in details):
        remedy = f"Intacct refused the call without saying why (HTTP {http_status})."
    if rule:
        error, remedy = rule.error, rule.remedy
    return error(
        remedy,
        details=details,
        call=call,
        retry_after_seconds=retry_after_seconds,
        cause=rule.cause if rule else None,
    )


def _without_secrets(detail: ErrorDetail) -> ErrorDetail:
    texts = (detail.errorno, detail.description, detail.description2, detail.correction)
    return ErrorDetail(*map(_without_secret, texts))


def _without_secret(text: str) -> str:
    """Intacct repeats the session id in "Invalid session <id>....": a secret [C].

    It may differ from ours, so it is not found by its value.
    """
    return masked(_SESSION_ID.sub(r"\1", text))


def _clean(text: str) -> str:
    """Un-escape once more (texts arrive doubly escaped [C]) and fold white space."""
    return " ".join(html.unescape(text).split())
