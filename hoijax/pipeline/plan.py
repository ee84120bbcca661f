"""Which engine does each step of an item: its own files where there are any, else what was chosen for all."""

from collections.abc import Mapping
from pathlib import Path

from hoijax.pipeline.engine import Engine
from hoijax.pipeline.given import own_engine
from hoijax.pipeline.item import STEPS, Item, own_files


def engines_of(item: Item, chosen: Mapping[str, Engine], given: Path | None) -> dict[str, Engine]:
    """The engine of each step in its order. GIVEN/<id> may hold own files; a step that nothing needs is left out.

    Raises ValueError for own files that are not complete.
    """
    found: dict[str, Engine] = {}
    for step in STEPS:
        files = own_files(step, given / item.id) if given is not None and step != "image" else {}
        if files:
            found[step] = own_engine(step, files)
        elif step in chosen:
            found[step] = chosen[step]
    return needed(found)


def needed(engines: Mapping[str, Engine]) -> dict[str, Engine]:
    """The steps that the sample needs, and those that these need."""
    wanted = {"sample"}
    for step in reversed(STEPS):
        if step in wanted and step in engines:
            wanted.update(engines[step].needs)
    return {step: engine for step, engine in engines.items() if step in wanted}
