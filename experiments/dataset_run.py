"""Reconstruct every sample of a tree with several workers, and lose nothing: whatever ends it, the same command goes on.

    python experiments/dataset_run.py --data=TREE --out=OUT
    python experiments/dataset_run.py --data=TREE --out=OUT --preset=paper --workers=8 --files=small
    python experiments/dataset_run.py --data=TREE --out=OUT --engine=ray --ray_address=auto
    python experiments/dataset_run.py --out=OUT --status

OUT/<category>/<id> holds a result folder, OUT/ledger.sqlite a row for each sample: waiting, done, or failed with stage
and reason. Ctrl-C ends after what is in work, a second one at once. OUT/failures.csv, OUT/metrics.csv and
OUT/index.html are written at the end.

Exit status: 0 all done; 1 some samples failed; 2 it did not begin, or ended early (disk full, workers that die);
130 Ctrl-C. docs/datasets.md tells more, docs/cluster.md what a cluster needs.
"""

import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import cast

import config_flags
from absl import app, flags
from tqdm import tqdm

from hoijax.config import Config
from hoijax.data.read import find_samples
from hoijax.data.sample import SampleError
from hoijax.dataset.cluster import RayCrew, connected, gpus
from hoijax.dataset.crew import Crew
from hoijax.dataset.drive import ROW, Ending, drive
from hoijax.dataset.ledger import (
    ANEW,
    counts,
    described,
    load_meta,
    losses,
    names_in,
    open_ledger,
    read_ledger,
    save_meta,
    set_waiting,
    sole_driver,
)
from hoijax.dataset.local import LocalCrew, places
from hoijax.dataset.machine import cores, cpu_workers, device_environments, grouped
from hoijax.dataset.memory import MOST
from hoijax.dataset.overview import overview, save_failures, save_metrics
from hoijax.dataset.reconcile import reconcile, remove_leftovers, sample_names
from hoijax.dataset.tasks import FILES, Files, Lost, Outcome, Settings, Task
from hoijax.losses.terms import check_terms
from hoijax.optimize.outcome import term_names
from hoijax.report.folder import save_index

_DATA = flags.DEFINE_string("data", None, "The tree of sample folders.")
_OUT = flags.DEFINE_string("out", None, "Where results and ledger go: OUT/<category>/<id>, OUT/ledger.sqlite.")
_BODY = flags.DEFINE_string(
    "body", None, "SMPL-X model file (.npz). Without it the human is the sample's mesh, held fixed."
)
_WORKERS = flags.DEFINE_string(
    "workers",
    "auto",
    "Processes that work side by side. auto: on a CPU one for each core, as far as memory allows; one for each GPU; "
    "fewer divide each batch among several GPUs. On a cluster: of all its nodes.",
)
_ENGINE = flags.DEFINE_enum("engine", "local", ("local", "ray"), "Workers on this machine, or on a Ray cluster.")
_ADDRESS = flags.DEFINE_string(
    "ray_address", "", "The cluster: HOST:PORT, or auto: the one that this machine is part of; empty: one started here."
)
_BATCH = flags.DEFINE_string(
    "batch",
    "auto",
    "Images that a worker fits together. auto: as a GPU's memory bears; 1 on a CPU, where they do not pay.",
)
_HOST = flags.DEFINE_string(
    "host_workers",
    "auto",
    "Processes of each worker that read ahead of it and write behind it. auto: none on a CPU, else its share of the cores.",
)
_FILES = flags.DEFINE_enum(
    "files",
    "result",
    FILES,
    "What a result folder holds. full: everything, 10 MB an image; result: no report.html, 4 MB; "
    "small: numbers, pose and pictures, 0.3 MB, no meshes and no Gaussians.",
)
_RETRY = flags.DEFINE_boolean("retry_failed", False, "Try the failed samples once more.")
_OVERWRITE = flags.DEFINE_boolean(
    "overwrite", False, "Do everything anew, also with other options. Interrupted, it goes on where it stopped."
)
_STATUS = flags.DEFINE_boolean("status", False, "Only say how far the run in OUT is; also while it goes on.")
_CACHE = flags.DEFINE_string("compile_cache", "~/.cache/hoijax", "JAX's persistent compilation cache; empty: none.")

MOST_CARDS = 2000  # results that index.html may show
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)
FAILED, EARLY = 1, 2  # exit status


class Misuse(Exception):
    """One sentence for the user."""


AUTO_ROW = 3 * MOST  # tasks in a worker's row while its batch is not known here


def settings_from_flags(config: Config, anew: bool) -> Settings:
    """What the workers need to know."""
    devices, share = accelerators()
    if _BODY.value and not Path(_BODY.value).is_file():
        raise Misuse(f"--body={_BODY.value}: no such file")
    return Settings(
        config,
        Path(_BODY.value).resolve() if _BODY.value else None,
        batch=(0 if devices else 1) if _BATCH.value == "auto" else number("batch", _BATCH.value),
        host_workers=max(0, share - 1 if devices else 0)
        if _HOST.value == "auto"
        else number("host_workers", _HOST.value, 0),
        files=cast(Files, _FILES.value),
        compile_cache=Path(_CACHE.value).expanduser().resolve() if _CACHE.value else None,
        overwrite=anew,
    )


def accelerators() -> tuple[int, int]:
    """Accelerators of this machine, or of the cluster, and the cores for each of them where they are fewest."""
    if _ENGINE.value == "ray":
        return gpus()
    devices = len(device_environments())
    return devices, cores() // max(devices, 1)


def new_crew(settings: Settings, waiting: int, data: Path, out: Path) -> Crew:
    """A worker for each core, or for each accelerator; not more than samples wait."""
    if _ENGINE.value == "ray":
        count = None if _WORKERS.value == "auto" else number("workers", _WORKERS.value)
        return RayCrew(settings, data, out, count, waiting, lambda text: tqdm.write(text, file=sys.stderr))
    environments = device_environments()
    count = (len(environments) or cpu_workers()) if _WORKERS.value == "auto" else number("workers", _WORKERS.value)
    count = min(count, waiting)
    return LocalCrew(settings, places(count, grouped(environments, count) or [{}]))


def cluster(out: Path) -> AbstractContextManager[None]:
    """The connection to the cluster, if there is to be one."""
    if _ENGINE.value == "ray":
        return connected(_ADDRESS.value, out)
    if _ADDRESS.value:
        raise Misuse(f"--ray_address={_ADDRESS.value} needs --engine=ray")
    return nullcontext()


def number(name: str, text: str, least: int = 1) -> int:
    """A whole number, at least `least`."""
    if not text.isdigit() or int(text) < least:
        raise Misuse(f"--{name}={text}: expected auto or a whole number from {least} on")
    return int(text)


def found_samples(data: Path, out: Path) -> dict[str, Path]:
    """{name: folder} of the samples to be done."""
    if data.resolve() == out.resolve():
        raise Misuse("--data and --out are the same folder: a result cannot stand in a sample's place")
    samples = sample_names(data, find_samples(data))
    if not samples:
        raise Misuse(f"{data}: no sample folder in it (a sample has an image.jpg and a smplx_parameters.json)")
    return samples


def opened(config: Config, samples: dict[str, Path], data: Path, out: Path) -> sqlite3.Connection:
    """The ledger, brought in line with what stands on the disk."""
    ledger = open_ledger(out, config, data, _OVERWRITE.value)
    removed = remove_leftovers(
        out, {*samples, *(name for state in ("waiting", "done") for name in names_in(ledger, state))}
    )
    found = str(reconcile(ledger, samples, data, out))
    for note in (found, f"{removed} folders that a killed run left half written were removed" * (removed > 0)):
        if note:
            print(note, file=sys.stderr)
    if _RETRY.value:
        set_waiting(ledger, [name for name in names_in(ledger, "failed") if name in samples])
    files = load_meta(ledger).get("files", _FILES.value)
    if files != _FILES.value and counts(ledger)["done"]:
        print(f"results written before are --files={files}, from now on {_FILES.value}", file=sys.stderr)
    save_meta(ledger, {"files": _FILES.value})
    return ledger


def tasks(ledger: sqlite3.Connection, samples: dict[str, Path], out: Path) -> Iterator[Task]:
    """What waits, made when it is asked for."""
    lost = losses(ledger)
    for name in names_in(ledger, "waiting"):
        yield Task(name, samples[name].absolute(), (out / name).absolute(), lost.get(name, 0))


def run(
    ledger: sqlite3.Connection, settings: Settings, samples: dict[str, Path], data: Path, out: Path
) -> tuple[Ending, int]:
    """Does all that waits, with a bar. How it ended, and the signal that asked for it."""
    state = counts(ledger)
    if not state["waiting"]:
        return Ending("finished"), 0
    signals: list[int] = []
    before = {name: signal.signal(name, lambda number, _: signals.append(number)) for name in ENDING_SIGNALS}
    crew = new_crew(settings, state["waiting"], data, out)
    row = max(ROW, 3 * settings.batch) if settings.batch else AUTO_ROW  # one batch is read, one fitted, one written
    began, pause = state["done"] + state["failed"], 0.1 if sys.stderr.isatty() else 10
    left = tasks(ledger, samples, out)
    try:
        with tqdm(total=sum(state.values()), initial=began, unit="image", mininterval=pause) as bar:
            ending = drive(ledger, crew, left, asked(signals), shown(bar, state["failed"]), row, state["waiting"])
    finally:
        crew.kill()
        for name, handler in before.items():
            signal.signal(name, handler)
    return ending, signals[0] if signals else 0


def asked(signals: list[int]) -> Callable[[], int]:
    """How often the user asked for the end; says once that it was heard."""
    said: list[int] = []

    def count() -> int:
        if signals and not said:
            said.append(1)
            tqdm.write("ends after what is in work now; once more: at once", file=sys.stderr)
        return len(signals)

    return count


def shown(bar: "tqdm[None]", failed: int) -> Callable[[Outcome | Lost], None]:
    """A listener that moves the bar, and says why a sample failed or a worker died."""
    began, first = time.monotonic(), bar.n

    def show(outcome: Outcome | Lost) -> None:
        nonlocal failed
        if isinstance(outcome, Lost):
            tqdm.write(f"worker {outcome.worker}: {outcome.reason}", file=sys.stderr)
            return
        bar.update()
        if outcome.state == "failed":
            failed += 1
            tqdm.write(f"{outcome.name}: failed at {outcome.stage}: {outcome.reason}", file=sys.stderr)
        left = (time.monotonic() - began) / (bar.n - first) * ((bar.total or 0) - bar.n)
        end = time.strftime("%a %H:%M", time.localtime(time.time() + left))
        bar.set_postfix_str(f"{failed} failed, ends {end}", refresh=False)

    return show


def finish(ledger: sqlite3.Connection, out: Path) -> None:
    """Summary, tables and page."""
    print(overview(ledger))
    try:
        save_failures(ledger, out / "failures.csv")
        for fault in save_metrics(ledger, out, out / "metrics.csv"):
            print(f"not in metrics.csv: {fault}", file=sys.stderr)
        done = counts(ledger)["done"]
        if done > MOST_CARDS:
            print(f"no index.html: {done} results are more than the {MOST_CARDS} that one page can show")
        elif done:
            print(f"reports: {save_index(out)}")
    except (OSError, SampleError) as error:
        print(f"the tables could not be written: {error}", file=sys.stderr)


def status(out: Path) -> int:
    """Says how far a run is."""
    ledger = read_ledger(out)
    holder = load_meta(ledger).get("holder")
    print(f"driven by {described(holder)}" if holder else "no run is going on")
    print(overview(ledger))
    return 0


def dataset_run() -> int:
    """The whole program; its exit status."""
    if _OUT.value and _STATUS.value:
        return status(Path(_OUT.value))
    if not _OUT.value or not _DATA.value:
        raise Misuse("give --data=TREE and --out=OUT, or --out=OUT --status (see --help)")
    config, data, out = config_flags.config(), Path(_DATA.value), Path(_OUT.value)
    check_terms(term_names(config))
    samples = found_samples(data, out)
    with sole_driver(out), cluster(out):
        ledger = opened(config, samples, data, out)
        settings = settings_from_flags(config, ANEW in load_meta(ledger))
        ending, signum = run(ledger, settings, samples, data, out)
        found = counts(ledger)
        if ending.kind != "finished":
            print(f"{ending.reason}; {found['waiting']} samples wait, the same command goes on", file=sys.stderr)
        remove_leftovers(out, samples)
        finish(ledger, out)
        save_meta(ledger, {"holder": None} | ({ANEW: None} if ending.kind == "finished" else {}))
        ledger.close()
    if ending.kind == "asked":
        return 128 + signum
    return EARLY if ending.kind != "finished" else FAILED if found["failed"] else 0


def main(argv: list[str]) -> None:
    try:
        if len(argv) > 1:
            raise Misuse(f"not a flag: {argv[1:]} (see --help)")
        sys.exit(dataset_run())
    except (Misuse, ValueError, OSError, RuntimeError, sqlite3.Error) as error:
        print(error, file=sys.stderr)
        sys.exit(EARLY)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    config_flags.define()
    flags.adopt_module_key_flags(config_flags)  # so that --help shows them
    app.run(main)
