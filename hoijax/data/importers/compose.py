"""A sample put together from what an importer has read."""

from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, UInt8

from hoijax.coarse.view import Eye, mask_box, mesh_depth
from hoijax.data.images import fitted, load_depth, load_mask, load_photo
from hoijax.data.importers.lens import Lens, pinhole, undistorted
from hoijax.data.read import before_camera
from hoijax.data.sample import ColoredMesh, Sample, SampleError, Warn
from hoijax.types import Camera, HumanPose

MILLIMETRE = 1e-3


class Pictures(NamedTuple):
    """Photograph, masks (None: no file) and depth (metres, 0 unknown) as the pinhole `camera` sees them."""

    camera: Camera
    image: UInt8[np.ndarray, "h w 3"]
    human_mask: Bool[np.ndarray, "h w"] | None
    object_mask: Bool[np.ndarray, "h w"] | None
    depth: Float[np.ndarray, "h w"] | None


class Scene(NamedTuple):
    """Meshes and pose in the camera's frame, metres; `pose.translation` is not looked at. Where they were read."""

    human: ColoredMesh
    human_path: Path
    object: ColoredMesh
    object_path: Path
    pose: HumanPose


def load_pictures(
    lens: Lens,
    image: Path,
    human_mask: Path | None,
    object_mask: Path | None,
    depth: Path | None,
    warn: Warn,
    depth_unit: float = MILLIMETRE,
) -> Pictures:
    """The pictures of one view, undistorted. Depth counts in `depth_unit` metres. Raises SampleError."""
    photo = load_photo(image, warn)
    size = photo.shape[1::-1]

    def mask(path: Path | None) -> np.ndarray | None:
        return None if path is None else undistorted(lens, fitted(path, load_mask(path, warn), size, warn))

    far = None if depth is None else fitted(depth, load_depth(depth, warn, depth_unit), size, warn)
    return Pictures(
        pinhole(lens),
        undistorted(lens, photo),
        mask(human_mask),
        mask(object_mask),
        None if far is None else undistorted(lens, far),
    )


def visible_masks(
    camera: Camera, size: tuple[int, int], scene: Scene
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """What is seen of human and object in an image of `size` (h, w): at each pixel, of the nearer one."""
    eye = Eye(np.asarray(camera.focal, np.float64), np.asarray(camera.center, np.float64), size)
    depths = [mesh_depth(np.asarray(mesh.verts), mesh.faces, eye) for mesh in (scene.human, scene.object)]
    human, thing = (np.where(depth > 0, depth, np.inf) for depth in depths)
    return (human < thing) & np.isfinite(human), (thing <= human) & np.isfinite(thing)


def imported_sample(
    place: Path,
    folder: Path,
    pictures: Pictures,
    scene: Scene,
    masks: str,
    warnings: list[str],
    category: str | None = None,
    action: str | None = None,
) -> Sample:
    """The sample, stored as all are: meshes without `cam_trans`, which is the middle of the human's box.

    (The body model's own translation is not known without its file; what is drawn, mesh plus cam_trans, is the same.) The
    annotated object is `truth` and `object` alike. With `masks` "render" missing masks are those of the meshes.
    Raises SampleError where anything lies behind the camera, and for masks that are missing or empty.
    """
    nowhere = np.zeros(3)
    for path, mesh in ((scene.human_path, scene.human), (scene.object_path, scene.object)):
        before_camera(path, mesh, nowhere)
    human_mask, object_mask = _masks(folder, pictures, scene, masks, warnings)
    verts = scene.human.verts
    offset = np.float32((verts.min(0) + verts.max(0)) / 2)
    human, thing = (mesh._replace(verts=mesh.verts - offset) for mesh in (scene.human, scene.object))
    return Sample(
        name=place.as_posix(),
        folder=folder,
        image=pictures.image,
        human_mask=human_mask,
        object_mask=object_mask,
        camera=pictures.camera,
        pose=scene.pose._replace(translation=jnp.asarray(offset)),
        human=human,
        object=thing,
        truth=thing,
        depth=pictures.depth,
        human_box=_corners(human_mask),
        object_box=_corners(object_mask),
        category=category,
        action=action,
        warnings=tuple(warnings),
    )


def _masks(
    folder: Path, pictures: Pictures, scene: Scene, masks: str, warnings: list[str]
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Masks of human and object, from the files or else, if wanted, from the meshes. Raises SampleError."""
    given = {"human": pictures.human_mask, "object": pictures.object_mask}
    drawn: dict[str, Bool[np.ndarray, "h w"]] = {}
    missing = [part for part in given if given[part] is None]
    if missing and masks != "render":
        raise SampleError(folder, f"has no mask of the {missing[0]}; with --masks=render it is drawn from the mesh")
    if missing:
        drawn = dict(zip(given, visible_masks(pictures.camera, pictures.image.shape[:2], scene)))
        warnings += [f"the {part}'s mask is what is visible of its mesh: there is no file" for part in missing]
    chosen = [drawn[part] if mask is None else mask for part, mask in given.items()]
    for part, mask in zip(given, chosen):
        if not mask.any():
            raise SampleError(folder, f"shows nothing of the {part} in this view: its mask is empty")
    return chosen[0], chosen[1]


def _corners(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "4"]:
    """x0 y0 x1 y1 around a mask, pixels."""
    box = mask_box(mask)
    return np.array([box.left, box.top, box.right, box.bottom], np.float64)
