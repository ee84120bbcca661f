"""The fine tool at one page: what its keys and buttons do, and what it shows of the state."""

import logging
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np

from hoijax.annotate.fine.live import Live, Subject, number
from hoijax.annotate.fine.panel import QUALITY_COLORS, Deeds, Panel, panel
from hoijax.annotate.fine.pose import Pose, PoseError, identity, matrix, placed, plain, same
from hoijax.annotate.fine.shown import FOV, Made, Movable, stands
from hoijax.annotate.fine.snap import Asked, SnapError, Snapper
from hoijax.annotate.fine.state import ANNOTATED, COARSE, QUALITIES, FineState, first_base, fold
from hoijax.annotate.fine.steps import AXES, SIZES, dragged
from hoijax.annotate.fine.steps import COARSE as COARSE_STEPS
from hoijax.annotate.mesh_view import LOOK_FIRST, Drag, Shown
from hoijax.annotate.seat import Seat
from hoijax.annotate.tool import Bench, Key

EDGES, HUMAN, OBJECT = 0.4, "human", "object"
EDGE_RGB, OBJECT_RGB = (0.15, 0.85, 1.0), (0.95, 0.55, 0.15)
CACHE = "~/.cache/hoijax"  # of compiled code, as for the other programs


@cache
def snapper() -> Snapper:
    """The optimizer's process of this server."""
    return Snapper(Path(CACHE).expanduser())


class Workbench:
    """One page's. `state` follows the events of the item before the annotator."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.state = FineState(COARSE, identity(), "", False)
        self.size = "normal"
        self.close, self.hidden, self.traced = True, False, True
        self.shown = ""  # the base whose mesh is in the views
        self.stop: threading.Event | None = None
        self.panel: Panel = panel(
            Deeds(
                *(self.nudge, self.drag, self.snap, self.cancel, self.reset, self.change_base, self.quality),
                *(self.confirm, self.zoom, self.hide, self.trace, self.resize),
                *(lambda said: seat.say(said, bad=True), self.seen),
            )
        )
        self.live = Live(seat, self.panel.numbers, lambda: Subject(self.made, self.movable, self.state.pose))
        self.resize(self.size)
        seat.client.on_delete(self.cancel)

    # what is before the annotator

    @property
    def made(self) -> Made:
        found: Made = self.seat.made
        return found

    @property
    def movable(self) -> Movable:
        return self.made.bases[self.state.base]

    @property
    def pivot(self) -> np.ndarray:
        """The pivot in the camera's frame."""
        return self.movable.pivot + self.made.seen.offset

    def show(self) -> None:
        """Another item."""
        self.cancel()
        self._read()
        self.hidden = False
        self.urls = {base: self.seat.data(movable.drawn) for base, movable in self.made.bases.items()}
        self.human_url = self.seat.data(self.made.human)
        self.photo_url = self.seat.data(self.made.photo, "image/jpeg")
        self._show_meshes()
        self._aim()
        self._trace()

    def update(self) -> None:
        """The state after an act or an undo."""
        if not self.seat.ready:
            return
        self._read()
        if self.state.base != self.shown:
            self._show_meshes()
        where = self._matrix()
        self.panel.photo.place(OBJECT, where)
        for view in self.panel.sides.values():
            view.place(OBJECT, where)
        centre = self.pivot + self.state.pose.translation
        self.panel.photo.grab(OBJECT, [float(x) for x in centre])
        self._say_state()
        self.live.follow()

    def _read(self) -> None:
        try:
            found = fold(self.seat.events, first_base(self.seat.sample))
        except PoseError as error:
            self.seat.say(f"A stored pose of this item cannot be used ({error}); undo it.", bad=True)
            found = FineState(first_base(self.seat.sample), identity(), "", False)
        self.state = found if found.base in self.made.bases else found._replace(base=first_base(self.seat.sample))

    @property
    def drawn(self) -> bool:
        """Whether the annotator can have seen the item."""
        return self.panel.photo.drawn and all(view.drawn for view in self.panel.sides.values())

    def seen(self) -> None:
        """One more view stands before the annotator."""
        if self.drawn:
            self.panel.confirm.props("data-seen=yes")

    def _matrix(self) -> np.ndarray:
        """From the mesh's file to where it stands, in the camera's frame."""
        offset = np.eye(4)
        offset[:3, 3] = self.made.seen.offset
        return offset @ matrix(self.state.pose, self.movable.pivot)

    def _show_meshes(self) -> None:
        self.shown = self.state.base
        offset = np.eye(4)
        offset[:3, 3] = self.made.seen.offset
        url, where = self.urls[self.shown], self._matrix()
        edges = Shown(OBJECT, url, EDGE_RGB, 0.0 if self.hidden else EDGES, True, where)
        self.panel.confirm.props("data-seen=no")
        self.panel.photo.show([edges])
        for view in self.panel.sides.values():
            view.show([Shown(HUMAN, self.human_url, matrix=offset), Shown(OBJECT, url, OBJECT_RGB, matrix=where)])

    def _aim(self) -> None:
        """Cameras: on all of the photograph, or close by the object."""
        made, camera = self.made, self.seat.sample.camera
        box = made.close_box if self.close else made.whole_box
        lens = [float(x) for x in camera.focal], [float(x) for x in camera.center]
        self.panel.photo.photograph(*lens, box, self.photo_url)
        offset = made.seen.offset
        points = [placed(self.movable.whole.verts, self.state.pose, self.movable.pivot) + offset]
        if not self.close:
            points.append(self.seat.sample.human.verts + offset)
        for name, stand in stands(points).items():
            self.panel.sides[name].orbit(stand.eye, stand.target, stand.up, FOV)

    def _say_state(self) -> None:
        it, state = self.panel, self.state
        for axis in AXES:
            it.values[axis.name].text = f"{round(axis.value(state.pose), 1) + 0.0:.1f} {axis.unit}"  # no -0.0
        for tag, button in it.qualities.items():
            button.props(f"color={QUALITY_COLORS[tag] if tag == state.quality else 'grey-3'}")
            button.props(f"text-color={'white' if tag == state.quality else 'black'}")
        other = COARSE if state.base == ANNOTATED else ANNOTATED
        it.base.visible = other in self.made.bases
        it.base.text = f"moving the {state.base} mesh; start from the {other} one (c)"
        it.numbers["start"].text = number(self.movable.start_iou)
        it.snapping.visible = self.stop is not None
        it.confirm.props(f"color={'positive' if state.done else 'primary'}")

    # what the annotator does

    def nudge(self, name: str, steps: int) -> None:
        """Some steps along one axis."""
        axis, size = next(axis for axis in AXES if axis.name == name), SIZES[self.size]
        self._change(lambda pose: axis.moved(pose, self.pivot, size, steps), f"nudge {name}")

    def drag(self, drag: Drag) -> None:
        """What the mouse did over the photograph."""
        self._change(lambda pose: dragged(pose, self.pivot, drag), f"drag {drag.kind}")

    def _change(self, change: Callable[[Pose], Pose], by: str) -> bool:
        """Whether the pose was changed and kept."""
        if not self.seat.ready:
            return False
        try:
            pose = change(self.state.pose)
        except PoseError as error:
            self.seat.say(f"Not done: {error}.", bad=True)
            self.update()  # a drag has already moved it in the browser
            return False
        if self.seat.act("pose", {**plain(pose), "by": by}) is None:
            self.update()
            return False
        return True

    def reset(self) -> None:
        """Back to where the mesh started."""
        self._change(lambda _: identity(), "reset")

    def change_base(self) -> None:
        """The other mesh, from where it starts."""
        if not self.seat.ready:
            return
        other = COARSE if self.state.base == ANNOTATED else ANNOTATED
        if other in self.made.bases:
            self.seat.act("base", {"mesh": other})
        else:
            self.seat.say("This sample has only the coarse mesh.")

    def quality(self, tag: str) -> None:
        """How well the result can be used."""
        if self.seat.ready and tag in QUALITIES and tag != self.state.quality:
            self.seat.act("quality", {"tag": tag})

    async def confirm(self) -> None:
        """Keeps the pose as it stands and goes on."""
        if not self.seat.ready:
            return
        item, state = self.seat.item, self.state
        if not state.done:
            if not self.drawn and not self.seat.blocked:  # a second Enter, meant for the item before
                self.seat.say(LOOK_FIRST, bad=True)
                return
            value = self.live.iou_now()
            said = {**plain(state.pose), "base": state.base, "quality": state.quality, "iou": value}
            if self.seat.act("done", said) is None:
                return
            if item is not None and value is not None:
                self.seat.desk.facts[item] = {"iou": value}
        await self.seat.go(1, True)

    async def snap(self) -> None:
        """The optimizer's steps from here, as one act."""
        if not self.seat.ready or self.stop is not None:
            return
        if self.seat.blocked:
            self.seat.say(self.seat.blocked, bad=True)
            return
        item, state, stop = self.seat.item, self.state, threading.Event()
        self.stop = stop
        self._say_state()
        try:
            asked = Asked(self.seat.sample, state.base, state.pose)
            pose = await snapper().snap(asked, stop, lambda said: self._say_progress(stop, said))
            if pose is None or self.seat.item != item or not self.seat.ready:
                return
            if self.state.base != state.base or not same(self.state.pose, state.pose):
                self.seat.say("You moved the object while it was optimized; the result was dropped.")
                return
            if self._change(lambda _: pose, "snap"):
                self._aim()  # it may have gone far
        except (SnapError, PoseError) as error:
            self.seat.say(f"Snap failed: {error}", bad=True)
        except Exception as error:
            logging.exception("snap")
            self.seat.say(f"Snap failed: {type(error).__name__}: {error}", bad=True)
        finally:
            if self.stop is stop:
                self.stop = None
            if self.seat.ready:
                self._say_state()

    def cancel(self) -> None:
        """Ends a snap that is under way."""
        if self.stop is not None:
            self.stop.set()
            self.stop = None
            self.panel.snapping.visible = False

    def _say_progress(self, stop: threading.Event, said: str) -> None:
        if self.stop is stop:
            self.panel.progress.text = said

    def resize(self, size: str) -> None:
        """How far a step goes."""
        if size in SIZES:
            self.size = size
            self.panel.size.value = size
            self.panel.step.text = f"a step: {SIZES[size]}"

    def next_size(self) -> None:
        """The next step size."""
        names = list(SIZES)
        self.resize(names[(names.index(self.size) + 1) % len(names)])

    def zoom(self) -> None:
        """All of the scene, or close by the object."""
        if self.seat.ready:
            self.close = not self.close
            self._aim()

    def hide(self) -> None:
        """The photograph alone, or with the edges."""
        self.hidden = not self.hidden
        self.panel.photo.opacity(OBJECT, 0.0 if self.hidden else EDGES)

    def trace(self) -> None:
        """The object's mask as a line over the photograph, or not."""
        self.traced = not self.traced
        if self.seat.ready:
            self._trace()

    def _trace(self) -> None:
        self.panel.photo.outline(self.made.outline if self.traced else "")

    def keys(self) -> list[Key]:
        """Every key of the tool."""
        nudges = []
        for axis in AXES:
            for says, key, sign in ((axis.less, axis.less_key, -1), (axis.more, axis.more_key, 1)):
                far = f"shift+{key}" if len(key) > 1 else key.upper()
                nudges.append(Key(key, says, partial(self.nudge, axis.name, sign), True))
                nudges.append(Key(far, f"{says}, 5 steps", partial(self.nudge, axis.name, sign * COARSE_STEPS), True))
        tags = [Key(str(k), f"quality: {tag}", partial(self.quality, tag)) for k, tag in enumerate(QUALITIES, 1)]
        return [
            Key("Enter", "confirm and go on", self.confirm),
            *tags,
            Key("x", "snap: optimize from here", self.snap),
            Key("Escape", "cancel the snap", self.cancel),
            Key("0", "reset to the start", self.reset),
            Key("c", "the other mesh: annotated or coarse", self.change_base),
            Key("v", "step size", self.next_size),
            Key("z", "whole scene or close", self.zoom),
            Key("h", "hide or show the edges", self.hide),
            Key("m", "hide or show the outline of the object's mask", self.trace),
            *nudges,
        ]


def build(seat: Seat) -> Bench:
    """The tool, in a page."""
    bench = Workbench(seat)
    return Bench(bench.show, bench.update, bench.keys())
