"""A sample as Blender's objects: person, object, camera and photograph, in a scene of their own.

All that belongs to the sample carries the custom property TAG: what is removed, exported and undone is found by it, and no
variable of Python's can fall out of step with Blender's undo.
"""

import hashlib
import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .files import SampleError, read_bytes
from .objfile import Mesh
from .photograph import orientation, turn_for, turned
from .pose import AXES, Pose, PoseError, pivot_of, pose_of
from .sample import Sample
from .view import SENSOR, view_of

TAG = "hoijax"
SCENE = "hoijax"
QUARTER = (math.sqrt(0.5), -math.sqrt(0.5), 0.0, 0.0)  # AXES as a quaternion
KINDS = ("objects", "meshes", "cameras", "images", "materials")


def show(context: Any, sample: Sample, pose: Pose | None) -> Any:
    """Builds the sample in place of the last one; `pose` is where an earlier export left the object. The object."""
    clear()
    try:
        return _build(context, sample, pose)
    except Exception:
        clear()
        raise


def clear() -> None:
    """Removes all that belongs to a sample, data blocks included."""
    ours = [block for kind in KINDS for block in getattr(bpy.data, kind) if TAG in block]
    bpy.data.batch_remove(ours)


def loaded() -> Any:
    """The object of the loaded sample; None without one. Raises PoseError where it was doubled."""
    found = [each for each in bpy.data.objects if _role(each) == "object"]
    if len(found) > 1:
        raise PoseError(f"there are {len(found)} copies of the object, expected one: delete the others")
    return found[0] if found else None


def current_pose(context: Any, thing: Any) -> Pose:
    """Where the object stands now. Raises PoseError where no similarity leads there."""
    thing.update_from_editmode()
    context.view_layer.update()
    if _vertices_hash(thing.data) != thing[TAG]["vertices"]:
        raise PoseError(
            "the object's mesh itself was changed (edit mode, sculpting, or Object > Apply), expected it moved as a whole "
            "in object mode: undo, or Load Meshes again"
        )
    tag = thing[TAG]
    axes = np.array(tag["axes"], np.float64).reshape(3, 3)
    return pose_of(np.array(thing.matrix_world, np.float64), np.array(tag["pivot"], np.float64), axes)


def remember(thing: Any, pose: Pose, seen: str) -> None:
    """Notes that this pose is safe on the disk, in the record with the hash `seen`."""
    thing[TAG]["saved"] = np.concatenate([np.ravel(part) for part in pose]).tolist()
    thing[TAG]["seen"] = seen


def is_saved(thing: Any, pose: Pose) -> bool:
    """Whether the object stands where it was loaded or last exported."""
    return bool(np.allclose(np.concatenate([np.ravel(part) for part in pose]), thing[TAG]["saved"], rtol=0, atol=1e-6))


def show_photograph(opacity: float, in_front: bool) -> None:
    """How the photograph is drawn with the meshes."""
    for camera in bpy.data.cameras:
        for background in camera.background_images if TAG in camera else ():
            background.alpha = opacity
            background.display_depth = "FRONT" if in_front else "BACK"


def _build(context: Any, sample: Sample, pose: Pose | None) -> Any:
    scene = bpy.data.scenes.get(SCENE) or bpy.data.scenes.new(SCENE)
    if context.window is not None:
        context.window.scene = scene
    photograph = _photograph(sample)
    _add_camera(context, scene, sample, photograph)
    human = _add_mesh(scene, "person", sample.human, np.zeros(3))
    human.lock_location = human.lock_rotation = human.lock_scale = (True, True, True)
    human.hide_select = True
    pivot = pivot_of(sample.object.verts)
    thing = _add_mesh(scene, "object", sample.object, pivot)
    thing[TAG] = {
        "role": "object",
        "name": sample.name,
        "folder": str(sample.folder),
        "source": sample.source,
        "sha256": sample.sha256,
        "pivot": pivot.tolist(),
        "vertices": _vertices_hash(thing.data),
    }
    layer = scene.view_layers[0]
    layer.update()
    thing[TAG]["axes"] = np.array(thing.matrix_world, np.float64)[:3, :3].ravel().tolist()
    if pose is not None:
        _place(thing, pose, pivot)
    thing.select_set(True, view_layer=layer)
    layer.objects.active = thing
    layer.update()
    _look_through(context)
    return thing


def _add_mesh(scene: Any, role: str, mesh: Mesh, origin: np.ndarray) -> Any:
    """The mesh with its origin at `origin` (sample's frame); Alt+G, Alt+R and Alt+S bring it back to where it stands."""
    data = bpy.data.meshes.new(role)
    data[TAG] = {"role": role}
    data.from_pydata((mesh.verts - origin).tolist(), [], mesh.faces.tolist())
    rgb = np.full_like(mesh.verts, 0.5) if mesh.rgb is None else mesh.rgb
    colors = data.color_attributes.new(name="rgb", type="FLOAT_COLOR", domain="POINT")
    colors.data.foreach_set("color_srgb", np.insert(rgb, 3, 1.0, axis=1).astype(np.float32).ravel())
    data.color_attributes.active_color = colors
    data.materials.append(_material(role))
    data.update()
    thing = bpy.data.objects.new(role, data)
    thing[TAG] = {"role": role}
    thing.rotation_mode = "QUATERNION"
    thing.delta_rotation_quaternion = QUARTER
    thing.delta_rotation_euler = (-math.pi / 2, 0.0, 0.0)  # should the annotator turn it by Euler angles instead
    thing.delta_location = AXES @ origin
    scene.collection.objects.link(thing)
    return thing


def _material(role: str) -> Any:
    """Shows the vertex colours also where Blender renders."""
    material = bpy.data.materials.new(role)
    material[TAG] = {"role": role}
    material.use_nodes = True
    nodes = material.node_tree.nodes
    color = nodes.new("ShaderNodeVertexColor")
    color.layer_name = "rgb"
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(color.outputs["Color"], surface.inputs["Base Color"])
    return material


def _place(thing: Any, pose: Pose, pivot: np.ndarray) -> None:
    from mathutils import Matrix

    # the same similarity about this mesh's pivot
    offset = pose.scale * pose.rotation @ (pivot - pose.pivot) + pose.pivot + pose.translation - pivot
    thing.location = AXES @ offset
    thing.rotation_quaternion = Matrix(pose.rotation.tolist()).to_quaternion()
    thing.scale = (pose.scale,) * 3


def _photograph(sample: Sample) -> Any:
    """The photograph the right way up. Raises SampleError where Blender cannot read it."""
    image, how = _load_image(sample.image), orientation(read_bytes(sample.image))
    if how > 1 and sample.mask is not None:
        mask = _load_image(sample.mask)
        how = turn_for(how, tuple(image.size), tuple(mask.size))
        bpy.data.images.remove(mask)
    if how == 1:
        return image
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    upright = turned(pixels.reshape(height, width, 4)[::-1], how)[::-1]  # Blender's rows begin below
    copy = bpy.data.images.new(image.name, upright.shape[1], upright.shape[0])
    copy[TAG] = {"role": "photograph"}
    copy.pixels.foreach_set(np.ascontiguousarray(upright).ravel())
    copy.update()
    copy.pack()
    bpy.data.images.remove(image)
    return copy


def _load_image(path: Path) -> Any:
    image = bpy.data.images.load(str(path))
    image[TAG] = {"role": "photograph"}
    if not min(image.size):
        raise SampleError(path, "cannot be read as a picture, expected a JPEG or PNG")
    return image


def _add_camera(context: Any, scene: Any, sample: Sample, photograph: Any) -> None:
    depths = np.concatenate([sample.human.verts[:, 2], sample.object.verts[:, 2]]) + sample.translation[2]
    view = view_of(sample.focal, sample.center, tuple(photograph.size), depths)
    data = bpy.data.cameras.new("photograph")
    data[TAG] = {"role": "camera"}
    data.sensor_fit, data.sensor_width, data.lens = "HORIZONTAL", SENSOR, view.lens
    data.shift_x, data.shift_y = view.shift
    data.clip_start, data.clip_end = view.clip
    data.show_background_images = True
    background = data.background_images.new()
    background.image, background.frame_method = photograph, "STRETCH"
    camera = bpy.data.objects.new("camera", data)
    camera[TAG] = {"role": "camera"}
    camera.location = AXES @ -sample.translation
    camera.rotation_euler = (math.pi / 2, 0.0, 0.0)
    camera.lock_location = camera.lock_rotation = camera.lock_scale = (True, True, True)
    camera.hide_select = True
    scene.collection.objects.link(camera)
    scene.camera = camera
    render = scene.render
    render.resolution_x, render.resolution_y = photograph.size
    render.resolution_percentage = 100
    render.pixel_aspect_x, render.pixel_aspect_y = view.pixel_aspect
    state = context.window_manager.hoijax
    show_photograph(state.opacity, state.in_front)


def _look_through(context: Any) -> None:
    """Turns the 3D viewports to the photograph's camera, with vertex colours; without a screen there are none."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                space = area.spaces.active
                space.region_3d.view_perspective = "CAMERA"
                space.shading.type, space.shading.color_type = "SOLID", "VERTEX"


def _vertices_hash(data: Any) -> str:
    """Tells whether the mesh itself was edited since it was made."""
    verts = np.empty(3 * len(data.vertices), np.float32)
    data.vertices.foreach_get("co", verts)
    return hashlib.sha256(verts.tobytes()).hexdigest()


def _role(block: Any) -> str:
    return block[TAG]["role"] if TAG in block else ""
