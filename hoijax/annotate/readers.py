"""What the three tools' decisions come to, in the few words that export and agreement need.

`Readers` are functions of an annotator's standing events of one item, made for the files as they are now; each tool keeps
its own fold, and `tool_readers` fits them to these types.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool

from hoijax.annotate.store import Event
from hoijax.data.sample import ColoredMesh, Sample

FILTER, CONTACT, FINE = "filter", "contact", "fine"
PASS, DELETE, AGAIN = "pass", "delete", "again"
Masks = tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]


class Filtered(NamedTuple):
    """`human` and `object`: PASS, DELETE, for the object also AGAIN (to be made again); empty where not judged.
    `reason`: why one is deleted or made again. `strokes`: how many correct the masks."""

    done: bool
    human: str = ""
    object: str = ""
    reason: str = ""
    strokes: int = 0


class Touched(NamedTuple):
    """The parts that touch, as `hoijax.body.parts` names and orders them; none where it was said that none does."""

    done: bool
    parts: tuple[str, ...] = ()


class Aligned(NamedTuple):
    """`record`: the pose and what it moves, as JSON, for provenance. `mesh`: the object where the annotator put it."""

    done: bool
    quality: str
    record: Mapping[str, Any]
    mesh: Callable[[Sample], ColoredMesh]


class Readers(NamedTuple):
    """`sees`: by tool, the kinds of files that its decisions rest on (`Tool.sees`). `masks`: the person's and the
    object's mask of the sample, with the corrections."""

    sees: Mapping[str, tuple[str, ...]]
    filtered: Callable[[Sequence[Event]], Filtered]
    masks: Callable[[Sample, Sequence[Event]], Masks]
    touched: Callable[[Sequence[Event]], Touched]
    aligned: Callable[[Sequence[Event]], Aligned]


def verdict(found: Filtered) -> str:
    """What becomes of the sample: PASS, DELETE or AGAIN; empty while unfinished."""
    if not found.done:
        return ""
    both = (found.human, found.object)
    return DELETE if DELETE in both else AGAIN if AGAIN in both else PASS


def is_done(readers: Readers, tool: str, happened: Sequence[Event]) -> bool:
    """Whether the annotator has finished the item in this tool."""
    read: dict[str, Callable[[Sequence[Event]], Filtered | Touched | Aligned]] = {
        FILTER: readers.filtered,
        CONTACT: readers.touched,
        FINE: readers.aligned,
    }
    return bool(happened) and read[tool](happened).done


def said(readers: Readers, tool: str, happened: Sequence[Event]) -> str:
    """What the annotator decided, in a line: equal lines are equal decisions. Of a pose, the mesh and the quality."""
    if tool == FILTER:
        found = readers.filtered(happened)
        return f"human {found.human or 'not judged'}, object {found.object or 'not judged'}" + (
            f" ({found.reason})" if found.reason else ""
        )
    if tool == CONTACT:
        return ", ".join(readers.touched(happened).parts) or "no contact"
    aligned = readers.aligned(happened)
    return ", ".join(word for word in (str(aligned.record.get("base", "")), aligned.quality) if word) or "placed"


def tool_readers() -> Readers:
    """The folds of the three tools as they are."""
    from hoijax.annotate.contact.state import contact_state, in_order
    from hoijax.annotate.filter.masks import corrected
    from hoijax.annotate.filter.state import filter_state
    from hoijax.annotate.tools import TOOLS

    def filtered(happened: Sequence[Event]) -> Filtered:
        state = filter_state(happened)
        both = {"human": state.human, "object": state.object}
        words = {who: "" if found is None else PASS if found.passed else DELETE for who, found in both.items()}
        reasons = [f"{who}: {found.reason}" for who, found in both.items() if found is not None and not found.passed]
        if state.again:
            words["object"] = AGAIN
            reasons += [state.redo.note] if state.redo is not None and state.redo.note else []
            reasons += [f"template {state.template.name}"] if state.template is not None else []
        done = state.deleted or state.again or state.passed
        return Filtered(done, words["human"], words["object"], ", ".join(reasons), len(state.strokes))

    def masks(sample: Sample, happened: Sequence[Event]) -> Masks:
        strokes = filter_state(happened).strokes
        return (
            corrected(sample.human_mask, strokes, 0, "human"),
            corrected(sample.object_mask, strokes, 0, "object"),
        )

    def touched(happened: Sequence[Event]) -> Touched:
        state = contact_state(happened)
        return Touched(state.done, tuple(in_order(state.parts)))

    return Readers({tool.name: tool.sees for tool in TOOLS}, filtered, masks, touched, fine_alignment)


def fine_alignment(happened: Sequence[Event]) -> Aligned:
    """The fine tool's: the pose of its last confirmation."""
    from hoijax.annotate.fine.pose import placed, read_pose
    from hoijax.annotate.fine.state import base_mesh, fold, is_done

    if not is_done(happened):
        return Aligned(False, "", {}, lambda sample: sample.object)
    value = [event.value for event in happened if event.kind == "done"][-1]
    base, pose = str(value["base"]), read_pose(value)

    def mesh(sample: Sample) -> ColoredMesh:
        start = base_mesh(sample, base)
        pivot = start.verts.astype(np.float64).mean(0)
        return start._replace(verts=placed(start.verts.astype(np.float64), pose, pivot).astype(np.float32))

    told = ("rotation", "translation", "log_scale", "by")
    record = {"base": base, **{name: value[name] for name in told if name in value}}
    return Aligned(True, fold(happened, base).quality, record, mesh)
