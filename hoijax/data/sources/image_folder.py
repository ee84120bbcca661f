"""Which file of a folder is meant by the name that a data set gives an image."""

import os
from pathlib import Path

from hoijax.data.sample import SampleError


class ImageFolder:
    """The image files below a folder, found by the ends of their paths: data sets keep them in folders of many kinds."""

    SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")

    def __init__(self, folder: Path) -> None:
        """Lists the folder once. Raises SampleError when it is none."""
        if not os.path.isdir(folder):
            raise SampleError(folder, "is not a folder, expected the images' folder")
        self.folder = folder
        self.by_name: dict[str, list[Path]] = {}
        for parent, children, files in os.walk(folder, followlinks=True):
            children[:] = sorted(child for child in children if not child.startswith("."))
            for file in files:
                if file.lower().endswith(self.SUFFIXES):
                    self.by_name.setdefault(file, []).append(Path(parent, file).relative_to(folder))

    def find(self, name: str) -> Path | None:
        """The file, as a path from the folder, whose end agrees with the name's end in most parts; None without any."""
        parts = Path(name.replace("\\", "/")).parts
        candidates = self.by_name.get(parts[-1] if parts else "", [])
        return max(candidates, key=lambda path: (_common_end(path.parts, parts), -len(path.parts)), default=None)

    def size(self, place: Path) -> tuple[int, int] | None:
        """(width, height) from the file's head, None when it is no image."""
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(self.folder / place) as image:
                return image.size
        except (OSError, UnidentifiedImageError):
            return None


def _common_end(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(reversed(first), reversed(second)):
        if a != b:
            break
        count += 1
    return count
