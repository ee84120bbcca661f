"""Where bodies touch objects (Open3DHOI Figure 14): shares of the samples, painted on a body from both sides."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import matplotlib
import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import PART_NAMES, body_parts
from hoijax.body.smplx import pose_body, zero_pose
from hoijax.data.sample import ColoredMesh
from hoijax.report.overlay import on_white, view_pictures
from hoijax.report.raycast import solid
from hoijax.tasks.statistics.row import Row, topology_of, unpacked

SHARES = "YlOrRd"  # light to dark in one run of lightness: it prints in grey, and every reader sees the order
ARMS_DOWN = 1.1  # radians at the shoulders, so that the figure fits a narrow picture
NONE_RGB = (0.86, 0.86, 0.86)  # of a part that never touches
SIZE = (640, 380)


class BodyMap(NamedTuple):
    """A number in [0, 1] for every vertex of a body that faces the camera (x right, y down, z away), and its title."""

    body: ColoredMesh
    share: Float[np.ndarray, " v"]
    title: str


def shown_body() -> ColoredMesh:
    """The built-in body, arms a little lowered."""
    body, pose = builtin_body(), zero_pose()
    pose = pose._replace(body=jnp.asarray(pose.body).at[15, 2].set(-ARMS_DOWN).at[16, 2].set(ARMS_DOWN))
    verts = np.asarray(pose_body(body, pose).verts, np.float64) * [1, -1, -1]
    return ColoredMesh(verts, np.asarray(body.faces), np.full(verts.shape, 0.7))


def part_map(rows: Sequence[Row]) -> BodyMap | None:
    """Shares of the labelled samples in which each of the 34 parts touches; None without labels."""
    labelled = [row for row in rows if row.contact_parts is not None]
    if not labelled:
        return None
    share = np.array([np.mean([part in (row.contact_parts or ()) for row in labelled]) for part in PART_NAMES])
    title = f"annotated parts, {len(labelled)} samples"
    return BodyMap(shown_body(), share[body_parts(builtin_body())], title)


def vertex_map(rows: Sequence[Row], example: ColoredMesh | None = None) -> BodyMap | None:
    """Shares of all samples in which each vertex is within 5 cm of the object, or in it.

    None where the humans do not share one topology. It is painted on the built-in body where that is theirs, else on
    `example`, a human of the data as it is posed; None without one.
    """
    if len({row.topology for row in rows}) != 1:
        return None
    body = shown_body()
    if topology_of(body) != rows[0].topology:
        if example is None:
            return None
        body = example
    near: Int[np.ndarray, " v"] = np.zeros(rows[0].human_verts, np.int64)
    for row in rows:
        near += unpacked(row.near, row.human_verts)
    return BodyMap(body, near / len(rows), f"vertices within 5 cm, {len(rows)} samples")


def body_figure(maps: Sequence[BodyMap]) -> bytes:
    """PNG: each map from the front and the back, with a colour bar of its own."""
    figure = Figure(figsize=(5.0 * len(maps), 5.2), layout="constrained")
    for axes, own in zip(np.atleast_1d(figure.subplots(1, len(maps))), maps):
        most = max(float(own.share.max()), 1e-9)
        norm = matplotlib.colors.Normalize(0, most)
        rgb = matplotlib.colormaps[SHARES](norm(own.share))[:, :3]
        rgb[own.share == 0] = NONE_RGB
        shape = solid([own.body._replace(rgb=rgb.astype(np.float64))])
        pictures = view_pictures(shape, np.asarray(own.body.verts, np.float64), SIZE, ("front", "back"))
        axes.imshow(np.concatenate([on_white(picture) for picture in pictures.values()], 1))
        axes.set_title(f"{own.title} (front, back)", fontsize=9)
        axes.axis("off")
        scale = matplotlib.cm.ScalarMappable(norm, SHARES)
        bar = figure.colorbar(scale, ax=axes, orientation="horizontal", fraction=0.05, pad=0.02, shrink=0.7)
        bar.ax.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
        bar.set_label("share of the samples; grey: none", fontsize=8)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=90, metadata={"Software": None})
    return file.getvalue()
