"""What a result says in plain words: a summary, facts, and warnings."""

import math
from typing import NamedTuple

import numpy as np

from hoijax.data.results import Result
from hoijax.data.sample import Sample
from hoijax.metrics.pose import rotation_degrees
from hoijax.metrics.surface import enclosed_volume, surface

DEEP_CM, FAR_CM = 2.0, 5.0  # overlaps and gaps above these are worth a warning


class Fact(NamedTuple):
    """One number worth a box: what it says in large, and what that is."""

    value: str
    meaning: str


def title(sample: Sample) -> str:
    """What the photograph is of, as far as the sample knows."""
    thing = (sample.category or "an object").replace("_", " ")
    action = f" · {sample.action.replace('_', ' ')}" if sample.action else ""
    return f"A person and {_article(thing)}{action}"


def summary(sample: Sample, result: Result) -> str:
    """How the object moved from its start, and what became of its place in the picture."""
    angle = rotation_degrees(np.asarray(result.rotation, np.float64))
    distance = 100 * float(np.linalg.norm(result.translation))
    size = f"made {result.scale:.2f} times as large" if abs(result.scale - 1) >= 0.005 else "kept at its size"
    iou = result.metrics.get("iou_object", {})
    words = f"From its coarse start the object was {size}, moved by {distance:.1f} cm and turned by {angle:.1f}°."
    if _known(iou, "start") and _known(iou, "result"):
        words += f" Its outline now meets its mask with an IoU of {iou['result']:.2f}, at the start {iou['start']:.2f}."
    error, chamfer = result.metrics.get("translation_cm", {}), result.metrics.get("chamfer_cm", {})
    if _known(error, "result") and _known(chamfer, "result"):
        words += (
            f" Against the annotation its centre is {error['result']:.1f} cm off (start {error.get('start', math.nan):.1f}) "
            f"and its surface {chamfer['result']:.1f} cm on average (start {chamfer.get('start', math.nan):.1f})."
        )
    else:
        words += " The sample has no annotated object, so nobody can say here how right the depth is."
    return words


def facts(result: Result) -> list[Fact]:
    """The numbers that stand in boxes under the summary."""
    found = []
    for name, unit, digits, meaning in (
        ("iou_object", "", 2, "of 1: the object in its mask"),
        ("chamfer_cm", " cm", 1, "from the annotated surface"),
        ("penetration_max_cm", " cm", 1, "deepest overlap of the two"),
        ("gap_cm", " cm", 1, "between the two at the nearest place"),
    ):
        values = result.metrics.get(name, {})
        if name == "gap_cm" and result.metrics.get("penetration_max_cm", {}).get("result", 0.0) > 0:
            continue  # they overlap: the gap is zero
        if _known(values, "result"):
            start = f", start {values['start']:.{digits}f}{unit}" if _known(values, "start") else ""
            found.append(Fact(f"{values['result']:.{digits}f}{unit}", meaning + start))
    parts = len(result.contact_parts)
    found.append(Fact(str(parts), "body part touches" if parts == 1 else "body parts touch"))
    if "total" in result.seconds:
        found.append(Fact(f"{result.seconds['total']:.0f} s", _times(result)))
    return found


def warnings(result: Result) -> list[str]:
    """What a reader must know before trusting the result."""
    said = []
    if result.dropped:
        said.append(
            f"The renderer dropped {result.dropped} entries for lack of room: the pictures that the optimizer compared were "
            "incomplete. Raise the capacity and run again."
        )
    for term, reason in result.reasons.items():
        said.append(f"The term “{term.replace('_', ' ')}” was zero: {reason}.")
    if not result.contact_parts:
        said.append("No body part touches the object.")
    for name, limit, words in (
        ("penetration_max_cm", DEEP_CM, "Person and object overlap by up to {:.1f} cm."),
        ("gap_cm", FAR_CM, "Person and object are {:.1f} cm apart at the nearest place."),
    ):
        value = result.metrics.get(name, {}).get("result", math.nan)
        if value > limit:
            said.append(words.format(value))
    if not enclosed_volume(surface(result.object.verts, result.object.faces, "object")).watertight:
        said.append(
            "The object's mesh is not watertight: its inside is judged by winding numbers, its volume by its convex hull."
        )
    return said


def _times(result: Result) -> str:
    parts = [f"{key} {value:.0f} s" for key, value in result.seconds.items() if key != "total" and value >= 0.5]
    return "in all: " + ", ".join(parts) if parts else "in all"


def _known(values: object, column: str) -> bool:
    return isinstance(values, dict) and math.isfinite(values.get(column, math.nan))


def _article(noun: str) -> str:
    if noun.startswith(("a ", "an ")):
        return noun
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
