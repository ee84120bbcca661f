"""The objects of the built-in scenes as a template library: small, closed, in metres, each in its own frame."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from hoijax.data.atomic import new_folder
from hoijax.data.objfile import save_mesh
from hoijax.data.sample import ColoredMesh
from hoijax.data.strict_json import save_json
from hoijax.data.synthetic import objects, objects_held, objects_large, objects_ridden, objects_sport

# Straps of a pack that nobody wears, from its top forward and down to its bottom, on the wearer's left.
STRAP = (
    *((0.115, 0.17, 0.02), (0.12, 0.23, 0.12), (0.125, 0.16, 0.21)),
    *((0.13, 0.0, 0.22), (0.13, -0.12, 0.12), (0.13, -0.17, 0.02)),
)


def builtin_templates() -> dict[str, tuple[Callable[[], ColoredMesh], ...]]:
    """Category and the functions that make its objects; the name of each is its function's."""
    return {
        "air cushion": (objects_large.air_cushion,),
        "backpack": (backpack,),
        "ball": (objects_sport.gym_ball, objects.beach_ball),
        "barbell": (objects_sport.barbell,),
        "baseball bat": (objects_sport.baseball_bat,),
        "basket": (objects_held.basket,),
        "bed": (objects_large.bed,),
        "bench": (objects_large.bench,),
        "bicycle": (bicycle,),
        "book": (objects_held.book,),
        "bottle": (objects.bottle,),
        "bowl": (objects_held.bowl,),
        "box": (objects.carton,),
        "chair": (objects.chair,),
        "couch": (objects_large.couch,),
        "cup": (objects_held.cup,),
        "dining table": (objects_large.round_table, objects.table),
        "dog": (objects_ridden.dog,),
        "horse": (objects_ridden.horse,),
        "laptop": (objects_large.laptop,),
        "potted plant": (objects_held.potted_plant,),
        "rocking horse": (objects.rocking_horse,),
        "skateboard": (objects_sport.skateboard,),
        "sports ball": (objects_sport.football,),
        "suitcase": (objects_held.suitcase, pulled_suitcase),
        "surfboard": (objects_sport.surfboard,),
        "teddy bear": (objects_held.teddy_bear,),
        "tennis racket": (objects_sport.tennis_racket,),
        "umbrella": (objects_held.umbrella,),
    }


def backpack() -> ColoredMesh:
    """The backpack with straps as they hang when nobody wears it."""
    straps = [[(sign * x, y, z) for x, y, z in STRAP] for sign in (1.0, -1.0)]
    return objects_large.backpack(straps, objects_large.PACK)


def bicycle() -> ColoredMesh:
    """The bicycle in its own size."""
    return objects_ridden.bicycle(1.0)


def pulled_suitcase() -> ColoredMesh:
    """The suitcase with its handle out."""
    return objects_held.suitcase(1.0)


def save_builtin_library(folder: str | os.PathLike[str]) -> Path:
    """Writes the library, whole or not at all; index it next. Raises FileExistsError when the folder exists."""
    with new_folder(folder) as part:
        for category, makers in builtin_templates().items():
            (part / category).mkdir()
            for make in makers:
                name = re.sub(r"[^a-z0-9_]", "_", make.__name__)
                save_mesh(part / category / f"{name}.obj", make())
        save_json(part / "library.json", {"metres": True, "synonyms": {"table": "dining table"}})
    return Path(folder)
