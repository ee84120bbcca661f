"""How far annotators agree: Cohen's kappa for decisions and parts, overlap of part lists, differences of poses.

Between every two annotators, over the items that both finished for the files as they are now. For three and more there
is a table of pairs; nothing is averaged over them.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from hoijax.annotate.choice import Current, current
from hoijax.annotate.items import Items, load_item
from hoijax.annotate.readers import CONTACT, FILTER, FINE, Readers, is_done, verdict
from hoijax.annotate.store import Event
from hoijax.body.parts import PART_NAMES
from hoijax.data.sample import Sample
from hoijax.metrics.labels import label_scores
from hoijax.metrics.pose import chamfer_cm, rotation_degrees, umeyama
from hoijax.metrics.surface import surface, surface_samples

SAMPLES = 5_000  # points on each surface for its chamfer distance


class Kappa(NamedTuple):
    """kappa = (p_o - p_e) / (1 - p_e). NaN where `why` says so. `observed`: p_o, the share of equal decisions."""

    value: float
    observed: float
    n: int
    why: str = ""


class Line(NamedTuple):
    """A number about two annotators: how often they could be compared (`n`), and what there is to know about it."""

    pair: tuple[str, str]
    tool: str
    measure: str
    n: int
    value: float
    note: str = ""


class PoseDifference(NamedTuple):
    """Of two poses of one mesh. `scale`: the larger over the smaller. Rotation and scale are the best fit's; the
    distances need no fit. An object that looks alike from several sides can be turned far at little distance."""

    scale: float
    rotation_degrees: float
    translation_cm: float
    vertex_cm: float
    chamfer_cm: float


MEASURES = {
    "scale": "scale ratio",
    "rotation_degrees": "rotation, degrees",
    "translation_cm": "centre, cm",
    "vertex_cm": "vertices, mean cm",
    "chamfer_cm": "surface (Chamfer), cm",
}


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> Kappa:
    """Agreement of two raters beyond chance on nominal classes (Cohen 1960).

    p_e = sum over classes of the product of the two raters' shares. Where both gave one and the same class throughout,
    p_e is 1 and kappa undefined: NaN, as for no items. Raises ValueError for lists of two lengths.
    """
    if len(first) != len(second):
        raise ValueError(f"cohen_kappa: {len(first)} and {len(second)} decisions, expected one of each for every item")
    n = len(first)
    if n == 0:
        return Kappa(math.nan, math.nan, 0, "no common items")
    observed = sum(a == b for a, b in zip(first, second)) / n
    ours, theirs = Counter(first), Counter(second)
    if len(ours.keys() | theirs.keys()) == 1:
        (only,) = ours
        return Kappa(math.nan, observed, n, f"undefined: both always said {only}")
    chance = sum(ours[name] * theirs[name] for name in ours) / n**2
    return Kappa((observed - chance) / (1 - chance), observed, n)


def pose_difference(sample: Sample, first: np.ndarray, second: np.ndarray, faces: np.ndarray) -> PoseDifference:
    """Of the vertices where two annotators put one mesh (v, 3), metres."""
    ours, theirs = surface(first, faces, f"{sample.name}: first"), surface(second, faces, f"{sample.name}: second")
    fit = umeyama(ours.verts, theirs.verts)
    return PoseDifference(
        scale=float(np.exp(abs(np.log(fit.scale)))),
        rotation_degrees=rotation_degrees(fit.rotation),
        translation_cm=float(100 * np.linalg.norm(ours.verts.mean(0) - theirs.verts.mean(0))),
        vertex_cm=float(100 * np.linalg.norm(ours.verts - theirs.verts, axis=-1).mean()),
        chamfer_cm=chamfer_cm(surface_samples(ours, SAMPLES), surface_samples(theirs, SAMPLES)),
    )


def agreement(
    items: Items, happened: Sequence[Event], readers: Readers, seen: Callable[[str], None] = lambda item: None
) -> list[Line]:
    """Every number about every two annotators who finished common items. `happened`: all events of the store; `seen` is
    told of each item whose meshes had to be read. Raises SampleError where one of those cannot be read."""
    now = current(items, happened, readers)
    lines: list[Line] = []
    for pair in combinations(sorted(_annotators(now)), 2):
        lines += _filter_lines(pair, _common(now, FILTER, pair, readers), readers)
        lines += _contact_lines(pair, _common(now, CONTACT, pair, readers), readers)
        lines += _fine_lines(pair, _common(now, FINE, pair, readers), readers, items, seen)
    return lines


Common = Mapping[str, tuple[tuple[Event, ...], tuple[Event, ...]]]


def _annotators(now: Current) -> set[str]:
    return {who for tools in now.events.values() for events in tools.values() for who in events}


def _common(now: Current, tool: str, pair: tuple[str, str], readers: Readers) -> Common:
    """The events of both, by item, where both have finished."""
    found = {}
    for item, tools in now.events.items():
        first, second = (tools.get(tool, {}).get(who, ()) for who in pair)
        if is_done(readers, tool, first) and is_done(readers, tool, second):
            found[item] = first, second
    return found


def _kappa_lines(pair: tuple[str, str], tool: str, what: str, given: Iterable[tuple[str, str]]) -> list[Line]:
    """Kappa and the share of equal decisions; of items where one of the two has none, nothing."""
    both = [words for words in given if all(words)]
    found = cohen_kappa([words[0] for words in both], [words[1] for words in both])
    counts = Counter(f"{a} / {b}" for a, b in both if a != b)
    apart = ", ".join(f"{words}: {n}" for words, n in counts.most_common(3))
    return [
        Line(pair, tool, f"{what}: kappa", found.n, found.value, found.why),
        Line(pair, tool, f"{what}: equal", found.n, found.observed, apart),
    ]


def _filter_lines(pair: tuple[str, str], common: Common, readers: Readers) -> list[Line]:
    if not common:
        return []
    read = [tuple(readers.filtered(events) for events in both) for both in common.values()]
    human = _kappa_lines(pair, FILTER, "human", [(a.human, b.human) for a, b in read])
    thing = _kappa_lines(pair, FILTER, "object", [(a.object, b.object) for a, b in read])
    return [*_kappa_lines(pair, FILTER, "sample", [(verdict(a), verdict(b)) for a, b in read]), *human, *thing]


def _contact_lines(pair: tuple[str, str], common: Common, readers: Readers) -> list[Line]:
    if not common:
        return []
    rows = [[readers.touched(events).parts for events in both] for both in common.values()]
    ours, theirs = (np.array([[name in row[k] for name in PART_NAMES] for row in rows]) for k in (0, 1))
    n = len(rows)
    pooled = cohen_kappa(_words(ours.ravel()), _words(theirs.ravel()))
    scores = label_scores(ours, theirs)
    lines = [
        Line(pair, CONTACT, "parts: kappa, pooled", pooled.n, pooled.value, pooled.why or f"{n} items, 34 parts"),
        Line(pair, CONTACT, "parts: Jaccard", n, scores.jaccard, "mean over items; 1 where both found none"),
        Line(pair, CONTACT, "parts: F1", n, scores.f1, "of all items together"),
    ]
    for k, name in enumerate(PART_NAMES):
        found = cohen_kappa(_words(ours[:, k]), _words(theirs[:, k]))
        note = found.why or f"{int(ours[:, k].sum())} and {int(theirs[:, k].sum())} times"
        lines.append(Line(pair, CONTACT, f"{name}: kappa", n, found.value, note))
    return lines


def _words(flags: np.ndarray) -> list[str]:
    return ["touches" if flag else "does not touch" for flag in flags]


def _fine_lines(
    pair: tuple[str, str], common: Common, readers: Readers, items: Items, seen: Callable[[str], None]
) -> list[Line]:
    if not common:
        return []
    differences, apart = [], 0
    for item, both in common.items():
        sample = load_item(items, item)
        first, second = (readers.aligned(events).mesh(sample) for events in both)
        if first.verts.shape == second.verts.shape and np.array_equal(first.faces, second.faces):
            differences.append(pose_difference(sample, first.verts, second.verts, first.faces))
        else:
            apart += 1  # one moved the coarse mesh, the other an annotated one of another shape
        seen(item)
    note = f"{apart} items left out: two different meshes" if apart else ""
    lines = []
    for name, title in MEASURES.items():
        values = np.array([getattr(difference, name) for difference in differences])
        known = values[np.isfinite(values)]
        for word, reduce in (("median", np.median), ("largest", np.max)):
            value = float(reduce(known)) if len(known) else math.nan
            lines.append(Line(pair, FINE, f"{title}: {word}", len(known), value, note))
    tags = [tuple(readers.aligned(events).quality for events in both) for both in common.values()]
    return [*lines, *_kappa_lines(pair, FINE, "quality", [(a, b) for a, b in tags])]
