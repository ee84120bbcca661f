"""The picture that sets reconstructions of the same photographs side by side (Open3DHOI Fig. 9 and 22)."""

import math
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hoijax.data.sample import ColoredMesh, Sample
from hoijax.report.overlay import OBJECT_RGB, RGB, TRUTH_RGB, on_white, overlay, painted, view_pictures
from hoijax.report.tables import metric, metric_text
from hoijax.types import Camera

CELL = 340  # pixels: width of one picture
MARGIN = 0.12  # of the box around both masks, on each side
RATIOS = (0.6, 1.5)  # least and most height of a picture by its width
REACH = 0.5  # the side view shows objects up to this many sizes of the true scene outside of it
SHORT = {"chamfer_cm": "CD cm", "co2": "Co2", "iou_object": "IoU"}
INK, SOFT = "#23262d", "#646a76"


class State(NamedTuple):
    """One reconstruction of a sample, in the frame of its files; `metrics` are told below it."""

    human: ColoredMesh
    object: ColoredMesh
    metrics: Mapping[str, float]
    rgb: RGB = OBJECT_RGB


class Line(NamedTuple):
    """A sample and its reconstructions by column; None: there is none."""

    sample: Sample
    states: Mapping[str, State | None]


def truth_state(sample: Sample) -> State | None:
    """The annotation as a column of its own, in green."""
    return None if sample.truth is None else State(sample.human, sample.truth, {}, TRUTH_RGB)


def comparison(lines: Sequence[Line]) -> Figure:
    """Photograph, then each column in the photograph's view and, below it, from the side; a line per sample.

    The side view looks from the picture's left, so that the camera is on its left; all of a line have one scale.
    """
    columns = ["photograph", *dict.fromkeys(name for line in lines for name in line.states)]
    crops = [_crop(line.sample) for line in lines]
    sizes = [size for image, _ in crops for size in (_ratio(image), _ratio(image))]
    figure = Figure(figsize=(2.1 * len(columns), 2.1 * sum(sizes) + 0.3 * len(lines) + 0.3), dpi=CELL / 2.1)
    figure.set_layout_engine("constrained", h_pad=0.04, w_pad=0.02, hspace=0.0, wspace=0.0)
    grid = figure.subplots(len(sizes), len(columns), squeeze=False, gridspec_kw={"height_ratios": sizes})
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for axes, name in zip(grid[0], columns):
        axes.set_title("\n".join(wrap(name, 24)), fontsize=9.5, color=INK, fontweight="bold")
    for k, (line, crop) in enumerate(zip(lines, crops)):
        _draw_line(line, crop, columns, list(grid[2 * k]), list(grid[2 * k + 1]))
    return figure


def _draw_line(
    line: Line,
    crop: tuple[UInt8[np.ndarray, "h w 3"], Camera],
    columns: Sequence[str],
    upper: Sequence[Axes],
    lower: Sequence[Axes],
) -> None:
    """One sample: pictures above, side views below."""
    sample, (image, camera) = line.sample, crop
    upper[0].imshow(image)
    words = [word.replace("_", " ") for word in (sample.category or sample.name, sample.action or "") if word]
    lower[0].text(0.5, 0.6, "\n".join(words), ha="center", va="center", fontsize=10, color=INK)
    lower[0].text(0.5, 0.3, "right: from the side", ha="center", va="center", fontsize=7.5, color=SOFT)
    framed, size = _framing(line), (round(CELL * _ratio(image)), CELL)
    for name, above, below in zip(columns[1:], upper[1:], lower[1:]):
        state = line.states.get(name)
        if state is None:
            above.text(0.5, 0.5, "none", ha="center", va="center", fontsize=9, color=SOFT)
            continue
        shape = painted(state.human, state.object, state.rgb)
        above.imshow(overlay(image, shape, camera, np.asarray(sample.pose.translation), max(size)))
        below.imshow(on_white(view_pictures(shape, framed, size, ("side",))["side"]))
        below.set_xlabel(_caption(state.metrics), fontsize=7.5, color=SOFT, labelpad=1)


def _crop(sample: Sample) -> tuple[UInt8[np.ndarray, "h w 3"], Camera]:
    """The photograph around both masks, no narrower or flatter than `RATIOS` where it goes on; and its camera."""
    mask = sample.human_mask | sample.object_mask
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return sample.image, sample.camera
    low, high = np.array([columns[0], rows[0]]), np.array([columns[-1], rows[-1]]) + 1
    size, limit = (1 + 2 * MARGIN) * (high - low), np.array(mask.shape[::-1])
    size = np.minimum(np.maximum(size, [size[1] / RATIOS[1], size[0] * RATIOS[0]]), limit).astype(int)
    left, top = np.clip((low + high - size) // 2, 0, limit - size)
    moved = sample.camera._replace(center=sample.camera.center - np.array([left, top], np.float32))
    return np.ascontiguousarray(sample.image[top : top + size[1], left : left + size[0]]), moved


def _ratio(image: UInt8[np.ndarray, "h w 3"]) -> float:
    """Height of a cell by its width: the picture's, unless that is extreme."""
    return float(np.clip(image.shape[0] / image.shape[1], *RATIOS))


def _framing(line: Line) -> Float[np.ndarray, "2 3"]:
    """Corners of what the side views show: the person and the true object, and the others unless they are far off."""
    sample = line.sample
    points = np.concatenate([sample.human.verts, (sample.truth or sample.object).verts])
    low, high = points.min(0), points.max(0)
    reach = REACH * (high - low)
    shown = [state.object.verts for state in line.states.values() if state is not None]
    everything = np.concatenate([points, *(np.clip(verts, low - reach, high + reach) for verts in shown)])
    return np.stack([everything.min(0), everything.max(0)])


def _caption(metrics: Mapping[str, float]) -> str:
    """The metrics that are known, in one line."""
    known = {name: value for name, value in metrics.items() if math.isfinite(value)}
    texts = (f"{SHORT.get(name, metric(name).title)} {metric_text(value, name)}" for name, value in known.items())
    return ", ".join(texts)
