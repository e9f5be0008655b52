"""readReport, and readMore by reportId."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest
from lxml import etree

from intacct_sandbox import Company, Report, Switches, UserFormatting
from tests.sandbox.gateway.client import Client, rows

if TYPE_CHECKING:
    Rows = list[dict[str, str]]

INTERACTIVE = 'type="interactive"'


SEEN = '"_private" = 0'


def run(name: str, *parts: str, kind: str = INTERACTIVE, arguments: str = "") -> str:
    """A `<readReport>`; `arguments` is XML."""
    if arguments:
        arguments = f"<arguments>{arguments}</arguments>"
    content = f"<report>{escape(name)}</report>{arguments}{''.join(parts)}"
    return f"<readReport {kind}>{content}</readReport>"


def pagesize(number: int) -> str:
    return f"<pagesize>{number}</pagesize>"


def more(report_id: str) -> str:
    return f"<readMore><reportId>{report_id}</reportId></readMore>"


def submit(client: Client, asked: str) -> str:
    """The id of a report that was accepted."""
    data = client.data(asked)
    assert data.findtext("report_results/STATUS") == "PENDING"
    return data.findtext("report_results/REPORTID") or ""


def statuses(data: etree._Element) -> list[str]:
    return [part.text or "" for part in data.iter("STATUS")]


def wait(client: Client, report_id: str) -> etree._Element:
    """The first page, after one poll that finds it pending."""
    assert statuses(client.data(more(report_id))) == ["PENDING"]
    return client.data(more(report_id))


def drain(client: Client, asked: str) -> Rows:
    """All rows."""
    report_id = submit(client, asked)
    data = wait(client, report_id)
    found = records(data)
    while data.get("numremaining") != "0":
        data = client.data(more(report_id))
        found += records(data)
    assert len(found) == int(data.get("totalcount", ""))
    return found


def records(data: etree._Element) -> Rows:
    report = data.find("report")
    assert report is not None
    assert data.get("listtype") == "report"
    assert (report[-1].tag, report[-1].text) == ("STATUS", "DONE")
    del report[-1]
    assert {record.tag for record in report} <= {"data"}
    assert len(report) == int(data.get("count", ""))
    return rows(report)


def serialised(element: etree._Element | None) -> str:
    assert element is not None
    return etree.tostring(element, encoding="unicode")


def test_interactive_report_is_described_with_its_columns(reader: Client) -> None:
    kind = f'{INTERACTIVE} returnDef="true"'
    data = reader.data(run("Bills due", kind=kind))
    assert serialised(data.find("report_definition")) == (
        "<report_definition><REPORTNAME>Bills due</REPORTNAME>"
        "<REPORTTYPE>CRW</REPORTTYPE><OBJECT>APBILL</OBJECT><DOCPARID/><COLUMNS>"
        "<COLUMN><PATH>RECORDNO</PATH><FULLPATH>APBILL.RECORDNO</FULLPATH></COLUMN>"
        "<COLUMN><PATH>RECORDID</PATH><FULLPATH>APBILL.RECORDID</FULLPATH></COLUMN>"
        "<COLUMN><PATH>VENDORID</PATH><FULLPATH>APBILL.VENDORID</FULLPATH></COLUMN>"
        "<COLUMN><PATH>VENDOR.NAME</PATH><FULLPATH>APBILL.VENDOR.NAME</FULLPATH></COLUMN>"
        "<COLUMN><PATH>WHENDUE</PATH><FULLPATH>APBILL.WHENDUE</FULLPATH></COLUMN>"
        "<COLUMN><PATH>TOTALDUE</PATH><FULLPATH>APBILL.TOTALDUE</FULLPATH></COLUMN>"
        "</COLUMNS><PARAMETERS>"
        "<PARAMETER><NAME>WHENDUE</NAME><label>Due date</label>"
        "<promptOnRun>1</promptOnRun></PARAMETER>"
        "<PARAMETER><NAME>VENDORID</NAME><label>Vendor ID</label>"
        "<promptOnRun>1</promptOnRun></PARAMETER>"
        "</PARAMETERS></report_definition>"
    )


def test_original_report_is_described_with_its_prompts(reader: Client) -> None:
    data = reader.data(run("Bill lines", kind='returnDef="true"'))
    assert serialised(data.find("report_definition")) == (
        "<report_definition><REPORTNAME>Bill lines</REPORTNAME>"
        "<REPORTTYPE>tabular</REPORTTYPE><ROOT>APBILL</ROOT><PARAMETERS>"
        "<PARAMETER><NAME>APBILL.WHENDUE</NAME><label>Due date</label>"
        "<promptOnRun>1</promptOnRun></PARAMETER>"
        "<PARAMETER><NAME>REPORTINGPERIOD</NAME></PARAMETER></PARAMETERS>"
        "<SORTBY><APBILL.RECORDNO><dir>asc</dir></APBILL.RECORDNO></SORTBY>"
        "</report_definition>"
    )


def test_report_without_prompts_lists_none(reader: Client) -> None:
    kind = f'{INTERACTIVE} returnDef="true"'
    data = reader.data(run("Odd columns", kind=kind))
    assert data.find(".//PARAMETERS") is None
    paths = [part.text or "" for part in data.iter("PATH")]
    assert paths == ["VENDORID", "NAME", "", "NAME"]


def test_submission_answers_with_an_id_and_nothing_else(reader: Client) -> None:
    data = reader.data(run("Vendor list", "<waitTime>30</waitTime>"))
    assert [part.tag for part in data.iter()] == [
        "data",
        "report_results",
        "REPORTID",
        "STATUS",
    ]
    assert len(data.findtext(".//REPORTID") or "") == 32


def test_report_is_pending_and_then_comes_in_pages(client: Client) -> None:
    report_id = submit(client, run("Trial balance 26", pagesize(12)))
    pending = client.data(more(report_id))
    assert serialised(pending) == (
        '<data listtype="report" count="1">'
        "<report><data><STATUS>PENDING</STATUS></data></report></data>"
    )
    pages = [client.data(more(report_id)) for _ in range(3)]
    assert [dict(page.attrib) for page in pages] == [
        {
            "listtype": "report",
            "count": str(count),
            "totalcount": "26",
            "numremaining": str(left),
        }
        for count, left in ((12, 14), (12, 2), (2, 0))
    ]
    found = [row for page in pages for row in records(page)]
    assert list(found[0]) == ["ACCOUNTNO", "TITLE", "ACCOUNTTYPE", "NORMALBALANCE"]
    accounts = sorted(
        str(row["ACCOUNTNO"]) for row in client.sandbox.company.truth("GLACCOUNT")
    )
    assert [row["ACCOUNTNO"] for row in found] == accounts[:26]


def test_page_has_a_hundred_rows_unless_it_says_otherwise(client: Client) -> None:
    data = wait(client, submit(client, run("Journal lines")))
    assert data.get("count") == "100"


def test_last_page_deletes_the_report(client: Client) -> None:
    report_id = submit(client, run("Vendor list", pagesize(1000)))
    assert wait(client, report_id).get("numremaining") == "0"
    text = "Attempted to readMore with an invalid report ID."
    assert client.error(more(report_id))[1] == text


def test_report_is_its_users_or_may_be_its_sessions(client: Client) -> None:
    report_id = submit(client, run("Vendor list"))
    client.sign_in()
    assert wait(client, report_id).get("listtype") == "report"
    client.sandbox.switches = Switches(results_of="session")
    report_id = submit(client, run("Vendor list"))
    client.sign_in()
    assert client.error(more(report_id))[1].endswith("an invalid report ID.")


def test_report_shows_the_books_as_they_were_when_it_was_run(client: Client) -> None:
    report_id = submit(client, run("Vendor list", pagesize(1000)))
    company = client.sandbox.company
    before = [str(row["VENDORID"]) for row in company.truth("VENDOR")]
    company.insert("VENDOR", {"VENDORID": "V-9999", "NAME": "Late"})
    found = records(wait(client, report_id))
    assert sorted(row["VENDORID"] for row in found) == sorted(before)


def test_number_of_polls_and_their_word_can_be_set(client: Client) -> None:
    client.sandbox.switches = Switches(report_polls=2, report_pending_status="INWAIT")
    report_id = submit(client, run("Vendor list"))
    found = [statuses(client.data(more(report_id))) for _ in range(2)]
    assert found == [["INWAIT"]] * 2
    assert records(client.data(more(report_id)))
    client.sandbox.switches = Switches(report_polls=0)
    assert records(client.data(more(submit(client, run("Vendor list")))))


@pytest.mark.parametrize("word", ["FAILED", "ERROR", "CANCELLED"])
def test_report_can_fail(client: Client, word: str) -> None:
    client.sandbox.switches = Switches(report_status=word)
    data = wait(client, submit(client, run("Vendor list")))
    assert statuses(data) == [word]
    assert [part.tag for part in data.iter()] == ["data", "report", "data", "STATUS"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Nope", INTERACTIVE),
        ("vendor list", INTERACTIVE),
        ("Vendor list", ""),
        ("Vendor list", 'type="STANDARD"'),
        ("Bill lines", INTERACTIVE),
        ("Bill lines", f'{INTERACTIVE} returnDef="true"'),
    ],
)
def test_report_is_found_by_exact_name_and_kind(
    reader: Client, name: str, kind: str
) -> None:
    assert reader.error(run(name, kind=kind))[1] == f"Report '{name}' does not exist"


def test_name_of_a_report_may_hold_what_xml_must_escape(client: Client) -> None:
    report = Report("A & <B>", "interactive", "VENDOR", ("VENDORID",))
    client.sandbox.switches = Switches(reports=(report,))
    assert len(drain(client, run("A & <B>"))) == 40
    data = client.data(run("A & <B>", kind=f'{INTERACTIVE} returnDef="true"'))
    assert data.findtext(".//REPORTNAME") == "A & <B>"
    assert client.error(run("Vendor list"))[1].endswith("does not exist")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("<OWNER>x</OWNER>", "OWNER"),
        ("<APBILL.WHENDUE>01/01/2026</APBILL.WHENDUE>", "APBILL.WHENDUE"),
        ("<WHENDUE><FROM>01/01/2026</FROM></WHENDUE>", "WHENDUE.FROM"),
        ("<REPORTINGPERIOD>x</REPORTINGPERIOD>", "REPORTINGPERIOD"),
    ],
)
def test_unknown_argument_is_refused_by_name(
    reader: Client, arguments: str, named: str
) -> None:
    text = reader.error(run("Bills due", arguments=arguments))[1]
    assert text == f"The argument '{named}' is not valid for the report 'Bills due'."


@pytest.mark.parametrize(
    "arguments",
    [
        "<WHENDUE>2026-01-31</WHENDUE>",
        "<WHENDUE><FROM_DATE>2026-01-31</FROM_DATE></WHENDUE>",
        "<WHENDUE><TO_DATE>31/12/2026</TO_DATE></WHENDUE>",
    ],
)
def test_date_in_another_form_is_an_error_of_the_database(
    reader: Client, arguments: str
) -> None:
    assert reader.error(run("Bills due", arguments=arguments))[0] == "DL02000001"


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (pagesize(0), "pagesize must be between 1 and 1000."),
        (pagesize(1001), "pagesize must be between 1 and 1000."),
        ("<pagesize>many</pagesize>", "pagesize must be between 1 and 1000."),
        ("<waitTime>31</waitTime>", "waitTime must be between 0 and 30."),
        ("<returnFormat>csv</returnFormat>", "Invalid returnFormat: csv"),
    ],
)
def test_settings_of_a_run_are_checked(reader: Client, part: str, text: str) -> None:
    assert reader.error(run("Vendor list", part))[1] == text


@pytest.mark.parametrize(
    "asked",
    [
        "<readReport/>",
        "<readReport><report>x</report><waitTimeout>1</waitTimeout></readReport>",
        "<readReport><report>x</report><arguments/></readReport>",
        '<readReport unknown="1"><report>x</report></readReport>',
    ],
)
def test_what_the_schema_does_not_have_is_refused_by_it(
    reader: Client, asked: str
) -> None:
    answer = reader.post(asked)
    assert answer.findtext("errormessage/error/errorno") == "XL03000003"


def due(company: Company, first: date, last: date) -> list[str]:
    """The numbers of the bills that are due in between."""
    found = []
    for row in company.truth("APBILL", where=SEEN):
        day = row["WHENDUE"]
        assert isinstance(day, date)
        if first <= day <= last:
            found.append(str(row["RECORDNO"]))
    return sorted(found)


def numbers(found: Rows) -> list[str]:
    return sorted(row["RECORDNO"] for row in found)


def a_due_date(company: Company) -> date:
    day = next(iter(company.truth("APBILL", where=SEEN)))["WHENDUE"]
    assert isinstance(day, date)
    return day


def test_argument_selects_by_equality(reader: Client) -> None:
    company = reader.sandbox.company
    day = a_due_date(company)
    arguments = f"<WHENDUE>{day:%m/%d/%Y}</WHENDUE>"
    found = drain(reader, run("Bills due", arguments=arguments))
    assert numbers(found) == due(company, day, day) != []
    vendor = found[0]["VENDORID"]
    arguments += f"<VENDORID>{vendor}</VENDORID>"
    both = drain(reader, run("Bills due", arguments=arguments))
    assert both == [row for row in found if row["VENDORID"] == vendor]
    none = arguments.replace(vendor, "V-none")
    assert drain(reader, run("Bills due", arguments=none)) == []


def test_empty_argument_selects_everything(reader: Client) -> None:
    arguments = "<WHENDUE/><VENDORID></VENDORID>"
    seen = list(reader.sandbox.company.truth("APBILL", where=SEEN))
    assert len(drain(reader, run("Bills due", arguments=arguments))) == len(seen)


def test_range_holds_its_bounds(reader: Client) -> None:
    company = reader.sandbox.company
    first, last = date(2025, 1, 1), a_due_date(company)
    first, last = sorted([first, last])
    arguments = (
        f"<APBILL.WHENDUE><FROM_DATE>{first:%m/%d/%Y}</FROM_DATE>"
        f"<TO_DATE>{last:%m/%d/%Y}</TO_DATE></APBILL.WHENDUE>"
    )
    found = drain(reader, run("Bill lines", kind="", arguments=arguments))
    assert numbers(found) == due(company, first, last) != []
    arguments = (
        f"<APBILL.WHENDUE><FROM_DATE>{last:%m/%d/%Y}</FROM_DATE></APBILL.WHENDUE>"
    )
    found = drain(reader, run("Bill lines", kind="", arguments=arguments))
    assert numbers(found) == due(company, last, date.max) != []


def test_range_of_a_timestamp_holds_its_last_day(client: Client) -> None:
    report = Report("R", "original", "VENDOR", ("RECORDNO",), ("WHENCREATED",))
    client.sandbox.switches = Switches(reports=(report,))
    stamps = [row["WHENCREATED"] for row in client.sandbox.company.truth("VENDOR")]
    day = f"{stamps[0]:%m/%d/%Y}"
    limits = f"<FROM_DATE>{day}</FROM_DATE><TO_DATE>{day}</TO_DATE>"
    arguments = f"<WHENCREATED>{limits}</WHENCREATED>"
    found = drain(client, run("R", kind="", arguments=arguments))
    wanted = sum(f"{stamp:%m/%d/%Y}" == day for stamp in stamps)
    assert len(found) == wanted > 0
    wrong = arguments.replace(day, "12/31/9999")
    assert client.error(run("R", kind="", arguments=wrong))[0] == "DL02000001"


def test_dates_are_those_of_the_user(client: Client) -> None:
    client.sandbox.switches = Switches(formatting=UserFormatting(date_format=".dmY"))
    day = a_due_date(client.sandbox.company)
    arguments = f"<WHENDUE>{day:%d.%m.%Y}</WHENDUE>"
    found = drain(client, run("Bills due", arguments=arguments))
    assert {row["WHENDUE"] for row in found} == {f"{day:%d.%m.%Y}"}


def test_reporting_period_selects_by_date_of_creation(reader: Client) -> None:
    arguments = "<REPORTINGPERIOD>Quarter Ended March 2025</REPORTINGPERIOD>"
    found = drain(reader, run("Bill lines", kind="", arguments=arguments))
    wanted = []
    for row in reader.sandbox.company.truth("APBILL", where=SEEN):
        day = row["WHENCREATED"]
        assert isinstance(day, date)
        if date(2025, 1, 1) <= day <= date(2025, 3, 31):
            wanted.append(str(row["RECORDNO"]))
    assert numbers(found) == sorted(wanted) != []


def test_reporting_period_must_exist(reader: Client) -> None:
    arguments = "<REPORTINGPERIOD>Current Year</REPORTINGPERIOD>"
    text = reader.error(run("Bill lines", kind="", arguments=arguments))[1]
    assert text == "The reporting period 'Current Year' is not valid."


def test_report_without_rows_is_done_all_the_same(client: Client) -> None:
    report_id = submit(client, run("No rows"))
    assert serialised(wait(client, report_id)) == (
        '<data listtype="report" count="0" totalcount="0" numremaining="0">'
        "<report><STATUS>DONE</STATUS></report></data>"
    )
    assert client.error(more(report_id))[1].endswith("an invalid report ID.")


@pytest.mark.parametrize(
    ("switches", "third", "value"),
    [
        (Switches(), ["COLUMN3"], "2"),
        (Switches(report_unnamed="absent"), [], None),
    ],
)
def test_column_may_come_twice_or_have_no_name(
    client: Client, switches: Switches, third: list[str], value: str | None
) -> None:
    client.sandbox.switches = switches
    record = wait(client, submit(client, run("Odd columns"))).find("report/data[2]")
    assert record is not None
    names = [str(part.tag) for part in record]
    assert names == ["VENDORID", "NAME", *third, "NAME"]
    assert record[1].text == record[-1].text != ""
    assert record.findtext("COLUMN3") == value


def test_related_column_keeps_its_path(reader: Client) -> None:
    found = drain(reader, run("Bills due"))
    names = {
        row["VENDORID"]: row["NAME"] for row in reader.sandbox.company.truth("VENDOR")
    }
    assert all(row["VENDOR.NAME"] == names[row["VENDORID"]] for row in found)


def test_report_may_have_twelve_thousand_rows(client: Client) -> None:
    columns = ("RECORDNO", "AMOUNT")
    report = Report("Long", "interactive", "GLENTRY", columns, repeat=120)
    client.sandbox.switches = Switches(reports=(report,))
    found = drain(client, run("Long", pagesize(1000)))
    assert len(found) == 12000
    assert len({row["RECORDNO"] for row in found}) == 100


def test_private_rows_are_left_out(reader: Client) -> None:
    found = drain(reader, run("Journal lines", pagesize(1000)))
    statement = 'SELECT "RECORDNO" FROM "GLENTRY" WHERE "_private" = 0'
    public = reader.sandbox.company.connection().execute(statement)
    assert {row["RECORDNO"] for row in found} == {str(row[0]) for row in public}


def test_rows_may_stand_in_the_first_answer(client: Client) -> None:
    client.sandbox.switches = Switches(report_shape="rows")
    data = client.data(run("Trial balance 26", pagesize(10)))
    assert {record.tag for record in data} == {"row"}
    assert len(rows(data)) == 26
    assert data.find(".//REPORTID") is None
    assert len(client.data(run("No rows"))) == 0
