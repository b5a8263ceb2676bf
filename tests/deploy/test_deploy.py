"""What is handed to those who run an installation: units, manifests, images, as far as a development machine goes."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from hims_pipeline.cli import main
from hims_pipeline.settings import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
EXPOSED = 1.5  # of 10, by systemd's own measure
SYSTEMD = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def command_line(words: list[str]) -> None:
    """Parse a command line of ours as click does, without running it."""
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)


def lines_of(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_call_commands_that_there_are(unit: Path) -> None:
    (line,) = lines_of(unit, "ExecStart")
    program, *words = shlex.split(line.replace("${", "$").replace("}", ""))
    assert program == "/opt/hims/venv/bin/hims"
    command_line(words)


def test_containers_call_commands_that_there_are() -> None:
    compose = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text(encoding="utf-8"))
    pod = list(yaml.safe_load_all((DEPLOY / "kubernetes/hims.yaml").read_text(encoding="utf-8")))[-1]
    calls = [one["command"] for one in compose["services"].values() if "command" in one]
    calls += [one["args"] for one in pod["spec"]["template"]["spec"]["containers"] if "args" in one]
    assert len(calls) == 5
    for words in calls:
        command_line(list(map(str, words)))


def test_only_what_tells_people_has_a_way_out() -> None:
    shut = {unit.stem for unit in UNITS if lines_of(unit, "PrivateNetwork") == ["yes"]}
    assert {unit.stem for unit in UNITS} - shut == {"hims-alerts"}
    compose = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text(encoding="utf-8"))
    open_ = {name for name, one in compose["services"].items() if one.get("network_mode") != "none"}
    assert open_ == {"alerts"}


def test_each_timer_has_its_service() -> None:
    timers = {path.stem for path in (DEPLOY / "systemd").glob("*.timer")}
    assert timers == {unit.stem for unit in UNITS if lines_of(unit, "Type") == ["oneshot"]}


def test_no_secret_stands_in_what_is_handed_out() -> None:
    secret = re.compile(r"(?i)password\s*[:=]\s*[^\s{/]|postgresql\S*://\w+:\w")
    for path in (path for path in DEPLOY.rglob("*") if path.is_file()):
        assert not secret.search(path.read_text(encoding="utf-8")), path


def test_both_instances_of_dagster_keep_no_compute_logs_and_watch_their_runs() -> None:
    for name in ("dagster.local.yaml", "dagster.postgres.yaml"):
        config = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
        assert config["compute_logs"]["class"] == "NoOpComputeLogManager"
        assert config["run_monitoring"]["enabled"] is True
        assert config["telemetry"]["enabled"] is False


@SYSTEMD
def test_systemd_takes_the_units_and_finds_them_closed(tmp_path: Path) -> None:
    for path in (DEPLOY / "systemd").glob("*.[st]*"):
        text = path.read_text(encoding="utf-8").replace("/opt/hims/venv/bin/hims", "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    units = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "hims" in line]
    assert ours == []
    for unit in UNITS:
        command = ["systemd-analyze", "security", "--offline=yes", str(tmp_path / unit.name)]
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        level = float(re.search(r"exposure level for \S+: ([\d.]+)", told)[1])
        assert level <= EXPOSED, f"{unit.name}: {level}"
