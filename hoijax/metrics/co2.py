"""Collision and contact of human and object: Co2 (Open3DHOI Eq. 7), penetration, gap, and contact of vertices."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from hoijax.metrics.surface import Surface, enclosed_volume, inside, surface, surface_distance, surface_samples


class Co2(NamedTuple):
    """Co2 with everything it is made of. Lower is better.

    `co2` sums the contact distance over the annotated parts as Eq. 7 does, `co2_mean` takes their mean. `collision` is
    `human_inside` (fraction of human vertices inside the object) + `object_inside` (fraction of object surface samples
    inside the human). `contact_sum` and `contact_mean` are metres. `size` is the cube root of the object's volume in
    metres; where `watertight` is False, that of its convex hull. Penetration: depth of all points found inside the other
    mesh, 0 if none. `gap_cm`: smallest distance of the surfaces, 0 where they go through each other.
    """

    co2: float
    co2_mean: float
    collision: float
    human_inside: float
    object_inside: float
    contact_sum: float
    contact_mean: float
    size: float
    watertight: bool
    penetration_max_cm: float
    penetration_mean_cm: float
    gap_cm: float


class Nearness(NamedTuple):
    """Of each point the unsigned distance (metres) to a surface, and whether it is inside."""

    distance: Float[np.ndarray, " v"]
    inside: Bool[np.ndarray, " v"]


class ContactScores(NamedTuple):
    """Agreement of two sets of human vertices in contact, in [0, 1]."""

    precision: float
    recall: float
    f1: float


def part_masks(
    labels: Int[ArrayLike, " v"], annotated: Sequence[int | str], names: Sequence[str] = ()
) -> Bool[np.ndarray, "p v"]:
    """One vertex mask per annotated part, from the part index of each vertex; parts by index or by `names`, once each.

    Raises ValueError for a name that `names` lacks and for a part without vertices.
    """
    unknown = [part for part in annotated if isinstance(part, str) and part not in names]
    if unknown:
        raise ValueError(f"unknown body parts {unknown}, expected some of {list(names)}")
    indices = [list(names).index(part) if isinstance(part, str) else int(part) for part in annotated]
    masks = np.asarray(labels)[None] == np.array(list(dict.fromkeys(indices)), int)[:, None]
    _check_parts(masks)
    return masks


def squashed(x: float) -> float:
    """Sig(x) = 2 sigmoid(x) - 1 = tanh(x / 2): takes [0, inf) to [0, 1). (A bare sigmoid would start at 1/2.)"""
    return float(np.tanh(x / 2))


def co2(
    human_verts: Float[ArrayLike, "v 3"],
    human_faces: Int[ArrayLike, "f 3"],
    object_verts: Float[ArrayLike, "w 3"],
    object_faces: Int[ArrayLike, "g 3"],
    contact_parts: Bool[ArrayLike, "p v"],
    size: Literal["volume", "hull"] = "volume",
    samples: int = 10_000,
    seed: int = 0,
    near: Nearness | None = None,
) -> Co2:
    """Co2 = Sig(Colli) + Sig(sum_i Cont(i) / Size) (Open3DHOI Eq. 7), for the annotated parts `contact_parts`.

    Cont(i): mean unsigned distance of part i's vertices to the object's surface. Size: cube root of the volume of the
    mesh, or with `size="hull"` always of its convex hull (a thin shell has little volume). Without annotated parts contact
    and Co2 are NaN, for a flat object (size 0) Co2 is; the rest stands. Vertices that no face uses must be left out.
    `near`: `nearness` of the human's vertices to the object, where it is known already.
    Raises ValueError for a part without vertices and for meshes that `surface` refuses.
    """
    human, thing = surface(human_verts, human_faces, "human"), surface(object_verts, object_faces, "object")
    parts = np.asarray(contact_parts, bool)
    _check_parts(parts)
    points = surface_samples(thing, samples, seed)
    human_distance, human_in = near or nearness(human.verts, thing.verts, thing.faces)
    point_distance, point_in = surface_distance(points, human), inside(points, human)
    collision = float(human_in.mean() + point_in.mean())
    depths = np.concatenate([human_distance[human_in], point_distance[point_in]])
    gap = 0.0 if len(depths) else _gap(human, thing, min(human_distance.min(), point_distance.min()))

    contact = np.array([human_distance[part].mean() for part in parts])
    contact_sum, contact_mean = (contact.sum(), contact.mean()) if len(contact) else (np.nan, np.nan)
    volume, watertight = enclosed_volume(thing, hull=size == "hull")
    length = volume ** (1 / 3)
    divisor = length if length > 0 else np.nan
    return Co2(
        co2=squashed(collision) + squashed(contact_sum / divisor),
        co2_mean=squashed(collision) + squashed(contact_mean / divisor),
        collision=collision,
        human_inside=float(human_in.mean()),
        object_inside=float(point_in.mean()),
        contact_sum=float(contact_sum),
        contact_mean=float(contact_mean),
        size=length,
        watertight=watertight,
        penetration_max_cm=float(100 * depths.max(initial=0)),
        penetration_mean_cm=float(100 * depths.mean()) if len(depths) else 0.0,
        gap_cm=100 * gap,
    )


def nearness(points: Float[ArrayLike, "v 3"], verts: Float[ArrayLike, "w 3"], faces: Int[ArrayLike, "g 3"]) -> Nearness:
    """How near the points are to a mesh. Raises ValueError for a mesh that `surface` refuses."""
    where, thing = np.asarray(points, np.float64), surface(verts, faces, "object")
    return Nearness(surface_distance(where, thing), inside(where, thing))


def in_contact(near: Nearness, threshold: float = 0.05) -> Bool[np.ndarray, " v"]:
    """Points in contact: at most `threshold` metres from the surface, or inside it."""
    return (near.distance <= threshold) | near.inside


def contact_scores(predicted: Bool[ArrayLike, " v"], true: Bool[ArrayLike, " v"]) -> ContactScores:
    """Precision TP / (TP + FP), recall TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN); NaN where the divisor is 0."""
    found, truth = np.asarray(predicted, bool), np.asarray(true, bool)
    hits, claims, facts = (int(x.sum()) for x in (found & truth, found, truth))
    return ContactScores(_ratio(hits, claims), _ratio(hits, facts), _ratio(2 * hits, claims + facts))


def _ratio(part: int, whole: int) -> float:
    """part / whole, NaN of nothing."""
    return part / whole if whole else np.nan


def _gap(human: Surface, thing: Surface, bound: float) -> float:
    """Smallest distance between two surfaces that do not meet, at vertices of either, given a `bound` from above.

    Where the nearest places are the insides of two edges, the result is larger than the truth, by less than an edge.
    """
    corners = thing.verts[np.unique(thing.faces)]
    vertices = human.verts[np.unique(human.faces)]
    edges = human.verts[human.faces] - human.verts[np.roll(human.faces, 1, axis=1)]
    longest = np.linalg.norm(edges, axis=-1).max()  # no point of a triangle is further from its nearest corner
    to_vertex, _ = cKDTree(vertices).query(corners, distance_upper_bound=bound + longest)
    near = corners[to_vertex <= min(bound, to_vertex.min()) + longest]
    return float(surface_distance(near, human).min(initial=bound))


def _check_parts(masks: Bool[np.ndarray, "p v"]) -> None:
    """Raise ValueError where a part has no vertex: its distance to the object is not defined."""
    empty = np.flatnonzero(~masks.any(1))
    if len(empty):
        raise ValueError(f"annotated parts {empty.tolist()} (positions in the list) have no vertices")
