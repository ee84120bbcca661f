"""What the pipeline reaches with pip alone, on the benchmark's photographs: the numbers of docs/pipeline.md.

    python experiments/make_benchmark.py --split=test --out=TREE
    python docs/pipeline.py TREE OUT

Each photograph goes with its two boxes, category and verb through annotate_pipeline.py (--models=builtin, the library of
built-in objects), and through reconstruct.py. The body found is then laid over the true one by the best similarity, which
takes out the camera, as nobody knows it, and the object with it is compared with the true object. Goes on where it
stopped.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hoijax.data.read import find_samples, load_sample
from hoijax.data.results import is_finished, load_result
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.metrics.image import mask_iou
from hoijax.metrics.pose import chamfer_cm, umeyama
from hoijax.metrics.surface import surface, surface_samples

ROOT = Path(__file__).resolve().parent.parent
POINTS = 10_000


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tree, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    truths = {photograph_name(folder): folder for folder in find_samples(tree)}
    write_photographs(truths, out)
    library = out / "library"
    if not (library / "index.json").exists():
        run("templates.py", "builtin", f"--library={library}")
    where = [f"--images={out / 'images'}", f"--annotations={out / 'list.json'}", f"--out={out / 'annotated'}"]
    run("annotate_pipeline.py", *where, f"--library={library}")
    run("reconstruct.py", f"--data={out / 'annotated' / 'samples'}", f"--out={out / 'results'}")
    rows = {}
    for folder in tqdm(find_samples(out / "annotated" / "samples"), unit="scene"):
        name = folder.name.rsplit("_", 1)[0]
        place = out / "results" / folder.relative_to(out / "annotated" / "samples")
        if not is_finished(place):
            tqdm.write(f"{folder.name}: not reconstructed, see above")
            continue
        result = load_result(place)
        sample, truth = load_sample(folder), load_sample(truths[name])
        rows[name] = measured(sample, truth, result.human, result.object)
    print(table(rows))


def photograph_name(folder: Path) -> str:
    """Of a scene, as a file's name without its suffix."""
    return f"{folder.parent.name}-{folder.name}".replace(" ", "_")


def write_photographs(truths: dict[str, Path], out: Path) -> None:
    """The pictures alone, and a list of boxes, categories and verbs."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    for name, folder in truths.items():
        (out / "images" / f"{name}.jpg").write_bytes((folder / "image.jpg").read_bytes())
        boxes = json.loads((folder / "box_annotation.json").read_text())
        action = folder.name.rsplit("_", 1)[0]
        pair = {
            "category": folder.parent.name,
            "action": action,
            "human_box": boxes["human"],
            "object_box": boxes["obj"],
        }
        rows.append({"image": f"{name}.jpg", **pair})
    (out / "list.json").write_text(json.dumps(rows, indent=1))


def run(program: str, *options: str) -> None:
    """One of the programs; what it could not do is in its own words above the table."""
    subprocess.run(
        [sys.executable, f"experiments/{program}", *options], cwd=ROOT, check=False
    )  # 1: some were set aside


def measured(sample: Sample, truth: Sample, human: ColoredMesh, thing: ColoredMesh) -> dict[str, float]:
    """Masks against the true ones, and the scene against the true scene, laid over it by its body."""
    assert truth.truth is not None
    over = umeyama(human.verts, truth.human.verts)
    laid, moved = (over.scale * mesh.verts @ over.rotation.T + over.translation for mesh in (human, thing))
    apart = 100 * np.linalg.norm(laid - truth.human.verts, axis=1).mean()
    center, true_center = ((verts.min(0) + verts.max(0)) / 2 for verts in (moved, truth.truth.verts))
    size, true_size = (float(np.linalg.norm(np.ptp(verts, axis=0))) for verts in (moved, truth.truth.verts))
    clouds = (
        surface_samples(surface(verts.astype(np.float32), faces), POINTS)
        for verts, faces in ((moved, thing.faces), (truth.truth.verts, truth.truth.faces))
    )
    return {
        "person's mask, IoU": mask_iou(sample.human_mask, truth.human_mask),
        "object's mask, IoU": mask_iou(sample.object_mask, truth.object_mask),
        "body, cm": float(apart),
        "object's place, cm": 100 * float(np.linalg.norm(center - true_center)),
        "object's size, %": 100 * abs(size / true_size - 1),
        "object, chamfer cm": chamfer_cm(*clouds),
    }


def table(rows: dict[str, dict[str, float]]) -> str:
    """Markdown: each scene, then means and medians."""
    heads = list(next(iter(rows.values())))
    lines = [f"| scene | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    values = np.array([list(row.values()) for row in rows.values()])
    shown = [*zip(rows, values), ("mean", values.mean(0)), ("median", np.median(values, 0))]
    return "\n".join(
        lines + [f"| {name} | " + " | ".join(f"{value:.3g}" for value in row) + " |" for name, row in shown]
    )


if __name__ == "__main__":
    main()
