"""Request document out, response document in: the gateway's envelope.

The only module that parses raw XML; it opens no socket and keeps no state. Element
order follows Sage's request schema, the four error levels Sage's pages on requests
and responses [D].
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime

from lxml import etree
from lxml.builder import E

from tap_sage_intacct.intacct.errors import (
    Call,
    ErrorDetail,
    InvalidResponse,
    Level,
    classify,
)
from tap_sage_intacct.intacct.rows.row import Row, RowSet, RowTable
from tap_sage_intacct.intacct.rows.scanner import scan
from tap_sage_intacct.intacct.secrets.credentials import Login, Secret, Sender
from tap_sage_intacct.intacct.xml.answer_check import check_control_id, check_result

Authentication = Login | Secret
"""How an operation signs in: with a login, or with a session id."""


@dataclass(frozen=True, slots=True)
class Function:
    """One API call: the element inside `<function>`, and what it is for logs.

    Attributes:
        asks_json: rows are asked for without envelope; must be alone in its request.
    """

    element: etree._Element
    call: Call
    asks_json: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """What an authentication block says of the session.

    Attributes:
        timestamp: the server's time at the call, aware; None where it is missing.
        timeout: when the session ends unless used, aware; some captures lack it [C].
    """

    timestamp: datetime | None
    timeout: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """One function's answer.

    Attributes:
        data: None where the function returned none.
        json: the whole body, where it is rows without envelope.
        rows: of the data, where they were found without parsing: then it holds none.
    """

    data: etree._Element | None
    errors: tuple[ErrorDetail, ...]
    succeeded: bool
    json: bytes | None = None
    rows: RowTable | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A response whose envelope is well; its results may still be failures."""

    session: Session
    results: tuple[Result, ...]


def request_document(
    sender: Sender,
    authentication: Authentication,
    functions: Sequence[Function],
    *,
    control_id: str,
) -> bytes:
    """The request document of one operation, UTF-8.

    `uniqueid` is false because reads may be repeated, and white space is left out
    because it only makes answers larger [D]. Each function's control id is its
    place in the request.
    """
    ids = _function_ids(control_id, len(functions))
    request = E.request(
        E.control(
            E.senderid(sender.sender_id),
            E.password(sender.password.reveal()),
            E.controlid(control_id),
            E.uniqueid("false"),
            E.dtdversion("3.0"),
            E.includewhitespace("false"),
        ),
        E.operation(
            E.authentication(_authentication(authentication)),
            E.content(
                *(
                    E.function(deepcopy(function.element), controlid=function_id)
                    for function, function_id in zip(functions, ids, strict=True)
                )
            ),
            transaction="false",
        ),
    )
    return etree.tostring(request, xml_declaration=True, encoding="UTF-8")


def _function_ids(control_id: str, count: int) -> list[str]:
    """What functions are sent with, and their results come back with [D]."""
    if not control_id:
        return [""] * count
    return [f"{control_id}-{place}" for place in range(1, count + 1)]


def _authentication(authentication: Authentication) -> etree._Element:
    if isinstance(authentication, Secret):
        session: etree._Element = E.sessionid(authentication.reveal())
        return session
    login: etree._Element = E.login(
        E.userid(authentication.user_id),
        E.companyid(authentication.company_id),
        E.password(authentication.password.reveal()),
    )
    if authentication.entity_id is not None:
        login.append(E.locationid(authentication.entity_id))
    return login


def parse_rows_response(
    body: bytes, functions: Sequence[Function], control_id: str = ""
) -> Response:
    """As `parse_response`, of one function that gives rows, and sooner.

    Raises:
        InvalidResponse: as `parse_response`.
        IntacctError: likewise.
    """
    scanned = scan(body)
    if scanned is None:
        return parse_response(body, functions, control_id)
    response = parse_response(scanned.envelope, functions, control_id)
    (result,) = response.results
    return replace(response, results=(replace(result, rows=scanned.rows),))


def parse_response(
    body: bytes, functions: Sequence[Function], control_id: str = ""
) -> Response:
    """Read a response document.

    Args:
        body: the HTTP body as it came.
        functions: what was asked; the answer must hold as many results.
        control_id: of the request; empty where ids are not to be compared.

    Raises:
        InvalidResponse: not XML, cut off, with a DOCTYPE, or not a response.
        WrongAnswer: it answers another request.
        IntacctError: of the class that the control's or operation's errors mean.
    """
    root = _parse(body)
    if root.tag != "response":
        raise InvalidResponse(f"The answer is a <{root.tag}> document, not a response.")
    refusals = _errors(root.find("errormessage"))
    check_control_id(functions[0].call, control_id, root, refusals)
    control = root.find("control")
    if control is None or control.findtext("status") != "success":
        raise classify(Level.CONTROL, refusals)
    operation = root.find("operation")
    if operation is None:
        raise InvalidResponse("The response holds no operation.")
    authentication = operation.find("authentication")
    if authentication is None or authentication.findtext("status") != "success":
        raise classify(Level.OPERATION, _errors(operation.find("errormessage")))
    elements = operation.findall("result")
    results = tuple(map(_result, elements))
    if not results and (errors := _errors(operation.find("errormessage"))):
        raise classify(Level.OPERATION, errors)
    if len(results) != len(functions):
        raise InvalidResponse(
            f"The response holds {len(results)} results for {len(functions)} functions."
        )
    function_ids = _function_ids(control_id, len(functions))
    for function, function_id, element in zip(
        functions, function_ids, elements, strict=True
    ):
        check_result(function.call, function.element, function_id, element)
    session = Session(
        _instant(authentication.findtext("sessiontimestamp")),
        _instant(authentication.findtext("sessiontimeout")),
    )
    return Response(session, results)


def is_json(body: bytes, functions: Sequence[Function], *, is_xml: bool) -> bool:
    """Whether a body is rows without envelope: asked for, and not answered in XML.

    With `returnformat` json the type is `application/json`, and an XML type tells an
    error [C]; the first character has the last word.
    """
    if not any(function.asks_json for function in functions):
        return False
    first = body.lstrip()[:1]
    return first == b"[" or (first != b"<" and not is_xml)


def json_response(body: bytes) -> Response:
    """The response that a body without envelope stands for; it tells no session."""
    result = Result(data=None, errors=(), succeeded=True, json=body)
    return Response(Session(None, None), (result,))


def parse_errors(body: bytes) -> tuple[ErrorDetail, ...]:
    """The errors of a document that an HTTP error carries; none if it is no XML."""
    try:
        root = _parse(body)
    except InvalidResponse:
        return ()
    return _errors(root.find("errormessage"))


def read_rows(data: etree._Element, scanned: RowTable | None = None) -> RowSet:
    """The rows and counts of a `<data>` element.

    Args:
        data: the element.
        scanned: its rows, where they were found without parsing.

    Raises:
        InvalidResponse: fewer or more rows than the `count` attribute says.
    """
    rows: Sequence[Row] = (
        [{child.tag: child.text or "" for child in record} for record in data]
        if scanned is None
        else scanned
    )
    counted = _number(data.get("count"))
    if counted is not None and counted != len(rows):
        raise InvalidResponse(
            f"The answer holds {len(rows)} rows and counts {counted}."
        )
    return RowSet(
        rows,
        _number(data.get("totalcount")),
        _number(data.get("numremaining")),
        data.get("resultId") or None,
    )


def read_nested_rows(data: etree._Element, name: str) -> list[Row]:
    """Owned lines inside the records of a `read`, by the lines' object name."""
    lines = (element for element in data.iter() if element.tag.lower() == name.lower())
    return [{child.tag: child.text or "" for child in line} for line in lines]


# Intacct does not strictly strip control characters, raw or as references [C].
ILLEGAL_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ILLEGAL_REFERENCES = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]));"
)


def _parse(body: bytes) -> etree._Element:
    # Before parsing, because libxml expands entities in attributes while it parses.
    # Text cannot hold this: Intacct escapes `<`.
    if b"<!DOCTYPE" in body:
        raise InvalidResponse("The answer has a DOCTYPE, which Intacct never sends.")
    try:
        return etree.fromstring(body, _parser())
    except etree.XMLSyntaxError:
        return _parse_stripped(body)


def _parse_stripped(body: bytes) -> etree._Element:
    """Parse once more without the characters that XML forbids."""
    stripped = _ILLEGAL_REFERENCES.sub(b"", ILLEGAL_BYTES.sub(b"", body))
    try:
        return etree.fromstring(stripped, _parser())
    except etree.XMLSyntaxError as error:
        # libxml's message may quote the body, which holds a customer's rows.
        line, column = error.position
        raise InvalidResponse(
            f"The answer is no whole XML document (line {line}, column {column}, "
            f"{len(body)} bytes)."
        ) from None


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        # Forced, so that no other encoding can hide a DOCTYPE from `_parse`.
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        dtd_validation=False,
        remove_comments=True,
        remove_pis=True,
        # A page of 2,000 wide rows passes libxml's limit on a document's size.
        huge_tree=True,
    )


def _result(element: etree._Element) -> Result:
    return Result(
        data=element.find("data"),
        errors=_errors(element.find("errormessage")),
        succeeded=element.findtext("status") == "success",
    )


def _errors(errormessage: etree._Element | None) -> tuple[ErrorDetail, ...]:
    if errormessage is None:
        return ()
    return tuple(
        ErrorDetail(
            error.findtext("errorno") or "",
            error.findtext("description") or "",
            error.findtext("description2") or "",
            error.findtext("correction") or "",
        )
        for error in errormessage.findall("error")
    )


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
