"""How well any similarity of the object's mesh can fill its visible mask, beside what results reach.

    python benchmarks/best_iou.py --data=TREE --out=best.csv [--results=DIR] [--limit=4]
    python benchmarks/best_iou.py --sample=DIR --out=best.csv

A direct search of the seven numbers (best_iou_search.py) from the start, the annotation, the results and turned copies of
them: some 5,000 poses, a minute a sample. It finds a lower bound of the best. A sample that stands in --out
is not searched again; results are measured anew, and one that is better than the best known takes its place. --results:
the tree that reconstruct.py wrote, or the folder of one config in ablate.py's OUT/runs.
"""

import csv
import io
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
from absl import app, flags
from best_iou_search import Found, best_similarity, view_of, visible_iou

from hoijax.data.atomic import save_bytes
from hoijax.data.layout import sample_name
from hoijax.data.parameters import load_json, numbers
from hoijax.data.read import find_samples, load_sample
from hoijax.data.results import find_results
from hoijax.data.runs import sample_key
from hoijax.data.sample import Sample, SampleError
from hoijax.metrics.pose import Similarity, umeyama
from hoijax.report.tables import aligned

_DATA = flags.DEFINE_string("data", None, "A tree of sample folders.")
_SAMPLE = flags.DEFINE_string("sample", None, "A sample folder, in place of --data.")
_RESULTS = flags.DEFINE_string("results", None, "Results to stand beside the best: see above.")
_OUT = flags.DEFINE_string("out", "out/best_iou.csv", "The CSV that is written, and gone on with where it stands.")
_LIMIT = flags.DEFINE_integer("limit", None, "Only this many samples, spread evenly over the tree.", lower_bound=1)
_EFFORT = flags.DEFINE_integer("effort", 300, "Poses that one search may measure.", lower_bound=10)

HEAD = ("sample", "content", "start", "annotation", "best", "measured", "seconds", "similarity")
NAN = float("nan")


def similarity_of(path: Path, record: object) -> Similarity:
    """The similarity x' = s R (x - pivot) + pivot + t of a result or run, as x' = s R x + t. Raises SampleError."""
    if not isinstance(record, dict) or not {"scale", "rotation", "translation", "pivot"} <= set(record):
        raise SampleError(
            path, "has no similarity of an object (a failed run?), expected scale, rotation, translation, pivot"
        )
    scale = float(numbers(path, "scale", record["scale"], 1)[0])
    rotation = numbers(path, "rotation", record["rotation"], 9).reshape(3, 3)
    pivot, translation = (numbers(path, name, record[name], 3) for name in ("pivot", "translation"))
    return Similarity(scale, rotation, pivot + translation - scale * rotation @ pivot)


def before_camera(sample: Sample, pose: Similarity) -> Similarity:
    """A similarity in the frame of the sample's files as one of the mesh moved by cam_trans."""
    offset = np.asarray(sample.pose.translation, np.float64)
    return pose._replace(translation=pose.translation + offset - pose.scale * pose.rotation @ offset)


def results_by_name(folder: Path) -> dict[str, Path]:
    """{sample's name: its result.json}, empty for a folder of runs. Raises SampleError where there are neither."""
    paths = [each / "result.json" for each in find_results(folder)]
    if not paths and not any(folder.glob("*.json")) and not any(folder.glob("*/*.json")):
        raise SampleError(folder, "holds neither results nor runs, expected a tree of results or OUT/runs/<config>")
    return {str(content(path).get("name")): path for path in paths}


def content(path: Path) -> dict[str, Any]:
    """A JSON file's object. Raises SampleError for anything else."""
    record = load_json(path)
    if not isinstance(record, dict):
        raise SampleError(path, f"holds a {type(record).__name__}, expected the record of a result or run")
    return record


def result_of(sample: Sample, key: str, folder: Path, results: Mapping[str, Path]) -> Similarity | None:
    """The result for this sample; None where there is none. Raises SampleError for one that cannot be used."""
    if results:
        path = results.get(sample.name)
        return similarity_of(path, content(path).get("object")) if path else None
    path = folder / f"{sample.name}-{key}.json"
    return similarity_of(path, content(path).get("similarity")) if path.exists() else None


def known_rows(path: Path) -> dict[str, dict[str, str]]:
    """What stands in the CSV, by sample. Exits with a sentence for a file that is something else."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if any(set(row) != set(HEAD) or None in row.values() for row in rows):
        sys.exit(f"{path}: is no table of this program, expected the columns {', '.join(HEAD)}; choose another --out")
    return {row["sample"]: row for row in rows}


def save_rows(path: Path, rows: Mapping[str, Mapping[str, str]]) -> None:
    """Writes the CSV, whole or not at all."""
    out = io.StringIO()
    writer = csv.DictWriter(out, HEAD, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows.values())
    save_bytes(path, out.getvalue().encode())


def searched(sample: Sample, key: str, result: Similarity | None) -> dict[str, str]:
    """The row of a sample that is not known yet."""
    began, still = time.perf_counter(), Similarity(1.0, np.eye(3), np.zeros(3))
    view, starts, told = view_of(sample), [still], NAN
    if sample.truth is not None and sample.truth.verts.shape == sample.object.verts.shape:
        offset = np.asarray(sample.pose.translation, np.float64)
        true = umeyama(view.verts, sample.truth.verts + offset)
        if np.isfinite(true.rotation).all():
            starts, told = [still, true], visible_iou(view, true)
    found = best_similarity(
        sample, [*starts, *([result] if result else [])], _EFFORT.value, np.random.default_rng(int(key, 16))
    )
    first = {"sample": sample.name, "content": key, "start": repr(visible_iou(view, still))}
    row = first | {
        "annotation": repr(told) if np.isfinite(told) else "",
        "seconds": f"{time.perf_counter() - began:.1f}",
    }
    return row | best_cells(found)


def best_cells(found: Found) -> dict[str, str]:
    """The best of a row: 13 numbers s, R by rows, t move the mesh before the camera."""
    values = [found.pose.scale, *found.pose.rotation.ravel(), *found.pose.translation]
    similarity = " ".join(repr(float(value)) for value in values)
    return {"best": repr(found.iou), "measured": str(found.measured), "similarity": similarity}


def table(rows: Mapping[str, Mapping[str, str]], reached: Mapping[str, float]) -> str:
    """The samples of this call and their means: start, annotation, result, best, result / best."""
    lines = []
    for name, row in rows.items():
        start, told, best = (float(row[column] or "nan") for column in ("start", "annotation", "best"))
        lines.append([start, told, reached[name], best, reached[name] / best if best else NAN])
    values = np.array(lines)
    means = [float(column[np.isfinite(column)].mean()) if np.isfinite(column).any() else NAN for column in values.T]
    texts = [[name, *(f"{x:.4f}" if np.isfinite(x) else "–" for x in own)] for name, own in zip(rows, lines)]
    last = [f"mean of {len(rows)}", *(f"{x:.4f}" if np.isfinite(x) else "–" for x in means)]
    return aligned(["sample", "start", "annotation", "result", "best found", "result / best"], [*texts, last])


def main(argv: list[str]) -> None:
    if len(argv) > 1 or bool(_DATA.value) == bool(_SAMPLE.value):
        sys.exit("expected either --data=TREE or --sample=DIR, and only flags (see --help)")
    path = Path(_OUT.value)
    known, shown, reached, failed = known_rows(path), {}, {}, []
    try:
        folders = find_samples(_DATA.value or _SAMPLE.value)
        results = results_by_name(Path(_RESULTS.value)) if _RESULTS.value else {}
    except SampleError as error:
        sys.exit(str(error))
    count = min(_LIMIT.value or len(folders), len(folders))
    for folder in (folders[k * len(folders) // count] for k in range(count)):
        key = sample_key(folder)
        try:
            sample = load_sample(folder)
            own = result_of(sample, key, Path(_RESULTS.value), results) if _RESULTS.value else None
            result = before_camera(sample, own) if own else None
            row = known.get(sample.name)
            if row is None or row["content"] != key:
                row = searched(sample, key, result)
            iou = visible_iou(view_of(sample), result) if result else NAN
        except (SampleError, ValueError) as error:
            failed.append(f"{sample_name(folder)[0]}: {error}")
            print(failed[-1], file=sys.stderr, flush=True)
            continue
        if result and iou > float(row["best"]):
            row = row | best_cells(Found(result, iou, int(row["measured"])))
        known[sample.name] = shown[sample.name] = row
        reached[sample.name] = iou
        save_rows(path, known)
        print(f"{sample.name}: best {float(row['best']):.4f}, {row['measured']} poses, {row['seconds']} s", flush=True)
    if shown:
        print("\n" + table(shown, reached))
        print("best found: a lower bound of the best of any similarity; every number is of all pixels and faces.")
    if _RESULTS.value and (without := [name for name, iou in reached.items() if not np.isfinite(iou)]):
        print(f"no result for {len(without)} of {len(reached)} samples: {', '.join(without)}")
    if failed or not shown:
        sys.exit(f"{len(failed)} of {count} samples failed" if failed else "no sample folder there")


if __name__ == "__main__":
    app.run(main)
