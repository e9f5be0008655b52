"""Airflow 3: a DAG per company, a task per stream. Put it beside estate.py.

Make a pool `intacct_<company>` of `estate.TASKS_AT_ONCE` slots for each company.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import estate
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

SCRIPT = Path(estate.__file__)


def dag_of(company: str) -> DAG:
    """The streams of a company, each free to fail and be retried by itself."""
    dag = DAG(
        dag_id=f"sage_intacct_{company}",
        schedule=estate.SCHEDULE,
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        catchup=False,
        # Two runs of a stream would share a state.
        max_active_runs=1,
        default_args={
            "retries": 2,
            "retry_delay": timedelta(minutes=15),
            "pool": f"intacct_{company}",
        },
    )
    for task in estate.tasks():
        if task.company == company:
            BashOperator(
                task_id=task.stream,
                bash_command=f"{sys.executable} {SCRIPT} {company} {task.stream}",
                dag=dag,
            )
    return dag


for _company in estate.COMPANIES:
    globals()[f"sage_intacct_{_company}"] = dag_of(_company)
