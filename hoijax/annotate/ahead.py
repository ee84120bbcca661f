"""The item that a page will show next, read and prepared while its annotator still looks at the one before."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from hoijax.data.sample import Sample


class Prepared(NamedTuple):
    """An item as a page shows it: its sample, what `Tool.prepare` made of it, the fingerprint of what the tool sees."""

    sample: Sample
    made: Any
    version: str


class Ahead:
    """One page's. Holds one item at most; `prepare` and `version` run in threads."""

    def __init__(self, prepare: Callable[[str], Prepared], version: Callable[[str], str]) -> None:
        self._prepare, self._version = prepare, version
        self._item: str | None = None
        self._coming: asyncio.Task[Prepared] | None = None

    def start(self, item: str | None) -> None:
        """Begins with this item, and forgets another."""
        if item == self._item:
            return
        self.forget()
        if item is not None:
            self._item, self._coming = item, asyncio.create_task(self._later(item))
            self._coming.add_done_callback(_look_at)

    async def take(self, item: str) -> Prepared:
        """The item: the one that is at hand, if its files are still the same, else read now. Raises as `prepare` does."""
        coming = self._coming if item == self._item else None
        self._item, self._coming = (None, None) if coming else (self._item, self._coming)
        if coming is not None:
            try:
                found = await coming
                if await asyncio.to_thread(self._version, item) == found.version:
                    return found
            except Exception:  # whatever went wrong ahead of time goes wrong again below, where it is reported
                pass
        return await asyncio.to_thread(self._prepare, item)

    def forget(self) -> None:
        """Lets go of what is held."""
        if self._coming is not None:
            self._coming.cancel()
        self._item, self._coming = None, None

    async def _later(self, item: str) -> Prepared:
        return await asyncio.to_thread(self._prepare, item)


def _look_at(task: asyncio.Task[Prepared]) -> None:
    """Else asyncio complains of an error that nobody looked at, where the item is never shown."""
    if not task.cancelled():
        task.exception()
