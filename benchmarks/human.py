"""What refining the human by its outline does: to people who are disturbed and to those who are right, and to the object.

    python benchmarks/human.py --data=DIR [--scenes=10] [--steps=40] [--fit]

DIR is a tree of benchmark scenes whose people are the true ones (experiments/make_benchmark.py --split=dev). Each scene is
taken as it is and with its person disturbed; a scene that has an annotated person is taken only as it is. Errors in mm
against the true person: of 22 joints and all vertices as placed before the camera, of the same with the root joints
brought together, and across the image only; then the mean IoU of the body parts. --fit also runs the preset with and
without the refinement and tells the object's chamfer distance in cm.
"""

import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from absl import app, flags

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import body_parts
from hoijax.body.smplx import pose_body
from hoijax.config import Config, with_options
from hoijax.data.assemble import placed
from hoijax.data.measure import human_metrics, image_metrics
from hoijax.data.prepare import Prepared, prepare
from hoijax.data.read import find_samples, load_sample
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.synthetic.disturbed import with_disturbed_human, with_true_human
from hoijax.metrics.body import MAIN_JOINTS
from hoijax.metrics.pose import object_pose_errors
from hoijax.optimize.fit import fit
from hoijax.optimize.human_pose import refined_human
from hoijax.optimize.step import Given
from hoijax.presets import PRESETS
from hoijax.types import Assets, HumanPose

_DATA = flags.DEFINE_string("data", None, "A tree of benchmark scenes.", required=True)
_SCENES = flags.DEFINE_integer("scenes", 10, "How many, evenly chosen; 0: all.")
_STEPS = flags.DEFINE_integer("steps", 40, "Steps of the refinement at each blur.")
_FIT = flags.DEFINE_boolean("fit", False, "Run whole fits, for the object's chamfer distance.")
_PRESET = flags.DEFINE_enum("preset", "hoijax", list(PRESETS), "Preset of --fit.")
HEADS = ("MPJPE", "MPVPE", "J root", "J image", "part IoU", "IoU", "s")


def versions(sample: Sample) -> Iterator[tuple[str, Sample]]:
    """The sample as it is, and with its person disturbed; one that is already disturbed only as it is."""
    if sample.human_truth is not None:
        yield "disturbed", sample
        return
    yield "as it is", with_true_human(sample)
    yield "disturbed", with_disturbed_human(sample, [zlib.crc32(sample.name.encode())])


def errors(sample: Sample, pose: HumanPose, human: ColoredMesh, seconds: float) -> dict[str, float]:
    """The columns of HEADS. `pose` with the place where the human stands."""
    assert sample.human_truth is not None
    found, true = (
        np.asarray(pose_body(builtin_body(), each).joints[:MAIN_JOINTS]) for each in (pose, sample.human_truth.pose)
    )
    apart = found - true
    meshes = human_metrics(sample, human, np.asarray(body_parts(builtin_body())))
    image = 1000 * np.linalg.norm(apart[:, :2], axis=1).mean()
    joints, centred = (1000 * np.linalg.norm(x, axis=1).mean() for x in (apart, apart - apart[0]))
    values = joints, meshes["human_mpvpe_mm"], centred, image, meshes["iou_parts"]
    return dict(zip(HEADS, (*map(float, values), silhouette(sample, human), seconds)))


def silhouette(sample: Sample, human: ColoredMesh) -> float:
    """IoU of the human with its mask where the object does not hide it."""
    return image_metrics(sample, human, sample.object)["iou_human"]


def refined(sample: Sample, prepared: Prepared, steps: int) -> dict[str, float]:
    """The columns after the refinement alone."""
    scene, body = prepared.scene, prepared.body
    given = Given(scene, Assets(body))
    began = time.perf_counter()
    pose = jax.block_until_ready(refined_human(given, steps=steps))
    seconds = time.perf_counter() - began
    verts = np.asarray(pose_body(body, pose).verts, np.float64) - np.asarray(sample.pose.translation)
    return errors(sample, pose, sample.human._replace(verts=verts), seconds)


def chamfer(sample: Sample, prepared: Prepared, config: Config) -> dict[str, float]:
    """Chamfer distance of the object after a fit (cm), and the seconds of it."""
    assert sample.truth is not None
    began = time.perf_counter()
    end = placed(sample, fit(prepared.scene, Assets(prepared.body), config, jax.random.key(0)))
    seconds = time.perf_counter() - began
    return {"CD": object_pose_errors(end.object.verts, sample.truth.verts, sample.truth.faces).chamfer_cm, "s": seconds}


def row(name: str, values: dict[str, float]) -> str:
    return f"{name:<44}" + "".join(f"{head:>9} {value:<7.3g}" for head, value in values.items())


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    folders = find_samples(Path(_DATA.value))
    if _SCENES.value > 0:
        folders = [folders[i] for i in np.unique(np.linspace(0, len(folders) - 1, _SCENES.value).astype(int))]
    plain = PRESETS[_PRESET.value]()
    total: dict[str, list[dict[str, float]]] = {}
    for folder in folders:
        for kind, sample in versions(load_sample(folder)):
            prepared = prepare(sample, plain)
            rows = {
                f"{kind}, given": errors(sample, sample.pose, sample.human, 0.0),
                f"{kind}, refined": refined(sample, prepared, _STEPS.value),
            }
            if _FIT.value:
                for title, steps in (("fit", 0), ("refined, then fit", _STEPS.value)):
                    rows[f"{kind}, {title}"] = chamfer(sample, prepared, with_options(plain, {"pose_steps": steps}))
            for title, values in rows.items():
                print(row(f"{sample.name}: {title}", values), flush=True)
                total.setdefault(title, []).append(values)
    print(f"\nmean of {len(folders)} scenes")
    for title, values in sorted(total.items()):
        print(row(title, {head: float(np.mean([each[head] for each in values])) for head in values[0]}))
    print("\nlargest")
    for title, values in sorted(total.items()):
        print(row(title, {head: float(np.max([each[head] for each in values])) for head in values[0]}))


if __name__ == "__main__":
    app.run(main)
