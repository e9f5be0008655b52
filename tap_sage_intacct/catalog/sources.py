"""The primary data sources: which object each is, and how it is read.

A table and no behaviour: what one object needs that others do not is a column here.
Names and objects are those of Pigment's connector; keys, stamps and functions are
explained object by object in Sage's documentation and the project's field notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tap_sage_intacct.intacct.pages.paging_key import KeyField, PagingKey
from tap_sage_intacct.intacct.rows.values import ValueType


class ReadFunction(Enum):
    """A way to read an object; if Intacct refuses it, the next one is tried."""

    QUERY = "query"
    READ_BY_QUERY = "readByQuery"
    READ_PARENT = "read of the parent"


RECORD_NUMBER = PagingKey((KeyField("RECORDNO", ValueType.INTEGER),))
RECORD_KEYS = ("RECORDNO", "id", "ID")
"""Columns that identify a record in Intacct itself."""
BALANCE_KEY = "_balance_key"
ENTITY_ID = "_entity_id"
OWNER = "MEGAENTITYID"
"""The column of most objects that names the entity a record belongs to [C]."""


@dataclass(frozen=True, slots=True)
class Header:
    """The record that owns some lines.

    Attributes:
        object_name: of the record, whose key is RECORDNO.
        field: the line's column that holds it.
        stamps: of the record's last change; old ones may lack the first [R].
        created: the stamp of its creation.
    """

    object_name: str
    field: str
    stamps: tuple[str, ...] = ("WHENMODIFIED", "MODIFIED")
    created: str = "WHENCREATED"


@dataclass(frozen=True, slots=True)
class DataSource:
    """One primary data source.

    Attributes:
        stream_name: the Singer stream.
        title: Pigment's name of the source.
        functions: how to read it, best first.
        primary_keys: of the records.
        record_key: the column with which Intacct names a row.
        replication_key: the stamp of the last change; None where whole sets are read.
        creation_stamp: the TIMESTAMP of creation, for rows whose WHENMODIFIED is null.
            WHENCREATED is the document's date on bills, invoices and GL details [L].
        paging_key: integer columns that cut the rows into pages.
        parent: the object whose `read` may hold these rows inside.
        needs_period: each call names one reporting period (GLACCOUNTBALANCE) [D].
        is_audited: whether the audit trail is known to list its deletions; for other
            sources that is unknown [?].
        business_id: the column with which the audit trail may name a record, instead of
            its number. It links the versions of a bill or invoice, which Intacct deletes
            and creates again under a new number [D/I].
        header: the record that owns these lines. They change and vanish with it, and
            have neither a stamp nor an audit entry [C].
        document_type: transaction definition (`docparid`) of the rows.
    """

    stream_name: str
    object_name: str
    title: str
    functions: tuple[ReadFunction, ...] = (ReadFunction.QUERY,)
    primary_keys: tuple[str, ...] = ("RECORDNO",)
    replication_key: str | None = "WHENMODIFIED"
    creation_stamp: str | None = "WHENCREATED"
    paging_key: PagingKey = RECORD_NUMBER
    parent: str | None = None
    needs_period: bool = False
    is_audited: bool = True
    business_id: str | None = None
    header: Header | None = None
    record_key: str = "RECORDNO"
    document_type: str | None = None

    @property
    def is_numbered(self) -> bool:
        """Whether Intacct promises that no two rows share the record key."""
        return self.record_key in RECORD_KEYS

    @property
    def has_other_keys(self) -> bool:
        """Whether the user named keys other than Intacct's own."""
        return self.is_numbered and self.record_key not in self.primary_keys


_SNAPSHOT = (ReadFunction.READ_BY_QUERY,)
# Documented only for posting: reading them is tried in this order [?].
_UNDOCUMENTED = (
    ReadFunction.QUERY,
    ReadFunction.READ_BY_QUERY,
    ReadFunction.READ_PARENT,
)

DATA_SOURCES: tuple[DataSource, ...] = (
    DataSource(
        "gl_accounts",
        "GLACCOUNT",
        "General Ledger / Accounts",
        business_id="ACCOUNTNO",
    ),
    DataSource(
        "gl_account_balances",
        "GLACCOUNTBALANCE",
        "General Ledger / Account balances",
        functions=_SNAPSHOT,
        primary_keys=(BALANCE_KEY,),
        record_key=BALANCE_KEY,
        needs_period=True,
        is_audited=False,
    ),
    DataSource(
        "gl_details",
        "GLDETAIL",
        "General Ledger / Details",
        creation_stamp="AUWHENCREATED",
        # RECORDNO is text here, made of these two, the subledger line and the book
        # [R]; whether the server compares it as text is unknown [?].
        paging_key=PagingKey(
            (
                KeyField("BATCHKEY", ValueType.INTEGER),
                KeyField("GLENTRYKEY", ValueType.INTEGER),
            ),
            tie_breaker="RECORDNO",
        ),
        header=Header("GLBATCH", "BATCHKEY"),
    ),
    DataSource("gl_journal_entries", "GLBATCH", "General Ledger / Journal entries"),
    DataSource(
        "gl_journal_entry_lines",
        "GLENTRY",
        "General Ledger / Journal entry lines",
        header=Header("GLBATCH", "BATCHNO"),
    ),
    DataSource(
        "revenue_recognition_schedules",
        "REVRECSCHEDULE",
        "Revenue / Recognition schedules",
        functions=_SNAPSHOT,
        is_audited=False,
    ),
    DataSource(
        "revenue_recognition_schedule_entries",
        "REVRECSCHEDULEENTRY",
        "Revenue / Recognition schedule entries",
        functions=_SNAPSHOT,
        is_audited=False,
    ),
    DataSource(
        "contract_billing_schedules",
        "CONTRACTBILLINGSCHEDULE",
        "Contract / Billing schedules",
        is_audited=False,
    ),
    DataSource(
        "contract_billing_schedule_entries",
        "CONTRACTBILLINGSCHEDULEENTRY",
        "Contract / Billing schedule entries",
        is_audited=False,
    ),
    DataSource(
        "contract_expense_schedules",
        "CONTRACTEXPENSESCHEDULE",
        "Contract / Expense schedule",
        is_audited=False,
    ),
    DataSource(
        "contract_expense_schedule_entries",
        "CONTRACTEXPENSESCHEDULEENTRY",
        "Contract / Expense schedule entries",
        functions=_UNDOCUMENTED,
        is_audited=False,
        parent="CONTRACTEXPENSESCHEDULE",
    ),
    DataSource(
        "contract_revenue_schedules",
        "CONTRACTREVENUESCHEDULE",
        "Contract / Revenue schedules",
        is_audited=False,
    ),
    DataSource(
        "contract_revenue_schedule_entries",
        "CONTRACTREVENUESCHEDULEENTRY",
        "Contract / Revenue schedule entries",
        functions=_UNDOCUMENTED,
        is_audited=False,
        parent="CONTRACTREVENUESCHEDULE",
    ),
    DataSource(
        "bills",
        "APBILL",
        "Bills",
        creation_stamp="AUWHENCREATED",
        business_id="DOCHDRKEY",
    ),
    DataSource("contracts", "CONTRACT", "Contracts", business_id="CONTRACTID"),
    DataSource("customers", "CUSTOMER", "Customers", business_id="CUSTOMERID"),
    DataSource("departments", "DEPARTMENT", "Departments", business_id="DEPARTMENTID"),
    DataSource("employees", "EMPLOYEE", "Employees", business_id="EMPLOYEEID"),
    DataSource("entities", "LOCATIONENTITY", "Entities", business_id="LOCATIONID"),
    DataSource(
        "invoices",
        "ARINVOICE",
        "Invoices",
        creation_stamp="AUWHENCREATED",
        business_id="DOCHDRKEY",
    ),
    DataSource("locations", "LOCATION", "Locations", business_id="LOCATIONID"),
    DataSource("vendors", "VENDOR", "Vendors", business_id="VENDORID"),
)

DATA_SOURCE_BY_STREAM = {source.stream_name: source for source in DATA_SOURCES}
DATA_SOURCE_BY_OBJECT = {source.object_name: source for source in DATA_SOURCES}
