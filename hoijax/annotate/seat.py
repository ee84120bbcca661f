"""One annotator at one page of a tool: the item before them, what they did with it, and acting on it."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import UInt8
from nicegui import background_tasks, run, ui

from hoijax.annotate.blobs import jpeg, png
from hoijax.annotate.desk import Desk, mine, next_item, note_state, order
from hoijax.annotate.items import fingerprint, load_item
from hoijax.annotate.seats import Seated
from hoijax.annotate.store import Event, append, take_back
from hoijax.annotate.tool import Bench, Tool
from hoijax.data.sample import Sample, SampleError


class Seat:
    """What a tool's widgets see: `item`, `sample`, `made` (what `Tool.prepare` gave), `events` (the annotator's own, that
    stand and that were made for these very files), `blocked` (why nothing may be changed; empty where it may)."""

    def __init__(self, desk: Desk, tool: Tool, annotator: str, told: Callable[[], None]) -> None:
        self.desk, self.tool, self.annotator = desk, tool, annotator
        self.client = ui.context.client
        self.names = order(desk, tool.name)  # as it was when the page was opened: nothing jumps while one works
        self.item: str | None = None
        self._sample: Sample | None = None
        self.made: Any = None
        self.events: list[Event] = []
        self.outdated = 0
        self.version = ""
        self.blocked = ""
        self.trouble = ""
        self.bench: Bench | None = None
        self._told = told

    @property
    def ready(self) -> bool:
        """Whether an item is before the annotator, read and prepared."""
        return self._sample is not None

    @property
    def sample(self) -> Sample:
        """The sample before the annotator; only once it is `ready`."""
        if self._sample is None:
            raise RuntimeError("no sample is open at this page yet")
        return self._sample

    def act(self, kind: str, value: Mapping[str, Any] | None = None) -> Event | None:
        """Keeps a decision: it is on the disk when this returns. None (and a message) where nothing may be changed."""
        if self.item is None or not self.ready:
            return None
        if self.blocked:
            self.say(self.blocked, bad=True)
            return None
        event = append(
            self.desk.store, self.annotator, self.item, self.tool.name, kind, dict(value or {}), self.version
        )
        self._follow()
        return event

    def undo(self) -> None:
        """Takes the last act back."""
        if not self.ready:
            return
        if self.blocked:
            self.say(self.blocked, bad=True)
            return
        if not self.events:
            self.say("Nothing to undo here.")
            return
        take_back(self.desk.store, self.events[-1])
        self._follow()

    async def open(self, item: str) -> None:
        """Puts this item before the annotator."""
        self.leave()
        self.item, self._sample, self.made, self.events, self.trouble = item, None, None, [], ""
        seated = Seated(self.client.id, self.annotator, self._lose)
        holder = self.desk.seats.take(self.tool.name, item, seated)
        self.blocked = "" if holder is seated else f"{holder.annotator} has this item open; you can look, not change."
        self._told()
        found, trouble = None, ""
        try:
            found = await run.io_bound(prepared, self.desk, self.tool, item)
        except SampleError as error:
            trouble = str(error)
        except Exception as error:  # whatever a sample does to a tool, the page lives on and says so
            logging.exception("%s: could not be prepared for %s", item, self.tool.name)
            trouble = f"{item}: could not be prepared ({type(error).__name__}: {error})"
        if self.item != item:
            return  # the annotator has gone on
        self.trouble = trouble
        if found is None:
            self._told()
            return
        self._sample, self.made, self.version = found
        self._read()
        self._told()
        if self.bench is not None:
            self.bench.show()
            self.bench.update()
            self._told()

    async def go(self, step: int = 1, unfinished: bool = True) -> None:
        """On to the next item (or back, with -1)."""
        item = next_item(self.desk, self.tool.name, self.item, self.annotator, step, unfinished, self.names)
        if item is None:
            self.say("Everything is done." if unfinished else "This is the end of the list.")
        else:
            await self.open(item)

    def going(self, step: int = 1, unfinished: bool = True) -> None:
        """`go`, from a handler that does not wait."""
        background_tasks.create(self.go(step, unfinished), name="hoijax: next item")

    def say(self, message: str, bad: bool = False) -> None:
        """A message on this page, whoever calls."""
        if not self.client.has_socket_connection:
            return
        with self.client:
            ui.notify(message, type="negative" if bad else "info", position="bottom", timeout=6000 if bad else 2500)

    def picture(self, picture: UInt8[np.ndarray, "h w c"]) -> str:
        """An address for an RGB picture (JPEG), or one with alpha or one channel (PNG), while this page is open."""
        content, media = (jpeg(picture), "image/jpeg") if picture.shape[2] == 3 else (png(picture), "image/png")
        return self.data(content, media)

    def data(self, content: bytes, media_type: str = "application/octet-stream") -> str:
        """An address for these bytes while this item is on this page."""
        return self.desk.blobs.add(self.client.id, content, media_type)

    def leave(self) -> None:
        """Frees the item, for others to take, and what was made for the browser."""
        self.desk.seats.leave(self.client.id)
        self.desk.blobs.drop(self.client.id)

    def _lose(self) -> None:
        self.blocked = "You have opened this item in another window; go on there, or open it here again."
        self._told()

    def _read(self) -> None:
        if self.item is None:
            return
        every = mine(self.desk, self.tool.name, self.item, self.annotator)
        self.events = [event for event in every if event.version == self.version]
        self.outdated = len(every) - len(self.events)
        note_state(self.desk, self.tool, self.item, self.annotator, self.events)

    def _follow(self) -> None:
        self._read()
        if self.bench is not None:
            self.bench.update()
        self._told()


def prepared(desk: Desk, tool: Tool, item: str) -> tuple[Sample, Any, str]:
    """The item's sample, what the tool makes of it, and the fingerprint of the files that the tool's decisions rest on."""
    sample = load_item(desk.items, item)
    return sample, tool.prepare(sample), fingerprint(sample.folder, tool.sees)
