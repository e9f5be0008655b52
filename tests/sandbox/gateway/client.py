"""A client of the gateway that owes nothing to the tap.

It writes documents by hand, so that the sandbox is judged by what any client would see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import requests
from lxml import etree

if TYPE_CHECKING:
    from intacct_sandbox import Sandbox

XML_HEADERS = {"Content-Type": "application/xml"}


@dataclass
class Client:
    """One signed-in client; `control` adds to or replaces control elements."""

    sandbox: Sandbox
    http: requests.Session = field(default_factory=requests.Session)
    session_id: str = ""

    def close(self) -> None:
        self.http.close()

    def control(self, **changes: str) -> str:
        settings = self.sandbox.config()
        parts = {
            "senderid": settings["sender_id"],
            "password": settings["sender_password"],
            "controlid": "c-1",
            "uniqueid": "false",
            "dtdversion": "3.0",
            "includewhitespace": "false",
        } | changes
        return "".join(f"<{k}>{escape(v)}</{k}>" for k, v in parts.items())

    def login(self, **changes: str) -> str:
        settings = self.sandbox.config()
        parts = {
            "userid": settings["user_id"],
            "companyid": settings["company_id"],
            "password": settings["user_password"],
        } | changes
        text = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in parts.items())
        return f"<login>{text}</login>"

    def document(
        self,
        *functions: str,
        authentication: str = "",
        transaction: str = "false",
        **control: str,
    ) -> bytes:
        if not authentication:
            authentication = f"<sessionid>{escape(self.session_id)}</sessionid>"
        content = "".join(
            f'<function controlid="f{number}">{function}</function>'
            for number, function in enumerate(functions, start=1)
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<request><control>{self.control(**control)}</control>"
            f'<operation transaction="{transaction}">'
            f"<authentication>{authentication}</authentication>"
            f"<content>{content}</content></operation></request>"
        ).encode()

    def send(self, document: bytes, **headers: str) -> requests.Response:
        return self.http.post(
            self.sandbox.url,
            data=document,
            headers=XML_HEADERS | headers,
            timeout=30,
        )

    def post(self, *functions: str, **options: str) -> etree._Element:
        response = self.send(self.document(*functions, **options))
        return etree.fromstring(response.content)

    def sign_in(self, **login: str) -> None:
        answer = self.post("<getAPISession/>", authentication=self.login(**login))
        self.session_id = answer.findtext(".//api/sessionid") or ""
        assert self.session_id, etree.tostring(answer)

    def data(self, function: str) -> etree._Element:
        """The `<data>` of a function that succeeds."""
        answer = self.post(function)
        found = answer.find("operation/result/data")
        assert found is not None, etree.tostring(answer)
        assert answer.findtext("operation/result/status") == "success"
        return found

    def error(self, function: str) -> tuple[str, str]:
        """errorno and description2 of a function that fails."""
        answer = self.post(function)
        assert answer.findtext("operation/result/status") == "failure"
        entry = answer.find("operation/result/errormessage/error")
        assert entry is not None
        text = entry.findtext("description2") or ""
        return entry.findtext("errorno") or "", text.partition(" [Support ID")[0]


def rows(data: etree._Element) -> list[dict[str, str]]:
    """Each record as a mapping of field to text."""
    return [{str(f.tag): f.text or "" for f in record} for record in data]


def column(data: etree._Element, name: str = "RECORDNO") -> list[str]:
    """One field of every record."""
    return [row[name] for row in rows(data)]


def query(
    object_name: str,
    *fields: str,
    where: str = "",
    order: str = "",
    options: str = "",
    pagesize: int = 2000,
    offset: int = 0,
) -> str:
    """A `<query>`; `order` holds field names, `-` in front for descending."""
    selected = "".join(f"<field>{escape(name)}</field>" for name in fields)
    parts = [f"<object>{object_name}</object><select>{selected}</select>"]
    if where:
        parts.append(f"<filter>{where}</filter>")
    if order:
        orders = "".join(map(_order, order.split()))
        parts.append(f"<orderby>{orders}</orderby>")
    if options:
        parts.append(f"<options>{options}</options>")
    parts.append(f"<pagesize>{pagesize}</pagesize><offset>{offset}</offset>")
    return f"<query>{''.join(parts)}</query>"


def _order(name: str) -> str:
    direction = "<descending/>" if name.startswith("-") else "<ascending/>"
    return f"<order><field>{name.lstrip('-')}</field>{direction}</order>"


def compare(operator: str, field_name: str, *values: str) -> str:
    """One operator element."""
    texts = "".join(f"<value>{escape(value)}</value>" for value in values)
    return f"<{operator}><field>{field_name}</field>{texts}</{operator}>"


def read_by_query(
    object_name: str, where: str = "", fields: str = "RECORDNO", pagesize: int = 1000
) -> str:
    """A `<readByQuery>`."""
    return (
        f"<readByQuery><object>{object_name}</object><fields>{fields}</fields>"
        f"<query>{escape(where)}</query><pagesize>{pagesize}</pagesize></readByQuery>"
    )
