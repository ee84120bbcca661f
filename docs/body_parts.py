"""Draws docs/body_parts.png: the 34 parts of the built-in body from the front and the back, and the dressed figure.

Run from the repository's root: python docs/body_parts.py
"""

from pathlib import Path

import igl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from hoijax.body.builtin import builtin_body
from hoijax.body.outfit import outfit_rgb, part_colors
from hoijax.body.parts import PART_NAMES, body_parts
from hoijax.body.smplx import pose_body, zero_pose

ARMS_DOWN = 0.7  # radians at the shoulders, so that the figure fits a narrow picture


def draw(axes: Axes, verts: np.ndarray, faces: np.ndarray, rgb: np.ndarray, back: bool) -> None:
    """The mesh seen along -z (or +z from the back), far triangles first, lit from above the viewer."""
    turn = np.array([-1.0, 1, -1]) if back else np.array([1.0, 1, 1])
    verts = verts * turn
    normals = igl.per_face_normals(verts, faces, np.zeros(3))
    light = np.array([0.25, 0.45, 0.86])
    shade = 0.45 + 0.55 * np.clip(normals @ light, 0, 1)
    order = np.argsort(verts[faces, 2].mean(1))
    order = order[normals[order, 2] > 0]
    color = np.clip(rgb[faces].mean(1) * shade[:, None], 0, 1)[order]
    axes.add_collection(
        PolyCollection(verts[faces[order]][..., :2], facecolors=color, edgecolors=color, linewidths=0.6)
    )
    axes.set_aspect("equal")
    axes.autoscale()
    axes.axis("off")


def main() -> None:
    """Writes the picture beside this file."""
    body = builtin_body()
    parts = body_parts(body)
    pose = zero_pose()
    pose = pose._replace(body=pose.body.at[15, 2].set(-ARMS_DOWN).at[16, 2].set(ARMS_DOWN))
    verts, faces = np.asarray(pose_body(body, pose).verts, np.float64), np.asarray(body.faces, np.int64)
    colors = part_colors()
    dressed = outfit_rgb(body, parts)
    figure, grid = plt.subplots(2, 4, figsize=(18, 11), width_ratios=[3, 3, 3, 1.6], height_ratios=[2, 1])
    head = np.isin(parts[faces], [PART_NAMES.index(n) for n in ("head", "jaw", "nose", "mouth", "left eye")]).any(1)
    head |= verts[faces, 1].mean(1) > np.asarray(body.regressor @ body.template)[12, 1]
    reach = verts[faces, 0].mean(1) > np.asarray(pose_body(body, pose).joints)[18, 0]
    draw(grid[0, 0], verts, faces, colors[parts], back=False)
    draw(grid[0, 1], verts, faces, colors[parts], back=True)
    draw(grid[0, 2], verts, faces, dressed, back=False)
    draw(grid[1, 0], verts, faces[head], colors[parts], back=False)
    draw(grid[1, 1], verts, faces[reach], colors[parts], back=True)
    draw(grid[1, 2], verts, faces[head], dressed, back=True)
    for axes in grid[:, 3]:
        axes.axis("off")
    patches = [Patch(color=colors[k], label=f"{name} ({(parts == k).sum()})") for k, name in enumerate(PART_NAMES)]
    figure.legend(handles=patches, loc="center right", fontsize=11, frameon=False)
    figure.tight_layout()
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=60)


if __name__ == "__main__":
    main()
