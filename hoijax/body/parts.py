"""The 34 body parts that contact labels speak of (Open3DHOI, Table 7), as a part index for every vertex of a body.

The authors' map is not public. This one follows from the body model: its skinning weights, joints and a few landmarks
of the face. All of it is numpy on the host, done once per body.
"""

import difflib
import json
import re
from pathlib import Path
from typing import NamedTuple

import igl
import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
from jaxtyping import Array, Float, Int
from scipy.spatial import cKDTree

from hoijax.body.register import registered_verts
from hoijax.types import Body, HumanPose

_MIDLINE = ("bottom", "head", "neck", "torso", "back", "jaw", "nose", "mouth")
_PAIRED = (
    *("elbow", "foot", "palm", "hip", "knee", "lower arm", "lower leg", "shoulder", "upper arm", "upper leg"),
    *("eye", "fingers", "ear"),
)
PART_NAMES = _MIDLINE + tuple(f"{side} {name}" for name in _PAIRED for side in ("left", "right"))
PAPER_SPELLING = {"mouth": "mouse"}  # what the paper's table and its label files print

JOINT_BAND = 0.18  # half-width of an elbow or knee and depth of a shoulder, in mean lengths of the limb's two halves
HIP_DEPTH = 0.1  # how far hips and bottom reach under the hip joints, in lengths of the upper leg
KNUCKLES = 1.1  # the palm ends at this fraction of the way from the wrist to the knuckles
ISLAND = 10  # smaller pieces of a part are given to a neighbour
SMPLX_VERTS = 10475
SMPLX_LANDMARKS = {"nose": 9120, "left ear": 6, "right ear": 616}
SMPLX_TIPS = (
    4933,
    5058,
    5286,
    5169,
    5361,
    7669,
    7794,
    8022,
    7905,
    8079,
)  # of the fingers, in the order of their joints
SMPLX_EYEBALLS = {"left": slice(9383, 9929), "right": slice(9929, 10475)}


def read_part_name(text: str) -> str:
    """The name in `PART_NAMES` that a user means: any case, underscores or hyphens, the paper's spelling.

    Raises: ValueError with the nearest names.
    """
    name = re.sub(r"[\s_\-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)).strip().lower()
    name = {spelling: part for part, spelling in PAPER_SPELLING.items()}.get(name, name)
    if name not in PART_NAMES:
        near = difflib.get_close_matches(name, PART_NAMES, n=3) or PART_NAMES
        raise ValueError(f"{text!r} is not one of the 34 body parts; nearest: {', '.join(near)}")
    return name


def body_parts(body: Body) -> Int[np.ndarray, " v"]:
    """Index into `PART_NAMES` of each vertex of a skinned body; every part has vertices.

    Raises: ValueError for a body of one joint (see `parts_for_mesh`) and where a part comes out empty.
    """
    if len(body.regressor) == 1:
        raise ValueError("a body of one joint has no parts of its own; take them from a skinned body by parts_for_mesh")
    rest = _rest(body)
    parts = np.full(len(rest.verts), -1)
    for name, mask in _regions(rest):  # the first match wins
        parts[(parts < 0) & mask] = PART_NAMES.index(name)
    parts = _smoothed(parts, rest.adjacency)
    empty = [PART_NAMES[k] for k in range(len(PART_NAMES)) if not (parts == k).any()]
    if empty:
        raise ValueError(f"the body has no vertex for the parts {empty}; give a part map by load_parts")
    return parts


def load_parts(path: str | Path, count: int) -> Int[np.ndarray, " v"]:
    """A part map from a user's JSON file {part name: [vertex, ...]} for a body of `count` vertices.

    Raises: ValueError naming the file where a name is unknown, or a vertex is missing, repeated or out of range.
    """
    content: dict[str, np.ndarray] = {}
    try:
        for text, vertices in json.loads(Path(path).read_text()).items():
            name = read_part_name(text)
            if name in content:
                raise ValueError(f"it names {name} twice")
            content[name] = np.array(vertices, np.int64)
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{path}: expected JSON {{part name: [vertex, ...]}}: {error}") from error
    index = np.concatenate(list(content.values())) if content else np.zeros(0, np.int64)
    outside = index[(index < 0) | (index >= count)]
    if len(outside):
        raise ValueError(f"{path}: names vertex {outside[0]}, expected 0..{count - 1}")
    times = np.bincount(index, minlength=count)
    if (times != 1).any():
        vertex = int(np.flatnonzero(times != 1)[0])
        raise ValueError(f"{path}: vertex {vertex} is in {times[vertex]} parts, expected every vertex in exactly one")
    parts = np.zeros(count, np.int64)
    for name, vertices in content.items():
        parts[vertices] = PART_NAMES.index(name)
    return parts


class _Rest(NamedTuple):
    """The rest body on the host: y up, facing +z, its left at +x."""

    verts: np.ndarray
    normals: np.ndarray
    joints: np.ndarray
    weights: np.ndarray
    bone: np.ndarray  # the joint of the largest weight
    adjacency: scipy.sparse.csr_matrix


def _rest(body: Body) -> _Rest:
    verts = np.asarray(body.template, np.float64)
    faces = np.asarray(body.faces, np.int64)
    weights = np.asarray(body.weights)
    joints = np.asarray(body.regressor, np.float64) @ verts
    normals = igl.per_vertex_normals(verts, faces)
    return _Rest(verts, normals, joints, weights, weights.argmax(1), igl.adjacency_matrix(faces).tocsr())


def _regions(rest: _Rest) -> list[tuple[str, np.ndarray]]:
    """Masks of the parts before smoothing, in the order in which they claim vertices."""
    both = [region for side in (0, 1) for region in _limbs(rest, side)]
    return both + _head(rest) + _trunk(rest)


def _limbs(rest: _Rest, side: int) -> list[tuple[str, np.ndarray]]:
    """Eye, hand, arm and leg of one side (0 left, 1 right)."""
    word = ("left", "right")[side]
    hip, knee, ankle, foot, collar, shoulder, elbow, wrist = (k + side for k in (1, 4, 7, 10, 13, 16, 18, 20))
    index, thumb = 25 + 15 * side, 37 + 15 * side
    fingers = (rest.bone >= index) & (rest.bone < index + 15)
    knuckles = rest.joints[[index, index + 3, index + 6, index + 9]].mean(0)
    hand = _fraction(rest.verts, rest.joints[wrist], knuckles)
    arm = np.isin(rest.bone, (shoulder, elbow, wrist))
    arm_bend = _bend(rest, shoulder, elbow, wrist)
    leg = np.isin(rest.bone, (hip, knee)) & ~_pelvic(rest)
    leg_bend = _bend(rest, hip, knee, ankle)
    cap = _fraction(rest.verts, rest.joints[shoulder], rest.joints[elbow]) < JOINT_BAND
    return [
        (f"{word} eye", rest.bone == 23 + side),
        (f"{word} palm", ((rest.bone == wrist) & (hand > 0)) | (fingers & (rest.bone < thumb) & (hand < KNUCKLES))),
        (f"{word} fingers", fingers),
        (f"{word} foot", np.isin(rest.bone, (ankle, foot))),
        (f"{word} elbow", arm & (np.abs(arm_bend) < JOINT_BAND)),
        (f"{word} knee", leg & (np.abs(leg_bend) < JOINT_BAND)),
        (f"{word} shoulder", (rest.bone == collar) | ((rest.bone == shoulder) & cap)),
        (f"{word} upper arm", arm & (arm_bend < 0)),
        (f"{word} lower arm", arm),
        (f"{word} upper leg", leg & (leg_bend < 0)),
        (f"{word} lower leg", leg),
    ]


def _trunk(rest: _Rest) -> list[tuple[str, np.ndarray]]:
    """Pelvis, spine and neck, told apart by where the surface faces; hips lie outside of the hip joints."""
    toward_left, up, front = rest.normals.T
    pelvis = _pelvic(rest)
    inner_thigh = np.sign(rest.verts[:, 0]) * toward_left < 0
    return [
        ("bottom", pelvis & ((front < -0.75) | (up < -0.6) | inner_thigh)),
        ("left hip", pelvis & (rest.verts[:, 0] > rest.joints[1, 0])),
        ("right hip", pelvis & (rest.verts[:, 0] < rest.joints[2, 0])),
        ("bottom", pelvis & (front < 0)),
        ("torso", pelvis),
        ("neck", rest.bone == 12),
        ("back", np.isin(rest.bone, (3, 6, 9)) & (front < 0)),
        ("torso", np.isin(rest.bone, (3, 6, 9))),
    ]


def _head(rest: _Rest) -> list[tuple[str, np.ndarray]]:
    """Ears, nose, mouth, jaw and the rest of the head, in units of the distance between the eyes."""
    head = np.isin(rest.bone, (15, 22))
    eyes = rest.joints[23:25].mean(0)
    unit = np.linalg.norm(rest.joints[23] - rest.joints[24])
    nose, ears = _landmarks(rest, head, eyes)
    jaw = rest.weights[:, 22] > 0.5
    lips = jaw & (np.abs(rest.verts[:, 0] - nose[0]) < 0.1 * unit) & (rest.verts[:, 2] > nose[2] - 0.4 * unit)
    below = nose - [0, 0.53 * unit, 0.2 * unit]
    mouth = rest.verts[lips][rest.verts[lips, 1].argmax()] if lips.any() else below  # the upper edge of the lower lip
    bridge = (nose + eyes + [0, 0, nose[2] - eyes[2]]) / 2
    return [
        ("left ear", head & _in_ellipsoid(rest.verts, ears[0], unit * np.array([0.6, 0.75, 0.5]))),
        ("right ear", head & _in_ellipsoid(rest.verts, ears[1], unit * np.array([0.6, 0.75, 0.5]))),
        ("nose", head & _in_ellipsoid(rest.verts, bridge, unit * np.array([0.36, 0.6, 0.6]))),
        ("mouth", head & _in_ellipsoid(rest.verts, mouth, unit * np.array([0.5, 0.26, 0.8]))),
        ("jaw", head & jaw),
        ("head", head),
    ]


def _landmarks(rest: _Rest, head: np.ndarray, eyes: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Tip of the nose, and both ears: known vertices of SMPL-X, else the foremost and outermost of the head."""
    if len(rest.verts) == SMPLX_VERTS:
        nose, left, right = (rest.verts[SMPLX_LANDMARKS[name]] for name in ("nose", "left ear", "right ear"))
        return nose, [left, right]
    face = rest.verts[head]
    nose = face[np.where(face[:, 1] < eyes[1], face[:, 2], -np.inf).argmax()]
    return nose, [face[face[:, 0].argmax()], face[face[:, 0].argmin()]]


def _pelvic(rest: _Rest) -> np.ndarray:
    """Vertices that ride on the pelvis, and those of the thighs above a level just under the hip joints."""
    hip, knee = rest.joints[1:3, 1].mean(), rest.joints[4:6, 1].mean()
    thigh = np.isin(rest.bone, (1, 2)) & (rest.verts[:, 1] > hip - HIP_DEPTH * (hip - knee))
    return (rest.bone == 0) | thigh


def _fraction(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """How far along start -> end the points lie: 0 at the start, 1 at the end."""
    axis = end - start
    return (points - start) @ axis / (axis @ axis)


def _bend(rest: _Rest, upper: int, middle: int, lower: int) -> np.ndarray:
    """Signed distance below the middle joint along a limb, in mean lengths of its two halves."""
    a, b, c = rest.joints[[upper, middle, lower]]
    half = (np.linalg.norm(b - a) + np.linalg.norm(c - b)) / 2
    return (rest.verts - b) @ (c - a) / np.linalg.norm(c - a) / half


def _in_ellipsoid(points: np.ndarray, center: np.ndarray, radii: np.ndarray) -> np.ndarray:
    return (((points - center) / radii) ** 2).sum(1) < 1


def _smoothed(parts: np.ndarray, adjacency: scipy.sparse.csr_matrix) -> np.ndarray:
    """Two majority votes over the 1-ring, then small islands go to the part that surrounds them."""
    for _ in range(2):
        votes = _votes(parts, adjacency)
        votes[np.arange(len(parts)), np.maximum(parts, 0)] += np.where(parts >= 0, 1.5, 0)  # itself, and ties stay
        parts = votes.argmax(1)
    same = adjacency.tocoo()
    keep = parts[same.row] == parts[same.col]
    graph = scipy.sparse.coo_matrix((np.ones(keep.sum()), (same.row[keep], same.col[keep])), adjacency.shape)
    count, island = scipy.sparse.csgraph.connected_components(graph, directed=False)
    small = np.flatnonzero(np.bincount(island, minlength=count) < ISLAND)
    for k in small:
        votes = _votes(np.where(island == k, -1, parts), adjacency)[island == k].sum(0)
        if votes.any():
            parts[island == k] = votes.argmax()
    return parts


def _votes(parts: np.ndarray, adjacency: scipy.sparse.csr_matrix) -> np.ndarray:
    """How many neighbours of each vertex belong to each part; -1 has no vote."""
    return adjacency @ (parts[:, None] == np.arange(len(PART_NAMES))).astype(float)


def parts_for_mesh(
    verts: Float[np.ndarray | Array, "n 3"], body: Body, pose: HumanPose, parts: Int[np.ndarray, " v"] | None = None
) -> Int[np.ndarray, " n"]:
    """Parts of a mesh that is already posed: those of the nearest vertices of `body`, once it is laid onto the mesh.

    Takes seconds, and depends on the mesh's topology more than on its pose: do it once for meshes that share theirs. For
    SMPL-X's own topology finger tips, nose and ears are held together, and the eyes are its eyeballs. `parts`: those of
    `body` where they are at hand.
    """
    parts = body_parts(body) if parts is None else parts
    mesh = np.asarray(verts, np.float64)
    smplx = len(mesh) == SMPLX_VERTS
    laid = registered_verts(body, pose, mesh, _smplx_pairs(_rest(body)) if smplx else np.zeros((0, 2), np.int64))
    found = parts[cKDTree(laid).query(mesh)[1]]
    if smplx:
        for side, eyeball in SMPLX_EYEBALLS.items():
            found[eyeball] = PART_NAMES.index(f"{side} eye")
    return found


def _smplx_pairs(rest: _Rest) -> np.ndarray:
    """Pairs (vertex of the body, vertex of SMPL-X) of finger tips, nose and ears."""
    tips = [
        np.where(rest.bone == joint, _fraction(rest.verts, *rest.joints[[joint - 1, joint]]), -np.inf).argmax()
        for joint in range(27, 55, 3)
    ]
    head = rest.bone == 15
    nose, ears = _landmarks(rest, head, rest.joints[23:25].mean(0))
    face = [np.square(rest.verts - point).sum(1).argmin() for point in (nose, *ears)]
    return np.stack([tips + face, [*SMPLX_TIPS, *SMPLX_LANDMARKS.values()]], 1)
