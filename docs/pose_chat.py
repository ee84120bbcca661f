"""The picture of docs/pose_chat.md: who is meant, the annotated body, and what plain answers make of the words.

python docs/pose_chat.py TREE docs/pose_chat.jpg      # TREE: samples with people.json (pose_chat.py company)
"""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import pose_body
from hoijax.data.layout import find_samples
from hoijax.data.sample import ColoredMesh
from hoijax.metrics.body import without_root
from hoijax.report.overlay import OBJECT_RGB, RGB, TRUTH_RGB
from hoijax.report.raycast import cast, side_view, solid
from hoijax.tasks.pose_chat.floors import floor_answers
from hoijax.tasks.pose_chat.page import marked_photo
from hoijax.tasks.pose_chat.prompts import question
from hoijax.tasks.pose_chat.score import answered_pose, scores
from hoijax.tasks.pose_chat.select import PEOPLE_FILE, Criteria, Subject, load_people, load_subjects
from hoijax.types import HumanPose

NAMES = ("bench/sit_on_200", "bicycle/ride_200", "tennis racket/swing_200", "umbrella/hold_200")
ROWS = ("rest", "mean", "words: interaction")
TURN = 35.0  # degrees that a body is seen from the side
EXTENT = np.array([[-0.72, -1.1, -0.2], [0.72, 0.8, 0.2]])  # metres around the root: one scale for all


def body_picture(pose: HumanPose, rgb: RGB) -> UInt8[np.ndarray, "h w 3"]:
    """The built-in body in this pose without its root, from before it and a little from the side."""
    body = builtin_body()
    posed = pose_body(body, without_root(pose))
    verts = np.asarray(posed.verts - posed.joints[0], np.float64)
    axes = np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]]) @ Rotation.from_euler("y", -TURN, degrees=True).as_matrix()
    corners = np.stack(np.meshgrid(*EXTENT.T), axis=-1).reshape(-1, 3)
    colors = np.broadcast_to(np.asarray(rgb, np.float64), verts.shape).copy()
    mesh = ColoredMesh(verts, np.asarray(body.faces), colors)
    seen = cast(solid([mesh]), side_view(axes, corners, (360, 300)))
    return np.asarray(255 * (seen.rgb + 1 - seen.alpha[..., None]), np.uint8)


def draw(axes: Axes, picture: UInt8[np.ndarray, "h w 3"], below: str) -> None:
    """A picture without a frame and a line of text under it."""
    axes.imshow(picture)
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel(below, fontsize=8)
    axes.spines[:].set_visible(False)


def figure(subjects: list[Subject]) -> Figure:
    """A line for each of the samples named above; the plain answers are means over all others of the tree."""
    answers = floor_answers(subjects)
    chosen = [k for k, subject in enumerate(subjects) if subject.name in NAMES]
    made = Figure(figsize=(9.0, 2.35 * len(chosen)), dpi=90, layout="constrained")
    grid = made.subplots(len(chosen), 2 + len(ROWS), squeeze=False, width_ratios=[1.9, 1, 1, 1, 1])
    for line, k in zip(grid, chosen, strict=True):
        subject = subjects[k]
        draw(line[0], marked_photo(subject), asked(subject))
        draw(line[1], body_picture(subject.pose, TRUTH_RGB), "annotated")
        for axes, row in zip(line[2:], ROWS, strict=True):
            answer = answers[row][k]
            [score] = scores(builtin_body(), [answer], [subject.pose])
            pose = answered_pose(subject.pose, jnp.asarray(answer.body, jnp.float32), "annotation")
            draw(axes, body_picture(pose, OBJECT_RGB), f"{row}\n{score.mpjpe_mm:.0f} mm")
    return made


def asked(subject: Subject) -> str:
    """The question that tells all, in two lines."""
    text = question("interaction+object+location", subject.action, subject.category, subject.place)
    return text.replace(". ", ".\n").replace(" in this picture,", " in this picture,\n")


def main() -> None:
    tree, out = Path(sys.argv[1]), Path(sys.argv[2])
    folders = {folder.relative_to(tree).as_posix(): folder for folder in find_samples(tree)}
    subjects, left_out = load_subjects(folders, lambda name, folder: load_people(folder / PEOPLE_FILE), Criteria())
    print(f"{len(subjects)} samples, {len(left_out)} left out")
    figure(subjects).savefig(out, pil_kwargs={"quality": 82} if out.suffix == ".jpg" else None)


if __name__ == "__main__":
    main()
