"""What follows from the journal: GL details, and account balances by period.

Details and balances are derived again for the entries or accounts that changed, so that
they can never disagree.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

DERIVED_COLUMNS = (
    "RECORDNO", "BATCHKEY", "BATCH_DATE", "BATCH_TITLE", "BATCH_NO", "BOOKID",
    "MODIFIED", "MODULEKEY", "LINE_NO", "ENTRY_DATE", "TR_TYPE", "DOCUMENT",
    "ACCOUNTNO", "ACCOUNTTITLE", "STATISTICAL", "DEPARTMENTID", "DEPARTMENTTITLE",
    "LOCATIONID", "LOCATIONNAME", "CURRENCY", "BASECURR", "DESCRIPTION", "DEBITAMOUNT",
    "CREDITAMOUNT", "AMOUNT", "GLENTRYKEY", "BATCH_STATE", "ENTRY_STATE",
    "WHENMODIFIED", "AUWHENCREATED", "CUSTOMERDIMKEY", "VENDORDIMKEY", "COST_POOL",
)  # fmt: skip
"""The columns of GLDETAIL that the journal decides, in the order of `_DETAILS`."""

# Posted lines, once per book; a few entries stand in the cash book as well. The stamp
# of a detail is never earlier than that of its entry [R].
_DETAILS = """
INSERT INTO "GLDETAIL" ({columns}, {fillers} "_private", "_visible_from", "_entity")
SELECT
  b."RECORDNO" || '-' || e."RECORDNO" || '-' ||
    CASE b."MODULE" WHEN '2.GL' THEN '' ELSE e."RECORDNO" + 100000 END
    || '--' || lower(k.book),
  b."RECORDNO", b."BATCH_DATE", b."BATCH_TITLE", b."BATCHNO", k.book, b."MODIFIED",
  b."MODULE", e."LINE_NO", e."ENTRY_DATE", e."TR_TYPE", e."DOCUMENT", e."ACCOUNTNO",
  e."ACCOUNTTITLE", e."STATISTICAL", e."DEPARTMENT", e."DEPARTMENTTITLE", e."LOCATION",
  e."LOCATIONNAME", e."CURRENCY", e."BASECURR", e."DESCRIPTION",
  CASE e."TR_TYPE" WHEN 1 THEN e."AMOUNT" ELSE '0' END,
  CASE e."TR_TYPE" WHEN -1 THEN e."AMOUNT" ELSE '0' END,
  CASE e."TR_TYPE" WHEN 1 THEN e."AMOUNT" ELSE cents_text(-cents(e."AMOUNT")) END,
  e."RECORDNO", b."STATE", e."STATE",
  max(coalesce(e."WHENMODIFIED", b."MODIFIED"), b."MODIFIED"), e."WHENCREATED",
  e."CUSTOMERDIMKEY", e."VENDORDIMKEY", e."COST_POOL", {filling}
  max(e."_private", b."_private"), e."_visible_from", e."_entity"
FROM "GLENTRY" e JOIN "GLBATCH" b ON b."RECORDNO" = e."BATCHNO"
JOIN (SELECT 'ACCRUAL' AS book UNION ALL SELECT 'CASH') k
  ON k.book = 'ACCRUAL' OR b."RECORDNO" % 11 = 0
{fill}
WHERE b."STATE" = 'Posted' {chosen}
"""

_BALANCES = """
INSERT INTO "GLACCOUNTBALANCE" (
  "RECORDNO", "BOOKID", "CURRENCY", "PERIOD", "OPENBAL", "TOTDEBIT", "TOTCREDIT",
  "TOTADJDEBIT", "TOTADJCREDIT", "FORBAL", "ENDBAL", "ACCOUNTREC", "ACCOUNTNO",
  "ACCOUNTTITLE", "DEPARTMENTID", "LOCATIONID", "LOCATIONNO", "CUSTOMERDIMKEY",
  "VENDORDIMKEY", "WHENCREATED", "WHENMODIFIED", "_private", "_entity")
SELECT
  -- Not a key: it repeats, as real ones were found to do [P].
  a."RECORDNO" % 7, m.book, m.currency, p."NAME",
  cents_text(sum((m.month < p."START_DATE") * (m.debit - m.credit))),
  cents_text(sum((m.month >= p."START_DATE") * m.debit)),
  cents_text(sum((m.month >= p."START_DATE") * m.credit)),
  '0', '0',
  cents_text(sum((m.month >= p."START_DATE") * (m.debit - m.credit))),
  cents_text(sum(m.debit - m.credit)),
  a."RECORDNO", a."ACCOUNTNO", a."TITLE", m.department, m.location, l."RECORDNO",
  m.customer, m.vendor, min(m.created), max(m.modified), m.private, m.entity
FROM month_sums m
JOIN "REPORTINGPERIOD" p ON p."BUDGETING" = 'true' AND m.month <= p."END_DATE"
JOIN "GLACCOUNT" a ON a."ACCOUNTNO" = m.account
LEFT JOIN "LOCATION" l ON l."LOCATIONID" = m.location
GROUP BY p."NAME", m.book, m.currency, a."RECORDNO", m.department, m.location,
  m.customer, m.vendor, m.private, m.entity
"""

_MONTH_SUMS = """
CREATE TEMP TABLE month_sums AS SELECT
  "BOOKID" AS book, "CURRENCY" AS currency, "ACCOUNTNO" AS account,
  "DEPARTMENTID" AS department, "LOCATIONID" AS location, "CUSTOMERDIMKEY" AS customer,
  "VENDORDIMKEY" AS vendor, substr("ENTRY_DATE", 1, 7) || '-01' AS month,
  "_private" AS private, "_entity" AS entity, sum(cents("DEBITAMOUNT")) AS debit,
  sum(cents("CREDITAMOUNT")) AS credit, min("AUWHENCREATED") AS created,
  max("WHENMODIFIED") AS modified
FROM "GLDETAIL" {chosen} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""

_TOLD_APART_BY = (
    "ACCOUNTREC", "PERIOD", "BOOKID", "CURRENCY", "DEPARTMENTID", "LOCATIONID",
    "CUSTOMERDIMKEY", "VENDORDIMKEY", "_private", "_entity",
)  # fmt: skip
_OF_THE_PERIOD = ("TOTDEBIT", "TOTCREDIT")
_AMOUNTS = (*_OF_THE_PERIOD, "OPENBAL", "FORBAL", "ENDBAL")

# WHENMODIFIED lists changed balances [D]; those that came out the same keep theirs.
_STAMPED = """
UPDATE "GLACCOUNTBALANCE" AS b SET "WHENMODIFIED" = coalesce((
  SELECT "WHENMODIFIED" FROM temp.old_balances o WHERE {same}), ?)
{chosen}
"""

# Columns of GLDETAIL that nothing here derives come from a table of plausible rows.
FILLER_TABLE = "_gldetail_filler"


def derive_all(connection: sqlite3.Connection, fillers: Collection[str]) -> None:
    """Make details and balances for the whole journal; the tables are empty."""
    connection.execute(_details(fillers, ""))
    _derive_balances(connection, "")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is written on balances that changed.

    Attributes:
        now: as stored.
        marks_later: whether a posting also stamps the balances of later periods, whose
            opening balance it moves [?].
    """

    now: str
    marks_later: bool


def rederive(
    connection: sqlite3.Connection,
    batches: Collection[int],
    fillers: Collection[str],
    stamp: Stamp,
) -> None:
    """Make them again after changes of journal entries, or of their lines."""
    numbers = ", ".join(map(str, batches))
    of_these = f'WHERE "BATCHKEY" IN ({numbers})'
    touched = _accounts(connection, of_these)
    connection.execute(f'DELETE FROM "GLDETAIL" {of_these}')
    connection.execute(_details(fillers, f'AND b."RECORDNO" IN ({numbers})'))
    touched |= _accounts(connection, of_these)
    if touched:
        accounts = ", ".join(f"'{account}'" for account in sorted(touched))
        chosen = f'WHERE "ACCOUNTNO" IN ({accounts})'
        connection.execute("DROP TABLE IF EXISTS temp.old_balances")
        connection.execute(
            f'CREATE TEMP TABLE old_balances AS SELECT * FROM "GLACCOUNTBALANCE" {chosen}'
        )
        columns = ", ".join(f'"{name}"' for name in _TOLD_APART_BY)
        connection.execute(f"CREATE INDEX temp.by_key ON old_balances ({columns})")
        connection.execute(f'DELETE FROM "GLACCOUNTBALANCE" {chosen}')
        _derive_balances(connection, chosen)
        amounts = _AMOUNTS if stamp.marks_later else _OF_THE_PERIOD
        connection.execute(
            _STAMPED.format(same=_same(amounts), chosen=chosen), [stamp.now]
        )
        connection.execute("DROP TABLE temp.old_balances")


def _same(amounts: Collection[str]) -> str:
    return " AND ".join(
        f'o."{name}" IS b."{name}"' for name in (*_TOLD_APART_BY, *amounts)
    )


def _details(fillers: Collection[str], chosen: str) -> str:
    columns = [f'"{name}"' for name in fillers]
    return _DETAILS.format(
        columns=", ".join(f'"{name}"' for name in DERIVED_COLUMNS),
        fillers="".join(f"{column}, " for column in columns),
        filling="".join(f"f.{column}, " for column in columns),
        fill=f'JOIN "{FILLER_TABLE}" f ON f."_row" = e."RECORDNO" % 97',
        chosen=chosen,
    )


def _accounts(connection: sqlite3.Connection, chosen: str) -> set[str]:
    rows = connection.execute(f'SELECT DISTINCT "ACCOUNTNO" FROM "GLDETAIL" {chosen}')
    return {account for (account,) in rows if account is not None}


def _derive_balances(connection: sqlite3.Connection, chosen: str) -> None:
    connection.execute("DROP TABLE IF EXISTS temp.month_sums")
    connection.execute(_MONTH_SUMS.format(chosen=chosen))
    connection.execute(_BALANCES)
    connection.execute("DROP TABLE temp.month_sums")
