import pytest

from tap_sage_intacct.schema import load_shipped_schema
from tap_sage_intacct.sensitivity import is_sensitive
from tap_sage_intacct.sources import DATA_SOURCES


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
