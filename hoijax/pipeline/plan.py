"""Which engine does each step of an item: its own files where there are any, else what was chosen for all."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hoijax.coarse.place import CoarseOptions
from hoijax.pipeline.engine import Engine
from hoijax.pipeline.given import own_engine
from hoijax.pipeline.item import STEPS, Item, own_files
from hoijax.pipeline.makes import coarse_engine, crop_engine, image_engine, sample_engine


class Choice(NamedTuple):
    """The engines chosen for all items. The last steps are other ones for an item that has a depth map."""

    engines: Mapping[str, Engine]
    with_depth: Mapping[str, Engine]
    without_depth: Mapping[str, Engine]


def choice(engines: Mapping[str, Engine], options: CoarseOptions, size: float | None) -> Choice:
    """`engines` for the steps that models do, and our own for the rest. `size`: the object's, where no depth is known."""
    own = {"image": image_engine(), "complete": crop_engine()}
    last = ({"coarse": coarse_engine(options, size, depth), "sample": sample_engine(depth)} for depth in (True, False))
    return Choice({**own, **engines}, *last)


def engines_of(item: Item, chosen: Choice, given: Path | None) -> dict[str, Engine]:
    """The engine of each step in its order. GIVEN/<id> may hold own files; a step that nothing needs is left out.

    Raises ValueError for own files that are not complete.
    """
    found: dict[str, Engine] = {}
    for step in STEPS:
        files = own_files(step, given / item.id) if given is not None and step != "image" else {}
        if files:
            found[step] = own_engine(step, files)
        elif step in chosen.engines:
            found[step] = chosen.engines[step]
    last = chosen.with_depth if "depth" in found else chosen.without_depth
    return needed({**found, **last})


def needed(engines: Mapping[str, Engine]) -> dict[str, Engine]:
    """The steps that the sample needs, and those that these need."""
    wanted = {"sample"}
    for step in reversed(STEPS):
        if step in wanted and step in engines:
            wanted.update(engines[step].needs)
    return {step: engine for step, engine in engines.items() if step in wanted}
