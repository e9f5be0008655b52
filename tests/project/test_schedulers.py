"""The examples for schedulers: what they start, when, and that it loads."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import runpy
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from intacct_sandbox import Company, Sandbox
from tap_sage_intacct.settings.maintenance import MaintenanceWindow

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SECRET = "acme-pa55-of-the-tests"

# Takes Meltano's place where only what it is told matters.
MELTANO = f"""#!{sys.executable}
import json, os, sys
names = [n for n in os.environ if n.startswith("TAP_")]
told = {{"arguments": sys.argv[1:], **{{n: os.environ[n] for n in names}}}}
with open(os.environ["TOLD"], "a") as file:
    file.write(json.dumps(told) + "\\n")
print("loaded what could be")
sys.exit(any("bills" in word for word in sys.argv))
"""


@dataclass(frozen=True)
class Project:
    """A copy of the examples, whose Meltano notes down what it is told."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PROJECT": str(self.folder),
            "MELTANO": str(self.folder / "meltano"),
            "TOLD": str(self.folder / "told.config"),
        }

    def sh(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    @property
    def told(self) -> list[dict[str, Any]]:
        lines = (self.folder / "told.config").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    meltano = tmp_path / "meltano"
    meltano.write_text(MELTANO)
    meltano.chmod(meltano.stat().st_mode | stat.S_IXUSR)
    (tmp_path / ".env").write_text(f"ACME_TAP_SAGE_INTACCT_USER_PASSWORD={SECRET}\n")
    return Project(tmp_path)


@pytest.fixture(autouse=True)
def estate(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(EXAMPLES)
    yield importlib.import_module("estate")
    sys.modules.pop("estate", None)


def cron_lines() -> list[tuple[str, str]]:
    """Schedule and command of each job."""
    lines = (EXAMPLES / "crontab").read_text().splitlines()
    jobs = [line for line in lines if re.match(r"[\d*]", line)]
    return [(" ".join(job.split()[:5]), job.split(maxsplit=5)[5]) for job in jobs]


def test_no_scheduled_run_meets_the_maintenance_window(estate: ModuleType) -> None:
    meltano = yaml.safe_load((ROOT / "meltano.yml").read_text())
    schedules = {schedule["interval"] for schedule in meltano["schedules"]}
    schedules |= {schedule for schedule, _ in cron_lines()}
    assert schedules == {estate.SCHEDULE}
    minute, hour, *days = estate.SCHEDULE.split()
    assert days == ["*", "*", "*"]
    first = datetime(2026, 1, 1, int(hour), int(minute), tzinfo=timezone.utc)
    for day in range(366):
        assert MaintenanceWindow().ends_at(first + timedelta(days=day)) is None


def test_task_keeps_state_keys_and_secrets_to_itself(project: Project) -> None:
    command = f"{sys.executable} examples/estate.py acme gl_details --full-refresh"
    done = project.sh(f"set -a; . ./.env; {command}")
    assert done.returncode == 0, done.stderr
    (told,) = project.told
    assert told["arguments"] == [
        "run",
        "--full-refresh",
        "--state-id-suffix=acme-gl_details",
        "tap-sage-intacct",
        "target-postgres",
    ]
    assert told["TAP_SAGE_INTACCT__SELECT"] == '["gl_details.*"]'
    assert told["TAP_SAGE_INTACCT_KEY_STORE"].endswith("/keys-acme-gl_details.sqlite")
    assert told["TAP_SAGE_INTACCT_USER_PASSWORD"] == SECRET


def test_cron_loads_each_company_and_tells_of_a_failure(
    project: Project, estate: ModuleType
) -> None:
    companies = []
    for _, command in cron_lines():
        (project.folder / "told.config").unlink(missing_ok=True)
        done = project.sh(command.replace("python3 ", f"{sys.executable} "))
        # The stand-in fails for bills alone; the others are loaded all the same.
        states = [told["arguments"][1].partition("=")[2] for told in project.told]
        companies.append(states[0].partition("-")[0])
        assert states == [f"{companies[-1]}-{name}" for name in estate.STREAMS]
        assert "loaded what could be" in done.stdout
    assert tuple(companies) == estate.COMPANIES


def test_exit_code_is_1_if_one_stream_fails(project: Project) -> None:
    command = f"{sys.executable} examples/estate.py globex"
    assert project.sh(f"{command} vendors bills customers").returncode == 1
    assert project.sh(f"{command} vendors customers").returncode == 0


class Dag:
    """In place of Airflow's."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.tasks: list[dict[str, Any]] = []


class BashOperator:
    """In place of Airflow's."""

    def __init__(self, *, dag: Dag, **settings: Any) -> None:
        dag.tasks.append(settings)


@pytest.fixture
def dags(monkeypatch: pytest.MonkeyPatch, project: Project) -> dict[str, Dag]:
    """What the file defines; Airflow is too large to be installed for it."""
    names = ("airflow", "airflow.sdk", "airflow.providers.standard.operators.bash")
    for name in names:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules[names[1]], "DAG", Dag, raising=False)
    operators = sys.modules[names[2]]
    monkeypatch.setattr(operators, "BashOperator", BashOperator, raising=False)
    monkeypatch.delitem(sys.modules, "estate")
    monkeypatch.syspath_prepend(project.folder / "examples")
    found = runpy.run_path(str(project.folder / "examples" / "airflow_dag.py"))
    return {
        value.settings["dag_id"]: value
        for value in found.values()
        if isinstance(value, Dag)
    }


def test_airflow_has_a_dag_per_company_and_a_task_per_stream(
    dags: dict[str, Dag], estate: ModuleType
) -> None:
    assert set(dags) == {f"sage_intacct_{name}" for name in estate.COMPANIES}
    for dag in dags.values():
        assert tuple(task["task_id"] for task in dag.tasks) == estate.STREAMS
        assert dag.settings["schedule"] == estate.SCHEDULE
        assert dag.settings["max_active_runs"] == 1
    pools = {dag.settings["default_args"]["pool"] for dag in dags.values()}
    assert len(pools) == len(dags)


def test_airflows_commands_run(dags: dict[str, Dag], project: Project) -> None:
    for dag in dags.values():
        assert project.sh(dag.tasks[0]["bash_command"]).returncode == 0
    first = [told["arguments"][1] for told in project.told]
    assert first == [f"--state-id-suffix={c}-gl_accounts" for c in ("acme", "globex")]


DAGSTER = """
import json, sys
sys.path.insert(0, sys.argv[1])
import dagster as dg
from dagster_definitions import defs

dg.Definitions.validate_loadable(defs)
schedules = [defs.resolve_schedule_def(f"{name}_schedule") for name in ("acme", "globex")]
print(json.dumps([[s.cron_schedule, s.execution_timezone] for s in schedules]))
job = defs.resolve_job_def("acme")
run = job.execute_in_process(
    asset_selection=[dg.AssetKey(["acme", name]) for name in sys.argv[2:]],
    raise_on_error=False,
)
print(json.dumps(sorted(e.step_key for e in run.all_events if e.is_step_success)))
"""


def dagster(folder: Path, *streams: str, **environment: str) -> list[Any]:
    """Loads the definitions and executes acme's job, in a process of its own."""
    if importlib.util.find_spec("dagster") is None:
        pytest.skip("Dagster is not installed: pip install -e '.[schedulers]'")
    done = subprocess.run(
        [sys.executable, "-c", DAGSTER, folder, *streams],
        env={**os.environ, "DAGSTER_DISABLE_TELEMETRY": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "["]


def test_dagster_loads_its_definitions_and_runs_a_job(
    project: Project, estate: ModuleType
) -> None:
    found = dagster(project.folder / "examples", "vendors", **project.environment)
    assert found == [[[estate.SCHEDULE, "UTC"]] * 2, ["acme__vendors"]]
    assert len(project.told) == 1


@pytest.mark.long
@pytest.mark.usefixtures("meltano_alone")
def test_dagster_loads_the_sandbox(living_company: Company, tmp_path: Path) -> None:
    if "MELTANO" not in os.environ:
        pytest.skip("MELTANO does not name the command: run `make test-long`")
    with Sandbox(living_company) as sandbox:
        credentials = {
            f"ACME_TAP_SAGE_INTACCT_{name.upper()}": value
            for name, value in sandbox.config().items()
        }
        found = dagster(
            EXAMPLES,
            "vendors",
            "bills",
            LOADER="target-jsonl",
            TARGET_JSONL_DESTINATION_PATH=str(tmp_path),
            KEY_STORES=str(tmp_path),
            MELTANO_STATE_BACKEND_URI=(tmp_path / "state").as_uri(),
            **credentials,
        )
    assert found[-1] == ["acme__bills", "acme__vendors"]
    for stream, name in (("bills", "APBILL"), ("vendors", "VENDOR")):
        lines = (tmp_path / f"{stream}.jsonl").read_text().splitlines()
        loaded = {json.loads(line)["RECORDNO"] for line in lines}
        assert loaded == {row["RECORDNO"] for row in living_company.truth(name)}
    assert len(list(tmp_path.glob("keys-acme-*.sqlite"))) == 2
    states = {path.name.rpartition(":")[2] for path in (tmp_path / "state").iterdir()}
    assert states == {"acme-bills", "acme-vendors"}


def test_the_page_leads_to_each_example() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file()}
    about_dbt = {"dbt_sage_intacct.stream_maps.yml"}
    linked = set(re.findall(r"\]\(\.\./examples/([\w.]+)\)", page))
    assert linked == files - about_dbt
