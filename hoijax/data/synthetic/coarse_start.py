"""The start of a benchmark scene's object: what the coarse reconstruction makes of an estimated depth map and mesh."""

import numpy as np
from jaxtyping import Bool, Float

from hoijax.coarse.place import Coarse, coarse_placement
from hoijax.data.sample import ColoredMesh
from hoijax.types import Camera


def coarse_start(
    delivered: ColoredMesh,
    human: ColoredMesh,
    offset: Float[np.ndarray, "3"],
    camera: Camera,
    depth: Float[np.ndarray, "h w"],
    human_mask: Bool[np.ndarray, "h w"],
    object_mask: Bool[np.ndarray, "h w"],
) -> tuple[ColoredMesh, Coarse]:
    """The delivered mesh in the size and at the place that the depth map says, its rotation kept; and how that came.

    `human` and the result are stored as samples are: without `offset`, the human's translation before the camera.
    """
    coarse = coarse_placement(
        human.verts + offset, human.faces, delivered.verts, delivered.faces, camera, depth, human_mask, object_mask
    )
    verts = coarse.scale * delivered.verts @ coarse.rotation.T + coarse.translation - offset
    return delivered._replace(verts=verts), coarse
