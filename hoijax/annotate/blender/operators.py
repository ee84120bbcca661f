"""The buttons: load, export, go on. What goes wrong is a message in Blender, and nothing is lost by it."""

from typing import Any

import bpy
from bpy.props import EnumProperty

from . import scene, session
from .files import SampleError
from .pose import PoseError

DONE, CANCELLED = {"FINISHED"}, {"CANCELLED"}


class Step:
    """What the buttons share: errors become messages, and work that would be lost is asked about."""

    asks = True
    report: Any  # an operator's own

    def run(self, context: Any) -> set[str]:
        """The button's work."""
        raise NotImplementedError

    def execute(self, context: Any) -> set[str]:
        try:
            return self.run(context)
        except (SampleError, PoseError) as error:
            self.report({"ERROR"}, str(error))
            return CANCELLED

    def invoke(self, context: Any, event: Any) -> set[str]:
        if self.asks and session.unsaved(context):
            return context.window_manager.invoke_confirm(
                self, event, title="The object was moved and not exported", message="Go on, and lose where it stands?"
            )
        return self.execute(context)

    def show(self, context: Any, given: Any, samples: Any, name: str) -> set[str]:
        """Loads a sample; the panel tells which one it is also where that fails."""
        try:
            for doubt in session.load(context, name, samples[name], given):
                self.report({"WARNING"}, doubt)
        finally:
            session.count(context, given, samples)
        return DONE


class HOIJAX_OT_load(Step, bpy.types.Operator):
    """Load the current sample, or the first that has no export"""

    bl_idname, bl_label, bl_options = "hoijax.load", "Load Meshes", {"UNDO"}

    def run(self, context: Any) -> set[str]:
        given, samples, name = session.look(context)
        name = name or session.neighbour(samples, "", "UNFINISHED", given.out) or next(iter(samples))
        return self.show(context, given, samples, name)


class HOIJAX_OT_export(Step, bpy.types.Operator):
    """Write the object's pose and its mesh as placed; the sample itself stays as it is"""

    bl_idname, bl_label, bl_options = "hoijax.export", "Export Object Pose and Location", {"REGISTER"}
    asks = False

    def run(self, context: Any) -> set[str]:
        given, samples, _ = session.look(context)
        self.report({"INFO"}, f"Exported to {session.export(context, given)}")
        session.count(context, given, samples)
        return DONE


class HOIJAX_OT_save_next(Step, bpy.types.Operator):
    """Export, remove this sample from Blender and load the next one"""

    bl_idname, bl_label, bl_options = "hoijax.save_next", "Save Delete and Load Next", {"UNDO"}
    asks = False

    def run(self, context: Any) -> set[str]:
        given, samples, name = session.look(context)
        place = session.export(context, given)
        following = session.neighbour(samples, name, "NEXT", given.out)
        if following is None:
            scene.clear()
            context.window_manager.hoijax.current = name
            session.count(context, given, samples)
            self.report({"INFO"}, f"Exported to {place}. That was the last sample")
            return DONE
        self.report({"INFO"}, f"Exported to {place}")
        return self.show(context, given, samples, following)


class HOIJAX_OT_go(Step, bpy.types.Operator):
    """Load another sample without exporting this one"""

    bl_idname, bl_label, bl_options = "hoijax.go", "Go to Another Sample", {"UNDO"}

    way: EnumProperty(
        name="To",
        items=[
            ("PREVIOUS", "Previous", "The sample before"),
            ("NEXT", "Next", "The sample after"),
            ("UNFINISHED", "Next unfinished", "The next sample that has no export, from the first after the last"),
        ],
    )

    def run(self, context: Any) -> set[str]:
        given, samples, name = session.look(context)
        other = session.neighbour(samples, name, self.way, given.out)
        if other is None:
            end = {"PREVIOUS": "This is the first sample", "NEXT": "This is the last sample"}
            self.report({"INFO"}, end.get(self.way, "Every sample has an export"))
            return CANCELLED
        return self.show(context, given, samples, other)


CLASSES = (HOIJAX_OT_load, HOIJAX_OT_export, HOIJAX_OT_save_next, HOIJAX_OT_go)


def register() -> None:
    for each in CLASSES:
        bpy.utils.register_class(each)


def unregister() -> None:
    scene.clear()
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
