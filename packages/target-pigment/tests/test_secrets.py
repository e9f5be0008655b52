"""No key in any output, whatever Pigment, the network or the settings do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from target_pigment.secret import Secret
from tests.conftest import (
    CONFIGURATION,
    KEY,
    METADATA_KEY,
    Answer,
    Script,
    config,
    record,
    schema,
    state,
    status,
    stream,
)

ROW = (schema(), record(id=1, name="a"), state(at=1))
BOTH = f"Authorization: Bearer {KEY} {METADATA_KEY.upper()}"
APPLICATION = "55d0d7d0-1111-4222-8333-444455556666"
CLOSED = "http://127.0.0.1:9"

ECHOES = [
    Answer(400, BOTH),
    Answer(401, json.dumps({"error": BOTH})),
    # Cut before it is masked, a key would be left in part.
    Answer(403, "x" * 180 + BOTH),
    Answer(200, BOTH),
    Answer(503, BOTH),
    Answer(302, BOTH, (("Location", f"https://{KEY}.example/?key={METADATA_KEY}"),)),
    Answer(302, BOTH, (("Location", f"http://[{KEY}/{METADATA_KEY}"),)),
    Answer(429, BOTH, (("Retry-After", "99999"),)),
]


def workspace(script: Script) -> None:
    """Lets the pre-flight pass, so that both keys are in use."""
    asked = f"applicationId={APPLICATION}"
    script.lists("applications", {"id": APPLICATION})
    script.lists(f"blocks?{asked}", {"id": "b", "type": "Metric", "name": BOTH})
    script.lists(f"importConfigurations?{asked}&blockId=b", {"id": CONFIGURATION})


def said(
    tmp_path: Path,
    settings: dict[str, Any],
    *lines: str,
    code: int = 1,
    about: bool = False,
) -> str:
    """All that a real run says at the lowest level, and that it says something."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings))
    executable = Path(sys.executable).with_name("target-pigment")
    ended = subprocess.run(
        [executable, "--config", path, *(["--about"] if about else [])],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "TARGET_PIGMENT_LOGLEVEL": "DEBUG"},
    )
    text = ended.stdout + ended.stderr
    assert ended.returncode == code, text
    for key in (KEY, METADATA_KEY):
        assert key.casefold() not in text.casefold()
    return text


def settings(url: str, **more: Any) -> dict[str, Any]:
    return config(
        url, retry={"max_attempts": 1}, **{"metadata_api_key": METADATA_KEY, **more}
    )


@pytest.mark.parametrize("answer", ECHOES)
def test_a_push_that_is_answered_with_the_key(
    tmp_path: Path, script: Script, answer: Answer
) -> None:
    workspace(script)
    script.pushes = [answer]
    text = said(tmp_path, settings(script.url), *ROW)
    # DEBUG is in force, or the test would prove little.
    assert "| DEBUG" in text
    assert "Traceback" in text
    assert "CRITICAL" in text


@pytest.mark.parametrize("answer", ECHOES)
def test_a_status_that_is_answered_with_the_key(
    tmp_path: Path, script: Script, answer: Answer
) -> None:
    workspace(script)
    script.statuses = [answer]
    short = {"poll": {"interval": 0.01, "timeout": 0.02}}
    said(tmp_path, settings(script.url, **short), *ROW)


@pytest.mark.parametrize("answer", ECHOES)
def test_metadata_that_is_answered_with_the_key(
    tmp_path: Path, script: Script, answer: Answer
) -> None:
    script.listings["/api/v1/applications"] = answer
    assert "Pre-flight" in said(tmp_path, settings(script.url), *ROW)


def test_an_import_whose_errors_quote_the_key(tmp_path: Path, script: Script) -> None:
    errors = [{"name": KEY, "description": BOTH}]
    workspace(script)
    script.statuses = [status("Failed", errorsDetails=errors)]
    text = said(tmp_path, settings(script.url), *ROW)
    assert "****: Authorization: Bearer **** ****" in text


def test_samples_of_skipped_values_that_hold_the_key(
    tmp_path: Path, script: Script
) -> None:
    skipped = {"count": 1, "reason": BOTH, "sourceColumnName": KEY, "samples": [BOTH]}
    found = {"summary": {}, "impactedBlocks": [{"skippedData": [skipped]}]}
    workspace(script)
    script.statuses = [status("Completed", found)]
    shown = {"log_samples": True}
    assert "****" in said(tmp_path, settings(script.url, **shown), *ROW)


def test_an_unknown_status_that_is_the_key(tmp_path: Path, script: Script) -> None:
    workspace(script)
    script.statuses = [status(BOTH)]
    short = {"poll": {"interval": 0.01, "timeout": 0.02}}
    assert "****" in said(tmp_path, settings(script.url, **short), *ROW)


@pytest.mark.parametrize("key", [METADATA_KEY, None])
def test_a_refused_connection(tmp_path: Path, key: str | None) -> None:
    refused = settings(CLOSED, metadata_api_key=key)
    assert "gave up after 1 attempts" in said(tmp_path, refused, *ROW)


@pytest.mark.parametrize("name", ["api_key", "metadata_api_key"])
@pytest.mark.parametrize(
    "wrong",
    [[KEY], {"key": KEY}, f"{KEY} {METADATA_KEY}", f"{KEY}\u2019", f"{KEY}\nX: y"],
)
def test_a_key_that_is_none(tmp_path: Path, name: str, wrong: Any) -> None:
    assert name in said(tmp_path, settings(CLOSED, **{name: wrong}), *ROW)


@pytest.mark.parametrize("name", ["api_key", "metadata_api_key"])
def test_a_key_that_is_a_number(tmp_path: Path, name: str) -> None:
    text = said(tmp_path, settings(CLOSED, **{name: 918273645546372819}), *ROW)
    assert f"{name} must be text" in text
    assert "918273645546372819" not in text


def test_settings_that_are_wrong_elsewhere(tmp_path: Path) -> None:
    wrong = settings(CLOSED, streams={"s": stream(load_mode="x")}, csv=[], poll=1)
    assert "load_mode" in said(tmp_path, wrong, *ROW)


def test_about(tmp_path: Path) -> None:
    assert "metadata_api_key" in said(tmp_path, settings(CLOSED), code=0, about=True)


def test_a_good_run(tmp_path: Path, script: Script) -> None:
    workspace(script)
    given = settings(script.url, api_key=f"{KEY}\n")
    assert '{"at":1}' in said(tmp_path, given, *ROW, code=0)
    assert script.requests[-1].headers["Authorization"] == f"Bearer {KEY}"


def test_a_secret_is_masked_in_any_case() -> None:
    assert Secret("k.y").masked("K.Y key k.y") == "**** key ****"
    assert Secret("a/b").masked('{"x": "a\\/b a/b"}') == '{"x": "**** ****"}'
    assert Secret("").masked("text") == "text"
    assert not Secret("")
    assert Secret("k") == Secret("k")
    assert hash(Secret("k")) == hash(Secret("k"))


def test_all_tests_are_looked_at_for_keys(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("leaks")
