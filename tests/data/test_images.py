"""Photographs, masks and depth maps of every kind of file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hoijax.data.images import fitted, load_depth, load_mask, load_photo, same_shape
from hoijax.data.sample import SampleError

Warned = tuple[Callable[[Path, str], None], list[str]]

RAMP = np.add.outer(np.arange(24) * 4, np.arange(32) * 5).astype(np.uint8)
COLOUR = np.stack([RAMP, RAMP[::-1], 255 - RAMP], -1)
SHAPE = np.zeros((24, 32), bool)
SHAPE[5:15, 8:20] = True
ROTATED, MIRRORED = 6, 2  # EXIF orientations: turn right to view; mirrored


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def oriented(path: Path, pixels: np.ndarray, orientation: int) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(path, Image.fromarray(pixels), exif=exif, quality=100, subsampling=0)


def test_photos_of_every_mode_show_the_same(tmp_path: Path, warned: Warned) -> None:
    rgb, warn = Image.fromarray(COLOUR), warned[0]
    rgba = rgb.copy()
    rgba.putalpha(Image.fromarray(RAMP))
    files = {
        saved(tmp_path / "rgb.png", rgb): 0,
        saved(tmp_path / "rgba.png", rgba): 0,
        saved(tmp_path / "palette.png", rgb.quantize(256)): 12,
        saved(tmp_path / "cmyk.jpg", rgb.convert("CMYK"), quality=100, subsampling=0): 4,
        saved(tmp_path / "png inside.jpg", rgb, format="PNG"): 0,
    }
    for path, tolerance in files.items():
        photo = load_photo(path, warn)
        assert photo.dtype == np.uint8
        assert np.abs(photo.astype(int) - COLOUR).max() <= tolerance, path.name
    assert warned[1] == []


def test_grey_photos_become_three_equal_channels(tmp_path: Path, warned: Warned) -> None:
    paths = (
        saved(tmp_path / "grey.png", Image.fromarray(RAMP)),
        saved(tmp_path / "grey 16.png", Image.fromarray(RAMP.astype(np.uint16) * 257)),
        saved(tmp_path / "grey alpha.png", Image.fromarray(RAMP).convert("LA")),
    )
    for path in paths:
        np.testing.assert_array_equal(load_photo(path, warned[0]), np.repeat(RAMP[..., None], 3, -1))


def test_exif_orientation_is_followed(tmp_path: Path, warned: Warned) -> None:
    path = oriented(tmp_path / "image.jpg", COLOUR, ROTATED)
    turned = np.rot90(COLOUR, -1)
    photo = load_photo(path, warned[0], (24, 32))
    assert np.abs(photo.astype(int) - turned).max() < 8
    assert warned[1] == []
    mirrored = load_photo(oriented(tmp_path / "mirrored.jpg", COLOUR, MIRRORED), warned[0], (32, 24))
    assert np.abs(mirrored.astype(int) - COLOUR[:, ::-1]).max() < 8


def test_exif_orientation_yields_to_masks_that_fit_only_the_unturned_photo(tmp_path: Path, warned: Warned) -> None:
    path = oriented(tmp_path / "image.jpg", COLOUR, ROTATED)
    photo = load_photo(path, warned[0], (64, 48))
    assert photo.shape == (24, 32, 3)
    assert len(warned[1]) == 1
    assert "EXIF" in warned[1][0]


def test_masks_of_every_mode(tmp_path: Path, warned: Warned) -> None:
    grey = Image.fromarray(SHAPE.astype(np.uint8) * 255)
    cutout = Image.fromarray(COLOUR)
    cutout.putalpha(grey)
    palette = Image.fromarray(SHAPE.astype(np.uint8), "P")
    palette.putpalette([0, 0, 0, 128, 0, 0])
    paths = (
        saved(tmp_path / "grey.png", grey),
        saved(tmp_path / "bits.png", grey.convert("1")),
        saved(tmp_path / "rgb.png", grey.convert("RGB")),
        saved(tmp_path / "cutout.png", cutout),
        saved(tmp_path / "palette.png", palette),
        saved(tmp_path / "16.png", Image.fromarray(SHAPE.astype(np.uint16) * 65535)),
        saved(tmp_path / "jpeg.png", grey, format="JPEG", quality=95),
        saved(
            tmp_path / "red.png", Image.fromarray(np.stack([SHAPE * 255, SHAPE * 0, SHAPE * 0], -1).astype(np.uint8))
        ),
    )
    for path in paths:
        np.testing.assert_array_equal(load_mask(path, warned[0]), SHAPE, err_msg=path.name)
    assert warned[1] == []


def test_a_mask_of_zeros_and_ones_is_read_with_a_warning(tmp_path: Path, warned: Warned) -> None:
    path = saved(tmp_path / "labels.png", Image.fromarray(SHAPE.astype(np.uint8)))
    np.testing.assert_array_equal(load_mask(path, warned[0]), SHAPE)
    assert "only 0 and 1" in warned[1][0]


@pytest.mark.parametrize("value", [127, 128])
def test_mask_threshold(tmp_path: Path, warned: Warned, value: int) -> None:
    path = saved(tmp_path / "mask.png", Image.fromarray(np.full((20, 20), value, np.uint8)))
    assert load_mask(path, warned[0]).all() == (value > 127)


def test_maps_of_another_size(warned: Warned) -> None:
    path = Path("object_mask.png")
    np.testing.assert_array_equal(fitted(path, SHAPE, (32, 24), warned[0]), SHAPE)
    assert warned[1] == []
    double = fitted(path, SHAPE, (64, 48), warned[0])
    np.testing.assert_array_equal(double, SHAPE.repeat(2, 0).repeat(2, 1))
    assert "32 x 24 pixels, resized to the photograph's 64 x 48" in warned[1][0]
    depth = fitted(path, RAMP.astype(np.float32), (16, 12), warned[0])
    assert depth.dtype == np.float32
    assert set(depth.ravel()) <= set(RAMP.ravel().astype(np.float32))
    with pytest.raises(SampleError, match="is 32 x 24 pixels, expected 24 x 32 as the photograph"):
        fitted(path, SHAPE, (24, 32), warned[0])


def test_same_shape_allows_for_rounding() -> None:
    assert same_shape((1024, 685), (512, 342))
    assert same_shape((512, 343), (1024, 685))
    assert not same_shape((512, 350), (1024, 685))


def test_depth_of_every_kind(tmp_path: Path, warned: Warned) -> None:
    metres = RAMP.astype(np.float32) / 16
    np.save(tmp_path / "depth.npy", metres[None])
    np.testing.assert_array_equal(load_depth(tmp_path / "depth.npy", warned[0]), metres)
    path = saved(tmp_path / "depth.png", Image.fromarray(RAMP.astype(np.uint16) * 16))
    np.testing.assert_allclose(load_depth(path, warned[0]), metres)
    assert warned[1] == []
    relief = load_depth(saved(tmp_path / "relief.png", Image.fromarray(RAMP)), warned[0])
    np.testing.assert_array_equal(relief, RAMP)
    assert "8 bits" in warned[1][0]


def test_unknown_depth_is_zero(tmp_path: Path, warned: Warned) -> None:
    np.save(tmp_path / "depth.npy", np.array([[1.5, np.nan], [np.inf, -2]]))
    assert load_depth(tmp_path / "depth.npy", warned[0]).tolist() == [[1.5, 0], [0, 0]]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 4)), "holds no positive depth"),
        (np.ones((4, 4, 3)), "has shape (4, 4, 3)"),
        (np.array([["a"]]), "no array of numbers"),
        (np.array([{}], dtype=object), "cannot be read as a numpy array"),
        (np.ones((0, 4)), "holds no positive depth"),
    ],
)
def test_what_is_no_depth(tmp_path: Path, warned: Warned, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "depth.npy", array)
    with pytest.raises(SampleError) as caught:
        load_depth(tmp_path / "depth.npy", warned[0])
    assert message in str(caught.value)


@pytest.mark.parametrize("load", [load_photo, load_mask])
@pytest.mark.parametrize("content", [b"", b"\x00" * 300, b"GIF89a", bytes(range(256)), b"\xff\xd8\xff\xe0"])
def test_damaged_images_are_refused(tmp_path: Path, warned: Warned, content: bytes, load: Callable) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    with pytest.raises(SampleError, match=r"image\.jpg: (is empty|cannot be decoded)"):
        load(path, warned[0])


@pytest.mark.parametrize("name", ["image.jpg", "image.png"])
def test_truncated_images_are_refused(tmp_path: Path, warned: Warned, name: str) -> None:
    rng = np.random.default_rng(0)
    path = saved(tmp_path / name, Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SampleError, match="cannot be decoded"):
        load_photo(path, warned[0])


def test_a_photo_of_a_few_pixels_is_refused(tmp_path: Path, warned: Warned) -> None:
    with pytest.raises(SampleError, match="expected at least 16"):
        load_photo(saved(tmp_path / "image.png", Image.fromarray(COLOUR[:5])), warned[0])
