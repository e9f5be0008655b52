"""Response documents: statuses, results and errors in Intacct's four shapes.

Text is joined, not built as a tree, since pages hold thousands of rows; only an
indented answer is parsed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape

from lxml import etree

from intacct_sandbox.wire.documents import Control
from intacct_sandbox.wire.errors import ErrorEntry

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
Status = Literal["success", "failure", "aborted"]


@dataclass(frozen=True, slots=True)
class RawBody:
    """An answer without envelope [D]."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """One function's result.

    Attributes:
        data: the `<data>` element as text, or empty.
        rows: how many rows the function found.
        raw: set if the answer goes out without envelope.
    """

    status: Status
    function: str
    control_id: str
    data: str = ""
    errors: tuple[ErrorEntry, ...] = ()
    rows: int = 0
    raw: RawBody | None = None


@dataclass(frozen=True, slots=True)
class Authentication:
    """The authentication block; the stamps are empty if it failed."""

    status: Status
    user_id: str = ""
    company_id: str = ""
    location_id: str = ""
    session_timestamp: str = ""
    session_timeout: str = ""


@dataclass(frozen=True, slots=True)
class OperationAnswer:
    """One operation: results, or the errors of a failed authentication."""

    authentication: Authentication
    results: tuple[Result, ...] = ()
    errors: tuple[ErrorEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorStyle:
    """How error texts are written.

    Attributes:
        support_id: as it stands in the text, already URL-encoded [D].
        double_escaped: the text is HTML before it becomes XML [C].
        additional_info: the request asked for `<additionalinfo>` [D].
    """

    support_id: str
    double_escaped: bool = False
    additional_info: bool = False


def element(name: str, text: str) -> str:
    """`<name>text</name>`, escaped; null and empty text look the same [D]."""
    return f"<{name}>{escape(text)}</{name}>"


def render_success(
    control: Control, operations: Iterable[OperationAnswer], style: ErrorStyle
) -> bytes:
    """A response whose control block succeeded."""
    body = "".join(_operation(answer, style) for answer in operations)
    return _document(_control("success", control) + body, control)


def render_control_failure(
    control: Control, errors: Sequence[ErrorEntry], style: ErrorStyle
) -> bytes:
    """The response to a request that ran no function."""
    if errors[0].brief:
        block = "<control><status>failure</status></control>"
    else:
        block = _control("failure", control)
    return _document(block + _errors(errors, style), control)


def _document(content: str, control: Control) -> bytes:
    text = f"<response>{content}</response>"
    if not control.whitespace:
        return (_DECLARATION + text + "\n").encode()
    tree = etree.fromstring(text, etree.XMLParser(huge_tree=True))
    etree.indent(tree)
    return _DECLARATION.encode() + etree.tostring(tree, encoding="utf-8") + b"\n"


def _control(status: Status, control: Control) -> str:
    return (
        f"<control><status>{status}</status>"
        f"{element('senderid', control.sender_id)}"
        f"{element('controlid', control.control_id)}"
        f"{element('uniqueid', str(control.unique_id).lower())}"
        f"{element('dtdversion', control.dtd_version)}</control>"
    )


def _operation(answer: OperationAnswer, style: ErrorStyle) -> str:
    results = "".join(_result(result, style) for result in answer.results)
    errors = _errors(answer.errors, style)
    block = _authentication(answer.authentication)
    return f"<operation>{block}{errors}{results}</operation>"


def _authentication(block: Authentication) -> str:
    parts = [
        element("status", block.status),
        element("userid", block.user_id),
        element("companyid", block.company_id),
        element("locationid", block.location_id),
    ]
    if block.session_timestamp:
        parts.append(element("sessiontimestamp", block.session_timestamp))
    if block.session_timeout:
        parts.append(element("sessiontimeout", block.session_timeout))
    return f"<authentication>{''.join(parts)}</authentication>"


def _result(result: Result, style: ErrorStyle) -> str:
    return (
        f"<result><status>{result.status}</status>"
        f"{element('function', result.function)}"
        f"{element('controlid', result.control_id)}"
        f"{result.data}{_errors(result.errors, style)}</result>"
    )


def _errors(errors: Sequence[ErrorEntry], style: ErrorStyle) -> str:
    if not errors:
        return ""
    entries = "".join(_error(error, style) for error in errors)
    return f"<errormessage>{entries}</errormessage>"


def _error(error: ErrorEntry, style: ErrorStyle) -> str:
    number = element("errorno", error.errorno)
    if error.brief:
        return f"<error>{number}{element('description', error.description)}</error>"
    message = error.description2
    if message:
        message = f"{message} [Support ID: {style.support_id}]"
    return (
        f"<error>{number}"
        f"<description>{_error_text(error.description, style)}</description>"
        f"<description2>{_error_text(message, style)}</description2>"
        f"<correction>{_error_text(error.correction, style)}</correction>"
        f"{_additional_info(error) if style.additional_info else ''}</error>"
    )


def _error_text(text: str, style: ErrorStyle) -> str:
    written = escape(text, {"'": "&#039;", '"': "&quot;"})
    return escape(written) if style.double_escaped else written


def _additional_info(error: ErrorEntry) -> str:
    target = '<target domain="" requestinfo="" object="" field="" businessinfo=""/>'
    message = f"<messageid></messageid>{target}<placeholders></placeholders>"
    return (
        f"<additionalinfo>{element('errorid', error.errorno)}<category></category>"
        f"{target}<description>{message}</description>"
        f"<cdescription>{message}</cdescription>"
        f"<correction>{message}</correction></additionalinfo>"
    )
