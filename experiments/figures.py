"""One picture that compares rows of a grid on some photographs: in their view and from the side.

    python experiments/figures.py --runs=OUT --data=TREE --grid=experiments/configs/table2.py \\
        --rows=PHOSA,hoijax --samples=ball/hold_0,chair/sit_on_0 --out=comparison.png

--runs is the folder that ablate.py wrote (or the runs/ in it). What has no run there stays empty.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
from absl import app, flags
from grids import GridError, chosen_rows, load_grid

from hoijax.config import Config, nearest_name
from hoijax.data.measure import moved
from hoijax.data.read import find_samples, load_sample
from hoijax.data.runs import failed_run, human_of, load_run, run_file, sample_key
from hoijax.data.sample import Sample, SampleError
from hoijax.report.comparison import Line, State, comparison, truth_state

_RUNS = flags.DEFINE_string("runs", None, "What ablate.py wrote: its --out, or the runs/ in it.", required=True)
_DATA = flags.DEFINE_string("data", None, "The tree of samples it was given.", required=True)
_GRID = flags.DEFINE_string("grid", None, "The grid that names the rows.", required=True)
_ROWS = flags.DEFINE_list("rows", [], "Which rows to show, by name; all by default.")
_SAMPLES = flags.DEFINE_list("samples", [], "Which samples, by their place in the tree; four by default.")
_METRICS = flags.DEFINE_list("metrics", ["chamfer_cm", "co2"], "What is told below each reconstruction.")
_BODY = flags.DEFINE_string("body", None, "The body file that ablate.py was given, if any.")
_OUT = flags.DEFINE_string("out", None, "The picture: .png, .jpg or .pdf.", required=True)

SHOWN = 4


def chosen_samples() -> list[Path]:
    """The samples to show. Exits with a sentence when one is unknown."""
    tree = Path(_DATA.value or "")
    found = {folder.relative_to(tree).as_posix(): folder for folder in find_samples(tree)}
    for name in _SAMPLES.value:
        if name not in found:
            sys.exit(f"--samples: {tree} has no sample {name!r}; {nearest_name(name, found)}")
    if _SAMPLES.value:
        return [found[name] for name in _SAMPLES.value]
    count = min(SHOWN, len(found))
    return [list(found.values())[k * len(found) // count] for k in range(count)]


def state_of(sample: Sample, config: Config, store: Path, key: str) -> State | None:
    """What a config made of the sample; None where there is no run of it, or a failed one."""
    path = run_file(store, config, sample.folder, key)
    try:
        run = load_run(path, config) if path.exists() else failed_run(sample.name, "no such run")
    except SampleError as error:
        run = failed_run(sample.name, error.message)
    if run.failure:
        print(f"{path}: {run.failure}; its place stays empty", file=sys.stderr)
        return None
    place = {name: np.asarray(value, float) for name, value in run.similarity.items()}
    thing = moved(sample.object, float(place.pop("scale")), **place)
    told = {name: run.metrics.get(name, {}).get("result", np.nan) for name in _METRICS.value}
    return State(human_of(sample, run), thing, told)


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    store = Path(_RUNS.value or "")
    store = store / "runs" if (store / "runs").is_dir() else store
    lines = []
    try:
        grid = chosen_rows(load_grid(_GRID.value or ""), _ROWS.value)
        extra = hashlib.sha256(Path(_BODY.value).read_bytes()).digest() if _BODY.value else b""
        for folder in chosen_samples():
            sample, key = load_sample(folder), sample_key(folder, extra)
            states = {name: state_of(sample, config, store, key) for name, config in grid.rows.items()}
            lines.append(Line(sample, {"annotation": truth_state(sample), **states}))
        if not lines:
            sys.exit(f"{_DATA.value}: no sample folder in it")
        if not any(state for line in lines for name, state in line.states.items() if name != "annotation"):
            sys.exit(f"{store}: holds no run of these rows and samples; run experiments/ablate.py first")
        Path(_OUT.value or "").parent.mkdir(parents=True, exist_ok=True)
        comparison(lines).savefig(_OUT.value)
    except (GridError, SampleError, ValueError, OSError) as error:
        sys.exit(str(error))
    print(_OUT.value)


if __name__ == "__main__":
    app.run(main)
