"""The panel in the 3D viewport's sidebar."""

from typing import Any

import bpy

from . import session
from .exported import is_exported
from .files import SampleError
from .settings import choices, preferences


class HOIJAX_PT_panel(bpy.types.Panel):
    """Folders, the paper's three buttons, where one is, and how the photograph is drawn."""

    bl_idname, bl_label = "HOIJAX_PT_panel", "Place objects"
    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "hoijax"

    def draw(self, context: Any) -> None:
        layout, state, given = self.layout, context.window_manager.hoijax, preferences(context)
        folders = layout.column()
        for name in ("tree", "out", "annotator", "coarse"):
            folders.prop(given, name)
        self.draw_place(context)
        buttons = layout.column(align=True)
        buttons.scale_y = 1.5
        for name in ("load", "export", "save_next"):
            buttons.operator(f"hoijax.{name}")
        ways = layout.row(align=True)
        for way, text, icon in (
            ("PREVIOUS", "", "TRIA_LEFT"),
            ("NEXT", "", "TRIA_RIGHT"),
            ("UNFINISHED", "Next unfinished", "NONE"),
        ):
            ways.operator("hoijax.go", text=text, icon=icon).way = way
        photograph = layout.row(align=True)
        photograph.prop(state, "opacity", slider=True)
        photograph.prop(state, "in_front", toggle=True)

    def draw_place(self, context: Any) -> None:
        """Which sample this is, of how many, and whether it and the others are done."""
        layout, state = self.layout, context.window_manager.hoijax
        name = session.current(context)
        if not (name and state.total):
            return
        try:
            done = is_exported(choices(context).out / name)
        except SampleError:  # the folder was just emptied
            return
        layout.label(text=f"{state.number} of {state.total}: {name}", icon="CHECKMARK" if done else "BLANK1")
        layout.label(text=f"{state.exported} exported, {'this one too' if done else 'this one not yet'}")


def register() -> None:
    bpy.utils.register_class(HOIJAX_PT_panel)


def unregister() -> None:
    bpy.utils.unregister_class(HOIJAX_PT_panel)
