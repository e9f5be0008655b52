"""Secrets are masked by value: in errors, in the log and in tracebacks."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import textwrap
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intacct_sandbox import Fault, FaultKind, Sandbox
from intacct_sandbox.wire.errors import ErrorEntry, FunctionRefusal
from intacct_sandbox.wire.replies import Reply
from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.http.retrying import RetryPolicy
from tap_sage_intacct.intacct.secrets.credentials import Secret
from tap_sage_intacct.intacct.secrets.masking import MASK, Mask, masked
from tap_sage_intacct.intacct.xml import functions
from tests.intacct.conftest import MakeCalls
from tests.loading import SCANNER

Writing = Callable[[str], str]


def numbered(text: str) -> str:
    return "".join(f"&#{ord(character)};" for character in text)


WRITINGS: dict[str, Writing] = {
    "plain": str,
    "upper-case": str.upper,
    "url": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "url-lower-case": lambda text: re.sub(
        "%..", lambda found: found[0].lower(), quote(text)
    ),
    "url-twice": lambda text: quote(quote(text)),
    "html": escape,
    "html-twice": lambda text: escape(escape(text)),
    "numbered": numbered,
    "hexadecimal": lambda text: "".join(f"&#x{ord(c):X};" for c in text),
    "json": json.dumps,
    "python": repr,
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64-in-others": lambda text: urlsafe_b64encode(f"u:{text}:1".encode()).decode(),
}
SECRETS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x2FFF, exclude_categories=["Cc"]),
    min_size=6,
    max_size=20,
).filter(lambda text: len(text.encode()) == len(text) or text.upper().lower() == text)


@given(SECRETS, st.sampled_from(list(WRITINGS)), st.text(max_size=5))
def test_secret_is_masked_in_every_writing(
    secret: str, writing: str, around: str
) -> None:
    written = WRITINGS[writing](secret)
    mask = Mask(Secret(secret))
    shown = mask(f"{around} {written} {around}")
    assert MASK in shown
    assert written not in shown.replace(MASK, "")


@given(st.text())
def test_other_text_is_left_alone(text: str) -> None:
    mask = Mask(Secret("S3cret/&-of-nobody"), Secret(""))
    assert mask(text) == text


def test_short_secret_is_masked_as_a_word() -> None:
    mask = Mask(Secret("abc"))
    assert mask("abc abcd 'abc'") == f"{MASK} abcd '{MASK}'"


def test_mask_that_is_gone_hides_nothing() -> None:
    mask = Mask(Secret("gone-with-its-mask"))
    assert masked("gone-with-its-mask") == MASK
    del mask
    assert masked("gone-with-its-mask") == "gone-with-its-mask"


REFUSAL = FunctionRefusal(
    ErrorEntry("NO-HERE-1", "Your key HERE is no good", "about HERE", "forget HERE")
)


@pytest.mark.parametrize("told", ["session", "user_password", "sender_password"])
def test_secret_that_intacct_repeats_is_shown_nowhere(
    sandbox: Sandbox,
    calls: MakeCalls,
    caplog: pytest.LogCaptureFixture,
    told: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = dict(sandbox.config())
    written: list[str] = []

    def note_session(reply: Reply) -> Reply:
        found = re.search(rb"<sessionid>(.*)</sessionid>", reply.body)
        assert found is not None
        secrets["session"] = found[1].decode()
        return reply

    def repeat(reply: Reply) -> Reply:
        text = escape(written[-1]).encode()
        return replace(reply, body=reply.body.replace(b"HERE", text))

    sandbox.faults.add(
        Fault(FaultKind.REWRITTEN, function="getAPISession", rewrite=note_session)
    )
    for kind in (
        Fault(FaultKind.TO_ORDER, answer=REFUSAL),
        Fault(FaultKind.REWRITTEN, rewrite=repeat),
    ):
        sandbox.faults.add(replace(kind, function="lookup", times=None))
    connected = calls(retry=RetryPolicy(max_retries=0))
    connected.server_now()
    for writing in WRITINGS.values():
        written.append(writing(secrets[told]))
        caplog.clear()
        with pytest.raises(IntacctError) as caught:
            connected.ask(functions.lookup("VENDOR"), lambda data: data).result()
        logging.getLogger("anybody").error("It failed.", exc_info=caught.value)
        shown = f"{caplog.text} {caught.value} {caught.value.details}"
        SCANNER.look_at(shown, "an error, for passwords and sessions")
        assert shown.count(MASK) >= 4
        assert written[-1] not in shown


def test_traceback_of_a_foreign_error_is_masked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    mask = Mask(Secret("17-S3cret"))
    try:
        int("17-S3cret")
    except ValueError:
        logging.getLogger("urllib3").exception("Failed with %s", "17-S3cret")
    assert mask is not None
    assert "S3cret" not in caplog.text
    assert f"base 10: '{MASK}'" in caplog.text
    assert f"Failed with {MASK}" in caplog.text


def test_error_that_nobody_catches_is_masked() -> None:
    program = """
        from tap_sage_intacct.intacct.secrets.credentials import Secret
        from tap_sage_intacct.intacct.secrets.masking import Mask
        mask = Mask(Secret("".join(["S3cr", "et-of-it"])))
        raise ValueError("".join(["S3cr", "et-of-it"]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"ValueError: {MASK}" in done.stderr
    assert "S3cret-of-it" not in done.stderr
