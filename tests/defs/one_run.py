"""One asset with a check, materialised with Dagster alone; run as a program it loads nothing of ours."""

import sys

import dagster as dg


@dg.asset(check_specs=[dg.AssetCheckSpec("holds", asset="counted")])
def counted():
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])


def run_once(home: str) -> str:
    """Materialise it on the instance in a folder; returns the run's id."""
    with dg.DagsterInstance.from_config(home) as instance:
        return dg.materialize([counted], instance=instance).run_id


if __name__ == "__main__":
    print(run_once(sys.argv[1]))
