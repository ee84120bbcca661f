"""The nouns of hoijax: NamedTuples of arrays that describe one image.

Conventions, stated once: the world frame is the camera frame with OpenCV axes (x right, y down, z forward), in metres.
The centre of pixel (row i, column j) lies at (x, y) = (j + 0.5, i + 0.5). Matrices act on columns (`x @ R.T`),
quaternions are wxyz, rotation vectors are axis times angle in radians. A suffix `_px` marks pixels, no suffix metres; the
prefixes `log_` and `logit_` mark unconstrained parameters. Every type describes one image; a batch is `jax.vmap` over it.
"""

from typing import Any, NamedTuple

from jaxtyping import Array, Bool, Float, Int


class Camera(NamedTuple):
    """Pinhole camera without distortion, in pixels of the image it belongs to."""

    focal: Float[Array, "2"]
    center: Float[Array, "2"]


class HumanPose(NamedTuple):
    """SMPL-X parameters: axis-angle rotations (hands in full, flat-hand mean not added), coefficients, metres."""

    root: Float[Array, "3"]
    body: Float[Array, "21 3"]
    jaw: Float[Array, "3"]
    eyes: Float[Array, "2 3"]
    left_hand: Float[Array, "15 3"]
    right_hand: Float[Array, "15 3"]
    shape: Float[Array, "10"]
    expression: Float[Array, "10"]
    translation: Float[Array, "3"]


class ObjectPose(NamedTuple):
    """Similarity about a pivot m: x' = s R (x - m) + m + t, with R = exp(rotvec), s = exp(log_scale). Zeros: identity."""

    rotvec: Float[Array, "3"]
    translation: Float[Array, "3"]
    log_scale: Float[Array, ""]


class Mesh(NamedTuple):
    """Triangles of fixed capacity. Padding vertices have `valid` False, padding faces are (0, 0, 0): zero area."""

    verts: Float[Array, "v 3"]
    faces: Int[Array, "f 3"]
    valid: Bool[Array, " v"]


class Body(NamedTuple):
    """A linear-blend-skinned body of j joints in the SMPL-X order: 55, or 1 for a mesh that has no joints to move.

    `template` is the rest mesh; the directions add s, e and p blend shapes; `regressor` maps rest vertices to joints.
    """

    template: Float[Array, "v 3"]
    shape_dirs: Float[Array, "v 3 s"]
    expression_dirs: Float[Array, "v 3 e"]
    pose_dirs: Float[Array, "p v 3"]
    regressor: Float[Array, "j v"]
    weights: Float[Array, "v j"]
    faces: Int[Array, "f 3"]


class Posed(NamedTuple):
    """A posed body in the camera frame. `frames`: blended rotation part of each vertex's skinning transform."""

    verts: Float[Array, "v 3"]
    frames: Float[Array, "v 3 3"]
    joints: Float[Array, "j 3"]


class SdfGrid(NamedTuple):
    """Signed distance, negative inside, sampled at origin + spacing * (i, j, k) for the index (i, j, k) of `values`."""

    values: Float[Array, "x y z"]
    origin: Float[Array, "3"]
    spacing: Float[Array, ""]


class Crop(NamedTuple):
    """A square window around the object, at a resolution of its own. `camera` in the window's pixels.

    `target`: 1 on the object, 0 on the background, -1 where nothing is known: the human is there, or no photograph.
    """

    target: Float[Array, "c c"]
    camera: Camera


class Scene(NamedTuple):
    """One image made ready for the optimizer: fixed shapes, everything in the camera frame of the resized image.

    Masks are coverages in [0, 1]; `valid` is False on padding. `object` stands at its coarse start (x' = x at the
    identity ObjectPose). `object_sdf` lives in that frame; `human_sdf` is that of the posed human. `human_parts` are
    indices into the 34 body parts, `contact_parts` marks those that are known to touch the object (none: not known).
    `human_d2` and `object_d2`: mean squared distance (m^2) of each vertex to the three nearest, the start size of its
    Gaussian; 0 for padding.
    """

    image: Float[Array, "h w 3"]
    valid: Bool[Array, "h w"]
    human_mask: Float[Array, "h w"]
    object_mask: Float[Array, "h w"]
    camera: Camera
    human: HumanPose
    object: Mesh
    object_rgb: Float[Array, "v 3"]
    human_d2: Float[Array, " h"]
    object_d2: Float[Array, " v"]
    object_sdf: SdfGrid
    human_sdf: SdfGrid
    human_parts: Int[Array, " v"]
    contact_parts: Bool[Array, "34"]
    object_crop: Crop


class Assets(NamedTuple):
    """What a batch shares: the body model and, where a term asks for it, the weights of the perceptual network."""

    body: Body
    lpips: Any = None


class Splats(NamedTuple):
    """Trainable state of Gaussians that ride on vertices: unconstrained log scale (metres), quaternion, logit, colour."""

    log_scale: Float[Array, "n 3"]
    quat: Float[Array, "n 4"]
    logit_opacity: Float[Array, " n"]
    rgb: Float[Array, "n 3"]


class Refiners(NamedTuple):
    """Flax variables of the pose refiner and the skinning offset (GauHuman). Empty dicts where the body is fixed."""

    pose: Any
    skinning: Any


class Params(NamedTuple):
    """Everything that `fit` trains."""

    human: Refiners
    object: ObjectPose
    human_splats: Splats
    object_splats: Splats


class Gaussians(NamedTuple):
    """Posed Gaussians in the camera frame, ready to draw. Opacity in (0, 1)."""

    means: Float[Array, "n 3"]
    covs: Float[Array, "n 3 3"]
    opacity: Float[Array, " n"]
    rgb: Float[Array, "n 3"]


class Frame(NamedTuple):
    """One render on black: rgb = sum w c, alpha = sum w, depth = sum w z (not divided by alpha)."""

    rgb: Float[Array, "h w 3"]
    alpha: Float[Array, "h w"]
    depth: Float[Array, "h w"]


class Renders(NamedTuple):
    """Three renders of one pass. `entries` and `items` are what the scene needed; `dropped` is what capacity cut off."""

    joint: Frame
    human: Frame
    object: Frame
    entries: Int[Array, ""]
    items: Int[Array, ""]
    dropped: Int[Array, ""]
