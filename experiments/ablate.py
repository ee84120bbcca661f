"""Run every row of a grid on every sample of a tree, and write the table: CSV, Markdown, LaTeX, plots and a page.

    python experiments/ablate.py --grid=experiments/configs/table3.py --data=TREE --out=DIR
    python experiments/ablate.py --grid=... --data=TREE --out=DIR --limit=10 --rows="coarse,+ depth" --dry_run

Each run is a small file in DIR/runs, shared by all grids whose rows mean the same; what is there is not done again, so
an interrupted sweep goes on where it stopped. A run that failed is recorded, told in the table and passed over.
"""

import hashlib
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Literal, cast

import jax
from absl import app, flags, logging
from grids import Grid, GridError, chosen_rows, load_grid
from sweep import Settings, Work, sweep
from tqdm import tqdm

from hoijax.body.smplx import load_body, load_hand_means
from hoijax.config import Config
from hoijax.data.atomic import save_bytes
from hoijax.data.layout import sample_name
from hoijax.data.measure import MetricOptions
from hoijax.data.read import find_samples
from hoijax.data.runs import Run, config_key, device, load_run, run_file, same_measure, sample_key
from hoijax.data.sample import SampleError
from hoijax.report import ablation
from hoijax.report.ablation import Ablation
from hoijax.report.ablation_page import ablation_page, dot_plot
from hoijax.report.tables import aligned

_GRID = flags.DEFINE_string("grid", None, "The Python file that names the rows.", required=True)
_DATA = flags.DEFINE_string("data", None, "A tree of sample folders.", required=True)
_OUT = flags.DEFINE_string("out", "out/ablations", "Where the tables, and the runs below runs/, go.")
_NAME = flags.DEFINE_string("name", None, "What the tables are called: OUT/NAME.html, ... (default: the grid's name).")
_ROWS = flags.DEFINE_list(
    "rows", [], "Only these rows of the grid, by name; the first is what others are tested against."
)
_LIMIT = flags.DEFINE_integer("limit", None, "Only this many samples, spread evenly over the tree.", lower_bound=1)
_BATCH = flags.DEFINE_integer(
    "batch",
    None,
    "Samples of equal shapes that one program fits together (default: 1 on a CPU, where 4 were slower; else 8).",
    lower_bound=1,
)
_BODY = flags.DEFINE_string("body", None, "SMPL-X model file (.npz); see reconstruct.py.")
_CO2 = flags.DEFINE_enum("co2", "sum", ["sum", "mean"], "Which Co2 the table shows: over parts the sum or the mean.")
_SIZE = flags.DEFINE_enum(
    "size", "volume", ["volume", "hull"], "Size in Co2: volume of the mesh, or of its convex hull."
)
_RETRY = flags.DEFINE_boolean("retry_failed", False, "Try failed runs again.")
_REMEASURE = flags.DEFINE_boolean("remeasure", False, "Measure finished runs again, without fitting them again.")
_DRY = flags.DEFINE_boolean("dry_run", False, "Only say which runs are there and which are missing.")
_TABLES = flags.DEFINE_boolean("tables_only", False, "Run nothing: write the tables of the runs that are there.")
_CACHE = flags.DEFINE_string("compile_cache", "~/.cache/hoijax", "JAX's persistent compilation cache; empty: none.")

Found = dict[tuple[str, str], Run]  # (config key, sample folder)


def chosen_samples() -> list[Path]:
    """The sample folders to run; exits with a sentence when there are none."""
    found = find_samples(_DATA.value or "")
    if not found:
        sys.exit(f"{_DATA.value}: no sample folder in it (a sample has an image.jpg and a smplx_parameters.json)")
    count = min(_LIMIT.value or len(found), len(found))
    return [found[k * len(found) // count] for k in range(count)]


def label(folder: Path) -> str:
    """What the tables call a sample: its place in the tree."""
    below = folder.relative_to(_DATA.value or "").as_posix()
    return sample_name(folder)[0] if below == "." else below


def plan(grid: Grid, folders: list[Path], settings: Settings, extra: bytes) -> tuple[list[Work], Found]:
    """What is missing, and what is there. Damaged run files are named and count as missing."""
    configs = {config_key(config): config for config in grid.rows.values()}
    works, found = [], {}
    for folder in tqdm(folders, desc="looking", unit="sample", leave=False):
        key, missing, old = sample_key(folder, extra), [], {}
        for name, config in configs.items():
            path = run_file(settings.store, config, folder, key)
            if not path.exists():
                missing.append(config)
                continue
            try:
                run = load_run(path, config)
            except SampleError as error:
                tqdm.write(f"{error}; it is done again", file=sys.stderr)
                missing.append(config)
                continue
            if run.failure and _RETRY.value:
                missing.append(config)
                continue
            found[name, str(folder)] = run
            if not run.failure and (_REMEASURE.value or not same_measure(run, settings.measured)):
                missing.append(config)
                old[config] = run
        works.append(Work(folder, sample_name(folder)[0], key, missing, old))
    return works, found


def run_missing(works: list[Work], settings: Settings, found: Found) -> None:
    """Does what is missing, with a bar that tells rate and remaining time."""
    with tqdm(total=sum(len(work.configs) for work in works), unit="run", smoothing=0.05) as bar:

        def report(work: Work, config: Config, run: Run) -> None:
            if run.failure:
                tqdm.write(f"{work.name}, {config.preset} {config_key(config)}: {run.failure}", file=sys.stderr)
            found[config_key(config), str(work.folder)] = run
            bar.set_postfix_str(work.name, refresh=False)
            bar.update()

        sweep([work for work in works if work.configs], settings, report)


def table_of(grid: Grid, folders: list[Path], found: Mapping[tuple[str, str], Run]) -> Ablation:
    """The runs, gathered by row. --co2=mean shows the mean over parts where the grid shows the sum."""
    rows = {
        name: {label(folder): run for folder in folders if (run := found.get((config_key(config), str(folder))))}
        for name, config in grid.rows.items()
    }
    metrics = grid.metrics
    if _CO2.value == "mean":
        metrics = tuple(dict.fromkeys("co2_mean" if name == "co2" else name for name in metrics))
    return Ablation(grid.title, metrics, rows, grid.published)


def footer(grid: Grid, table: Ablation, settings: Settings) -> list[str]:
    """Everything that a reader of the table has to know."""
    same: dict[str, list[str]] = {}
    for name, config in grid.rows.items():
        same.setdefault(config_key(config), []).append(name)
    alike = [f"The rows {', '.join(names)} are the same config." for names in same.values() if len(names) > 1]
    command = " ".join(["python", *sys.argv])
    made = f"hoijax {version('hoijax')}, jax {jax.__version__}, {device()}, {platform.system()}; {command}"
    return [
        *([grid.note] if grid.note else []),
        *ablation.counts(table),
        *ablation.how_to_read(table),
        *ablation.about_seconds(table),
        ablation.metric_choices(settings.measured),
        *alike,
        *ablation.failures(table),
        made,
    ]


def save_tables(grid: Grid, table: Ablation, lines: list[str]) -> list[Path]:
    """Writes all forms of the table; the page first."""
    plots = {name: dot_plot(table, name) for name in table.metrics}
    content: dict[str, str | bytes] = {
        ".html": ablation_page(table, lines, plots),
        ".md": ablation.ablation_markdown(table, lines),
        ".tex": ablation.ablation_latex(table, lines),
        ".csv": ablation.ablation_csv(table),
        "_samples.csv": ablation.samples_csv(table),
        **{f"_{name}.png": data for name, data in plots.items()},
    }
    paths = [Path(_OUT.value) / f"{_NAME.value or grid.name}{end}" for end in content]
    for path, data in zip(paths, content.values()):
        save_bytes(path, data.encode("utf-8") if isinstance(data, str) else data)
    return paths


def dry_run(grid: Grid, folders: list[Path], works: list[Work], found: Found) -> None:
    """Says what stands and what is missing, row by row."""
    lines = []
    for name, config in grid.rows.items():
        own = [found[config_key(config), str(f)] for f in folders if (config_key(config), str(f)) in found]
        again = sum(config in work.old for work in works)
        missing = sum(config in work.configs for work in works) - again
        failed = sum(bool(run.failure) for run in own)
        lines.append([name, config_key(config), *map(str, (len(own) - failed, failed, again, missing))])
    print(aligned(["row", "config", "done", "failed", "to measure", "to do"], lines))
    spent = [run.seconds.get("total", 0.0) for run in found.values() if run.seconds.get("fit")]
    if spent:
        missing, each = sum(len(work.configs) - len(work.old) for work in works), sum(spent) / len(spent)
        print(f"\nA run took {each:.1f} s on average; the {missing} to do: about {missing * each / 60:.0f} min.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    logging.set_verbosity(logging.WARNING)
    if _CACHE.value:
        jax.config.update("jax_compilation_cache_dir", str(Path(_CACHE.value).expanduser()))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    batch = _BATCH.value or (1 if jax.default_backend() == "cpu" else 8)
    measured = MetricOptions(size=cast(Literal["volume", "hull"], _SIZE.value))
    try:
        grid = chosen_rows(load_grid(_GRID.value or ""), _ROWS.value)
        folders = chosen_samples()
        body = (load_body(_BODY.value), load_hand_means(_BODY.value)) if _BODY.value else None
        extra = hashlib.sha256(Path(_BODY.value).read_bytes()).digest() if _BODY.value else b""
    except (GridError, SampleError, ValueError, OSError) as error:
        sys.exit(str(error))
    settings = Settings(Path(_OUT.value) / "runs", body, measured, batch)
    works, found = plan(grid, folders, settings, extra)
    if _DRY.value:
        dry_run(grid, folders, works, found)
        return
    if not _TABLES.value:
        run_missing(works, settings, found)
    table = table_of(grid, folders, found)
    if not ablation.scenes(table):
        sys.exit("no run succeeded: " + "; ".join(ablation.failures(table) or ["there are none"]))
    lines = footer(grid, table, settings)
    print(ablation.ablation_text(table, lines))
    print(f"\ntables: {save_tables(grid, table, lines)[0]} and beside it")


if __name__ == "__main__":
    app.run(main)
