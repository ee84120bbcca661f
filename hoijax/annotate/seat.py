"""One annotator at one page of a tool: the item before them, what they did with it, and acting on it."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import UInt8
from nicegui import background_tasks, ui

from hoijax.annotate.ahead import Ahead, Prepared
from hoijax.annotate.blobs import jpeg, png
from hoijax.annotate.desk import Desk, finished, mine, next_item, note_state, order, way_of
from hoijax.annotate.items import fingerprint, item_folder, load_item, readable
from hoijax.annotate.seats import Seated
from hoijax.annotate.store import Event, append, take_back
from hoijax.annotate.tool import Bench, Tool
from hoijax.data.sample import Sample, SampleError

LOOK_AHEAD = 0.3  # seconds that an item has the machine to itself before the next one is read


class Seat:
    """What a tool's widgets see: `item`, `sample`, `made` (what `Tool.prepare` gave), `events` (the annotator's own, that
    stand and that were made for these very files), `blocked` (why nothing may be changed; empty where it may), `unkept`
    (why the last decision was not kept; empty where it was)."""

    def __init__(self, desk: Desk, tool: Tool, annotator: str, told: Callable[[], None]) -> None:
        self.desk, self.tool, self.annotator = desk, tool, annotator
        self.client = ui.context.client
        # as it was when the page was opened: nothing jumps while one works
        self.names = order(desk, way_of(desk, annotator, tool.name))
        self.item: str | None = None
        self._sample: Sample | None = None
        self.made: Any = None
        self.events: list[Event] = []
        self.outdated = 0
        self.version = ""
        self.blocked = ""
        self.unkept = ""
        self.trouble = ""
        self.bench: Bench | None = None
        self._told = told
        self._turn = 0  # counts what was opened: what comes late, for an earlier one, is dropped
        self._closed = False
        self._ahead = Ahead(
            lambda item: prepared(desk, tool, item), lambda item: fingerprint(desk.items.folders[item], tool.sees)
        )

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
            self.say("Not kept: the item is not there yet.", bad=True)
            return None
        if self.blocked:
            self.say(self.blocked, bad=True)
            return None
        item, given = self.item, dict(value or {})
        return self._keep(
            lambda: append(self.desk.store, self.annotator, item, self.tool.name, kind, given, self.version)
        )

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
        last = self.events[-1]
        self._keep(lambda: take_back(self.desk.store, last))

    async def open(self, item: str) -> None:
        """Puts this item before the annotator."""
        if self._closed or self.client.is_deleted:
            return  # nobody would ever free the item
        self.leave()
        self._turn += 1
        turn = self._turn
        self.item, self._sample, self.made, self.events, self.trouble, self.unkept = item, None, None, [], "", ""
        seated = Seated(self.client.id, self.annotator, self._lose)
        holder = self.desk.seats.take(self.tool.name, item, seated)
        self.blocked = "" if holder is seated else f"{holder.annotator} has this item open; you can look, not change."
        self._told()
        found, trouble = None, ""
        try:
            found = await self._ahead.take(item)
        except SampleError as error:
            trouble = str(error)
        except Exception as error:  # whatever a sample does to a tool, the page lives on and says so
            trouble = self._failed("prepared", item, error)
        if self._closed or self._turn != turn:
            return  # the annotator has gone on
        self._show(found, trouble)
        background_tasks.create(self._look_ahead(turn), name="hoijax: look ahead")

    def _show(self, found: Prepared | None, trouble: str) -> None:
        """Shows what was found, or why nothing can be shown."""
        self.trouble = readable(trouble)
        if found is not None:
            self._sample, self.made, self.version = found
            try:
                self._read()
                self._told()
                if self.bench is not None:
                    self.bench.show()
                    self.bench.update()
            except Exception as error:  # likewise
                self.trouble = readable(self._failed("shown", found.sample.name, error))
                self._sample, self.made = None, None
        self._told()

    def _failed(self, what: str, item: str, error: Exception) -> str:
        logging.exception("%s: could not be %s in %s", item, what, self.tool.name)
        return f"{item}: could not be {what} ({type(error).__name__}: {error})"

    async def _look_ahead(self, turn: int) -> None:
        await asyncio.sleep(LOOK_AHEAD)
        if not self._closed and self._turn == turn:
            ahead = next_item(self.desk, self.tool.name, self.item, self.annotator, 1, True, self.names)
            self._ahead.start(ahead)

    async def go(self, step: int = 1, unfinished: bool = True) -> None:
        """On to the next item (or back, with -1)."""
        item = next_item(self.desk, self.tool.name, self.item, self.annotator, step, unfinished, self.names)
        if item is None:
            self.say(self._why_none() if unfinished else "This is the end of the list.")
        else:
            await self.open(item)

    def _why_none(self) -> str:
        """Why there is no next unfinished item."""
        left = [name for name in self.names if not finished(self.desk, self.tool.name, name, self.annotator)]
        others = sorted({self.desk.seats.holder(self.tool.name, name) for name in left if name != self.item} - {""})
        if others:
            return f"All that is left is open at {', '.join(others)}."
        return "Only this item is left." if left else "Everything is done."

    def going(self, step: int = 1, unfinished: bool = True) -> None:
        """`go`, from a handler that does not wait."""
        background_tasks.create(self.go(step, unfinished), name="hoijax: next item")

    def say(self, message: str, bad: bool = False) -> None:
        """A message on this page, whoever calls."""
        message = readable(message)
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

    def close(self) -> None:
        """The page is gone: what it held is freed, and what is still being read for it is dropped."""
        self._closed = True
        self._ahead.forget()
        self.leave()
        self._sample, self.made = None, None

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

    def _keep(self, keeping: Callable[[], Event]) -> Event | None:
        """Runs `keeping`, and makes the page show what the store holds after it, whether it came about or not."""
        event = None
        try:
            event = keeping()
            self.unkept = ""
            self._read()
        except (sqlite3.Error, ValueError, TypeError) as error:
            if event is None:
                disk = isinstance(error, sqlite3.Error)
                hint = " Free the disk or tell whoever runs the server." if disk else ""
                self.unkept = f"Your last step was NOT kept ({error}).{hint}"
                logging.exception("%s: a decision of %s was not kept", self.item, self.annotator)
                self.say(self.unkept, bad=True)
            else:
                logging.exception("%s: kept, but the store could not be read again", self.item)
                self.say(f"Kept, but the store cannot be read ({error}): load the page again.", bad=True)
        if self.bench is not None:
            self.bench.update()
        self._told()
        return event


def prepared(desk: Desk, tool: Tool, item: str) -> Prepared:
    """The item's sample, what the tool makes of it, and the fingerprint of the files that the tool's decisions rest on.

    Raises: SampleError where the sample cannot be read, or somebody writes to it meanwhile.
    """
    before = fingerprint(item_folder(desk.items, item), tool.sees)
    sample = load_item(desk.items, item)
    version = fingerprint(sample.folder, tool.sees)
    if version != before or not version:
        raise SampleError(sample.folder, "changed while it was read; open it again")
    return Prepared(sample, tool.prepare(sample), version)
