"""From sample to sample: which one is next, loading it, exporting it."""

from pathlib import Path
from typing import Any

from . import scene
from .exported import fingerprint, is_exported, load_export, save_export
from .files import SampleError
from .pose import Pose
from .sample import COARSE, Sample, find_samples, load_sample
from .settings import Choices, choices


def load(context: Any, name: str, folder: Path, given: Choices) -> list[str]:
    """Shows the sample where it was last exported, else where its file has it. Doubts about an earlier export.

    Raises SampleError, and shows nothing then; the sample is the current one nevertheless, so that one can go on.
    """
    scene.clear()
    context.window_manager.hoijax.current = name
    sample = load_sample(name, folder, given.coarse)
    seen = fingerprint(given.out / name)
    pose, doubts = _earlier(given.out / name, sample) if seen else (None, [])
    thing = scene.show(context, sample, pose)
    scene.remember(thing, scene.current_pose(context, thing), seen)
    return doubts


def export(context: Any, given: Choices) -> str:
    """Writes the loaded object's pose and mesh; where they went. Raises SampleError or PoseError, and writes nothing."""
    thing = scene.loaded()
    if thing is None:
        raise SampleError(given.tree, "nothing is loaded from it: press Load Meshes first")
    tag = thing[scene.TAG]
    pose, name, folder = scene.current_pose(context, thing), tag["name"], Path(tag["folder"])
    sample = load_sample(name, folder, tag["source"] == COARSE)
    if (sample.source, sample.sha256) != (tag["source"], tag["sha256"]):
        raise SampleError(folder / tag["source"], "was changed since it was loaded: press Load Meshes again")
    place = given.out / name
    _refuse_to_overwrite_others(place, tag["seen"], given.annotator)
    save_export(place, pose, sample.object, sample.source, sample.sha256, given.annotator)
    scene.remember(thing, pose, fingerprint(place))
    return str(place)


def unsaved(context: Any) -> bool:
    """Whether going on would lose what the annotator did."""
    try:
        thing = scene.loaded()
        return thing is not None and not scene.is_saved(thing, scene.current_pose(context, thing))
    except ValueError:  # no similarity: it was moved, certainly
        return True


def current(context: Any) -> str:
    """Name of the current sample: the loaded one, also after an undo; else the last that was tried."""
    names = [each[scene.TAG]["name"] for each in context.blend_data.objects if _is_object(each)]
    return names[0] if names else context.window_manager.hoijax.current


def look(context: Any) -> tuple[Choices, dict[str, Path], str]:
    """Settings, samples and the current sample's name, empty where it is none of them; counts for the panel."""
    given = choices(context)
    samples = find_samples(given.tree)
    name = current(context)
    count(context, given, samples)
    return given, samples, name if name in samples else ""


def count(context: Any, given: Choices, samples: dict[str, Path]) -> None:
    """Brings the panel's numbers up to date."""
    state, names = context.window_manager.hoijax, list(samples)
    name = current(context)
    state.number = names.index(name) + 1 if name in samples else 0
    state.total = len(names)
    state.exported = sum(is_exported(given.out / name) for name in names)


def neighbour(samples: dict[str, Path], name: str, way: str, out: Path) -> str | None:
    """The sample PREVIOUS to `name`, NEXT after it, or the next UNFINISHED one, round the end; None where there is none."""
    names = list(samples)
    at = names.index(name) if name in samples else -1
    if way == "UNFINISHED":
        ahead = names[at + 1 :] + names[: at + 1]
        return next((each for each in ahead if not is_exported(out / each)), None)
    to = at + 1 if way == "NEXT" else at - 1
    return names[to] if 0 <= to < len(names) else None


def _earlier(place: Path, sample: Sample) -> tuple[Pose | None, list[str]]:
    """The pose that stands in the place, if it moves the same mesh; otherwise why it is not shown."""
    try:
        pose, record = load_export(place)
    except SampleError as error:
        return None, [f"{error}; the object is shown as its file has it"]
    if record["source"] == {"file": sample.source, "sha256": sample.sha256}:
        return pose, []
    return None, [f"{place}: was exported from another {record['source']['file']}, so it is not shown"]


def _refuse_to_overwrite_others(place: Path, seen: str, annotator: str) -> None:
    if fingerprint(place) in ("", seen):
        return
    record: dict[str, Any] = load_export(place)[1]
    if record.get("annotator") != annotator:
        raise SampleError(
            place,
            f"was exported by {record.get('annotator')} at {record.get('time')}, after you loaded it: "
            "press Load Meshes to see that, then go on from there",
        )


def _is_object(block: Any) -> bool:
    return scene.TAG in block and block[scene.TAG]["role"] == "object"
