"""The window around the object: where it lies, what it says, and that its camera agrees with it."""

import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.data.crop import object_crop
from hoijax.geometry import project
from hoijax.types import Camera

CAMERA = Camera(jnp.array([400.0, 400.0]), jnp.array([100.0, 60.0]))


def rectangle(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((120, 200), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_object_fills_its_share_in_the_middle() -> None:
    """A box of 60 x 30 pixels in a window of 1.3 x 60: 78 pixels."""
    crop = object_crop(rectangle(50, 80, 70, 130), rectangle(0, 0, 0, 0), CAMERA, 156, 0.3)
    rows, columns = np.nonzero(np.asarray(crop.target) > 0)
    assert (columns.min(), columns.max() + 1) == (18, 138)
    assert (rows.min(), rows.max() + 1) == (48, 108)
    assert set(np.unique(crop.target)) == {0, 1}
    np.testing.assert_allclose(crop.camera.focal, 800)


def test_a_point_lands_on_the_same_spot_of_the_photograph() -> None:
    """The object's corners, put at 5 m depth on the pixels of the photograph, are its corners in the window."""
    crop = object_crop(rectangle(50, 80, 70, 130), rectangle(0, 0, 0, 0), CAMERA, 64, 0.3)
    corners = np.array([[70, 50], [130, 80]])
    points = np.concatenate([(corners - np.asarray(CAMERA.center)) / 400 * 5, np.full((2, 1), 5.0)], 1)
    px = project(jnp.asarray(points, jnp.float32), crop.camera)
    np.testing.assert_allclose(px, (corners - [61, 26]) * 64 / 78, atol=1e-3)


def test_the_human_and_what_is_no_photograph_are_not_known() -> None:
    crop = object_crop(rectangle(0, 40, 0, 40), rectangle(20, 120, 20, 60), CAMERA, 52, 0.3)
    target = np.asarray(crop.target)
    assert (target[:6] == -1).all()  # six pixels above the photograph
    assert target[6, 6] == target[44, 44] == 1  # the object's own pixels are its own, whoever else claims them
    assert target[48, 30] == -1
    assert target[48, 10] == 0


def test_without_an_object_the_window_is_the_photograph() -> None:
    crop = object_crop(rectangle(0, 0, 0, 0), rectangle(0, 0, 0, 0), CAMERA, 100, 0.0)
    assert float(crop.target.max()) == 0
    assert float(crop.camera.focal[0]) == pytest.approx(200)
