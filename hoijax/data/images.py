"""Photographs, masks and depth maps. Pillow decodes: it is strict about damaged files, where OpenCV fills in grey."""

import io
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Num, UInt8
from PIL import Image, ImageOps

from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError, Warn

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
SMALLEST = 16  # pixels: a photograph with a shorter side is taken for a mistake
ZOE_METRES = 1 / 256  # ZoeDepth's 16-bit PNGs count in 1/256 m


def load_photo(path: Path, warn: Warn, size: tuple[int, int] | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """An RGB photograph of any kind: 16 bits scaled, grey repeated, palette and CMYK converted, transparency dropped.

    It is turned as its EXIF orientation says, as viewers do, unless only the unturned picture has the shape of the
    masks (`size`: their width and height). Raises SampleError.
    """
    stored = _decoded(path)
    turned = _upright(stored)
    chosen = turned
    if size is not None and not same_shape(turned.size, size) and same_shape(stored.size, size):
        warn(path, "the EXIF orientation is ignored: only the unturned photograph has the shape of the masks")
        chosen = stored
    if min(chosen.size) < SMALLEST:
        raise SampleError(path, f"is {_size(chosen.size)} pixels, expected at least {SMALLEST} on each side")
    if chosen.mode.startswith(("I", "F")):
        return np.repeat(_grey_bytes(path, chosen)[..., None], 3, -1)
    return np.asarray(chosen.convert("RGB"))


def load_mask(path: Path, warn: Warn) -> Bool[np.ndarray, "h w"]:
    """A mask: True above 127 of 255 (files may be JPEG inside, so edges are grey).

    Colour: the brightest channel. Transparency that varies is itself the mask. A file of 0 and 1 only is taken as such.
    Raises SampleError when it cannot be read; an empty mask is returned as it is.
    """
    image = _decoded(path)
    values = _mask_values(path, image)
    if values.max() == 1:
        warn(path, "holds only 0 and 1, expected 0 and 255; 1 is taken as inside")
        return values == 1
    return values > 127


def load_depth(path: Path, warn: Warn, unit: float = ZOE_METRES) -> Float[np.ndarray, "h w"]:
    """A depth map in metres, 0 where unknown: `.npy` as it is, 8-bit as it is, 16-bit PNG in `unit` metres.

    The unit is ZoeDepth's own 1/256 m if nothing is said.

    Raises SampleError when it cannot be read or holds no depth.
    """
    if path.suffix == ".npy":
        values = _load_array(path)
    else:
        image = _decoded(path)
        values = np.asarray(image if image.mode.startswith(("I", "F", "L")) else image.convert("L"))
        if values.ndim == 3:
            values = values[..., 0]
        if image.mode.startswith("I"):
            values = values * unit
        elif not image.mode.startswith("F"):
            warn(path, "has 8 bits a pixel: a relief without unit, not metres")
    with np.errstate(over="ignore"):
        depth = values.astype(np.float32)
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, 0)
    if not depth.any():
        raise SampleError(path, "holds no positive depth")
    return depth


def same_shape(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two sizes (width, height) have one aspect ratio, to within the rounding of a resize."""
    return abs(a[0] * b[1] - a[1] * b[0]) <= max(*a, *b) and min(*a, *b) > 0


def fitted(
    path: Path, values: Num[np.ndarray, "a b"] | Bool[np.ndarray, "a b"], size: tuple[int, int], warn: Warn
) -> Num[np.ndarray, "h w"] | Bool[np.ndarray, "h w"]:
    """The map at the photograph's size (width, height), resized by nearest neighbour with a warning when shapes agree.

    Raises SampleError when the aspect ratios differ.
    """
    height, width = values.shape
    if (width, height) == size:
        return values
    if not same_shape((width, height), size):
        raise SampleError(path, f"is {_size((width, height))} pixels, expected {_size(size)} as the photograph")
    warn(path, f"is {_size((width, height))} pixels, resized to the photograph's {_size(size)}")
    plain = values.astype(np.uint8) if values.dtype == bool else values
    return cv2.resize(plain, size, interpolation=cv2.INTER_NEAREST_EXACT).astype(values.dtype)


def _decoded(path: Path) -> Image.Image:
    data = load_bytes(path)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        image.load()
    except Exception as error:  # decoders raise anything from OSError to struct.error: all mean a damaged file
        raise SampleError(path, f"cannot be decoded as an image ({type(error).__name__}: {error})") from error
    return image


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block says nothing about the orientation; the pixels are sound
        return image


def _grey_bytes(path: Path, image: Image.Image) -> UInt8[np.ndarray, "h w"]:
    values = np.asarray(image)
    if image.mode.startswith("F") or values.min() < 0 or values.max() > 65535:
        raise SampleError(path, f"holds values from {values.min()} to {values.max()}, expected 8 or 16 bits a pixel")
    return (values // 257).astype(np.uint8) if values.max() > 255 else values.astype(np.uint8)


def _mask_values(path: Path, image: Image.Image) -> UInt8[np.ndarray, "h w"]:
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        if alpha.min() != alpha.max():
            return alpha
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    if image.mode.startswith(("I", "F")):
        return _grey_bytes(path, image)
    values = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    return values if values.ndim == 2 else values.max(-1)


def _load_array(path: Path) -> Num[np.ndarray, "h w"]:
    data = load_bytes(path)
    try:
        values = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # a damaged header raises anything from EOFError to SyntaxError and MemoryError
        raise SampleError(path, f"cannot be read as a numpy array ({type(error).__name__}: {error})") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise SampleError(path, "holds no array of numbers, expected one of shape (height, width)")
    values = values.reshape([n for n in values.shape if n != 1])
    if values.ndim != 2:
        raise SampleError(path, f"has shape {values.shape}, expected (height, width)")
    return values


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
