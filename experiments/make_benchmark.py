"""Write a split of the benchmark as sample folders in the Open3DHOI layout: OUT/<category>/<action>_<seed>.

    python experiments/make_benchmark.py --split=dev --out=DIR
    python experiments/make_benchmark.py --split=test --out=DIR --names=cup_drink,bicycle_ride --per_design=3
    python experiments/make_benchmark.py --split=dev --out=ROUGH --start=rough --from=DIR

A scene whose folder exists is skipped, so that a run that was stopped goes on. Beside the files of a sample lies
depth_true.npy, the depth map without errors. docs/benchmark.md says what is in the scenes, and what a rough start is.
"""

import multiprocessing
import os
import shutil
import sys
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

from absl import app, flags
from tqdm import tqdm

from hoijax.data.atomic import new_folder
from hoijax.data.layout import NAMES
from hoijax.data.objfile import save_mesh
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.data.synthetic.benchmark import SPLITS, benchmark_folder, benchmark_names, benchmark_scene, benchmark_seeds
from hoijax.data.synthetic.rough_start import rough_start
from hoijax.data.write import save_sample
from hoijax.metrics.pose import object_pose_errors

_SPLIT = flags.DEFINE_enum("split", "dev", list(SPLITS), "dev: to develop and tune on; test: to report.")
_OUT = flags.DEFINE_string("out", None, "Where the sample folders go.", required=True)
_NAMES = flags.DEFINE_list("names", None, f"Designs to make, of {', '.join(benchmark_names())}; all by default.")
_PER_DESIGN = flags.DEFINE_integer("per_design", 1, "Scenes of each design.")
_DISTURBED = flags.DEFINE_boolean(
    "disturbed",
    False,
    "Give a person whose limbs are turned by 5 to 15 degrees and who is moved by 5 cm; docs/human.md.",
)
_START = flags.DEFINE_enum(
    "start",
    "coarse",
    ["coarse", "rough"],
    "Where objects start: coarse: where the coarse reconstruction puts them; rough: 45 degrees, 40 cm and a factor 2 off.",
)
_FROM = flags.DEFINE_string(
    "from", None, "With --start=rough: a tree of the ordinary scenes, to take them from instead of making them again."
)
_WORKERS = flags.DEFINE_string("workers", "auto", "Processes that make scenes at once; auto: one for each core.")

HEADS = ("seen %", "parts", "scale", "rot deg", "trans cm", "CD cm")


class Row(NamedTuple):
    """One scene: share of the picture that shows the object, contact parts, errors of the coarse start, its notes."""

    name: str
    numbers: tuple[float, ...]
    notes: tuple[str, ...]


def make(name: str, seed: int, folder: Path, start: str, disturbed: bool) -> Row:
    """Makes and writes one scene."""
    scene = benchmark_scene(name, seed, disturbed)
    sample = rough_start(scene.sample) if start == "rough" else scene.sample
    save_sample(sample, folder, {"depth_true": scene.true_depth})
    return row_of(sample, scene.coarse.notes if start == "coarse" else ())


def derive(source: Path, folder: Path) -> Row:
    """Writes a scene with a rough start: the files of `source` as they are, but for the object's mesh."""
    sample = rough_start(load_sample(source))
    with new_folder(folder) as part:
        shutil.copytree(source, part, dirs_exist_ok=True)
        save_mesh(part / NAMES["object"][0], sample.object)
    return row_of(sample, ())


def row_of(sample: Sample, notes: tuple[str, ...]) -> Row:
    """What the table says of a scene."""
    assert sample.truth is not None
    errors = object_pose_errors(sample.object.verts, sample.truth.verts, sample.truth.faces)
    shown = 100 * float(sample.object_mask.mean()), float(len(sample.contact_parts or ()))
    found = errors.scale, errors.rotation_degrees, errors.translation_cm, errors.chamfer_cm
    return Row(sample.name, (*shown, *found), notes)


def table(rows: list[Row]) -> str:
    """The scenes made in this run, and their mean."""
    rows = sorted(rows)
    mean = Row(f"mean of {len(rows)}", tuple(sum(c) / len(rows) for c in zip(*(row.numbers for row in rows))), ())
    width = max(len(row.name) for row in (*rows, mean))
    head = " ".join(f"{title:>8}" for title in HEADS)
    lines = [f"{row.name:<{width}} " + " ".join(f"{x:>8.3g}" for x in row.numbers) for row in (*rows, mean)]
    return "\n".join([f"{'scene':<{width}} {head}", *lines])


def worker_count(jobs: int) -> int:
    """Processes to start. Exits with a sentence for a flag that is no number."""
    text = _WORKERS.value
    if text != "auto" and not (text.isdigit() and int(text) > 0):
        sys.exit(f"--workers: {text!r}, expected auto or a number of processes")
    return max(1, min(jobs, (os.cpu_count() or 1) if text == "auto" else int(text)))


def make_all(jobs: list[tuple[str, int, Path]], start: str, source: Path | None) -> tuple[list[Row], list[str]]:
    """All scenes, several at once; and what was wrong with those that failed, by name."""
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")  # one for each process, which also gives the same bytes on every machine
    rows: list[Row] = []
    failed: list[str] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(worker_count(len(jobs)), context) as pool:
        waiting: dict[Future[Row], str] = {}
        for name, seed, folder in jobs:
            work = (derive, source / benchmark_folder(name, seed)) if source else (make, name, seed)
            waiting[pool.submit(*work, folder, *(() if source else (start, _DISTURBED.value)))] = f"{name}, seed {seed}"
        try:
            for future in (bar := tqdm(as_completed(waiting), total=len(jobs), unit="scene")):
                try:
                    rows.append(future.result())
                except BrokenProcessPool:
                    raise
                except Exception as error:
                    failed.append(f"{waiting[future]}: {error}")
                    tqdm.write(failed[-1], file=sys.stderr)
                else:
                    bar.set_postfix_str(rows[-1].name)
                    for note in rows[-1].notes:
                        tqdm.write(f"{rows[-1].name}: {note}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise
    return rows, failed


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    names = _NAMES.value or list(benchmark_names())
    unknown = [name for name in names if name not in benchmark_names()]
    if unknown:
        sys.exit(f"--names: no design {', '.join(unknown)}; there are {', '.join(benchmark_names())}")
    source = Path(_FROM.value) if _FROM.value else None
    if source and _START.value != "rough":
        sys.exit("--from: only for --start=rough; the ordinary scenes are made, not derived")
    if source and source.resolve() == Path(_OUT.value).resolve():
        sys.exit("--from: the same as --out; rough starts want a tree of their own")
    if source and _DISTURBED.value:
        sys.exit("--disturbed: not with --from, whose scenes keep their people; derive from a tree of disturbed ones")
    try:
        seeds = benchmark_seeds(_SPLIT.value, _PER_DESIGN.value)
    except ValueError as error:
        sys.exit(f"--per_design: {error}")
    wanted = [(name, seed, Path(_OUT.value) / benchmark_folder(name, seed)) for seed in seeds for name in names]
    jobs = [job for job in wanted if not job[2].exists()]
    rows: list[Row] = []
    failed: list[str] = []
    if jobs:
        try:
            rows, failed = make_all(jobs, _START.value, source)
        except KeyboardInterrupt:
            sys.exit(f"stopped; the scenes that are whole stay in {_OUT.value}, the same command goes on")
        except BrokenProcessPool:
            sys.exit("a process that makes scenes died (out of memory?); try again with fewer --workers")
    if rows:
        print(table(rows))
    print(f"{len(rows)} scenes written, {len(wanted) - len(jobs)} were there, {len(failed)} failed: {_OUT.value}")
    if failed:
        sys.exit(f"{len(failed)} of {len(wanted)} scenes failed: {'; '.join(failed)}")


if __name__ == "__main__":
    app.run(main)
