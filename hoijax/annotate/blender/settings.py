"""What the annotator sets: folders and name, kept in Blender's preferences; the current sample, the photograph's look."""

import getpass
from pathlib import Path
from typing import Any, NamedTuple

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from .files import SampleError
from .scene import show_photograph


class Choices(NamedTuple):
    """The settings as the operators use them."""

    tree: Path
    out: Path
    annotator: str
    coarse: bool


class HOIJAX_preferences(bpy.types.AddonPreferences):
    """Kept from one start of Blender to the next."""

    bl_idname = __package__

    tree: StringProperty(name="Samples", description="Folder of the tree of samples", subtype="DIR_PATH")
    out: StringProperty(
        name="Exports",
        description="Where exports go; empty: beside the tree, its name with _blender",
        subtype="DIR_PATH",
    )
    annotator: StringProperty(name="Annotator", description="Noted in each export; empty: your name on this computer")
    coarse: BoolProperty(
        name="Start from the coarse object",
        description="Load obj_pcd_h_align.obj also where an annotated object stands beside it",
    )

    def draw(self, context: Any) -> None:
        for name in ("tree", "out", "annotator", "coarse"):
            self.layout.prop(self, name)


def _photograph_changed(self: Any, context: Any) -> None:
    show_photograph(self.opacity, self.in_front)


class HOIJAX_state(bpy.types.PropertyGroup):
    """Of this session; the window manager holds it, so that undo leaves it alone."""

    current: StringProperty(name="Sample")
    number: IntProperty()
    total: IntProperty()
    exported: IntProperty()
    opacity: FloatProperty(
        name="Photograph",
        description="Opacity",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
        update=_photograph_changed,
    )
    in_front: BoolProperty(
        name="In front", description="Draw it over the meshes", default=True, update=_photograph_changed
    )


def preferences(context: Any) -> Any:
    """The add-on's preferences, to draw and to set."""
    return context.preferences.addons[__package__].preferences


def choices(context: Any) -> Choices:
    """The settings with their defaults. Raises SampleError when no tree is set."""
    given = preferences(context)
    if not given.tree:
        raise SampleError(Path("Samples"), "is not set, expected the folder of a tree of samples")
    tree = Path(bpy.path.abspath(given.tree)).resolve()
    out = Path(bpy.path.abspath(given.out)).resolve() if given.out else tree.with_name(f"{tree.name}_blender")
    if out == tree or tree in out.parents:
        raise SampleError(out, f"lies in the tree of samples {tree}, expected a place of its own for exports")
    return Choices(tree, out, given.annotator.strip() or getpass.getuser(), given.coarse)


CLASSES = (HOIJAX_preferences, HOIJAX_state)


def register() -> None:
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.WindowManager.hoijax = PointerProperty(type=HOIJAX_state)


def unregister() -> None:
    del bpy.types.WindowManager.hoijax
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
