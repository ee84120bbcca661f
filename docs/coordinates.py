"""Draws docs/coordinates.png: the frames, pivots and pixels of hoijax, with meshes that stand where the code puts them.

Run from the repository's root: python docs/coordinates.py
"""

from collections.abc import Sequence
from pathlib import Path

import jax.numpy as jnp
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle
from PIL import Image

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import pose_body, zero_pose
from hoijax.data.sample import ColoredMesh
from hoijax.data.scene_glb import TO_GLTF
from hoijax.data.synthetic import synthetic_sample
from hoijax.geometry import similarity
from hoijax.mesh.sdf import init_sdf_grid
from hoijax.types import ObjectPose

RED, GREEN, BLUE, INK, FAINT = "#c8382e", "#3d8f3a", "#2f62b5", "#23221f", "#8b877f"
HUMAN, OBJECT, MOVED = (0.62, 0.66, 0.74), (0.86, 0.62, 0.36), (0.93, 0.80, 0.62)
AXES = (RED, GREEN, BLUE)
STAND_IN = np.array([0.75, 0.05, 2.1])  # cam_trans in the drawing: the built-in scenes' own is a long lens's
SHAPE = 1.25  # width of a panel by its height
VIEWS = {  # screen right, screen up, towards the eye, in hoijax's axes
    "oblique": np.array([[0.80, 0.0, 0.60], [-0.15, -0.97, 0.20], [0.58, -0.25, -0.78]]),
    "front": np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]]),
    "turned": np.array([[0.91, 0.0, -0.41], [-0.11, -0.96, -0.25], [-0.40, 0.27, -0.87]]),
}


def shaded(
    axes: Axes, mesh: ColoredMesh, view: Float[np.ndarray, "3 3"], rgb: Sequence[float], alpha: float = 1.0
) -> None:
    """The mesh, parallel projected, painted from back to front."""
    corners = np.asarray(mesh.verts)[mesh.faces] @ view.T
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    light = 0.55 + 0.45 * np.abs(normals @ np.array([-0.35, 0.6, 0.72])) / np.maximum(lengths, 1e-12)
    order = np.argsort(corners[:, :, 2].mean(1))
    colors = np.clip(np.outer(light, rgb), 0, 1)[order]
    axes.add_collection(PolyCollection(corners[order][:, :, :2], facecolors=colors, edgecolors="none", alpha=alpha))


def arrow(axes: Axes, start: np.ndarray, end: np.ndarray, color: str, width: float = 2.0) -> None:
    """An arrow between two points of the drawing."""
    style = {"arrowstyle": "-|>", "color": color, "lw": width, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 13}
    axes.annotate("", end[:2], start[:2], arrowprops=style, zorder=6)


def triad(
    axes: Axes,
    origin: Float[np.ndarray, "3"],
    view: Float[np.ndarray, "3 3"],
    length: float,
    frame: Float[np.ndarray, "3 3"] | None = None,
    names: Sequence[str] = "xyz",
) -> None:
    """The axes of a frame (rows: its x, y and z in hoijax's axes) at a point."""
    at = view @ origin
    for direction, name, color in zip(np.eye(3) if frame is None else frame, names, AXES):
        tip = view @ (origin + length * direction)
        along = (tip - at)[:2]
        if np.linalg.norm(along) < 0.2 * length:
            away = (tip - at)[2] < 0
            axes.plot(*at[:2], "o", ms=11, mfc="white", mec=color, mew=1.8, zorder=7)
            axes.plot(*at[:2], "x" if away else "o", ms=6 if away else 4, color=color, mew=1.8, zorder=8)
            axes.text(at[0] - 0.32 * length, at[1] - 0.36 * length, name, color=color, fontsize=12, zorder=8)
            continue
        arrow(axes, at, tip, color)
        place = tip[:2] + 0.16 * length * along / np.linalg.norm(along)
        axes.text(*place, name, color=color, fontsize=12, ha="center", va="center", zorder=8)


def clear(axes: Axes, title: str, left: float, right: float, low: float, high: float) -> None:
    """A panel without ticks, at least of these bounds and of the same shape as all others."""
    width, height = max(right - left, SHAPE * (high - low)), max(high - low, (right - left) / SHAPE)
    x, y = (left + right) / 2, (low + high) / 2
    left, right, low, high = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    axes.set(xlim=(left, right), ylim=(low, high), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_color("#dedad2")
    axes.set_title(title, loc="left", fontsize=12.5, color=INK, fontweight="bold")


def note(axes: Axes, x: float, y: float, text: str, color: str = INK, **more: object) -> None:
    axes.text(x, y, text, color=color, fontsize=10, va="center", zorder=9, **more)


def camera_panel(axes: Axes, human: ColoredMesh, thing: ColoredMesh) -> None:
    """World and camera are one frame; meshes are stored without cam_trans."""
    view = VIEWS["oblique"]
    for mesh, rgb in ((human, HUMAN), (thing, OBJECT)):
        shaded(axes, mesh._replace(verts=mesh.verts + STAND_IN), view, rgb)
    zero, at = np.zeros(3), view @ STAND_IN
    plane = np.array([[-0.5, -0.5, 1], [0.5, -0.5, 1], [0.5, 0.5, 1], [-0.5, 0.5, 1]]) @ view.T
    axes.fill(*plane[:, :2].T, facecolor="#f4f1ea", edgecolor=FAINT, lw=1, zorder=0)
    for corner in plane:
        axes.plot([0, corner[0]], [0, corner[1]], color=FAINT, lw=0.7, zorder=0)
    triad(axes, zero, view, 0.55)
    arrow(axes, np.zeros(2), at, INK, 1.3)
    axes.plot(*at[:2], "o", color=INK, ms=5, zorder=9)
    note(axes, 0.66 * at[0], 0.66 * at[1] + 0.13, "cam_trans", ha="center")
    note(axes, at[0] + 0.5, at[1] + 0.27, "origin of\nthe files")
    axes.plot([at[0] + 0.04, at[0] + 0.48], [at[1] + 0.02, at[1] + 0.2], color=INK, lw=0.7, zorder=9)
    note(axes, -0.35, -1.0, "camera = world: x right, y down, z forward; metres\na mesh is drawn at verts + cam_trans")
    clear(axes, "1  World, camera, and what files store", -0.45, 2.85, -1.15, 1.2)


def pixel_panel(axes: Axes) -> None:
    """Pixel (i, j) has its centre at (j + 0.5, i + 0.5)."""
    for row in range(3):
        for column in range(4):
            chosen = (row, column) == (1, 2)
            axes.add_patch(Rectangle((column, -row - 1), 1, 1, fc="#f3dcc4" if chosen else "white", ec="#bdb8ad", lw=1))
            axes.plot(column + 0.5, -row - 0.5, ".", color=INK if chosen else FAINT, ms=9 if chosen else 5)
    axes.plot(0, 0, "s", color=INK, ms=6, zorder=8)
    arrow(axes, np.array([0, 0]), np.array([4.5, 0]), RED)
    arrow(axes, np.array([0, 0]), np.array([0, -3.5]), GREEN)
    note(axes, 4.62, 0, "u", RED)
    note(axes, -0.06, -3.68, "v", GREEN)
    note(axes, -0.1, 0.28, "(0, 0): corner of the image")
    note(axes, 2.5, -2.28, "row i = 1, column j = 2:\ncentre at (2.5, 1.5)", ha="center", backgroundcolor="white")
    note(
        axes,
        -0.3,
        -4.2,
        "OpenCV, BOP, Kinects: this centre is (2, 1);\nimporters add 0.5 to the principal point",
    )
    clear(axes, "2  Pixels", -0.7, 5.6, -4.75, 0.7)


def similarity_panel(axes: Axes, thing: ColoredMesh) -> None:
    """x' = s R (x - m) + m + t about the mean of the vertices."""
    view = VIEWS["front"]
    m = thing.verts.mean(0)
    pose = ObjectPose(jnp.array([0.0, 0.0, -0.5]), jnp.array([0.95, -0.12, 0.0]), jnp.log(jnp.float32(0.75)))
    verts = similarity(jnp.asarray(thing.verts, jnp.float32), pose, jnp.asarray(m, jnp.float32))
    shaded(axes, thing, view, MOVED)
    shaded(axes, thing._replace(verts=np.asarray(verts)), view, OBJECT)
    start, end = view @ m, view @ (m + np.asarray(pose.translation))
    arrow(axes, start, end, INK, 1.5)
    axes.plot(*start[:2], "o", color=INK, ms=6, zorder=9)
    note(axes, start[0] - 0.05, start[1] + 0.13, "m", ha="right")
    note(axes, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.09, "t", ha="center")
    x, y = start[:2]
    note(axes, x - 0.4, y - 0.68, "x' = s R (x − m) + m + t\nm: mean of the vertices at the start")
    note(axes, x - 0.3, y + 0.62, "start: s = 1, R = I, t = 0", FAINT)
    note(axes, x + 0.72, y + 0.62, "s = 0.75, 0.5 rad", FAINT)
    clear(axes, "3  The object's pose", x - 0.5, x + 1.5, y - 0.8, y + 0.72)


def body_panel(axes: Axes) -> None:
    """The rest pose: y up, +z before it, the root joint off the origin."""
    body = builtin_body()
    posed = pose_body(body, zero_pose())
    flip = np.array([1.0, -1.0, -1.0])  # y up drawn with views whose y points down
    mesh = ColoredMesh(np.asarray(posed.verts) * flip, np.asarray(body.faces), np.zeros((len(body.template), 3)))
    view = VIEWS["turned"]
    shaded(axes, mesh, view, HUMAN, 0.85)
    triad(axes, np.zeros(3), view, 0.55, np.diag(flip))
    root = view @ (np.asarray(posed.joints[0]) * flip)
    axes.plot(*root[:2], "o", color=INK, ms=6, zorder=9)
    note(axes, root[0] - 0.9, root[1] - 0.02, "root joint J")
    axes.plot([root[0] - 0.42, root[0] - 0.03], [root[1] - 0.02, root[1]], color=INK, lw=0.7, zorder=9)
    text = "T-pose: y up, face towards +z, metres\nthe pose turns it about J: x' = R (x − J) + J + cam_trans"
    note(axes, -1.3, -1.28, text)
    clear(axes, "4  The body's rest frame (SMPL-X's)", -1.4, 1.4, -1.4, 0.85)


def grid_panel(axes: Axes, thing: ColoredMesh) -> None:
    """The cube of a signed distance grid about the object where it starts."""
    view = VIEWS["oblique"]
    grid = init_sdf_grid(thing.verts, thing.faces, 16)
    low = np.asarray(grid.origin, np.float64)
    side = float(grid.spacing) * (grid.values.shape[0] - 1)
    shaded(axes, thing, view, OBJECT)
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * side + low
    drawn = corners @ view.T
    for a in range(8):
        for b in range(a + 1, 8):
            if np.isclose(np.linalg.norm(corners[a] - corners[b]), side):
                axes.plot(*drawn[[a, b], :2].T, color=FAINT, lw=0.9, zorder=1)
    triad(axes, low, view, 0.3 * side, names=("i", "j", "k"))
    at = view @ low
    axes.plot(*at[:2], "o", color=INK, ms=6, zorder=9)
    note(axes, at[0] - 0.06, at[1] + 0.1, "origin", ha="right")
    low_x, low_y = drawn[:, 0].min(), drawn[:, 1].min()
    note(axes, low_x - 0.15, low_y - 0.13, "values[i, j, k] at origin + spacing (i, j, k)")
    clear(axes, "5  Signed distance grids", low_x - 0.3, drawn[:, 0].max() + 0.2, low_y - 0.25, drawn[:, 1].max() + 0.2)


def frames_panel(axes: Axes) -> None:
    """How one scene's axes stand in other programs, all drawn as seen from behind the camera."""
    frames = [
        ("hoijax, OpenCV, BOP's\ncamera, gaussians.ply", np.eye(3)),
        ("scene.glb, three.js, OpenGL,\nBlender's camera", np.diag(TO_GLTF)),
        ("Blender after\nimporting scene.glb", np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])),
        ("PyTorch3D", np.diag([-1.0, -1.0, 1.0])),
    ]
    view = VIEWS["oblique"]
    for number, (title, frame) in enumerate(frames):
        x, y = 2.5 * (number % 2), -1.8 * (number // 2)
        triad(axes, view.T @ np.array([x, y, 0.0]), view, 0.5, frame)
        axes.text(x, y - 0.68, title, ha="center", va="top", fontsize=10, color=INK)
    clear(axes, "6  The same camera's axes elsewhere", -0.9, 3.5, -3.1, 0.75)


def main() -> None:
    """Writes the picture beside this file."""
    sample = synthetic_sample("chair")
    assert sample.truth is not None
    figure, grid = plt.subplots(2, 3, figsize=(15.6, 9.0), dpi=100)
    camera_panel(grid[0, 0], sample.human, sample.truth)
    pixel_panel(grid[0, 1])
    similarity_panel(grid[0, 2], sample.truth)
    body_panel(grid[1, 0])
    grid_panel(grid[1, 1], sample.truth)
    frames_panel(grid[1, 2])
    figure.subplots_adjust(left=0.008, right=0.992, bottom=0.012, top=0.962, wspace=0.03, hspace=0.11)
    path = Path(__file__).with_suffix(".png")
    figure.savefig(path)
    Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
