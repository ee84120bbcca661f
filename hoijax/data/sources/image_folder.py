"""Which file of a folder is meant by the name that a data set gives an image."""

import os
from pathlib import Path

from hoijax.data.sample import SampleError

ORIENTATION = 0x0112  # EXIF's tag
SIDEWAYS = (5, 6, 7, 8)  # its values for pictures whose sides are swapped when they are turned upright


class ImageFolder:
    """The image files below a folder, found by the ends of their paths: data sets keep them in folders of many kinds."""

    SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")

    def __init__(self, folder: Path) -> None:
        """Lists the folder once. Raises SampleError when it is none."""
        if not os.path.isdir(folder):
            raise SampleError(folder, "is not a folder, expected the images' folder")
        self.folder = folder
        self.elsewhere = 0
        self.by_name: dict[str, list[Path]] = {}
        for parent, children, files in os.walk(folder, followlinks=True):
            children[:] = sorted(child for child in children if not child.startswith("."))
            for file in files:
                if file.lower().endswith(self.SUFFIXES):
                    self.by_name.setdefault(file, []).append(Path(parent, file).relative_to(folder))

    def find(self, name: str) -> Path | None:
        """The file, as a path from the folder, whose end agrees with the name's end in most parts; None without any.

        A file in other folders than its name says is taken where no other has that name, and counted in `elsewhere`. Raises
        ValueError for a name that stands for several files alike.
        """
        parts = Path(name.replace("\\", "/")).parts
        candidates = self.by_name.get(parts[-1] if parts else "", [])
        if not candidates:
            return None
        alike = {path: _common_end(path.parts, parts) for path in candidates}
        most = max(alike.values())
        best = [path for path in candidates if alike[path] == most]
        exact = [path for path in best if len(path.parts) == most]
        if len(exact or best) > 1:
            raise ValueError(f"{name} may be any of {', '.join(sorted(map(str, best))[:3])}")
        found = (exact or best)[0]
        self.elsewhere += most < min(len(parts), len(found.parts))
        return found

    def size(self, place: Path) -> tuple[int, int] | None:
        """(width, height) of the upright picture from the file's head, None when it is no image."""
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(self.folder / place) as image:
                turned = image.getexif().get(ORIENTATION, 1) in SIDEWAYS
                return (image.height, image.width) if turned else image.size
        except (OSError, UnidentifiedImageError):
            return None


def _common_end(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(reversed(first), reversed(second)):
        if a != b:
            break
        count += 1
    return count
