"""All that was decided of a tree: in the browser, and in Blender."""

import os
from pathlib import Path

from hoijax.annotate.blender_poses import blender_events
from hoijax.annotate.items import Items
from hoijax.annotate.readers import FINE, Readers
from hoijax.annotate.store import STORE, Event, load_events


def load_decisions(
    items: Items, readers: Readers, store: str | os.PathLike[str] = "", blender: str | os.PathLike[str] = ""
) -> tuple[list[Event], list[str]]:
    """All events of the store and of what Blender exported, and a sentence about each record of Blender that is unusable.

    Where nothing is said of a store and the tree has none, what came from Blender is all there is. Raises SampleError for
    a store or a folder of exports that cannot be read.
    """
    file = Path(store or items.tree / STORE)
    browser = [] if blender and not store and not os.path.lexists(file) else load_events(file)
    placed, unused = blender_events(items, Path(blender), readers.sees[FINE]) if blender else ([], [])
    return [*browser, *placed], unused
