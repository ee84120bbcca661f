"""Numbers that follow the object: measured in a thread, one pose at a time, the newest first."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from nicegui import background_tasks, run, ui

from hoijax.annotate.fine.numbers import Touch, contact_masks, iou, touch
from hoijax.annotate.fine.pose import Pose, placed, same
from hoijax.annotate.fine.shown import Made, Movable
from hoijax.annotate.seat import Seat
from hoijax.data.sample import Sample

SOON, REST = 0.04, 0.4  # seconds without a nudge before the IoU and then contact are measured: the picture comes first


class Subject(NamedTuple):
    """What is to be measured."""

    made: Made
    movable: Movable
    pose: Pose


class Live:
    """The numbers of one page. `subject` says what stands there now; two of the same objects are the same subject."""

    def __init__(self, seat: Seat, labels: Mapping[str, ui.label], subject: Callable[[], Subject]) -> None:
        self._seat, self._labels, self._subject = seat, labels, subject
        self._busy = False
        self._measured: tuple[Subject, float] | None = None
        self._known: tuple[Movable, Bool[np.ndarray, "p v"], Touch] | None = None

    def follow(self) -> None:
        """Measures what stands there now, and what comes while it does."""
        if not self._busy:
            self._busy = True
            background_tasks.create(self._all(), name="hoijax: live numbers")

    def iou_now(self) -> float | None:
        """The IoU of what stands there now; None where there is none."""
        now = self._subject()
        if self._measured is None or not _same(self._measured[0], now):
            self._measured = now, _iou(now)
        return self._measured[1] if np.isfinite(self._measured[1]) else None

    def _current(self, subject: Subject) -> bool:
        seat = self._seat
        return seat.ready and not seat.client.is_deleted and _same(self._subject(), subject)

    async def _all(self) -> None:
        try:
            done = None
            while self._seat.ready and not self._seat.client.is_deleted:
                now = self._subject()
                if done is not None and _same(now, done):
                    return
                done = now
                await self._one(now)
        except Exception as error:  # numbers that cannot be had must not stop the annotator
            logging.exception("live numbers")
            self._seat.say(f"IoU and Co2 cannot be measured here: {type(error).__name__}: {error}", bad=True)
        finally:
            self._busy = False

    async def _one(self, now: Subject) -> None:
        seat, labels = self._seat, self._labels
        await asyncio.sleep(SOON)
        if not self._current(now):
            return
        sample = seat.sample
        value = await run.io_bound(_iou, now)
        if value is None or not self._current(now):  # None: the server is stopping
            return
        self._measured = now, value
        labels["iou"].text = number(value)
        labels["iou"].style(f"color: {_color(value)}")
        for name in ("co2", "gap", "depth"):
            labels[name].style("opacity: 0.4")
        await asyncio.sleep(REST)
        found = await run.io_bound(self._touch, sample, now) if self._current(now) else None
        if found is None or not self._current(now):
            return
        for name, text in _words(*found).items():
            labels[name].text = text
            labels[name].style("opacity: 1")

    def _touch(self, sample: Sample, now: Subject) -> tuple[Touch, Touch]:
        """Now and at the start. The body's parts and the numbers of the start are found once for a mesh."""
        if self._known is None or self._known[0] is not now.movable:
            masks = contact_masks(sample)
            self._known = now.movable, masks, touch(sample.human, now.movable.whole, masks)
        _, masks, start = self._known
        whole = now.movable.whole
        moved = whole._replace(verts=placed(whole.verts, now.pose, now.movable.pivot))
        return touch(sample.human, moved, masks), start


def number(value: float) -> str:
    """Three digits, or a dash where there is no number."""
    return f"{value:.3f}" if np.isfinite(value) else "–"


def _same(a: Subject, b: Subject) -> bool:
    return a.movable is b.movable and same(a.pose, b.pose)


def _iou(now: Subject) -> float:
    mesh = now.movable
    return iou(now.made.seen, placed(mesh.whole.verts, now.pose, mesh.pivot), mesh.whole.faces)


def _color(value: float) -> str:
    """Red under one half, where the paper aligned again."""
    return "#b3402e" if not value >= 0.5 else "#b8860b" if value < 0.8 else "#2e7d4f"


def _words(now: Touch, start: Touch) -> dict[str, str]:
    return {
        "co2": number(now.co2),
        "co2-start": number(start.co2),
        "gap": f"{now.gap_cm:.1f} cm",
        "depth": f"{now.penetration_cm:.1f} cm",
    }
