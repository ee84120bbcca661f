"""docs/blender.png: what annotators see in Blender, before and after they placed the object.

    make blender-addon venv-blender
    .venv-blender/bin/python docs/blender_picture.py out/hoijax-blender.zip TREE NAME docs/blender.png

TREE is a tree with ground truth (`experiments/make_benchmark.py --split=test --out=TREE`), NAME a sample of it: here
bicycle/ride_200. From the left: photograph, coarse start over it, placed object over it, the same from the side. Blender
draws with its viewport's engine, by software where there is no GPU.
"""

import math
import os
import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

SHARE = 0.8  # of the meshes' colour over the photograph
PERCENT = 75  # of the photograph's size


def drawn(path: Path) -> np.ndarray:
    """What the scene's camera sees, RGBA in [0, 1], rows from the top."""
    scene = bpy.context.scene
    scene.render.engine, scene.render.film_transparent = "BLENDER_WORKBENCH", True
    scene.render.resolution_percentage = PERCENT
    scene.view_settings.view_transform = "Standard"
    scene.display.shading.color_type, scene.display.shading.light = "VERTEX", "STUDIO"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return pixels(path, None)


def pixels(path: Path, size: tuple[int, int] | None) -> np.ndarray:
    image = bpy.data.images.load(str(path))
    if size is not None:
        image.scale(*size)
    values = np.array(image.pixels[:], np.float32).reshape(image.size[1], image.size[0], 4)[::-1]
    bpy.data.images.remove(image)
    return values


def over(front: np.ndarray, back: np.ndarray, share: float) -> np.ndarray:
    alpha = front[..., 3:] * share
    return front[..., :3] * alpha + back[..., :3] * (1 - alpha)


def place_as(truth: np.ndarray, coarse: np.ndarray) -> None:
    """Moves the object by the similarity between two vertex lists, by the properties that annotators change."""
    thing = bpy.data.objects["object"]
    a, b = coarse - coarse.mean(0), truth - truth.mean(0)
    left, _, right = np.linalg.svd(b.T @ a)
    rotation = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
    x, y, z = truth.mean(0) - coarse.mean(0)
    thing.location = (x, z, -y)
    thing.rotation_quaternion = Matrix(rotation.tolist()).to_quaternion()
    thing.scale = (math.sqrt((b**2).sum() / (a**2).sum()),) * 3


def to_the_side() -> None:
    """Carries the camera by a right angle round the object."""
    camera, thing = bpy.context.scene.camera, bpy.data.objects["object"]
    about = Matrix.Translation(Vector(thing.matrix_world.translation))
    camera.matrix_world = about @ Matrix.Rotation(math.pi / 2, 4, "Z") @ about.inverted() @ camera.matrix_world


def main(archive: str, tree: str, name: str, out: str) -> None:
    bpy.ops.preferences.addon_install(filepath=os.path.abspath(archive), overwrite=True)
    bpy.ops.preferences.addon_enable(module="hoijax_blender")
    from hoijax_blender.objfile import load_mesh

    preferences = bpy.context.preferences.addons["hoijax_blender"].preferences
    preferences.tree, preferences.coarse = os.path.abspath(tree), True
    bpy.context.window_manager.hoijax.current = name
    bpy.ops.hoijax.load()
    folder = Path(tree, name)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "view.png")
        start = drawn(path)
        photograph = pixels(folder / "image.jpg", start.shape[1::-1])
        place_as(*(load_mesh(folder / each).verts for each in ("object_mesh.obj", "obj_pcd_h_align.obj")))
        placed = drawn(path)
        to_the_side()
        side = drawn(path)
    tiles = [photograph[..., :3], over(start, photograph, SHARE), over(placed, photograph, SHARE)]
    rows = np.concatenate([*tiles, over(side, np.ones_like(side), 1.0)], 1)
    picture = bpy.data.images.new("picture", rows.shape[1], rows.shape[0])
    picture.pixels.foreach_set(np.insert(rows, 3, 1.0, axis=2)[::-1].astype(np.float32).ravel())
    picture.filepath_raw, picture.file_format = os.path.abspath(out), "PNG"
    picture.save()
    bpy.ops.preferences.addon_disable(module="hoijax_blender")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as resources:  # nothing is left in the user's Blender
        if "BLENDER_USER_RESOURCES" not in os.environ:
            os.environ["BLENDER_USER_RESOURCES"] = resources
            os.execv(sys.executable, [sys.executable, *sys.argv])
        main(*sys.argv[1:])
