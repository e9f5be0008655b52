"""The merge of the campaigns is Meltano's own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reading.convergence.merging import State, merge

pytestmark = pytest.mark.long

# What a bookmark may hold; `reading` comes and goes.
LEAVES = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers())
NAMES = st.sampled_from("abc")
BOOKMARKS = st.dictionaries(NAMES, LEAVES) | st.fixed_dictionaries(
    {"value": LEAVES}, optional={"reading": st.dictionaries(NAMES, LEAVES)}
)
STATES = st.fixed_dictionaries({"bookmarks": st.dictionaries(NAMES, BOOKMARKS)})
SCRIPT = """
import json, sys
from meltano.core.utils import merge
merged = {}
for state in json.load(sys.stdin):
    merge(state, merged)
json.dump(merged, sys.stdout)
"""


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(states=st.lists(STATES, min_size=2, max_size=5))
def test_states_are_merged_as_meltano_does(states: list[State]) -> None:
    meltano = os.environ.get("MELTANO")
    if meltano is None:
        pytest.skip("MELTANO does not name the command: run `make test-long`")
    finished = subprocess.run(
        [Path(meltano).with_name("python"), "-c", SCRIPT],
        input=json.dumps(states),
        check=True,
        capture_output=True,
        text=True,
    )
    merged: State = {}
    for state in states:
        merge(state, merged)
    assert json.loads(finished.stdout) == merged
