"""Which of the 34 parts each face of a sample's person belongs to, and which parts it lacks."""

import numpy as np
from jaxtyping import Int

from hoijax.body.parts import PART_NAMES
from hoijax.data.sample import ColoredMesh


def face_labels(mesh: ColoredMesh, parts: Int[np.ndarray, " v"]) -> Int[np.ndarray, " f"]:
    """The part of each face: that of most of its corners, of its first one where all differ."""
    a, b, c = parts[mesh.faces].T
    return np.where((b == c) & (a != b), b, a)


def absent(parts: Int[np.ndarray, " v"]) -> list[str]:
    """The parts that this mesh has no vertex of."""
    return [name for k, name in enumerate(PART_NAMES) if not (parts == k).any()]
