"""Where things are and in which environment we run. The only module that reads `os.environ`.

What a statistician decides (country, calendar, thresholds) is not here but in `data/observatory.yml`.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hims_pipeline.errors import HimsError


def _repository() -> Path:
    """Where `data/`, `expectations/` and `dbt_project/` are: beside the package in a checkout, else where a wheel has
    put them."""
    beside = Path(__file__).resolve().parent.parent
    return beside if (beside / "dbt_project").is_dir() else Path(sys.prefix, "share", "hims_pipeline")


REPOSITORY = _repository()
ENVIRONMENTS = ("dev", "test", "prod")
UMASK = 0o077  # what we write is ours alone; what others may read is opened by name (privacy/file_modes.py)
MEMORY = re.compile(
    r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b\s*", re.IGNORECASE
)  # of DuckDB's spellings those that name a unit
LEAST_MEMORY = 125_000_000  # bytes: what DuckDB asks for, a thread
MOST_THREADS, MOST_PARTITIONS = 1024, 100_000


@dataclass(frozen=True)
class Settings:
    """One installation.

    Attributes:
        project: folder that holds `data/`, `expectations/` and `dbt_project/`.
        data: contracts, code lists, controls, indicators; what people edit.
        expectations: the suites of judgement rules.
        home: everything that runs produce; never in git.
        env: `dev`, `test` or `prod`; `prod` refuses the demonstration key and unprotected personal sources.
        key_file: the pseudonymisation key, outside the repository; None means the demonstration key.
        staff_group: the group of accounts that may read the staff part of releases; None where only we may.
        head_file: where the head of the audit trail is kept, best on another disk; None means inside the closed zone.
        real_data: folder with deliveries of real public data, or None.
        threads, memory_limit: what DuckDB may use.
        spark_master: where Spark runs, `local[2]` on this machine or `spark://host:7077` of a standalone cluster.
        spark_driver: this machine's address as the cluster's workers reach it.
        spark_memory: what its driver and each of its executors may use, in Spark's spelling.
        spark_partitions: into how many parts Spark cuts rows that it exchanges; the cores of a cluster, or more.
    """

    project: Path
    data: Path
    expectations: Path
    home: Path
    env: str = "dev"
    key_file: Path | None = None
    staff_group: str | None = None
    head_file: Path | None = None
    real_data: Path | None = None
    threads: int = 2
    memory_limit: str = "800MB"  # of DuckDB: with it a whole night stays under 2 GB
    spark_master: str = "local[2]"
    spark_driver: str = "127.0.0.1"
    spark_memory: str = "2g"
    spark_partitions: int = 2

    @property
    def dbt_project(self) -> Path:
        return REPOSITORY / "dbt_project"

    @property
    def identified(self) -> Path:
        """The zone that can name a person; mode 0700."""
        return self.home / "identified"

    @property
    def landing(self) -> Path:
        return self.identified / "landing"

    @property
    def quarantine(self) -> Path:
        return self.identified / "quarantine"

    @property
    def links(self) -> Path:
        """Pairs of pseudonyms by which registers are joined; nothing outside the zone reads them."""
        return self.identified / "links"

    @property
    def scratch(self) -> Path:
        """Unpacked archives and spill files, inside the identified zone since they hold raw values."""
        return self.identified / "scratch"

    @property
    def bronze(self) -> Path:
        return self.home / "bronze"

    @property
    def validated(self) -> Path:
        return self.home / "validated"

    @property
    def rendered(self) -> Path:
        return self.home / "rendered"

    @property
    def build(self) -> Path:
        return self.home / "build"

    @property
    def kept(self) -> Path:
        """The last whole build's file, of which the next one carries over what has not changed."""
        return self.home / "kept"

    @property
    def releases(self) -> Path:
        return self.home / "releases"

    @property
    def approvals(self) -> Path:
        """Where other accounts agree to rules that are less than they were; the staff's group may add to it."""
        return self.home / "approvals"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def lock_file(self) -> Path:
        return self.home / "installation.lock"

    @property
    def acts_file(self) -> Path:
        """The short lock under which acts that change what counts are done."""
        return self.home / "acts.lock"

    @property
    def nights(self) -> Path:
        """How each night began and ended, a file each."""
        return self.home / "nights"

    @property
    def alerts(self) -> Path:
        """What people were told, and what is still to be sent."""
        return self.home / "alerts"

    @property
    def trail(self) -> Path:
        return self.home / "audit.jsonl"

    @property
    def trail_head(self) -> Path:
        return self.head_file or self.identified / "audit.head"


def _folder(env: Mapping[str, str], name: str, default: Path) -> Path:
    return Path(env[name]).expanduser().resolve() if env.get(name) else default


def _whole_number(name: str, env: Mapping[str, str], default: int, most: int) -> int:
    text = env.get(name) or str(default)
    if not (text.strip().isdecimal() and 1 <= int(text) <= most):
        raise HimsError(f"{name} is {text!r}; it must be a whole number, 1 to {most}, such as {default}.")
    return int(text)


def _memory(text: str) -> str:
    match = MEMORY.fullmatch(text)
    if match is None:
        raise HimsError(
            f"HIMS_MEMORY_LIMIT is {text!r}; it must be a size with its unit, such as 800MB, 1.5GB or 2GiB."
        )
    number, prefix, binary = match.groups()
    size = float(number) * (1024 if binary else 1000) ** " kmgt".index(prefix.lower() or " ")
    if size < LEAST_MEMORY:
        raise HimsError(f"HIMS_MEMORY_LIMIT is {text!r}; DuckDB needs at least {LEAST_MEMORY // 1_000_000}MB.")
    return text.strip()


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Read the environment.

    Raises:
        HimsError: `HIMS_ENV` is unknown, a folder that a variable names does not exist, or what DuckDB may use is no
            number of threads or no size of memory.
    """
    env = os.environ if env is None else env
    name = env.get("HIMS_ENV", "dev")
    if name not in ENVIRONMENTS:
        raise HimsError(f"HIMS_ENV is {name!r}; it must be one of {', '.join(ENVIRONMENTS)}.")
    data = _folder(env, "HIMS_DATA", REPOSITORY / "data")
    real = _folder(env, "HIMS_REAL_DATA", Path()) if env.get("HIMS_REAL_DATA") else None
    if real is not None and not real.is_dir():
        raise HimsError(f"HIMS_REAL_DATA names {real}, which is not a folder. Unset it or mount the data there.")
    if not data.is_dir():
        raise HimsError(f"HIMS_DATA names {data}, which is not a folder.")
    home = _folder(env, "HIMS_HOME", REPOSITORY / ".hims")
    if home.exists() and not home.is_dir():
        raise HimsError(f"HIMS_HOME names {home}, which is not a folder. Name the installation's folder, or a new one.")
    return Settings(
        project=REPOSITORY,
        data=data,
        expectations=_folder(env, "HIMS_EXPECTATIONS", REPOSITORY / "expectations"),
        home=home,
        env=name,
        key_file=_folder(env, "HIMS_KEY_FILE", Path()) if env.get("HIMS_KEY_FILE") else None,
        staff_group=env.get("HIMS_STAFF_GROUP") or None,
        head_file=_folder(env, "HIMS_AUDIT_HEAD", Path()) if env.get("HIMS_AUDIT_HEAD") else None,
        real_data=real,
        threads=_whole_number("HIMS_THREADS", env, Settings.threads, MOST_THREADS),
        memory_limit=_memory(env.get("HIMS_MEMORY_LIMIT") or Settings.memory_limit),
        spark_master=env.get("HIMS_SPARK_MASTER") or Settings.spark_master,
        spark_driver=env.get("HIMS_SPARK_DRIVER") or Settings.spark_driver,
        spark_memory=env.get("HIMS_SPARK_MEMORY") or Settings.spark_memory,
        spark_partitions=_whole_number("HIMS_SPARK_PARTITIONS", env, Settings.spark_partitions, MOST_PARTITIONS),
    )


def is_debugging(env: Mapping[str, str] | None = None) -> bool:
    """Whether a developer asked, with `HIMS_DEBUG=1`, to see the traces of errors; a trace may quote data."""
    return (os.environ if env is None else env).get("HIMS_DEBUG", "") not in ("", "0")


def secret(name: str, env: Mapping[str, str] | None = None) -> str | None:
    """A secret by its name: a systemd credential (`LoadCredential=<name>:…`), or a variable of the environment; None
    where there is neither."""
    env = os.environ if env is None else env
    folder = env.get("CREDENTIALS_DIRECTORY")
    if folder and (path := Path(folder, name)).is_file():
        return path.read_text(encoding="utf-8").strip() or None
    return env.get(name) or None


def quiet_environment(settings: Settings) -> dict[str, str]:
    """The environment for processes that we start: our settings as absolute paths, and no telemetry."""
    env = dict(os.environ)
    env |= {
        "HIMS_ENV": settings.env,
        "HIMS_DATA": str(settings.data),
        "HIMS_EXPECTATIONS": str(settings.expectations),
        "HIMS_HOME": str(settings.home),
        "HIMS_THREADS": str(settings.threads),
        "HIMS_MEMORY_LIMIT": settings.memory_limit,
        "HIMS_SPARK_MASTER": settings.spark_master,
        "HIMS_SPARK_DRIVER": settings.spark_driver,
        "HIMS_SPARK_MEMORY": settings.spark_memory,
        "HIMS_SPARK_PARTITIONS": str(settings.spark_partitions),
        "DAGSTER_HOME": str(settings.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GX_ANALYTICS_ENABLED": "false",
    }
    own_places = {
        "HIMS_KEY_FILE": settings.key_file,
        "HIMS_STAFF_GROUP": settings.staff_group,
        "HIMS_AUDIT_HEAD": settings.head_file,
        "HIMS_REAL_DATA": settings.real_data,
    }
    for name, value in own_places.items():
        if value is not None:
            env[name] = str(value)
    return env


def export_environment(env: Mapping[str, str]) -> None:
    """Set variables of this process, for libraries that start others and know no other way."""
    os.environ.update(env)


def close_umask() -> None:
    """From here on this process and those it starts make files and folders that only their owner can open."""
    os.umask(UMASK)


def apply_environment(settings: Settings) -> None:
    """Make this process one of ours: what it writes is closed, and libraries that phone home by default do not."""
    close_umask()
    export_environment(quiet_environment(settings))
