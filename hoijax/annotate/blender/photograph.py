"""The photograph the right way up: Blender passes over the orientation that a camera notes in a JPEG."""

import struct

import numpy as np

ORIENTATION = 0x0112  # EXIF tag


def orientation(data: bytes) -> int:
    """EXIF orientation of a JPEG, 1 to 8 (1: as stored); 1 for other files and where nothing is said."""
    at = 2
    while data[:2] == b"\xff\xd8" and data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # pixels begin
            break
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return _tag(data[at + 10 : at + 2 + length])
        at += 2 + length
    return 1


def turned(pixels: np.ndarray, how: int) -> np.ndarray:
    """Rows from the top (h, w, c), turned and mirrored as the EXIF orientation says."""
    flipped = {2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1]}.get(how, pixels)
    if how < 5:
        return flipped
    swapped = pixels.swapaxes(0, 1)
    return {5: swapped, 6: swapped[:, ::-1], 7: swapped[::-1, ::-1], 8: swapped[::-1]}[how]


def turn_for(how: int, size: tuple[int, int], mask: tuple[int, int]) -> int:
    """The orientation to apply: none where only the picture as stored has the shape of the mask (both width, height)."""
    if how < 5:
        return how
    upright, stored = (abs(w * mask[1] - h * mask[0]) <= max(w, h, *mask) for w, h in (size[::-1], size))
    return 1 if stored and not upright else how


def _tag(block: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for k in range(count):
            tag, _, _, value = struct.unpack_from(order + "HHIH", block, start + 2 + 12 * k)
            if tag == ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:  # a damaged block says nothing
        pass
    return 1
