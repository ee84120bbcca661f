"""Runs on a real Ray cluster: its nodes are processes of this machine, started as a user starts them, and killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hoijax.dataset.actor import MARK, Need, fault, versions
from hoijax.dataset.ledger import counts, read_ledger, rows

ROOT = Path(__file__).resolve().parents[2]
LIGHT = Path(__file__).with_name("light_cluster_run.py")
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}  # of the tests' cluster: nobody else gets in


class Group:
    """A program with all processes that come of it: of its session, or with a mark in their environment."""

    def __init__(self, arguments: list[str], cwd: Path = ROOT, **environment: str) -> None:
        self.mark = f"HOIJAX_TEST_{uuid.uuid4().hex}".encode()
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - not a pipe: who outlives the program would keep it open
        self.process = subprocess.Popen(
            arguments,
            cwd=cwd,
            env=os.environ | {self.mark.decode(): "1", "PYTHONPATH": str(ROOT)} | environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def pids(self) -> list[int]:
        """Its processes that live."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and (self.has(entry) or self.mark in (entry / "environ").read_bytes()):
                    found.append(int(entry.name))
        return [pid for pid in found if alive(pid)]

    def has(self, entry: Path) -> bool:
        """Whether a process is of the program's session. (Some of Ray's write their title over their environment.)"""
        return int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == self.process.pid

    def called(self, *names: bytes) -> list[int]:
        """Its processes whose command line holds one of these names."""
        found = []
        for pid in self.pids():
            with suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
                found += [pid] * any(name in line for name in names)
        return found

    def workers(self) -> list[int]:
        """Its processes that are actors of a crew."""
        return self.called(b"ray::Post")

    def kill(self) -> None:
        """kill -9 of everything at once; waits until it is gone."""
        for _ in range(100):
            pids = self.pids()
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.poll()
            if not pids:
                return
            time.sleep(0.05)
        raise AssertionError(f"could not be killed: {pids}")

    def end(self, timeout: float = 90) -> tuple[int, str]:
        """Exit status and output, once it has ended."""
        status = self.process.wait(timeout)
        return status, self.said()

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet fetched by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true: Callable[[], object], what: str, timeout: float = 60) -> None:
    end = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.1)


class Nodes:
    """A Ray cluster of one core a node."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # short: sockets with long paths cannot be opened
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self.living: list[Group] = []
        options = ["--node-ip-address=127.0.0.1", "--num-cpus=1", "--num-gpus=0", "--object-store-memory=80000000"]
        self.options = [*options, "--block", "--disable-usage-stats"]
        head = ["--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self.folder}"]
        self.head = self.start(head)
        until(self.answers, "the head answers")

    def add(self, **environment: str) -> Group:
        return self.start([f"--address={self.address}", "--dashboard-agent-listen-port=0"], **environment)

    def start(self, options: list[str], **environment: str) -> Group:
        ray = [sys.executable, "-m", "ray.scripts.scripts", "start"]
        self.living.append(Group([*ray, *options, *self.options], **TOKEN, **environment))
        return self.living[-1]

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", int(self.address.split(":")[1])), 1):
            return True
        return False

    def end(self) -> None:
        for group in reversed(self.living):
            group.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    started = Nodes()
    yield started
    started.end()


@pytest.fixture
def start() -> Iterator[Callable[..., Group]]:
    """Starts programs; whatever lives of them at the end of the test is ended then."""
    begun: list[Group] = []

    def begin(*arguments: object, cwd: Path = ROOT) -> Group:
        token = {} if "--ray_address=" in arguments else TOKEN
        begun.append(Group([sys.executable, *map(str, arguments)], cwd, **token))
        return begun[-1]

    yield begin
    for group in begun:
        group.kill()


@pytest.fixture
def light(start, nodes, pattern, tmp_path) -> Callable[..., Group]:
    """Starts a run whose work is to copy a result, on `count` samples."""

    def begin(count: int, *options: str, seconds: float = 0.1, cwd: Path = ROOT) -> Group:
        for i in range(count):
            sample = tmp_path / "data" / ("cup", "ball")[i % 2] / f"hold_{i}"
            sample.mkdir(parents=True, exist_ok=True)
            (sample / "image.jpg").write_bytes(b"x")
        where = (f"--data={tmp_path / 'data'}", f"--out={tmp_path / 'out'}", "--compile_cache=")
        options = options or (f"--ray_address={nodes.address}",)
        return start(LIGHT, pattern, seconds, *where, "--engine=ray", *options, cwd=cwd)

    return begin


def standing(out: Path) -> dict[str, tuple[int, int]]:
    """Every finished result, with what changes when it is written again: its inode and its time."""
    found = [path for path in out.glob("*/*/result.json") if not path.parent.name.startswith(".")]
    return {path.parent.relative_to(out).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def check_complete(out: Path, count: int, pattern: Path) -> None:
    """Every sample is done, entered, and its folder whole."""
    ledger = read_ledger(out)
    assert counts(ledger) == {"waiting": 0, "done": count, "failed": 0}
    assert len(standing(out)) == count
    sizes = {file.name: file.stat().st_size for file in pattern.iterdir()}
    for name in standing(out):
        assert {file.name: file.stat().st_size for file in (out / name).iterdir()} == sizes, name
    assert not list(out.rglob(".*")), "something half written is left"


def hands(out: Path) -> set[int]:
    """Processes that did what the ledger has as done."""
    if not (out / "ledger.sqlite").is_file():
        return set()
    ledger = read_ledger(out)
    found = {int(row.worker.split(":")[1]) for row in rows(ledger, "done") if row.worker}
    ledger.close()
    return found


@pytest.mark.slow
def test_nodes_that_join_are_used_and_one_that_dies_costs_nothing(light, nodes, tmp_path, pattern) -> None:
    out, count = tmp_path / "out", 240
    run = light(count, seconds=0.2)
    second = nodes.add()
    until(lambda: len({*hands(out)} & {*second.workers()}) == 1, "the second node has done something")
    until(lambda: len({*hands(out)} & {*nodes.head.workers()}) == 1, "the first node has done something")
    begun = standing(out)
    second.kill()
    third = nodes.add()
    until(lambda: {*hands(out)} & {*third.workers()}, "the node that came back has done something")
    status, said = run.end()
    assert status == 0, said
    assert begun.items() <= standing(out).items(), "a finished result was done again"
    check_complete(out, count, pattern)
    ledger = read_ledger(out)
    assert max(row.attempts for row in rows(ledger, "done")) == 1
    assert 1 <= sum(row.losses for row in rows(ledger, "done")) <= 3, "the dead node's row was taken over"
    until(lambda: not nodes.head.workers() + third.workers(), "all actors are gone")
    third.kill()


@pytest.mark.slow
def test_a_driver_killed_takes_its_workers_along_and_goes_on_when_started_again(
    light, nodes, tmp_path, pattern
) -> None:
    out = tmp_path / "out"
    run = light(60, seconds=0.2)
    until(lambda: len(standing(out)) > 4, "something is done")
    run.kill()
    between = standing(out)
    run = light(60, seconds=0.02)  # at once: it must itself wait for the workers of the first
    status, said = run.end()
    assert status == 0, said
    assert between.items() <= standing(out).items(), "a finished result was done again"
    check_complete(out, 60, pattern)
    until(lambda: not nodes.head.workers(), "all actors are gone")


@pytest.mark.slow
def test_ctrl_c_finishes_what_is_in_work_and_leaves_nothing_of_a_cluster_started_here(light, tmp_path) -> None:
    out = tmp_path / "out"
    run = light(60, "--ray_address=", "--workers=1", seconds=0.5)
    until(lambda: len(standing(out)) > 2, "something is done")
    os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does: to Ray's processes too
    status, said = run.end()
    assert status == 130, said
    assert "the same command goes on" in said
    assert not list(out.glob("*/.*")), "something half written is left"
    assert counts(read_ledger(out))["done"] == len(standing(out)) < 60
    until(lambda: not run.pids(), "all of Ray is gone", timeout=20)
    between = standing(out)
    run = light(60, "--ray_address=", "--workers=1", seconds=0.5)
    until(lambda: len(standing(out)) > len(between) + 2, "it goes on")
    os.kill(run.process.pid, signal.SIGKILL)
    # Two agents of Ray try for a minute to report to the cluster that is gone; they do nothing else.
    until(lambda: not run.called(b"ray::Post", b"raylet/raylet", b"gcs/gcs_server"), "the cluster is gone too")
    assert between.items() <= standing(out).items()


@pytest.mark.slow
def test_a_node_with_another_version_is_not_used(light, nodes, tmp_path, pattern) -> None:
    other = tmp_path / "other"
    shutil.copytree(ROOT / "hoijax", other / "hoijax", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "hoijax" / "__init__.py").write_text('__version__ = "0.0.0"\n')
    node = nodes.add(PYTHONPATH=str(other))
    try:
        run = light(60, seconds=0.4, cwd=tmp_path)  # from ROOT every node would find the hoijax there
        until(lambda: "has hoijax 0.0.0" in run.said() or run.process.poll() is not None, "the node is refused")
        assert "install the same on all nodes" in run.said()
        status, said = run.end()
        assert status == 0, said
        check_complete(tmp_path / "out", 60, pattern)
    finally:
        node.kill()


@pytest.mark.slow
def test_an_address_where_no_cluster_is_gives_an_error_that_names_it(light, tmp_path) -> None:
    with socket.socket() as deaf:  # somebody listens there who is not Ray
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        held = f"127.0.0.1:{deaf.getsockname()[1]}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            unheld = f"127.0.0.1:{free.getsockname()[1]}"
        nobody = light(1, f"--ray_address={unheld}")
        status, said = nobody.end(30)
        assert (status, f"--ray_address={unheld}: nobody answers there" in said) == (2, True), said
        malformed = light(1, "--ray_address=ray://here")
        status, said = malformed.end(30)
        assert (status, "expected HOST:PORT" in said) == (2, True), said
        silent = light(1, f"--ray_address={held}")
        status, said = silent.end(60)
        assert (status, f"--ray_address={held}: no Ray cluster" in said) == (2, True), said
    assert "Traceback" not in said


@pytest.mark.slow
def test_real_work_runs_on_a_cluster(start, nodes, tmp_path) -> None:
    made = start(ROOT / "experiments" / "make_scenes.py", f"--out={tmp_path / 'data'}", "--names=ball")
    assert made.end()[0] == 0, made.said()
    tiny = {"image_size": 64, "sdf_resolution": 32, "render.steps": 2, "hoi.steps": 1, "block_steps": 2}
    run = start(
        ROOT / "experiments" / "dataset_run.py",
        f"--data={tmp_path / 'data'}",
        f"--out={tmp_path / 'out'}",
        "--engine=ray",
        f"--ray_address={nodes.address}",
        f"--compile_cache={os.environ['JAX_COMPILATION_CACHE_DIR']}",
        *(f"--config.{name}={value}" for name, value in tiny.items()),
    )
    status, said = run.end(300)
    assert status == 0, said
    assert counts(read_ledger(tmp_path / "out")) == {"waiting": 0, "done": 1, "failed": 0}
    assert (tmp_path / "out" / "index.html").is_file()


@pytest.fixture
def need(tmp_path) -> Need:
    for name in ("data", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "out" / MARK).write_text("x")
    return Need(str(tmp_path / "data"), str(tmp_path / "out"), None, "x", versions(), gpu=False)


def test_a_node_that_has_all_is_without_fault(need) -> None:
    assert fault(need) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": "/nowhere/data"}, "does not see --data=/nowhere/data"),
        ({"out": "/nowhere/out"}, "does not see --out=/nowhere/out (no such folder)"),
        ({"mark": "another"}, "another folder stands there"),
        ({"body": "/nowhere/SMPLX.npz"}, "does not see --body=/nowhere/SMPLX.npz"),
        ({"versions": versions() | {"jax": "0.0.1"}}, "the driver 0.0.1"),
    ],
)
def test_what_a_node_lacks_is_named(need, change, said) -> None:
    found = fault(need._replace(**change))
    assert found.startswith(f"{socket.gethostname()}: ")
    assert said in found
