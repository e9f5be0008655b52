"""Dagster: an asset per company and stream, a job and a schedule per company.

    dagster dev -f examples/dagster_definitions.py

Set the limit of each pool `intacct_<company>` to `estate.TASKS_AT_ONCE`.
"""

from __future__ import annotations

import dagster as dg
import estate


def asset_of(task: estate.Task) -> dg.AssetsDefinition:
    """A table of a company; loading it is one run of Meltano."""

    @dg.asset(
        name=task.stream,
        key_prefix=[task.company],
        group_name=task.company,
        pool=f"intacct_{task.company}",
        retry_policy=dg.RetryPolicy(max_retries=2, delay=15 * 60),
    )
    def load() -> None:
        code = task.run()
        if code:
            raise dg.Failure(f"Meltano ended with exit code {code}: see its log.")

    return load


ASSETS = [asset_of(task) for task in estate.tasks()]
JOBS = [
    dg.define_asset_job(company, selection=dg.AssetSelection.groups(company))
    for company in estate.COMPANIES
]
SCHEDULES = [
    dg.ScheduleDefinition(
        job=job, cron_schedule=estate.SCHEDULE, execution_timezone="UTC"
    )
    for job in JOBS
]
defs = dg.Definitions(assets=ASSETS, jobs=JOBS, schedules=SCHEDULES)
