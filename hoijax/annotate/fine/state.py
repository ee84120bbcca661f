"""What an annotator has made of an item in the fine tool: a fold over their events.

pose     {rotation, translation, log_scale, by}: where the object stands now; `by` names the button, key or program
base     {mesh}: which mesh is moved, from where it stands in its file
quality  {tag}: how well the result can be used
done     {rotation, translation, log_scale, base, quality, iou}: confirmed as it stands; a later move opens it again
"""

from collections.abc import Sequence
from typing import NamedTuple

from hoijax.annotate.fine.pose import Pose, identity, read_pose
from hoijax.annotate.store import Event
from hoijax.data.sample import ColoredMesh, Sample

ANNOTATED, COARSE = "annotated", "coarse"
QUALITIES = ("good", "usable", "bad")
CONFIRMED = "confirmed"


class FineState(NamedTuple):
    """`base`: the mesh that `pose` moves about the mean of its vertices. `quality`: one of `QUALITIES`, or empty."""

    base: str
    pose: Pose
    quality: str
    done: bool


def first_base(sample: Sample) -> str:
    """The mesh that the tool begins with: the annotated one where there is one."""
    return ANNOTATED if sample.truth is not None else COARSE


def base_mesh(sample: Sample, base: str) -> ColoredMesh:
    """The mesh of that name; the coarse one where the sample has no annotated one."""
    return sample.truth if base == ANNOTATED and sample.truth is not None else sample.object


def fold(events: Sequence[Event], base: str) -> FineState:
    """What the events add up to, from the mesh `base` where it starts. Raises PoseError for one that holds no pose."""
    state = FineState(base, identity(), "", False)
    for event in events:
        if event.kind == "pose":
            state = state._replace(pose=read_pose(event.value), done=False)
        elif event.kind == "base":
            state = state._replace(base=str(event.value["mesh"]), pose=identity(), done=False)
        elif event.kind == "quality":
            state = state._replace(quality=str(event.value["tag"]))
        elif event.kind == "done":
            state = state._replace(done=True)
    return state


def is_done(events: Sequence[Event]) -> bool:
    """Whether the last thing that concerns the pose is that it was confirmed."""
    last = [event.kind for event in events if event.kind in ("pose", "base", "done")]
    return bool(last) and last[-1] == "done"


def word(events: Sequence[Event]) -> str:
    """What the annotator made of it, in a word."""
    tags = [str(event.value["tag"]) for event in events if event.kind == "quality"]
    return tags[-1] if tags else CONFIRMED
