"""A standalone Spark cluster on this machine: a master and workers, each a process of its own, as long as a block."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

MEMORY = "2g"  # of each worker, which holds one executor
WAIT_SECONDS = 60


@contextmanager
def start_cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The master's URL, and the workers' processes. What they say is written into the folder.

    Raises:
        TimeoutError: the cluster is not there after a minute.
    """
    port = _free_port()
    url = f"spark://127.0.0.1:{port}"
    with ExitStack() as stack:
        _start(stack, folder / "master", "master.Master", "--host", "127.0.0.1", "--port", str(port))
        _await(lambda: _answers(port))
        started = [
            _start(stack, folder / f"worker{n}", "worker.Worker", "--cores", "1", "--memory", MEMORY, url)
            for n in range(workers)
        ]
        told = folder / "master/said.txt"
        _await(lambda: told.read_text(errors="replace").count("Registering worker") >= workers)
        yield url, started


def _start(stack: ExitStack, folder: Path, program: str, *words: str) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True)
    spec = find_spec("pyspark")
    assert spec is not None, "`make test-spark` installs Spark"
    home = Path(str(spec.origin)).parent
    env = os.environ | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": str(folder)}
    process = stack.enter_context(
        subprocess.Popen(
            [str(home / "bin/spark-class"), f"org.apache.spark.deploy.{program}", "--webui-port", "0", *words],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stack.enter_context((folder / "said.txt").open("wb")),
        )
    )
    stack.callback(process.terminate)
    return process


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _await(is_there) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_there():
        if time.monotonic() > deadline:
            raise TimeoutError("the Spark cluster did not start; its own words lie in its folder")
        time.sleep(0.2)
