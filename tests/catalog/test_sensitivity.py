import pytest
from lxml import etree

from tap_sage_intacct.catalog.schema import json_schema, load_shipped_schema
from tap_sage_intacct.catalog.sensitivity import is_sensitive, sensitive_fields
from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.intacct.xml.metadata import read_lookup
from tests.catalog.test_schema import RESPONSES


@pytest.mark.parametrize(
    ("object_name", "field_id"),
    [
        ("EMPLOYEE", "SSN"),
        ("EMPLOYEE", "BIRTHDATE"),
        ("EMPLOYEE", "GENDER"),
        ("EMPLOYEE", "ACHBANKROUTINGNUMBER"),
        ("EMPLOYEE", "ACHACCOUNTNUMBER"),
        ("EMPLOYEE", "PERSONALINFO.CELLPHONE"),
        ("EMPLOYEE", "CONTACT.MAILADDRESS.ADDRESS1"),
        ("EMPLOYEE", "CONTACT.MAILADDRESS.ZIP"),
        ("VENDOR", "WIREBANKROUTINGNUMBER"),
        ("VENDOR", "WIREACCOUNTNUMBER"),
        ("VENDOR", "T5018NUMBER"),
        ("VENDOR", "AMEX_BANK_ACCOUNT_ID"),
        ("VENDOR", "DISPLAYCONTACT.TAXID"),
        ("VENDOR", "DISPLAYCONTACT.SIRET"),
        ("LOCATIONENTITY", "FEDERALID"),
        ("CHECKINGACCOUNT", "BANKACCOUNTNO"),
        ("CHECKINGACCOUNT", "ROUTINGNO"),
        ("TIMESHEET", "EMPLOYEE.SSN"),
        ("GLDETAIL", "SUB_EMPLOYEE.PERSONALINFO.PHONE1"),
        ("APPROVAL", "EMPLOYEE.CONTACT.CELLPHONE"),
        ("USERINFO", "PASSWORD"),
        ("payroll_run", "bankAccountNumber"),
        ("payroll_run", "iban"),
        ("payroll_run", "dateOfBirth"),
        ("CUSTOMER", "OWNER_SSN_LAST4"),
        ("CUSTOMER", "CREDIT_CARD_NUMBER"),
        ("EMPLOYEE", "MARITALSTATUS"),
        ("EMPLOYEE", "ETHNICITY"),
        ("EMPLOYEE", "HOMEPHONE"),
        ("CUSTOMER", "CF_DFI_ACCOUNT_NUMBER"),
        ("CUSTOMER", "CLIENT_FEIN_"),
        ("EMPLOYEE", "EEOETHNICITY"),
        ("EMPLOYEE", "CAEEOETHNICITY"),
        ("EMPLOYEE", "EMPLOYEEISDISABLED"),
        ("PAYROLLREPORTPAYMODIFIER", "GROSSPAY"),
        ("PAYROLLREPORTCHECK", "NETPAY"),
        ("EMPLOYEEPOSITION", "PAYRATE"),
        ("BANKFILE", "RETURNACCOUNTNUMBER"),
        ("BANKFILE", "BRANCHTRANSITNUMBER"),
        ("CHECKINGACCOUNT", "CHECKLAYOUT.SIGNATUREIMAGE"),
        ("CHECKINGACCOUNT", "CHECKLAYOUT.SIGNATUREIMAGE2NAME"),
        ("payroll_run", "annualSalary"),
        ("payroll_run", "hourly_wage"),
        ("person", "passportNo"),
        ("person", "MEDICAL_PLAN"),
        ("person", "api_key"),
    ],
)
def test_bank_tax_and_personal_data_is_sensitive(
    object_name: str, field_id: str
) -> None:
    assert is_sensitive(object_name, field_id)


@pytest.mark.parametrize(
    ("object_name", "field_id"),
    [
        ("VENDOR", "NAME"),
        ("VENDOR", "DISPLAYCONTACT.EMAIL1"),
        ("VENDOR", "DISPLAYCONTACT.PHONE1"),
        ("VENDOR", "DISPLAYCONTACT.MAILADDRESS.CITY"),
        ("VENDOR", "NAME1099"),
        ("VENDOR", "FORM1099TYPE"),
        ("VENDOR", "VENDORACCOUNTNO"),
        ("VENDOR", "ACHENABLED"),
        ("CUSTOMER", "BILLTO.PHONE1"),
        ("CUSTOMER", "TAXIDVALIDATIONDATE"),
        ("CUSTOMER", "CREDITLIMIT"),
        ("CUSTOMER", "ENABLEONLINECARDPAYMENT"),
        ("EMPLOYEE", "EMPLOYEEID"),
        ("EMPLOYEE", "PERSONALINFO.FIRSTNAME"),
        ("EMPLOYEE", "PERSONALINFO.EMAIL1"),
        ("EMPLOYEE", "PERSONALINFO.MAILADDRESS.COUNTRY"),
        ("EMPLOYEE", "TITLE"),
        ("GLACCOUNT", "ACCOUNTNO"),
        ("GLBATCH", "VATCUSTOMERID"),
        ("GLDETAIL", "VENDORID"),
        ("PROJECT", "EMBRACE"),
        ("APBILL", "TOTALDUE"),
        ("APBILL", "STATE"),
        ("APBILL", "WHENPAID"),
        ("APPYMT", "NETPAYMENT"),
        ("VENDOR", "PAYMENTPRIORITY"),
        ("USERINFO", "CHATTER_DISABLED"),
        ("ITEM", "SEWAGE"),
        ("CUSTOMER", "TAXSOLUTIONID"),
        ("GLENTRY", "EXCHANGE_RATE"),
        ("UNIT", "SPIN"),
    ],
)
def test_business_data_is_not_sensitive(object_name: str, field_id: str) -> None:
    assert not is_sensitive(object_name, field_id)


def test_only_sources_about_parties_ship_sensitive_fields() -> None:
    found = {
        source.stream_name
        for source in DATA_SOURCES
        for name in load_shipped_schema(source.stream_name)["properties"]
        if is_sensitive(source.object_name, name)
    }
    assert found == {
        "bills",
        "customers",
        "employees",
        "entities",
        "invoices",
        "locations",
        "vendors",
    }


def test_no_key_or_stamp_is_sensitive() -> None:
    for source in DATA_SOURCES:
        columns = (*source.primary_keys, source.replication_key, source.creation_stamp)
        assert not any(is_sensitive(source.object_name, name or "") for name in columns)


@pytest.mark.parametrize(
    ("field_id", "title", "kind", "is_expected"),
    [
        ("CF_17", "Employee SSN", "string", True),
        ("CF_18", "Gross pay", "number", True),
        ("CF_19", "Date of birth", "date", True),
        ("EMPLOYEE_FLAG", "Veteran", "boolean", True),
        ("PWDNEVEREXPIRES", "Keep password until admin resets it", "boolean", False),
        ("PASSWORDCHANGED", "Password changed on", "date", False),
        ("CF_20", "Tax return code", "string", False),
    ],
)
def test_label_and_type_count_too(
    field_id: str, title: str, kind: str, *, is_expected: bool
) -> None:
    definition = {"title": title, "type": ["null", kind]}
    if kind == "date":
        definition |= {"type": ["null", "string"], "format": "date"}
    assert is_sensitive("CUSTOMER", field_id, definition) is is_expected


NEVER_SENSITIVE = {
    *("RECORDNO", "NAME", "STATE", "STATUS", "TOTALDUE", "TOTALPAID", "WHENPAID"),
    *("WHENMODIFIED", "WHENCREATED", "ACCOUNTNO", "CURRENCY", "DESCRIPTION", "AMOUNT"),
    *("CUSTOMERID", "VENDORID", "EMPLOYEEID", "TAXSOLUTIONID", "PAYMENTPRIORITY"),
    *("LOGINDISABLED", "PWDNEVEREXPIRES", "BATCH_DATE", "BOOKID", "PERIOD"),
}


@pytest.mark.skipif(not RESPONSES, reason="no recorded lookup responses at hand")
def test_sensitive_fields_of_recorded_lookups_for_review() -> None:
    """`pytest -s` prints them; that none is absurd is asserted."""
    found: list[str] = []
    for path in RESPONSES:
        recorded = read_lookup(etree.fromstring(path.read_bytes()))
        schema = json_schema(recorded)
        fields = sensitive_fields(recorded.name, schema)
        print(f"{recorded.name}: {', '.join(fields) or 'none'}")  # noqa: T201
        found += fields
        assert len(fields) < len(schema["properties"]) / 10
    assert {"CF_DFI_ACCOUNT_NUMBER", "CLIENT_FEIN_", "TAXID"} <= set(found)
    assert NEVER_SENSITIVE.isdisjoint(found)
