"""Which fields hold bank, tax or personal data, so that nobody loads them unaware.

Knows names only, since Intacct does not mark such fields. A table of patterns over the
words of a field id covers standard, custom and related fields alike. Business contacts
of customers and vendors are not personal data here: planning needs them.
"""

from __future__ import annotations

import re

_NUMBER = "(?:NO|NUM|NUMBER|CODE|ID)"

_BANK_AND_CARD = (
    r"\w*(?:ACH|WIRE)_?(?:BANK|ACCOUNT)\w*",
    r"\w*AMEX\w*",
    r"\w*BANK_?(?:ACCOUNT|ACCT)_?(?:NO|NUM|NUMBER)",
    rf"\w*ROUTING(?:_?{_NUMBER})?",
    r"(?:BANK_?)?IBAN\w*",
    rf"(?:SWIFT|BIC|BSB|SORT)_?{_NUMBER}|SWIFT|BIC|BSB",
    r"(?:CREDIT|DEBIT)?_?CARD_?(?:NO|NUM|NUMBER)|CVV|CVC",
)
_TAX_AND_IDENTITY = (
    rf"(?:FEDERAL_?)?TAX_?(?:ID|NO|NUMBER)(?:_?{_NUMBER})?|FEDERAL_?ID",
    rf"VAT_?(?:REG\w*_?)?{_NUMBER}",
    r"SSN|SOCIAL_?SECURITY\w*|NATIONAL_?(?:ID|INSURANCE)\w*|PASSPORT\w*",
    rf"TIN|EIN|SIRET|SIREN|(?:ABN|GST|T5018)(?:_?{_NUMBER})",
)
_PERSON = (
    r"BIRTH_?DA(?:TE|Y)|DATE_?OF_?BIRTH|DOB",
    r"GENDER|ETHNIC\w*|RACE|RELIGION|MARITAL\w*|DISABILITY\w*",
    r"HOME_?(?:PHONE|ADDRESS|EMAIL)\w*|PERSONAL_?(?:PHONE|ADDRESS|EMAIL)\w*",
)
_SECRETS = (r"\w*PASSWORD|PASSWD|PWD",)


def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # Whole words between underscores: `OWNER_TAXID`, but not `TAXIDVALIDATIONDATE`.
    return re.compile(rf"(?:^|_)(?:{'|'.join(patterns)})(?:_|$)")


_SENSITIVE = _any_of(_BANK_AND_CARD + _TAX_AND_IDENTITY + _PERSON + _SECRETS)

# An employee's contact is the person's own. The e-mail address and the country remain:
# one identifies the employee at work, the other groups them.
_EMPLOYEE_CONTACT = re.compile(
    r"(?:CELL)?PHONE\d?|PAGER|FAX|MAILADDRESS\.(?:ADDRESS\d|CITY|STATE|ZIP)"
)
_PATHS_TO_EMPLOYEES = frozenset({"EMPLOYEE", "SUB_EMPLOYEE", "PERSONALINFO"})

_CAMEL_CASE_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_sensitive(object_name: str, field_id: str) -> bool:
    """Whether a field is left out unless the user asks for such fields.

    Args:
        object_name: the object that is read; names of custom objects count as any.
        field_id: as Intacct writes it, dotted for contacts and related objects, in
            mixed case on custom objects.
    """
    *path, name = field_id.split(".")
    words = _CAMEL_CASE_SEAM.sub("_", name).upper()
    return bool(_SENSITIVE.search(words)) or (
        _is_of_employee(object_name, path)
        and bool(_EMPLOYEE_CONTACT.fullmatch(_within_contact(path, name)))
    )


def _is_of_employee(object_name: str, path: list[str]) -> bool:
    return object_name.upper() == "EMPLOYEE" or not _PATHS_TO_EMPLOYEES.isdisjoint(path)


def _within_contact(path: list[str], name: str) -> str:
    return f"MAILADDRESS.{name}" if path[-1:] == ["MAILADDRESS"] else name
