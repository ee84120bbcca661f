"""Meshes in the browser, to turn, to click, and over the photograph."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from nicegui import events, ui

# its three.js is what mesh_view.js draws with: importing the element puts it on the page's import map
import nicegui.elements.scene  # isort: skip

assert nicegui.elements.scene

LOOK_FIRST = "Look first: this item is not drawn yet."  # where something is decided while a view is not `drawn`
LONG = 10.0  # seconds after which nobody still presses a key that was meant for what was shown before


class Shown(NamedTuple):
    """A mesh of a view. `url` is that of a `packed_mesh`; `rgb` (0 to 1) stands for the file's own colours.

    The mouse goes through a mesh that is not `solid`. `names` of its labels appear at the mouse; `hover` (rgb and how
    strongly, 0 to 1) lights up the label under it; `borders` draws lines where labels meet.
    """

    name: str
    url: str
    rgb: tuple[float, float, float] | None = None
    opacity: float = 1.0
    edges: bool = False
    matrix: Float[np.ndarray, "4 4"] | None = None
    solid: bool = True
    names: tuple[str, ...] = ()
    hover: tuple[float, float, float, float] | None = None
    borders: bool = False


class Hit(NamedTuple):
    """What lies under the mouse: the mesh, the number of its face, the label of that face; whether shift was held.

    It is what a browser says: a tool looks at what it has itself under that number.
    """

    name: str
    face: int
    label: int
    shift: bool = False


class Drag(NamedTuple):
    """How the mouse changed a mesh over the photograph.

    `kind`: "move" (`by` metres along the camera's axes), "turn" (`by` radians, axis times angle, about its centre),
    "scale" and "away" (`by[0]`: logarithm of the factor of its size, of its distance from the camera). What the browser
    says, finite, but not yet otherwise judged.
    """

    kind: str
    by: tuple[float, float, float]


class MeshView(ui.element, component="mesh_view.js"):
    """A canvas with meshes. Coordinates are OpenCV's (x right, y down, z forward), metres.

    `drawn`: whether the browser has said that what was shown last has stood there for a moment, and so may have been
    looked at. Where it cannot draw (no WebGL), it says so half a second later; where it says nothing, time does.
    """

    def __init__(
        self,
        on_pick: Callable[[Hit], Any] | None = None,
        on_hover: Callable[[Hit | None], Any] | None = None,
        on_trouble: Callable[[str], Any] | None = None,
        on_drag: Callable[[Drag], Any] | None = None,
        on_drawn: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__()
        self._drawn, self._shows, self._since = False, 0, time.monotonic()

        def picked(event: events.GenericEventArguments) -> None:
            found = _hit(event.args)
            if on_pick and found:
                on_pick(found)

        def hovered(event: events.GenericEventArguments) -> None:
            if on_hover:
                on_hover(_hit(event.args))

        self.on("pick", picked)
        self.on("hover", hovered)

        def dragged(event: events.GenericEventArguments) -> None:
            drag = _drag(event.args)
            if on_drag and drag:
                on_drag(drag)

        self.on("drag", dragged)

        def was_drawn(event: events.GenericEventArguments) -> None:
            if event.args == self._shows and not self._drawn:  # else: what was shown before
                self._drawn = True
                if on_drawn:
                    on_drawn()

        self.on("drawn", was_drawn)
        self.on("trouble", lambda event: on_trouble(str(event.args)) if on_trouble else None)

    @property
    def drawn(self) -> bool:
        return self._drawn or time.monotonic() - self._since > LONG

    def show(self, meshes: Sequence[Shown]) -> None:
        """These meshes instead of what was shown; the camera stays."""
        self._drawn, self._shows, self._since = False, self._shows + 1, time.monotonic()
        self.run_method("show", [_plain(mesh) for mesh in meshes], self._shows)

    def place(self, name: str, matrix: Float[np.ndarray, "4 4"]) -> None:
        """The mesh at its own coordinates times this matrix."""
        self.run_method("place", name, [float(x) for x in np.asarray(matrix).ravel()])

    def grab(self, name: str, centre: Sequence[float]) -> None:
        """Over the photograph the mouse may move, turn, scale and push away this mesh; `centre` in the camera's frame."""
        self.run_method("grab", name, [float(x) for x in centre])

    def opacity(self, name: str, value: float) -> None:
        """0 hides the mesh."""
        self.run_method("opacity", name, float(value))

    def paint(self, name: str, colors: Mapping[int, Sequence[float]]) -> None:
        """Faces of these labels in these colours (rgb, 0 to 1, and how strongly: 1 where it is not given), all others in
        their own."""
        self.run_method("paint", name, {str(label): [float(x) for x in rgb] for label, rgb in colors.items()})

    def glow(self, name: str, label: int | None) -> None:
        """Lights up a label in its mesh's `hover` colour, as under the mouse; None: no label."""
        self.run_method("glow", name, label)

    def orbit(
        self, eye: Sequence[float], target: Sequence[float], up: Sequence[float] = (0, -1, 0), fov: float = 35.0
    ) -> None:
        """A camera that the mouse turns about `target`; `fov` is the vertical opening angle in degrees."""
        point = {"eye": eye, "target": target, "up": up}
        self.run_method("orbit", {name: [float(x) for x in xyz] for name, xyz in point.items()} | {"fov": float(fov)})

    def photograph(
        self, focal: Sequence[float], center: Sequence[float], box: Sequence[float], url: str | None = None
    ) -> None:
        """The photograph at `url`, the part in `box` (x0, y0, x1, y1, pixels; it may reach beyond), and the meshes as
        its camera sees them. Without `url` the photograph stays what it was."""
        lens = {"focal": focal, "center": center, "box": box}
        self.run_method("photograph", {name: [float(x) for x in xy] for name, xy in lens.items()} | {"url": url})

    def outline(self, path: str) -> None:
        """A thin line over the photograph, an SVG path in its pixels; empty for none."""
        self.run_method("outline", path)


def _drag(said: Any) -> Drag | None:
    """What the browser says of a drag; None where that makes no sense."""
    try:
        x, y, z = (float(value) for value in said["by"])
        kind = said["kind"]
    except (KeyError, TypeError, ValueError):
        return None
    known = kind in ("move", "turn", "scale", "away") and np.isfinite((x, y, z)).all()
    return Drag(kind, (x, y, z)) if known else None


def _hit(said: Any) -> Hit | None:
    """What the browser says lies under the mouse; None for nothing, and for what is no hit."""
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        return None
    face, label = said.get("face"), said.get("label")
    if type(face) is not int or type(label) is not int:
        return None
    return Hit(said["name"], face, label, said.get("shift") is True)


def _plain(mesh: Shown) -> dict[str, Any]:
    matrix = None if mesh.matrix is None else [float(x) for x in np.asarray(mesh.matrix).ravel()]
    return {**mesh._asdict(), "matrix": matrix}
