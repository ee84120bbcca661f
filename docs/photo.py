"""The picture and the numbers of docs/photo.md.

python docs/photo.py              draws docs/photo.jpg: scikit-image's astronaut (NASA, public domain)
python docs/photo.py out/test     measures on the built-in benchmark: masks, boxes, landmarks, bodies
"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import pose_body
from hoijax.data.read import find_samples, load_sample
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.geometry import project
from hoijax.metrics.image import mask_iou
from hoijax.photo.box_mask import box_mask
from hoijax.photo.models import load_models
from hoijax.photo.people import Person, people, the_person
from hoijax.photo.person_body import PersonBody, fit_body, knowledge
from hoijax.report.overlay import HUMAN_RGB, on_white, overlay, view_pictures
from hoijax.report.raycast import solid

SIZE = 420
SHUTTLE = np.array([352.0, 0.0, 462.0, 285.0])
JOINTS = 22


def picture() -> np.ndarray:
    """Landmarks, masks, the body over the photograph, and the body from the front and the side."""
    from skimage import data

    image = data.astronaut()
    person = the_person(people(image, load_models()))
    found = fit_body(builtin_body(), person)
    marked = image.copy()
    for (x, y), visibility in zip(person.landmarks_px, person.visibility):
        if visibility > 0:
            color = (255, 40, 40) if visibility >= 0.5 else (160, 160, 160)
            cv2.circle(marked, (int(x), int(y)), 5, color, -1, cv2.LINE_AA)
    shuttle = box_mask(image, SHUTTLE, person.soft_mask)
    masks = image.astype(np.float64)
    for mask, color in ((person.mask & ~shuttle, HUMAN_RGB), (shuttle, (0.98, 0.60, 0.30))):
        masks[mask] = 0.4 * masks[mask] + 0.6 * 255 * np.array(color)
    masks = masks.astype(np.uint8)
    corners = SHUTTLE.astype(int)
    cv2.rectangle(masks, corners[:2].tolist(), (corners[2:] - 1).tolist(), (255, 255, 0), 2)
    shape = solid(
        [ColoredMesh(found.verts, np.asarray(builtin_body().faces), np.tile(HUMAN_RGB, (len(found.verts), 1)))]
    )
    over = overlay(image, shape, found.camera, np.zeros(3))
    views = [
        on_white(view) for view in view_pictures(shape, found.verts, (SIZE, SIZE // 2), ("front", "side")).values()
    ]
    return np.concatenate(
        [cv2.resize(p, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for p in (marked, masks, over)] + views, 1
    )


def joint_errors(found: PersonBody, true: Float[np.ndarray, "j 3"]) -> tuple[float, float]:
    """Mean distance of the joints in mm: with roots together, and after the best similarity (PA-MPJPE)."""
    a, b = found.joints[:JOINTS], true[:JOINTS]
    together = np.linalg.norm((a - a[0]) - (b - b[0]), axis=1).mean()
    a, b = a - a.mean(0), b - b.mean(0)
    left, sizes, right = np.linalg.svd(b.T @ a)
    signs = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    best = (sizes * signs).sum() / (a**2).sum() * a @ (left * signs @ right).T
    return 1000 * float(together), 1000 * float(np.linalg.norm(best - b, axis=1).mean())


def perfect(sample: Sample, points: Float[np.ndarray, "33 3"]) -> Person:
    """What a perfect network would say of a sample."""
    pixels = np.asarray(project(points, sample.camera), np.float64)
    h, w = sample.human_mask.shape
    rows, columns = np.nonzero(sample.human_mask)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float64)
    inside = ((pixels >= 0) & (pixels <= [w, h])).all(1).astype(np.float64)
    return Person(box, 1.0, pixels, inside, points, sample.human_mask, sample.human_mask.astype(np.float64))


def measured(sample: Sample) -> dict[str, float]:
    """Everything of one scene whose truth is known."""
    body, models = builtin_body(), load_models()
    true = pose_body(body, sample.pose)
    points = np.asarray(pose_body(knowledge(body).markers, sample.pose).verts[:33], np.float32)
    begin = time.perf_counter()
    found = people(sample.image, models)
    row = {"people found": float(len(found)), "s, people": time.perf_counter() - begin}
    person = max(found, key=lambda one: mask_iou(one.mask, sample.human_mask))
    row["IoU, person's mask"] = mask_iou(person.mask, sample.human_mask)
    thing = box_mask(sample.image, sample.object_box, person.soft_mask)
    row["IoU, object's mask from its box"] = mask_iou(thing, sample.object_mask)
    row["IoU, person's mask without the object's"] = mask_iou(person.mask & ~thing, sample.human_mask)
    true_px, seen = np.asarray(project(points, sample.camera)), person.visibility >= 0.5
    apart = np.linalg.norm(person.landmarks_px - true_px, axis=1)[seen]
    row["landmark error, % of the person's size"] = 100 * float(np.median(apart)) / float(np.ptp(true_px, axis=0).max())
    focal = float(sample.camera.focal[0])
    cases = {
        "perfect landmarks": (perfect(sample, points), focal, sample.object_mask),
        "network": (person, focal, thing),
        "network, natural focal length": (person, None, thing),
    }
    for name, (who, lens, hidden) in cases.items():
        begin = time.perf_counter()
        fitted = fit_body(body, who, lens, hidden)
        row[f"s, body, {name}"] = time.perf_counter() - begin
        row[f"MPJPE mm, {name}"], row[f"PA-MPJPE mm, {name}"] = joint_errors(
            fitted, np.asarray(true.joints, np.float64)
        )
    return row


def main(tree: str | None = None) -> None:
    if tree is None:
        cv2.imwrite(str(Path(__file__).with_suffix(".jpg")), cv2.cvtColor(picture(), cv2.COLOR_RGB2BGR))
        return
    rows = [measured(load_sample(folder)) for folder in find_samples(Path(tree))]
    print(f"{len(rows)} scenes\n\n| | mean | median | worst |\n|---|---:|---:|---:|")
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        worst = values.min() if name.startswith("IoU") else values.max()
        print(f"| {name} | {values.mean():.3g} | {np.median(values):.3g} | {worst:.3g} |")


if __name__ == "__main__":
    main(*sys.argv[1:2])
