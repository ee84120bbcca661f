"""Which annotated pictures are worth a reconstruction: one person, in touch with an object that is large enough (A.1).

Selection looks at annotations alone; it opens no image.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError
from hoijax.data.sources.hico_names import NO_INTERACTION, plain_name
from hoijax.data.sources.record import PERSON, Pair, Picture, SetAside

# Verbs whose usual meaning has the person's body against the object at the moment of the picture. First HICO-DET's, then
# others that SWIG-HOI has. Left out are verbs of distance (chase, direct, herd, inspect, point, watch, wave, ...), those
# where the picture as often shows the moment before or after (board, exit, jump, kick, release, serve, throw, ...), and
# those where a tool or another person is between (clean, cook, cut, feed, hose, repair, teach, wash, ...).
_IN_WORDS = {
    "in the hands": (
        "adjust, brush with, carry, catch, cut with, drag, dribble, drink with, groom, hold, hug, lift, milk, "
        "open, operate, pack, peel, pet, pick, pick up, pour, pull, push, scratch, shear, sip, spin, squeeze, "
        "stir, swing, talk on, text on, tie, turn, type on, wield, zip"
    ),
    "carried by it": ("drive, eat at, grind, hop on, lie on, ride, row, sit at, sit on, stand on, straddle"),
    "on the body, at the mouth": ("eat, kiss, lick, wear"),
    "SWIG-HOI's": (
        "bite, clutch, cradle, crawl, dial, drink, embrace, grasp, grip, hang, heave, hoist, knead, lean, "
        "mop, paddle, pedal, rake, recline, shovel, sit, skate, slouch, steer, strum, stroke, sweep, tug, "
        "type, vacuum, wheel, wring, write, play, lean on, rest on, lie, stand"
    ),
}
CONTACT_VERBS = tuple(verb for verbs in _IN_WORDS.values() for verb in verbs.split(", "))


@dataclass(frozen=True)
class SelectionOptions:
    """What is kept. Lengths in pixels of the image; `object_share` of its area, where its size is known.

    `verbs` in any spelling of words and in their plain form: "sit_on" stands for "sit on", "ride" also for "riding".
    """

    people: int = 1
    verbs: tuple[str, ...] = CONTACT_VERBS
    object_share: float = 0.005
    object_side: float = 24.0
    human_side: float = 64.0
    person_objects: bool = False


class Selection(NamedTuple):
    """The pairs that are kept, contact verbs first in each; those that are not and why; how many of either kind."""

    kept: tuple[Pair, ...]
    set_aside: tuple[SetAside, ...]
    counts: tuple[tuple[str, int], ...]


def select(
    pictures: Iterable[Picture], options: SelectionOptions = SelectionOptions(), set_aside: Sequence[SetAside] = ()
) -> Selection:
    """The pairs worth a reconstruction. What reading has `set_aside` comes first in the list and in the counts."""
    verbs = contact_forms(options.verbs)
    aside = list(set_aside)
    kept: list[Pair] = []
    images = pairs = 0
    for picture in pictures:
        images += 1
        pairs += len(picture.pairs)
        for pair in picture.pairs:
            doubt = _doubt(pair, picture.people, options, verbs)
            if doubt is None:
                kept.append(pair._replace(actions=tuple(sorted(pair.actions, key=lambda action: action not in verbs))))
            else:
                aside.append(SetAside(str(pair.image), doubt[0], f"{pair.id}: {doubt[1]}"))
    reasons = Counter(entry.reason for entry in aside)
    totals = [("pictures", images), ("pairs", pairs), ("kept", len(kept))]
    return Selection(
        tuple(kept), tuple(aside), (*totals, *((f"set aside: {reason}", n) for reason, n in reasons.most_common()))
    )


def counts_table(counts: Sequence[tuple[str, int]]) -> str:
    """The counts, one a line, numbers under each other."""
    width = max((len(name) for name, _ in counts), default=0)
    return "\n".join(f"{name:<{width}}  {count:>9,}" for name, count in counts)


def load_verbs(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Verbs from a text file, one a line; `#` begins a remark. Raises SampleError for a file without any."""
    path = Path(path)
    try:
        lines = load_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise SampleError(path, f"is not UTF-8 text ({error})") from error
    verbs = tuple(name for line in lines if (name := plain_name(line.partition("#")[0])))
    if not verbs:
        raise SampleError(path, "names no verb, expected one a line")
    return verbs


def contact_forms(verbs: Iterable[str]) -> frozenset[str]:
    """Verbs in the spellings in which data sets have them: as they are, and with the first word ending in -ing."""
    plain = {plain_name(verb) for verb in verbs}
    return frozenset(plain | {_gerund(verb) for verb in plain})


DOUBLED = {"hit", "hug", "pet", "sit", "sip", "spin", "stir", "tug", "wet", "zip", "cut", "grip", "drag", "hop", "run"}
DOUBLED |= {"mop", "strum", "skip", "clip", "dig", "flip", "stab", "grab", "pat", "rub", "put", "swim", "wrap"}


def _gerund(verb: str) -> str:
    """sit on -> sitting on, ride -> riding, lie -> lying: spelling rules, and a list of verbs that double a letter."""
    first, space, rest = verb.partition(" ")
    if first in DOUBLED:
        stem = first + first[-1]
    elif first.endswith("ie"):
        stem = first[:-2] + "y"
    elif first.endswith("e") and not first.endswith(("ee", "ye", "oe")):
        stem = first[:-1]
    else:
        stem = first
    return f"{stem}ing{space}{rest}"


def _doubt(pair: Pair, people: int, options: SelectionOptions, verbs: frozenset[str]) -> tuple[str, str] | None:
    """Why a pair is not kept: the kind of reason and a sentence; None for one that is."""
    if people != options.people:
        return "people", f"{people} people in the picture, expected {options.people}"
    if pair.category == PERSON and not options.person_objects:
        return "person as object", "the object is a person"
    if set(pair.actions) <= {NO_INTERACTION, ""}:
        return "no interaction", "no action" if pair.actions == ("",) else NO_INTERACTION
    if not verbs.intersection(pair.actions):
        return "no contact", f"{', '.join(pair.actions)}: no verb of contact"
    thing, human = (tuple((box[2:] - box[:2]).tolist()) for box in (pair.object_box, pair.human_box))
    if max(thing) < options.object_side:
        return "small object", f"{thing[0]:.0f} x {thing[1]:.0f} px, expected {options.object_side:g} on one side"
    if pair.size is not None:
        share = thing[0] * thing[1] / (pair.size[0] * pair.size[1])
        if share < options.object_share:
            return "small object", f"{100 * share:.2f} % of the image, expected {100 * options.object_share:g}"
    if max(human) < options.human_side:
        return "small person", f"{human[0]:.0f} x {human[1]:.0f} px, expected {options.human_side:g} on one side"
    return None
