"""The plain road: a tap as the SDK's documentation teaches it, to compare with.

    python benchmarks/plain_tap.py --config config.json

`get_records` over pages by offset, lxml to a dict per row, types in `post_process` by
the schema, and the SDK's defaults for everything else. It does less than the tap: the
session id is given, nobody's date format is asked for, and no bookmark is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

import requests
from lxml import etree
from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.helpers.types import Context, Record

PAGE_SIZE = 2000
TIMEOUT_SECONDS = 300
REQUEST = """<?xml version="1.0" encoding="UTF-8"?>
<request>
<control><senderid>sender</senderid><password>secret</password><controlid>plain</controlid>
<uniqueid>false</uniqueid><dtdversion>3.0</dtdversion>
<includewhitespace>false</includewhitespace></control>
<operation><authentication><sessionid>{session_id}</sessionid></authentication>
<content><function controlid="1"><query><object>GLENTRY</object><select>{select}</select>
<orderby><order><field>RECORDNO</field><ascending/></order></orderby>
<pagesize>{page_size}</pagesize><offset>{offset}</offset></query></function></content>
</operation></request>"""


class JournalEntryLines(Stream):
    """Journal entry lines."""

    name = "gl_journal_entry_lines"
    primary_keys: ClassVar[list[str]] = ["RECORDNO"]
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("RECORDNO", th.IntegerType, required=True),
        th.Property("BATCHNO", th.IntegerType),
        th.Property("LINE_NO", th.IntegerType),
        th.Property("TR_TYPE", th.IntegerType),
        th.Property("ENTRY_DATE", th.DateType),
        th.Property("AMOUNT", th.NumberType),
        th.Property("TRX_AMOUNT", th.NumberType),
        th.Property("EXCHANGE_RATE", th.NumberType),
        th.Property("EXCH_RATE_DATE", th.DateType),
        th.Property("ACCOUNTKEY", th.IntegerType),
        th.Property("ACCOUNTNO", th.StringType),
        th.Property("ACCOUNTTITLE", th.StringType),
        th.Property("DEPARTMENT", th.StringType),
        th.Property("DEPARTMENTTITLE", th.StringType),
        th.Property("LOCATION", th.StringType),
        th.Property("LOCATIONNAME", th.StringType),
        th.Property("DOCUMENT", th.StringType),
        th.Property("DESCRIPTION", th.StringType),
        th.Property("CURRENCY", th.StringType),
        th.Property("STATE", th.StringType),
        th.Property("BILLABLE", th.BooleanType),
        th.Property("CUSTOMERID", th.StringType),
        th.Property("CREATEDBY", th.IntegerType),
        th.Property("WHENCREATED", th.DateTimeType),
        th.Property("WHENMODIFIED", th.DateTimeType),
    ).to_dict()

    @cached_property
    def http(self) -> requests.Session:
        """One connection for all pages."""
        session = requests.Session()
        session.headers["Content-Type"] = "application/xml"
        return session

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Rows of all pages, as text."""
        del context
        offset, remaining = 0, 1
        while remaining:
            data = self.request_page(offset)
            for record in data:
                yield {str(child.tag): child.text for child in record}
            offset += len(data)
            remaining = int(data.get("numremaining", 0))

    def request_page(self, offset: int) -> etree._Element:
        """The `<data>` element of a page."""
        document = REQUEST.format(
            session_id=self.config["session_id"],
            select="".join(
                f"<field>{name}</field>" for name in self.schema["properties"]
            ),
            page_size=PAGE_SIZE,
            offset=offset,
        )
        response = self.http.post(
            self.config["api_url"], data=document.encode(), timeout=TIMEOUT_SECONDS
        )
        response.raise_for_status()
        data = etree.fromstring(response.content).find("operation/result/data")
        if data is None:
            raise RuntimeError("The answer holds no data.")
        return data

    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """Convert each value to the type that the schema gives."""
        del context
        properties = self.schema["properties"]
        for name, text in row.items():
            if text is not None:
                row[name] = convert(text, properties[name])
        return row


def convert(text: str, schema: dict[str, Any]) -> Any:
    """Intacct's text as a Python value."""
    types = schema["type"]
    if "integer" in types:
        return int(text)
    if "number" in types:
        return Decimal(text)
    if "boolean" in types:
        return text.lower() == "true"
    if schema.get("format") == "date":
        return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 - a date
    if schema.get("format") == "date-time":
        moment = datetime.strptime(text, "%m/%d/%Y %H:%M:%S")  # noqa: DTZ007 - UTC
        return moment.replace(tzinfo=timezone.utc)
    return text


class PlainTap(Tap):
    """One stream."""

    name = "tap-plain"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("session_id", th.StringType, required=True, secret=True),
    ).to_dict()

    def discover_streams(self) -> list[Stream]:
        """The one."""
        return [JournalEntryLines(self)]


if __name__ == "__main__":
    PlainTap.cli()
