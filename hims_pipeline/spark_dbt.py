"""dbt on Spark, as a program: `python spark_dbt.py build --target spark --project-dir TREE …`.

dbt-spark 1.11 switches ANSI mode off whatever the profile says; without it what overflows or does not fit is NULL, and
a name in double quotes a text. So it is switched on again before dbt begins. This stands on dbt alone, like dbt's own
command. Not here: Spark's other settings (`dbt_project/profiles.yml`); which nodes, and what is read of what it says.
"""

import sys

from dbt.adapters.spark.connections import SparkCredentials
from dbt.cli.main import dbtRunner

_finish = SparkCredentials.__post_init__


def _finish_with_ansi(credentials: SparkCredentials) -> None:
    _finish(credentials)
    credentials.server_side_parameters["spark.sql.ansi.enabled"] = "true"


if __name__ == "__main__":
    SparkCredentials.__post_init__ = _finish_with_ansi
    done = dbtRunner().invoke(sys.argv[1:])
    sys.exit(0 if done.success else 2 if done.exception else 1)
