"""Run by Blender's own python: what an annotator does, one scenario per process. Results go to a JSON file.

python in_blender.py SCENARIO ZIP RESULT '{"tree": ..., "out": ..., more of the scenario's}'
"""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Euler, Vector

KINDS = ("scenes", "objects", "meshes", "cameras", "images", "materials", "collections", "node_groups")
SCENARIOS: dict[str, Callable] = {}


def scenario(function: Callable) -> Callable:
    SCENARIOS[function.__name__] = function
    return function


def press(name: str, **options: str) -> list[str]:
    """Presses a button; its errors. Blender raises what an operator reports as an error."""
    try:
        print(name, options, getattr(bpy.ops.hoijax, name)(**options))
    except RuntimeError as error:
        return [str(error).strip()]
    return []


def state() -> dict:
    here = bpy.context.window_manager.hoijax
    return {key: getattr(here, key) for key in ("current", "number", "total", "exported")}


def thing():
    return bpy.data.objects["object"]


def place(turn, shift, scale, mode="QUATERNION") -> None:
    """Sets the object's properties as the N panel would: Euler angles, metres along Blender's axes, a scale."""
    object = thing()
    quaternion = Euler(turn).to_quaternion()
    object.rotation_mode = mode
    if mode == "QUATERNION":
        object.rotation_quaternion = quaternion
    else:
        object.rotation_euler = quaternion.to_euler(mode)
    object.location = shift
    object.scale = scale if isinstance(scale, list) else (scale,) * 3


def seen(local: np.ndarray, matrix) -> list[list[float]]:
    """Pixels, from the upper left corner, at which the scene's camera sees points of an object."""
    scene = bpy.context.scene
    size = np.array([scene.render.resolution_x, scene.render.resolution_y])
    points = [world_to_camera_view(scene, scene.camera, matrix @ Vector(point)) for point in local]
    return [[float(size[0] * p.x), float(size[1] * (1 - p.y))] for p in points]


def recorded(job: dict) -> dict:
    """The record that an export left."""
    return json.loads(Path(job["record"]).read_text())


def counts() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


@scenario
def round_trip(job: dict) -> dict:
    """Places and exports sample after sample, each with its own move, by the paper's buttons."""
    errors = press("load")
    pixels = []
    for move in job["moves"]:
        place(**move)
        bpy.context.view_layer.update()
        verts = [tuple(vertex.co) for vertex in thing().data.vertices][::37]
        pixels.append(seen(verts, thing().matrix_world))
        errors += press("save_next")
    return {"errors": errors, "pixels": pixels, "state": state(), "counts": counts()}


@scenario
def cameras(job: dict) -> dict:
    """What the camera of each sample sees of the person and of the untouched object."""
    found = {}
    errors = press("load")
    for _ in range(job["samples"]):
        render = bpy.context.scene.render
        background = bpy.context.scene.camera.data.background_images[0]
        found[state()["current"]] = {
            each: seen([v.co for v in bpy.data.objects[each].data.vertices][::29], bpy.data.objects[each].matrix_world)
            for each in ("person", "object")
        } | {
            "size": [render.resolution_x, render.resolution_y],
            "image": list(background.image.size),
            "corner": list(background.image.pixels[:3]),
            "clip": [bpy.context.scene.camera.data.clip_start, bpy.context.scene.camera.data.clip_end],
        }
        press("go", way="NEXT")
    return {"errors": errors, "found": found}


@scenario
def look(job: dict) -> dict:
    """What stands in Blender after loading: locks, colours, view, photograph; and how the slider changes it."""
    errors = press("load")
    person, object = bpy.data.objects["person"], thing()
    colors = np.empty(4 * len(object.data.vertices), np.float32)
    object.data.color_attributes["rgb"].data.foreach_get("color_srgb", colors)
    background = bpy.context.scene.camera.data.background_images[0]
    bpy.context.window_manager.hoijax.opacity = 0.25
    bpy.context.window_manager.hoijax.in_front = False
    area = next(area for area in bpy.context.window.screen.areas if area.type == "VIEW_3D")
    return {
        "errors": errors,
        "scene": bpy.context.scene.name,
        "locks": [list(getattr(person, f"lock_{each}")) for each in ("location", "rotation", "scale")],
        "unselectable": person.hide_select,
        "selected": [each.name for each in bpy.context.selected_objects],
        "colors": colors.reshape(-1, 4)[:, :3].tolist(),
        "view": area.spaces.active.region_3d.view_perspective,
        "shading": area.spaces.active.shading.color_type,
        "photograph": [bpy.path.abspath(background.image.filepath), background.alpha, background.display_depth],
    }


@scenario
def gizmos(job: dict) -> dict:
    """Blender's own transform tools turn and scale about the pivot, and Alt+G, Alt+R, Alt+S bring the object back."""
    errors = press("load")
    pivot = list(thing()["hoijax"]["pivot"])
    area = next(area for area in bpy.context.window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=bpy.context.window, area=area, region=region):
        bpy.ops.transform.rotate(value=math.radians(30), orient_axis="Z", orient_type="GLOBAL")
        bpy.ops.transform.resize(value=(1.25, 1.25, 1.25))
        bpy.ops.transform.translate(value=(0.1, 0.2, 0.3), orient_type="GLOBAL")
        errors += press("export")
        moved = recorded(job)
        bpy.ops.object.location_clear()
        bpy.ops.object.rotation_clear()
        bpy.ops.object.scale_clear()
    errors += press("export")
    return {"errors": errors, "pivot": pivot, "moved": moved, "back": recorded(job)}


@scenario
def refused(job: dict) -> dict:
    """Placements that are no similarity."""
    errors = press("load")
    place([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.01, 1.0])
    errors += press("export")
    place([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [-1.0, 1.0, 1.0])
    errors += press("save_next")
    place([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 0.0)
    errors += press("export")
    place([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 1.0)
    thing().data.vertices[0].co.x += 0.01
    errors += press("export")
    thing().data.vertices[0].co.x -= 0.01
    copy = thing().copy()
    bpy.context.scene.collection.objects.link(copy)
    errors += press("export")
    return {"errors": errors, "state": state()}


@scenario
def broken(job: dict) -> dict:
    """Walks forward and back through a tree in which samples are broken, and presses what makes no sense."""
    walk = []
    for button, way in job["presses"]:
        errors = press(button, **({"way": way} if way else {}))
        walk.append({"errors": errors, "state": state(), "loaded": "object" in bpy.data.objects})
    return {"walk": walk, "counts": counts()}


@scenario
def again(job: dict) -> dict:
    """A sample that was exported is shown where it was left; what others exported meanwhile is not overwritten."""
    import hoijax_blender.session as session

    errors = press("load")
    place([0.1, 0.2, 0.3], [0.1, 0.0, -0.1], 1.1)
    unsaved = [session.unsaved(bpy.context)]
    errors += press("export")
    unsaved.append(session.unsaved(bpy.context))
    first = recorded(job)
    errors += press("load")
    unsaved.append(session.unsaved(bpy.context))
    errors += press("export")
    second = recorded(job)
    other = {**second, "annotator": "somebody", "scale": 2.0}
    Path(job["record"]).write_text(json.dumps(other))
    refusal = press("export")
    kept = recorded(job) == other
    errors += press("load")
    taken = list(thing().scale)
    Path(job["record"]).write_text("{")
    errors += press("load")
    return {
        "errors": errors,
        "first": first,
        "second": second,
        "unsaved": unsaved,
        "refusal": refusal,
        "kept": kept,
        "taken": taken,
        "damaged": list(thing().scale),
    }


@scenario
def undone(job: dict) -> dict:
    """Undo after going on brings the sample before back, and the add-on knows it."""
    bpy.ops.ed.undo_push(message="start")
    errors = press("load")
    place([0.0, 0.0, 0.0], [0.1, 0.0, 0.0], 1.0)
    bpy.ops.ed.undo_push(message="moved")
    errors += press("save_next")
    bpy.ops.ed.undo_push(message="next")
    there = thing()["hoijax"]["name"]
    bpy.ops.ed.undo()
    here = thing()["hoijax"]["name"]
    place([0.0, 0.0, 0.0], [0.2, 0.0, 0.0], 1.0)
    errors += press("export")
    return {"errors": errors, "there": there, "here": here, "record": recorded(job)}


@scenario
def panel(job: dict) -> dict:
    """What the panel draws, taken down by a layout of our own: Blender draws none without a window."""
    import hoijax_blender.panel as panel

    class Layout:
        def __init__(self, drawn):
            self.drawn = drawn

        def column(self, **_):
            return self

        row = column

        def prop(self, owner, name, **_):
            assert name in owner.bl_rna.properties
            self.drawn.append(owner.bl_rna.properties[name].name)

        def operator(self, name, text=None, **_):
            family, _, short = name.partition(".")
            kind = getattr(getattr(bpy.ops, family), short).get_rna_type()
            self.drawn.append(kind.name if text is None else text)
            return type("Options", (), {})()

        def label(self, text, **_):
            self.drawn.append(text)

    class Panel:
        draw, draw_place = panel.HOIJAX_PT_panel.draw, panel.HOIJAX_PT_panel.draw_place

        def __init__(self):
            self.layout = Layout([])

    empty, full = Panel(), Panel()
    empty.draw(bpy.context)
    errors = press("load") + press("export")
    full.draw(bpy.context)
    return {"errors": errors, "empty": empty.layout.drawn, "full": full.layout.drawn}


def install(archive: str, job: dict) -> str:
    """Installs the zip through Blender's own mechanism; the module's name."""
    if job.get("extension"):
        bpy.ops.extensions.package_install_files(
            filepath=archive, repo="user_default", enable_on_install=True, overwrite=True
        )
        return "bl_ext.user_default.hoijax"
    bpy.ops.preferences.addon_install(filepath=archive, overwrite=True)
    bpy.ops.preferences.addon_enable(module="hoijax_blender")
    return "hoijax_blender"


def main(name: str, archive: str, result: str, text: str) -> None:
    job = json.loads(text)
    module = install(archive, job)
    preferences = bpy.context.preferences.addons[module].preferences
    preferences.tree, preferences.annotator = job["tree"], "tester"
    preferences.out, preferences.coarse = job.get("out", ""), job.get("coarse", False)
    before = counts()
    answer = SCENARIOS[name](job)
    bpy.ops.preferences.addon_disable(module=module)
    answer |= {"before": before, "after": counts(), "hoijax": "hoijax" in sys.modules}
    with open(result, "w") as file:
        json.dump(answer, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
