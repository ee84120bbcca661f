"""From a sample on the host to a scene for the optimizer: resized, decimated, padded to fixed shapes."""

from typing import NamedTuple

import cv2
import fast_simplification
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy.spatial import cKDTree

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import PART_NAMES, body_parts, parts_for_mesh, read_part_name
from hoijax.body.smplx import fixed_body, pose_body, with_hand_means, zero_pose
from hoijax.config import Config
from hoijax.data.crop import object_crop
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.mesh.sdf import init_sdf_grid
from hoijax.splats.init import mean_squared_neighbour_distance
from hoijax.types import Body, Camera, HumanPose, Mesh, Scene

# A body file stands for a sample's human when posing it gives the sample's mesh to this (mean distance, metres).
BODY_TOLERANCE = 0.01

# The options that `prepare` reads: configs that agree in them may share what it returns.
PREPARED_BY = (
    "image_size",
    "image_multiple",
    "object_faces",
    "object_verts",
    "sdf_resolution",
    "contact_parts",
    "crop_size",
    "crop_margin",
)


class Prepared(NamedTuple):
    """A scene with the body that its human is, and sentences about what had to be changed on the way."""

    scene: Scene
    body: Body
    notes: tuple[str, ...]


def choose_body(
    sample: Sample, body: Body | None, hand_means: Float[Array, "2 15 3"] | None
) -> tuple[Body, HumanPose, str]:
    """The body that reproduces the sample's human: the given one, the built-in one, or the sample's mesh held fixed."""
    stored = sample.human.verts + np.asarray(sample.pose.translation)
    candidates = [(body, sample.pose, "the given body file"), (builtin_body(), sample.pose, "the built-in body")]
    if hand_means is not None:
        relative = with_hand_means(sample.pose, hand_means)
        candidates.insert(1, (body, relative, "the given body file, hands relative to its mean hands"))
    for candidate, pose, name in candidates:
        if candidate is None or len(candidate.template) != len(stored):
            continue
        posed = np.asarray(pose_body(candidate, pose).verts)
        if np.linalg.norm(posed - stored, axis=1).mean() < BODY_TOLERANCE:
            return candidate, pose, f"human: {name}, posed by smplx_parameters.json"
    fixed = fixed_body(stored.astype(np.float32), sample.human.faces)
    note = f"human: h_mesh.obj held fixed, {len(stored)} vertices (no body file of this topology reproduces it)"
    return fixed, zero_pose(), note


def human_parts(sample: Sample, body: Body) -> Int[np.ndarray, " v"]:
    """The 34 parts of the human's vertices: of its body model, or carried over from the built-in body (method 9)."""
    if body.weights.shape[1] > 1:
        return body_parts(body)
    return parts_for_mesh(sample.human.verts, builtin_body(), sample.pose)


def contact_parts(sample: Sample, config: Config) -> Bool[np.ndarray, "34"]:
    """Which of the 34 parts touch the object: those that the config names, else those annotated with the sample.

    Raises ValueError for a name that is no body part.
    """
    named = [read_part_name(name) for name in config.contact_parts.split(",")] if config.contact_parts else None
    return np.isin(PART_NAMES, named if named is not None else sample.contact_parts or ())


def resized(image: np.ndarray, size: int) -> tuple[np.ndarray, Float[np.ndarray, "2"]]:
    """Area-averaged copy with long side `size`, and the scale (x, y) from old to new pixels."""
    h, w = image.shape[:2]
    factor = size / max(h, w)
    new_w, new_h = max(1, round(w * factor)), max(1, round(h * factor))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, (new_w, new_h), interpolation=method), np.array([new_w / w, new_h / h])


def padded(image: np.ndarray, multiple: int) -> np.ndarray:
    """The image in the top left corner of zeros, both sides a multiple of `multiple`."""
    h, w = (-(-side // multiple) * multiple for side in image.shape[:2])
    out = np.zeros((h, w, *image.shape[2:]), np.float32)
    out[: image.shape[0], : image.shape[1]] = image
    return out


def decimated(mesh: ColoredMesh, max_faces: int, max_verts: int) -> tuple[ColoredMesh, str | None]:
    """At most `max_faces` faces and `max_verts` vertices; colours from the nearest original vertex."""
    target = max_faces
    verts, faces = mesh.verts.astype(np.float32), mesh.faces.astype(np.int32)
    while len(faces) > max_faces or len(verts) > max_verts:
        verts, faces = fast_simplification.simplify(
            mesh.verts.astype(np.float32), mesh.faces.astype(np.int32), target_count=target
        )
        verts, faces = without_unused(verts, faces)
        if len(faces) > max_faces or len(verts) > max_verts:
            target = int(target * 0.8)
        if target < 16:
            raise ValueError(
                f"the object mesh cannot be reduced to {max_faces} faces and {max_verts} vertices "
                f"(it has {len(mesh.faces)} and {len(mesh.verts)}); is it a soup of unconnected triangles?"
            )
    if len(faces) == len(mesh.faces):
        return mesh, None
    rgb = mesh.rgb[cKDTree(mesh.verts).query(verts)[1]]
    note = f"object: {len(mesh.faces)} faces decimated to {len(faces)}"
    return ColoredMesh(verts.astype(np.float64), faces, rgb), note


def without_unused(verts: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mesh without vertices that no face uses."""
    used, inverse = np.unique(faces, return_inverse=True)
    return verts[used], inverse.reshape(faces.shape).astype(np.int32)


def padded_mesh(mesh: ColoredMesh, faces: int, verts: int) -> tuple[Mesh, Float[Array, "v 3"]]:
    """Fixed capacity: padding vertices stand at the mean, padding faces are (0, 0, 0)."""
    count = len(mesh.verts)
    all_verts = np.tile(mesh.verts.mean(0), (verts, 1)).astype(np.float32)
    all_verts[:count] = mesh.verts
    all_rgb = np.full((verts, 3), 0.5, np.float32)
    all_rgb[:count] = mesh.rgb
    all_faces: Int[np.ndarray, "f 3"] = np.zeros((faces, 3), np.int32)
    all_faces[: len(mesh.faces)] = mesh.faces
    valid = np.arange(verts) < count
    return Mesh(jnp.asarray(all_verts), jnp.asarray(all_faces), jnp.asarray(valid)), jnp.asarray(all_rgb)


def prepare(
    sample: Sample, config: Config, body: Body | None = None, hand_means: Float[Array, "2 15 3"] | None = None
) -> Prepared:
    """Everything the optimizer needs of a sample, at `config.image_size`. The object stands at its coarse start.

    With `hand_means` (of the body file) hand poses stored relative to the mean hands are tried too; the mesh decides.
    """
    size, multiple = config.image_size, config.image_multiple
    image, scale = resized(sample.image.astype(np.float32) / 255, size)
    human_mask, _ = resized(sample.human_mask.astype(np.float32), size)
    object_mask, _ = resized(sample.object_mask.astype(np.float32), size)
    camera = Camera(
        jnp.asarray(np.asarray(sample.camera.focal) * scale, jnp.float32),
        jnp.asarray(np.asarray(sample.camera.center) * scale, jnp.float32),
    )
    chosen, pose, body_note = choose_body(sample, body, hand_means)
    placed = sample.object._replace(verts=sample.object.verts + np.asarray(sample.pose.translation))
    small, mesh_note = decimated(placed, config.object_faces, config.object_verts)
    mesh, rgb = padded_mesh(small, config.object_faces, config.object_verts)
    human_verts = np.asarray(pose_body(chosen, pose).verts)
    everyone = np.ones(len(human_verts), bool)
    scene = Scene(
        image=jnp.asarray(padded(image, multiple)),
        valid=jnp.asarray(padded(np.ones(image.shape[:2]), multiple) > 0.5),
        human_mask=jnp.asarray(padded(human_mask, multiple)),
        object_mask=jnp.asarray(padded(object_mask, multiple)),
        camera=camera,
        human=pose,
        object=mesh,
        object_rgb=rgb,
        human_d2=jnp.asarray(mean_squared_neighbour_distance(human_verts, everyone), jnp.float32),
        object_d2=jnp.asarray(
            mean_squared_neighbour_distance(np.asarray(mesh.verts), np.asarray(mesh.valid)), jnp.float32
        ),
        object_sdf=init_sdf_grid(small.verts, small.faces, config.sdf_resolution),
        human_sdf=init_sdf_grid(human_verts, np.asarray(chosen.faces), config.sdf_resolution),
        human_parts=jnp.asarray(human_parts(sample, chosen)),
        contact_parts=jnp.asarray(contact_parts(sample, config)),
        object_crop=object_crop(
            sample.object_mask, sample.human_mask, sample.camera, config.crop_size, config.crop_margin
        ),
    )
    return Prepared(scene, chosen, tuple(note for note in (body_note, mesh_note, *sample.warnings) if note))
