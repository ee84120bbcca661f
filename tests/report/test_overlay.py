"""Pictures of a result: what they leave alone, what they cover, and in which colours."""

import numpy as np
import pytest

from hoijax.data.results import Result
from hoijax.data.sample import Sample
from hoijax.metrics.image import projected_mask
from hoijax.report.overlay import (
    NEAR,
    contact_picture,
    framing,
    heat,
    object_distance,
    overlay_picture,
    painted,
    view_pictures,
    views_picture,
)


def test_overlay_covers_the_meshes_and_leaves_the_rest(sample: Sample, result: Result) -> None:
    picture = overlay_picture(sample, result)
    assert picture.dtype == np.uint8
    assert picture.shape == sample.image.shape
    move = np.asarray(sample.pose.translation)
    size = sample.image.shape[:2]
    human, thing = (
        projected_mask(mesh.verts + move, mesh.faces, sample.camera, size) for mesh in (result.human, result.object)
    )
    near = np.pad(human | thing, 2)
    grown = np.any([near[i : i + size[0], j : j + size[1]] for i in range(5) for j in range(5)], 0)
    np.testing.assert_array_equal(picture[~grown], sample.image[~grown])
    blue = picture[..., 2].astype(int) - picture[..., 0]
    assert np.median(blue[human & ~thing]) > 30
    assert np.median(blue[thing & ~human]) < -30


def test_overlay_is_made_smaller_but_not_larger(sample: Sample, result: Result) -> None:
    assert overlay_picture(sample, result, long_side=64).shape == (48, 64, 3)
    assert overlay_picture(sample, result, long_side=5000).shape == sample.image.shape


def test_views_are_upright_cut_out_and_of_one_scale(sample: Sample, result: Result) -> None:
    framed = framing(sample, result)
    assert framed.shape == (2, 3)
    shape = painted(sample.human, sample.object)
    pictures = view_pictures(shape, framed, (100, 100), ("front", "side", "top", "back"))
    rows = [np.flatnonzero((picture[..., 3] > 127).any(1)) for picture in pictures.values()]
    assert abs(np.ptp(rows[0]) - np.ptp(rows[1])) <= 1  # the same height from the front and from the side
    assert abs(np.ptp(rows[0]) - np.ptp(rows[3])) <= 1
    front, back = pictures["front"], pictures["back"]
    orange = [np.flatnonzero(((p[..., 0] > p[..., 2]) & (p[..., 3] > 200)).any(0)).mean() for p in (front, back)]
    assert orange[0] > 50 > orange[1]  # the object stands to the right of the picture, from behind to the left
    assert views_picture(sample, result, 50).shape == (100, 150, 3)


def test_from_above_the_upper_side_is_seen(sample: Sample) -> None:
    """y points down: an object over the head hides the body from above."""
    head = sample.human.verts[:, 1].min()
    over = sample.object._replace(verts=sample.object.verts - sample.object.verts.mean(0) + [0, head - 0.3, 0])
    shape = painted(sample.human, over)
    framed = np.concatenate([mesh.verts for mesh in shape.meshes])
    top = view_pictures(shape, framed, (80, 80), ("top",))["top"]
    middle = top[40, 40].astype(int)
    assert middle[3] == 255
    assert middle[0] > middle[2] + 50


def test_heat_is_dark_at_zero_pale_far_away_and_grey_where_unknown() -> None:
    zero, half, full, beyond, unknown = heat(np.array([0, NEAR / 2, NEAR, 9.0, np.nan]), NEAR)
    assert zero.sum() < half.sum() < full.sum()
    np.testing.assert_array_equal(full, beyond)
    np.testing.assert_array_equal(unknown, [0.7, 0.7, 0.7])


def test_distance_to_the_object_is_that_of_its_surface(result: Result) -> None:
    distance = object_distance(result)
    to_verts = np.linalg.norm(result.human.verts[:, None] - result.object.verts[None], axis=-1).min(1)
    assert (distance <= to_verts + 1e-6).all()
    assert np.abs(distance - to_verts).max() < 0.03  # the mesh's own coarseness
    assert contact_picture(result).shape == (520, 4 * 360, 3)


def test_a_mesh_with_no_area_does_not_stop_the_picture(sample: Sample, result: Result) -> None:
    flat = result.object._replace(verts=np.repeat(result.object.verts[:1], len(result.object.verts), 0))
    picture = overlay_picture(sample, result._replace(object=flat))
    assert picture.shape == sample.image.shape


@pytest.mark.filterwarnings("error")
def test_pictures_warn_of_nothing(sample: Sample, result: Result) -> None:
    views_picture(sample, result, 40)
