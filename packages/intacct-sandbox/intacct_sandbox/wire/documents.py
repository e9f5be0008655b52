"""Request documents: bytes to a typed request, or the schema error Intacct gives.

The library libxml2 finds and words the errors, as it does at Sage [C].
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from lxml import etree

from intacct_sandbox.wire.errors import ControlRefusal, schema_violation

_VALIDATION = threading.Lock()


@dataclass(frozen=True, slots=True)
class Control:
    """The control block [D].

    Attributes:
        unique_id: refuse a function controlid that was executed before; true
            unless the request says otherwise [D].
        whitespace: answer indented; true unless the request says otherwise [D].
    """

    sender_id: str = ""
    password: str = ""
    control_id: str = ""
    unique_id: bool = True
    dtd_version: str = ""
    policy_id: str = ""
    whitespace: bool = True
    additional_error_info: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """User credentials. `location_id` None: top level."""

    user_id: str
    company_id: str
    password: str
    location_id: str | None


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """One function: its element is the call itself, below `<function>`."""

    name: str
    control_id: str
    element: etree._Element

    @property
    def object_name(self) -> str:
        """The object as requested; empty if the function names none."""
        return self.element.findtext("object") or ""

    @property
    def body(self) -> bytes:
        """The call element alone, as received."""
        return etree.tostring(self.element, with_tail=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `login` or `session_id` is set; neither, if it came with oauth."""

    transaction: bool
    login: Login | None
    session_id: str | None
    functions: tuple[FunctionCall, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that satisfies the schema."""

    control: Control
    operations: tuple[Operation, ...]

    @property
    def functions(self) -> tuple[FunctionCall, ...]:
        """The functions of all operations, in document order."""
        return tuple(call for part in self.operations for call in part.functions)


def parse_request(document: bytes) -> Request:
    """Read and check a request.

    Raises:
        ControlRefusal: not well-formed, or against the schema (XL03000003).
    """
    root = _parse(document)
    _validate(root)
    operations = tuple(_operation(part) for part in root.iterfind("operation"))
    return Request(_control(root), operations)


def salvage_control(document: bytes) -> Control:
    """What can be read of the control block of a refused document.

    Intacct echoes sender and control id even where the rest is broken [D].
    """
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        return Control()
    return Control() if root is None else _control(root)


def _parse(document: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    try:
        return etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise _syntax_refusal(error) from error


def _syntax_refusal(error: etree.XMLSyntaxError) -> ControlRefusal:
    line, column = error.position
    code = cast("Any", error).code  # missing from the stubs
    message = str(error.msg).split(", line ", maxsplit=1)[0]
    return schema_violation(
        f"XML Parse schema error: Fatal Error {code}: {message}. "
        f"Line: {line}, column: {column}."
    )


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    document = (files("intacct_sandbox") / "request.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(document))


def _validate(root: etree._Element) -> None:
    # The error log belongs to the schema object, which all threads share.
    with _VALIDATION:
        schema = _schema()
        if schema.validate(root):
            return
        entry = next(iter(cast("Any", schema.error_log)))
    raise schema_violation(
        f"XML Parse schema error: Error {entry.type}: {entry.message} "
        f"Line: {entry.line}, column: {entry.column}."
    )


def _control(root: etree._Element) -> Control:
    def text(name: str, default: str = "") -> str:
        return root.findtext(f"control/{name}") or default

    return Control(
        sender_id=text("senderid"),
        password=text("password"),
        control_id=text("controlid"),
        unique_id=text("uniqueid", "true") == "true",
        dtd_version=text("dtdversion"),
        policy_id=text("policyid"),
        whitespace=is_true(text("includewhitespace", "true")),
        additional_error_info=is_true(text("showadditionalerrorinfo")),
    )


def _operation(element: etree._Element) -> Operation:
    login = element.find("authentication/login")
    functions = tuple(
        FunctionCall(str(call.tag), function.get("controlid", ""), call)
        for function in element.iterfind("content/function")
        for call in function.iterchildren(tag=etree.Element)
    )
    return Operation(
        transaction=element.get("transaction", "false") == "true",
        login=None if login is None else _login(login),
        session_id=element.findtext("authentication/sessionid"),
        functions=functions,
    )


def _login(element: etree._Element) -> Login:
    # A console user may write `console|client|entity`; the sandbox has no
    # consoles, so the middle part must stay empty. [D]
    company_id, _, rest = (element.findtext("companyid") or "").partition("|")
    entity = rest.rpartition("|")[2]
    return Login(
        user_id=element.findtext("userid") or "",
        company_id=company_id,
        password=element.findtext("password") or "",
        location_id=element.findtext("locationid") or entity or None,
    )


def is_true(text: str | None) -> bool:
    """An xs:boolean of a request as a claim; absent is false."""
    return (text or "").strip() in {"true", "1"}
