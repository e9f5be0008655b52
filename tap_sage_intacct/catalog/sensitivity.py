"""Which fields hold bank, tax, pay or personal data: nobody shall load them by accident.

Intacct does not mark such fields [C]. So the words of a field's id and of its label
decide, and its type: a flag or a date holds no account number. That covers standard,
custom and related fields alike. Business contacts of customers and vendors are not
personal data here: planning needs them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

_NUMBER = "(?:NO|NUM|NUMBER|CODE|ID)"
_ACCOUNT_NUMBER = "_?(?:ACCOUNT|ACCT)_?(?:NO|NUM|NUMBER)"

_BANK_AND_CARD = (
    r"\w*(?:ACH|WIRE)_?(?:BANK|ACCOUNT)\w*",
    r"\w*AMEX\w*_ID",
    r"\w*(?:BANK|ACH|WIRE|DFI|RETURN|DEPOSIT|CHECKING|SAVINGS?|PAYROLL|PAYEE|CARD)"
    rf"{_ACCOUNT_NUMBER}",
    rf"\w*ROUTING(?:_?{_NUMBER})?",
    rf"\w*TRANSIT_?{_NUMBER}",
    r"(?:BANK_?)?IBAN\w*|CLABE|IFSC\w*",
    rf"(?:BANK_?)?(?:SWIFT|BIC|BSB|SORT)_?{_NUMBER}|SWIFT|BIC|BSB",
    r"\w*CARD_?(?:NO|NUM|NUMBER)|\w*CARD_?(?:EXP|SECURITY)\w*|CVV|CVC",
)
_TAX_AND_IDENTITY = (
    rf"\w*TAX_?(?:PAYER_?)?ID(?:_?{_NUMBER})?|\w*TAX_?(?:NO|NUMBER)|FEDERAL_?ID",
    rf"VAT_?(?:REG\w*_?)?{_NUMBER}",
    r"\w*SSN(?:_?LAST_?\d)?|\w*SOCIAL_?(?:SECURITY|INSURANCE)\w*",
    r"\w*NATIONAL_?(?:ID|INSURANCE)\w*|PASSPORT\w*|DRIVER_?S?_?LICEN[CS]E\w*",
    r"\w*FEIN|ITIN|(?:OWNER|CLIENT|VENDOR|CUSTOMER|EMPLOYER|TAXPAYER)?(?:TIN|EIN)",
    rf"SIRET|SIREN|(?:ABN|GST|T5018)(?:_?{_NUMBER})",
)
_PAY = (
    r"\w*(?:GROSS|NET|TAKE_?HOME|SEVERANCE)_?PAY|\w*PAY_?RATE",
    r"\w*SALAR(?:Y|IES)(?:_?(?:RATE|AMOUNT|AMT|GRADE))?|\w*(?<!SE)WAGES?(?:_?RATE)?",
    r"HOURLY_?RATE|(?:BASE|TOTAL|ANNUAL|EMPLOYEE)_?COMPENSATION|\w*GARNISH\w*",
    r"(?:ANNUAL|TARGET|EMPLOYEE)?_?BONUS(?:_?(?:AMOUNT|AMT|PERCENT))?",
)
_SIGNATURES_AND_SECRETS = (
    r"\w*SIGNATURE\w*",
    r"\w*PASSWORD\w*|PASSWD|PWD|PASSPHRASE|\w*API_?KEY|(?:CLIENT|SHARED)_?SECRET",
    r"(?:ACCESS|REFRESH|AUTH)_?TOKEN|PRIVATE_?KEY|PIN(?:_?(?:CODE|NO|NUMBER))?",
)
_PERSON = (
    r"\w*BIRTH_?(?:DATE|DAY|PLACE|COUNTRY|YEAR)|(?:DATE|YEAR|PLACE)_?OF_?BIRTH|DOB",
    r"\w*GENDER|SEX|SEXUAL_?ORIENTATION|\w*ETHNIC\w*|\w*EEO\w*|RACE|NATIONALITY",
    r"CITIZENSHIP|RELIGION|RELIGIOUS\w*|MARITAL\w*|SPOUSE\w*|VETERAN\w*|IMMIGRATION\w*",
    r"\w*DISABILIT\w*|EMPLOYEE_?(?:IS_?)?DISABLED|HANDICAP\w*|PREGNAN\w*",
    r"HEALTH\w*|MEDICAL\w*|EMERGENCY_?(?:CONTACT|PHONE)\w*",
    r"HOME_?(?:PHONE|ADDRESS|EMAIL)\w*|PERSONAL_?(?:PHONE|ADDRESS|EMAIL)\w*",
)


def _any_of(*groups: tuple[str, ...]) -> re.Pattern[str]:
    # Whole words between underscores: `OWNER_TAXID`, but not `TAXIDVALIDATIONDATE`.
    patterns = "|".join(pattern for group in groups for pattern in group)
    return re.compile(rf"(?:^|_)(?:{patterns})\d?(?:_|$)")


_IN_ANY_FIELD = _any_of(_PERSON)
_IN_TEXT_OR_NUMBER = _any_of(
    _BANK_AND_CARD, _TAX_AND_IDENTITY, _PAY, _SIGNATURES_AND_SECRETS
)

# An employee's contact is the person's own. The e-mail address and the country remain:
# one identifies the employee at work, the other groups them.
_EMPLOYEE_CONTACT = re.compile(
    r"(?:CELL)?PHONE\d?|PAGER|FAX|MAILADDRESS\.(?:ADDRESS\d|CITY|STATE|ZIP)"
)
_PATHS_TO_EMPLOYEES = frozenset({"EMPLOYEE", "SUB_EMPLOYEE", "PERSONALINFO"})

_CAMEL_CASE_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"\W+")

_HASHED = "Hashed by the tap."
"""Ends the description of a property whose values are hashes."""

Schema = Mapping[str, Any]


def is_sensitive(
    object_name: str, field_id: str, definition: Schema | None = None
) -> bool:
    """Whether a field is left out unless the user asks for such fields.

    Args:
        object_name: the object that is read; names of custom objects count as any.
        field_id: as Intacct writes it, dotted for contacts and related objects, in
            mixed case on custom objects.
        definition: the property of a JSON schema: its title is the field's label.
            Without it the id alone decides, as of a text.
    """
    definition = definition or {}
    *path, name = field_id.split(".")
    texts = (name, str(definition.get("title", "")))
    if any(_fits(_IN_ANY_FIELD, text) for text in texts):
        return True
    if _is_of_employee(object_name, path) and _EMPLOYEE_CONTACT.fullmatch(
        _within_contact(path, name)
    ):
        return True
    return not _is_flag_or_date(definition) and any(
        _fits(_IN_TEXT_OR_NUMBER, text) for text in texts
    )


# A run asks for each field several times.
@cache
def _fits(pattern: re.Pattern[str], text: str) -> bool:
    words = _NO_WORD.sub("_", _CAMEL_CASE_SEAM.sub("_", text)).upper()
    return pattern.search(words) is not None


def _is_flag_or_date(definition: Schema) -> bool:
    types = definition.get("type", ())
    return "boolean" in types or definition.get("format") in {"date", "date-time"}


def _is_of_employee(object_name: str, path: list[str]) -> bool:
    return object_name.upper() == "EMPLOYEE" or not _PATHS_TO_EMPLOYEES.isdisjoint(path)


def _within_contact(path: list[str], name: str) -> str:
    return f"MAILADDRESS.{name}" if path[-1:] == ["MAILADDRESS"] else name


def sensitive_fields(object_name: str, schema: Schema) -> tuple[str, ...]:
    """The sensitive properties of a schema, in its order; never the tap's own."""
    return tuple(
        name
        for name, definition in schema["properties"].items()
        if not name.startswith("_") and is_sensitive(object_name, name, definition)
    )


def without(schema: Schema, fields: Collection[str]) -> dict[str, Any]:
    """The schema without some properties."""
    properties = schema["properties"]
    kept = {name: properties[name] for name in properties if name not in fields}
    return {**schema, "properties": kept}


def with_hashes(schema: Schema, fields: Collection[str]) -> dict[str, Any]:
    """The schema for records in which some properties are hashed."""
    properties = {
        name: _hashed(definition) if name in fields else definition
        for name, definition in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _hashed(definition: Schema) -> dict[str, Any]:
    description = str(definition.get("description", "")).removesuffix(_HASHED).rstrip()
    hashed = {
        **definition,
        "type": ["null", "string"],
        "description": f"{description} {_HASHED}".lstrip(),
    }
    hashed.pop("format", None)
    return hashed


def is_hashed(definition: Schema) -> bool:
    """Whether a catalog says that the values of a property are hashes."""
    return str(definition.get("description", "")).endswith(_HASHED)
