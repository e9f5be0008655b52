"""Whether an answer is the answer to what was asked.

A cache, a proxy or a gateway that mixes up two callers gives a whole and valid answer to
somebody else's question. So whatever in an answer says what it answers is compared:
control ids, which Intacct repeats [D], the function, the object (`listtype`), the place
of the page, the result set, the report. What an answer leaves out is not compared, and
letters are compared in any case, since readByQuery answers in lower case [C].

An answer in JSON says nothing of this. Its columns and the order of its keys are all
that can be compared, which `reader` and `key_set` do: rows of another object with the
same columns and fitting keys cannot be told. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from tap_sage_intacct.intacct.errors import Call, ErrorDetail, WrongAnswer

_LONGEST_SHOWN = 60
_READS_OBJECT = frozenset({"query", "readByQuery", "read", "readByName"})


@dataclass(frozen=True, slots=True)
class _Part:
    """What an answer says of itself, beside what was asked; either may be missing."""

    name: str
    asked: str | None
    told: str | None

    @property
    def fits(self) -> bool:
        """Whether both are the same, as far as both are there."""
        if not self.asked or not self.told:
            return True
        return self.asked.casefold() == self.told.strip().casefold()


def check_control_id(
    call: Call, asked: str, response: etree._Element, refusals: Sequence[ErrorDetail]
) -> None:
    """Compare the control id of a request with that of a response.

    Args:
        call: the first function, for the error.
        asked: empty where it is not to be compared.
        response: the whole document.
        refusals: its errors, which are shown: Intacct may not know the id of a request
            that it could not read [?].

    Raises:
        WrongAnswer: they differ.
    """
    told = response.findtext("control/controlid")
    _check(call, _Part("controlid", asked, told), refusals)


def check_result(
    call: Call, asked: etree._Element, control_id: str, result: etree._Element
) -> None:
    """Compare a function with a `<result>`.

    Args:
        call: the function, for the error.
        asked: its element.
        control_id: that it was sent with.
        result: the element of the answer, whose rows may be left out.

    Raises:
        WrongAnswer: it answers something else.
    """
    _check(call, _Part("function", str(asked.tag), result.findtext("function")))
    _check(call, _Part("controlid", control_id, result.findtext("controlid")))
    data = result.find("data")
    if data is not None:
        for part in _parts_of_data(call, asked, data):
            _check(call, part)


def _parts_of_data(
    call: Call, asked: etree._Element, data: etree._Element
) -> Iterator[_Part]:
    if asked.tag in _READS_OBJECT:
        yield _Part("listtype", asked.findtext("object"), data.get("listtype"))
    if asked.tag == "query":
        yield _Part("offset", asked.findtext("offset"), data.get("offset"))
        yield _Part("numremaining", _remaining(data), data.get("numremaining"))
    if asked.findtext("resultId"):
        yield _Part("listtype", call.object_name, data.get("listtype"))
        yield _Part("resultId", asked.findtext("resultId"), data.get("resultId"))
    if asked.tag == "lookup":
        for described in data.iterfind("Type"):
            yield _Part("Name", asked.findtext("object"), described.get("Name"))
            kind = described.get("DocumentType")
            yield _Part("DocumentType", asked.findtext("docparid"), kind)
    if asked.tag == "readReport":
        yield _Part("REPORTNAME", asked.findtext("report"), _text(data, "REPORTNAME"))
    if asked.findtext("reportId"):
        yield _Part("REPORTID", asked.findtext("reportId"), _text(data, "REPORTID"))


def _text(data: etree._Element, name: str) -> str | None:
    """Of what describes a report; its rows may have a column of that name."""
    return data.findtext(f"report_definition/{name}") or data.findtext(
        f"report_results/{name}"
    )


def _remaining(data: etree._Element) -> str | None:
    """How many rows remain after a page, by its other counts [I: Sage's example]."""
    texts = [data.get(name) or "" for name in ("totalcount", "offset", "count")]
    if not all(text.isdecimal() for text in texts) or texts[-1] == "0":
        return None
    total, offset, count = map(int, texts)
    return str(total - offset - count)


def _check(call: Call, part: _Part, refusals: Sequence[ErrorDetail] = ()) -> None:
    if part.fits:
        return
    told = (part.told or "").strip()[:_LONGEST_SHOWN]
    raise WrongAnswer(
        f"{call} got the answer to another request ({part.name} is "
        f"'{told}', not '{part.asked}'): look for a cache or proxy in between.",
        details=refusals,
    )
