"""Measure finished results against their samples again, from the files alone.

    python experiments/evaluate.py --results=DIR --data=TREE [--csv=FILE] [--markdown=FILE] [--co2=mean] [--size=hull]

Reads the meshes of every result folder under --results, finds the sample of the same path under --data, and prints the
table of all metrics: coarse start, result, and annotation where there is one, with their means. Below it stands what was
chosen where the paper leaves its metrics open.
"""

import sys
from pathlib import Path
from typing import Literal, cast

from absl import app, flags
from tqdm import tqdm

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import body_parts, parts_for_mesh
from hoijax.data.assemble import FIT_METRICS
from hoijax.data.measure import MetricOptions, compare
from hoijax.data.read import SampleError, load_sample
from hoijax.data.results import Summary, find_results, load_result, summary
from hoijax.report.ablation import metric_choices
from hoijax.report.tables import KEY_METRICS, metrics_csv, metrics_markdown, metrics_table

_RESULTS = flags.DEFINE_string("results", None, "Folder that reconstruct.py wrote.", required=True)
_DATA = flags.DEFINE_string("data", None, "The tree of samples it was given.", required=True)
_CSV = flags.DEFINE_string("csv", None, "Also write every number of every sample to this file.")
_MARKDOWN = flags.DEFINE_string("markdown", None, "Also write the table to this file, as Markdown.")
_CO2 = flags.DEFINE_enum("co2", "sum", ["sum", "mean"], "Which Co2 the table shows: over parts the sum or the mean.")
_SIZE = flags.DEFINE_enum(
    "size", "volume", ["volume", "hull"], "Size in Co2: volume of the mesh, or of its convex hull."
)


def result_folders(tree: Path) -> list[Path]:
    """Finished result folders under a tree, sorted; exits with a sentence when there are none."""
    found = find_results(tree)
    if not found:
        sys.exit(f"{tree}: no finished result in it (a result folder has a result.json)")
    return found


def sample_folder(result: Path) -> Path:
    """The sample that a result folder belongs to: the same path under --data, or --data itself for a single sample."""
    below = Path(_DATA.value or "") / result.relative_to(_RESULTS.value or "")
    return below if below.is_dir() else Path(_DATA.value or "")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    results: list[Summary] = []
    failed = []
    options = MetricOptions(size=cast(Literal["volume", "hull"], _SIZE.value))
    shown = ["co2_mean" if name == "co2" and _CO2.value == "mean" else name for name in KEY_METRICS]
    for folder in tqdm(result_folders(Path(_RESULTS.value or "")), unit="result"):
        try:
            result, sample = load_result(folder), load_sample(sample_folder(folder))
        except (SampleError, ValueError, OSError) as error:
            tqdm.write(f"{folder}: {error}", file=sys.stderr)
            failed.append(folder)
            continue
        body = builtin_body()
        same = len(body.template) == len(result.human.verts)
        parts = body_parts(body) if same else parts_for_mesh(result.human.verts, body, sample.pose)
        measured = compare(sample, result.human, result.object, parts, options)
        kept = {name: values for name, values in result.metrics.items() if name in FIT_METRICS}
        results.append(summary(result._replace(metrics=measured | kept)))
    print(f"{metrics_table(results, shown)}\n\n{metric_choices(options)}")
    if _CSV.value:
        Path(_CSV.value).write_text(metrics_csv(results))
    if _MARKDOWN.value:
        Path(_MARKDOWN.value).write_text(metrics_markdown(results, shown))
    if failed:
        sys.exit(f"{len(failed)} results could not be measured: " + ", ".join(map(str, failed)))


if __name__ == "__main__":
    app.run(main)
