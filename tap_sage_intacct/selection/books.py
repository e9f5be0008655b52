"""Reporting methods (books): whether the company has those that the user names.

No object lists them. The standard ones are documented [D]; another is a user's or a
consolidation's book, and exists if a posting or a balance names it [I].
"""

from __future__ import annotations

from collections.abc import Sequence

from tap_sage_intacct.errors import refuse
from tap_sage_intacct.intacct.errors import PermissionDenied, RequestRefused
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.query import Comparison, Operator, both
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.settings.suggestions import did_you_mean

STANDARD_BOOKS = (
    *("ACCRUAL", "CASH", "GAAPADJACCRUAL", "GAAPADJCASH", "TAXADJACCRUAL"),
    *("TAXADJCASH", "GAAPACCRUAL", "GAAPCASH", "TAXACCRUAL", "TAXCASH"),
    *("GAAPTAXACCRUAL", "GAAPTAXCASH"),
)


def check_books(gateway: Gateway, books: Sequence[str], period: str) -> None:
    """Refuse books without any posting, and without a balance in a period.

    Costs two calls at most for each book that is not a standard one.

    Raises:
        InvalidSettings: with the nearest standard names.
    """
    refuse(
        f"balance_books: the company has no book '{book}'"
        f"{did_you_mean(book, STANDARD_BOOKS)}"
        for book in books
        if book not in STANDARD_BOOKS and not _exists(gateway, book, period)
    )


def _exists(gateway: Gateway, book: str, period: str) -> bool:
    """Whether rows name it, or may not be read."""
    of_book = Comparison("BOOKID", Operator.EQUAL, (book,))
    of_period = Comparison("PERIOD", Operator.EQUAL, (period,))
    details = ObjectReader(gateway, "GLDETAIL", ("BOOKID",), page_size=1)
    balances = ObjectReader(gateway, "GLACCOUNTBALANCE", ("BOOKID",), page_size=1)
    try:
        if details.query(of_book, ()).result().rows:
            return True
        return bool(balances.open_result_set(both(of_period, of_book)).result().rows)
    except (PermissionDenied, RequestRefused):
        return True
