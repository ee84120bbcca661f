"""Decisions of the filter as examples for the judge; and those of an annotator who is a program, about flawed copies."""

import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np

from hoijax.annotate.choice import chosen, current
from hoijax.annotate.decisions import load_decisions
from hoijax.annotate.filter.state import HUMAN, OBJECT, REASONS, SEES, done
from hoijax.annotate.items import Items, find_items, fingerprint, load_item
from hoijax.annotate.readers import DELETE, FILTER, PASS, tool_readers
from hoijax.annotate.store import STORE, Event, append, close_store, events, open_store, standing
from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError
from hoijax.data.synthetic.flawed import NOTE_FILE, Note, load_note
from hoijax.tasks.judge.data import SCHEMA, Examples, JudgeInput, judge_input, stacked

ANNOTATOR = "built-in"  # who decides about copies with known flaws: no person


class Decision(NamedTuple):
    """What counts of an item: of human and object 1 (good), 0 (not), NaN (nobody said). `events`: the annotator's own."""

    item: str
    annotator: str
    labels: tuple[float, float]
    strokes: int
    events: tuple[Event, ...]


def find_decisions(items: Items, store: str = "", annotator: str = "") -> tuple[list[Decision], int]:
    """All that was finished in the filter, of several annotators the one that counts; and how many decisions do not count
    because files changed. An object that is to be made again is not good as it is."""
    readers = tool_readers()
    happened, _ = load_decisions(items, readers, store)
    found = current(items, [event for event in happened if event.tool == FILTER], readers, annotator)
    decisions = []
    for item, by_tool in found.events.items():
        who = chosen(by_tool[FILTER], FILTER, readers)
        if not who:
            continue
        said = readers.filtered(by_tool[FILTER][who])
        human, thing = (np.nan if not word else float(word == PASS) for word in (said.human, said.object))
        decisions.append(Decision(item, who, (human, thing), said.strokes, by_tool[FILTER][who]))
    return decisions, len(found.stale)


def source_of(items: Items, item: str) -> str:
    """What decides the split of an item: its name, or that of the scene it is a copy of."""
    folder = items.folders[item]
    return load_note(folder).source if (folder / NOTE_FILE).is_file() else item


def kept_input(items: Items, item: str, points: int, cache: Path) -> tuple[str, JudgeInput]:
    """The fingerprint of an item's files and what the judge sees of them, from `cache` where it has seen them before.

    Raises SampleError or ValueError where the sample cannot be used.
    """
    version = fingerprint(items.folders[item], SEES)
    file = cache / f"{version}_{points}_{SCHEMA}.npz"
    if version:
        try:
            with np.load(file, allow_pickle=False) as found:
                return version, JudgeInput(*(found[name] for name in JudgeInput._fields))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # none, or one that is damaged: made anew
            pass
    one = judge_input(load_item(items, item), points)
    if version and version == fingerprint(items.folders[item], SEES):  # else somebody wrote to it meanwhile
        packed = io.BytesIO()
        np.savez_compressed(packed, picture=one.picture, human=one.human, object=one.object, scalars=one.scalars)
        save_bytes(file, packed.getvalue())
    return version, one


def cache_folder(items: Items, store: str) -> Path:
    """Where what the judge saw is kept, beside the store; it may be removed at any time."""
    return Path(store or items.tree / STORE).absolute().parent / ".annotate" / "judge"


def read_examples(
    items: Items, decisions: Iterable[Decision], points: int, cache: Path, tell: Callable[[str, str], None]
) -> Examples:
    """All examples that can be read, masks as the annotator corrected them; `tell(item, why)` hears of the others.

    Raises ValueError where none is left.
    """
    readers, kept, given = tool_readers(), [], []
    for decision in decisions:
        try:
            if decision.strokes:
                sample = load_item(items, decision.item)
                masks = readers.masks(sample, decision.events)
                one = judge_input(sample._replace(human_mask=masks[0], object_mask=masks[1]), points)
            else:
                one = kept_input(items, decision.item, points, cache)[1]
        except (SampleError, ValueError) as error:
            tell(decision.item, str(error))
            continue
        kept.append(decision)
        given.append(one)
    if not kept:
        raise ValueError("none of the samples can be used")
    labels = np.array([decision.labels for decision in kept], np.float64)
    names = tuple(decision.item for decision in kept)
    return Examples(names, tuple(source_of(items, name) for name in names), stacked(given), labels)


def made_up_events(note: Note, noise: float, rng: np.random.Generator) -> list[tuple[Sequence[str], str, str]]:
    """What an annotator does who sees every flaw but for a share `noise`, in which they err: (who, verdict, reason).

    One who deletes need not judge the other: half of the time they have passed it before.
    """
    errs = rng.random() < noise
    if (note.flaw is None) != errs:
        return [((HUMAN, OBJECT), PASS, "")]
    if note.flaw is None:
        who = (HUMAN, OBJECT)[int(rng.integers(2))]
        reason = REASONS[who][int(rng.integers(len(REASONS[who])))]
    else:
        who, reason, _ = note.flaw
    before: list[tuple[Sequence[str], str, str]] = []
    if rng.random() < 0.5:
        before = [((OBJECT if who == HUMAN else HUMAN,), PASS, "")]
    return [*before, ((who,), DELETE, reason)]


def decide_all(
    tree: Path, store: Path, noise: float, seed: int, progress: Callable[[Sequence[str]], Iterable[str]]
) -> int:
    """Puts the decisions of `ANNOTATOR` about every copy into the store, where they do not stand there yet; how many items.

    Every event says of itself that it was made up. An item about which less was said than decides it, as of a run that was
    killed, is decided again. Raises SampleError for a store or a copy that cannot be used, or decisions of another noise.
    """
    items = find_items(tree)
    opened = open_store(store)
    try:
        stand: dict[str, list[Event]] = {}
        for event in standing(events(opened, tool=FILTER, annotator=ANNOTATOR)):
            if event.value.get("noise", noise) != noise:
                raise SampleError(
                    store,
                    f"holds decisions of noise {event.value['noise']:g}, expected {noise:g}; choose another --out",
                )
            stand.setdefault(event.item, []).append(event)
        count = 0
        for item in progress(list(items.folders)):
            version = fingerprint(items.folders[item], SEES)
            if done([event for event in stand.get(item, ()) if event.version == version]):
                continue
            rng = np.random.default_rng([seed, *item.encode()])
            for who, verdict, reason in made_up_events(load_note(items.folders[item]), noise, rng):
                value = {"who": list(who), "verdict": verdict, "reason": reason, "made_up": True, "noise": noise}
                append(opened, ANNOTATOR, item, FILTER, "judge", value, version)
            count += 1
        return count
    finally:
        close_store(opened)
