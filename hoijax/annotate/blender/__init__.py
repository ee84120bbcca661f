"""Blender add-on: move, turn and scale a sample's object until it fits the person and the photograph. See docs/blender.md.

Blender's own python runs it, which has numpy and neither hoijax nor its other requirements: nothing here imports them.
"""

bl_info = {
    "name": "hoijax: place objects",
    "description": "Place the object of a photograph beside its person",
    "author": "the authors of hoijax",
    "version": (0, 1, 0),
    "blender": (4, 2, 0),
    "location": "3D viewport > sidebar > hoijax",
    "category": "3D View",
}


def register() -> None:
    """Called by Blender when the add-on is switched on."""
    from . import operators, panel, settings

    settings.register()
    operators.register()
    panel.register()


def unregister() -> None:
    """Called by Blender when the add-on is switched off, and at the end: classes left behind crash the exit."""
    from . import operators, panel, settings

    panel.unregister()
    operators.unregister()
    settings.unregister()
