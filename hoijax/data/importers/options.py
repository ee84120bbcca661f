"""What the user says about an import, and what every importer finds."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

MASKS = ("files", "render")
CALIBRATIONS = ("auto", "first", "second", "third")


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import; an importer passes over those that mean nothing to it.

    `view`: number of the camera, as the data set counts (BEHAVE 0-3, InterCap 1-6). `objects`: folder of object meshes,
    instead of the one inside the data set. `humans`: folder of what the data set lacks of its people (CONTHO, BOP).
    `masks`: "files", or "render": where a mask's file is missing, what is visible of the annotated meshes. `calibration`:
    InterCap's three sets of camera poses; "auto" takes the one that its authors assign to a recording.
    """

    view: int = 1
    objects: Path | None = None
    humans: Path | None = None
    masks: str = "files"
    calibration: str = "auto"

    def __post_init__(self) -> None:
        for name, value, known in (("masks", self.masks, MASKS), ("calibration", self.calibration, CALIBRATIONS)):
            if value not in known:
                raise ValueError(f"{name} is {value!r}, expected one of {', '.join(known)}")


class Found(NamedTuple):
    """One sample to be: `place` where it belongs below the new tree, `source` the file or folder that it is read from.

    `entry`: which part of `source`, where that holds several (an annotation of a file, an object of a picture).
    """

    place: Path
    source: Path
    entry: tuple[int, ...] = ()
