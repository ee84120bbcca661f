"""Figures of the page: the scene that turns, and the curves of the losses."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from scipy.spatial import cKDTree

from hoijax.data.prepare import decimated
from hoijax.data.results import Result
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.report.overlay import HUMAN_RGB, NEAR, OBJECT_RGB, RGB, TRUTH_RGB, heat

FACES = 9000  # of one mesh on the page; above, it is decimated for the page only
POINTS = 160  # of one curve
LOG_RANGE = 30.0  # curves whose values span more than this ratio are drawn on a logarithmic scale
START_RGB: RGB = (0.72, 0.72, 0.76)
LIGHTING = {"ambient": 0.72, "diffuse": 0.42, "specular": 0.06, "roughness": 0.9, "fresnel": 0.05}
LIGHT = {"x": -40000, "y": 90000, "z": 60000}  # in the viewer's axes: up, left, before


def scene_figure(
    sample: Sample, result: Result, distance: Float[np.ndarray, " v"]
) -> tuple[go.Figure, dict[str, list[list[str]]]]:
    """The scene in 3D and the ways to colour it: {"photo" | "nearness": [colours of the person, of the object]}.

    Traces: person, object, and where it started; then the annotated object where the sample has one. Only the first
    two are visible at first. Upright although y points down; distances in metres. `distance`: `object_distance`.
    """
    human, thing = page_mesh(result.human), page_mesh(result.object)
    points = np.concatenate([human.verts, thing.verts])
    middle = (points.min(0) + points.max(0)) / 2
    traces = [
        mesh_trace(human, "person", HUMAN_RGB, middle),
        mesh_trace(thing, "object", OBJECT_RGB, middle),
        mesh_trace(page_mesh(sample.object), "start", START_RGB, middle, visible=False),
    ]
    if sample.truth is not None:
        traces.append(mesh_trace(page_mesh(sample.truth), "annotation", TRUTH_RGB, middle, visible=False))
    nearest = cKDTree(result.human.verts).query(human.verts)[1]
    plain = np.tile(OBJECT_RGB, (len(thing.verts), 1))
    colors = {
        "photo": [_hex(human.rgb), _hex(thing.rgb)],
        "nearness": [_hex(heat(np.asarray(distance)[nearest], NEAR)), _hex(plain)],
    }
    hidden = {"visible": False, "showspikes": False}
    camera = {"up": {"x": 0, "y": -1, "z": 0}, "eye": {"x": -0.95, "y": -0.3, "z": -1.95}}
    scene = {"xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "aspectmode": "data", "camera": camera}
    scene["dragmode"] = "orbit"
    layout = {"scene": scene, "margin": dict.fromkeys("lrtb", 0), "showlegend": False, "autosize": True}
    clear = "rgba(0,0,0,0)"
    return go.Figure(traces, {**layout, "paper_bgcolor": clear, "plot_bgcolor": clear}), colors


def page_mesh(mesh: ColoredMesh) -> ColoredMesh:
    """The mesh with at most `FACES` faces; one that cannot be decimated (a soup of triangles) is left as it is."""
    try:
        return decimated(mesh, FACES, FACES)[0]
    except ValueError:
        return mesh


def mesh_trace(
    mesh: ColoredMesh, name: str, rgb: RGB, middle: Float[np.ndarray, "3"], visible: bool = True
) -> go.Mesh3d:
    """One mesh in one colour, relative to `middle`."""
    x, y, z = (mesh.verts - middle).astype(np.float32).T
    i, j, k = mesh.faces.astype(np.int32).T
    return go.Mesh3d(
        **{"x": x, "y": y, "z": z, "i": i, "j": j, "k": k, "name": name, "visible": visible, "hoverinfo": "skip"},
        color=_hex(np.array([rgb]))[0],
        lighting=LIGHTING,
        lightposition=LIGHT,
    )


def curves(history: Mapping[str, Float[np.ndarray, " steps"]], config: Mapping[str, Any]) -> str:
    """HTML: one small curve per loss term over the steps, the weighted sum first; upright lines where a stage ends."""
    names = sorted(history, key=lambda name: (name != "loss", name))
    steps = [int(stage.get("steps", 0)) for stage in config.get("stages", ())]
    ends = [int(end) for end in np.cumsum(steps)[:-1]]
    return "\n".join(curve(name, np.asarray(history[name], np.float64), ends) for name in names)


def curve(name: str, values: Float[np.ndarray, " steps"], ends: Sequence[int] = ()) -> str:
    """HTML of one curve as SVG, with its first and last value; empty for a term that was never evaluated."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return ""
    seen = values[known]
    logarithmic = seen.min() > 0 and seen.max() / seen.min() > LOG_RANGE
    height = np.log(seen) if logarithmic else seen
    low, high = height.min(), height.max()
    y = 38 - 36 * (height - low) / (high - low if high > low else 1)
    x = 100 * known / max(len(values) - 1, 1)
    keep = np.unique(np.linspace(0, len(known) - 1, POINTS).astype(int))
    points = " ".join(f"{x[i]:.1f},{y[i]:.1f}" for i in keep)
    marks = "".join(
        f'<line class="stage" x1="{100 * end / (len(values) - 1):.1f}" x2="{100 * end / (len(values) - 1):.1f}" '
        f'y1="0" y2="40"/>'
        for end in ends
        if 0 < end < len(values) - 1
    )
    label = html.escape("weighted sum" if name == "loss" else name.replace("_", " "))
    first, last = f"{seen[0]:.3g}", f"{seen[-1]:.3g}"
    scale = " (log scale)" if logarithmic else ""
    return (
        f'<figure class="curve"><figcaption><b>{label}</b><span>{first} → {last}{scale}</span></figcaption>'
        f'<svg viewBox="0 0 100 40" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}: {first} at first, {last} at the last step{scale}">'
        f'{marks}<polyline points="{points}"/></svg></figure>'
    )


def _hex(rgb: Float[np.ndarray, "n 3"]) -> list[str]:
    """#rrggbb of each colour."""
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in (np.clip(rgb, 0, 1) * 255 + 0.5).astype(int).tolist()]
