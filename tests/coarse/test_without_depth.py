"""Without a depth map: the mask, and the object's size or the person's depth, place the object."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.coarse.place import Coarse, CoarseOptions
from hoijax.coarse.view import mesh_depth, thinned_eye
from hoijax.coarse.without_depth import depth_beside, longest_side, placement_without_depth
from hoijax.types import Camera


def place(known, size=None, options=None, **changes) -> Coarse:
    known = known._replace(**changes)
    human = known.human, known.human_faces
    masks = known.human_mask, known.object_mask
    return placement_without_depth(*human, known.object, known.object_faces, known.camera, *masks, size, options)


def stands(found: Coarse, verts: np.ndarray) -> np.ndarray:
    return found.scale * verts @ found.rotation.T + found.translation


def middle(verts: np.ndarray) -> np.ndarray:
    return (verts.min(0) + verts.max(0)) / 2


def test_a_known_size_tells_the_distance(beside) -> None:
    found = place(beside, size=0.4)
    assert found.scale == pytest.approx(1, rel=2e-3)  # the ball is 0.4 m wide as given
    ball = middle(stands(found, beside.object))
    np.testing.assert_allclose(ball / ball[2], np.array([0.55, 0.1, 24.9]) / 24.9, atol=3e-4)
    assert ball[2] == pytest.approx(24.9, abs=0.3)
    twice = place(beside, size=0.8)
    assert twice.scale == pytest.approx(2, rel=2e-3)
    assert middle(stands(twice, beside.object))[2] == pytest.approx(2 * 24.9, rel=0.02)
    assert twice.gap_before == twice.gap_after > 20  # a size that is told is believed: no slide
    assert any("of 0.8 m" in note for note in twice.notes)


def test_without_a_size_it_stands_at_the_depth_of_the_human_beside_it(beside) -> None:
    wide = beside.human_mask.copy()
    wide[140, :230] = True  # a limb beside the ball: the boxes overlap in the image
    found = place(beside, human_mask=wide)
    ball = middle(stands(found, beside.object))
    assert ball[2] == pytest.approx(25, abs=0.3)
    np.testing.assert_allclose(ball[:2] / ball[2], np.array([0.55, 0.1]) / 24.9, atol=3e-4)
    assert found.scale == pytest.approx(1, rel=0.02)
    assert found.gap_after < 0.12
    assert found.points == 0
    assert np.isnan(found.depth_scale)


def test_the_silhouette_fills_the_mask_at_any_size(beside) -> None:
    eye = thinned_eye(beside.camera, beside.object_mask.shape, 1)
    for size in (None, 0.1, 1.3):
        seen = mesh_depth(stands(place(beside, size=size), beside.object), beside.object_faces, eye) > 0
        both, any_of = (seen & beside.object_mask).sum(), (seen | beside.object_mask).sum()
        assert both / any_of > 0.97


def test_a_turned_object_is_turned_back(picture, camera) -> None:
    """A long box that the mesh file holds upright lies across the picture: only a search finds that."""
    import trimesh

    human = trimesh.creation.icosphere(subdivisions=3)
    human.apply_transform(np.diag([0.3, 0.8, 0.25, 1]))
    human.apply_translation([0, 0, 25])
    bar = trimesh.creation.box((0.2, 0.9, 0.1)).subdivide().subdivide()
    lying = bar.copy()
    lying.apply_transform(
        np.block([[Rotation.from_euler("z", 70, degrees=True).as_matrix(), np.zeros((3, 1))], [0, 0, 0, 1]])
    )
    lying.apply_translation([0.7, 0.2, 24.9])
    known = picture(human, lying, camera)._replace(object=np.asarray(bar.vertices), object_faces=np.asarray(bar.faces))
    eye = thinned_eye(camera, known.object_mask.shape, 1)

    def overlap(found: Coarse) -> float:
        seen = mesh_depth(stands(found, known.object), known.object_faces, eye) > 0
        return (seen & known.object_mask).sum() / (seen | known.object_mask).sum()

    assert overlap(place(known)) < 0.5
    assert overlap(place(known, options=CoarseOptions(rotation="search", rotations=500))) > 0.85


def test_depth_beside_a_mask(beside) -> None:
    eye = thinned_eye(beside.camera, beside.object_mask.shape, 1)
    right = np.zeros_like(beside.human_mask)
    right[120:136, 160:166] = True  # on the human's right flank, which recedes
    depth, notes = depth_beside(beside.human, beside.human_faces, right, eye)
    assert 24.85 < depth < 25.01
    assert notes == ()
    corner = np.zeros_like(beside.human_mask)
    corner[:4, :4] = True
    depth, notes = depth_beside(beside.human, beside.human_faces, corner, eye)
    assert depth == pytest.approx(24.82, abs=0.05)
    assert "not beside" in notes[0]


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_size_is_refused(beside, size: float) -> None:
    with pytest.raises(ValueError, match="expected a positive length"):
        place(beside, size=size)


def test_masks_that_cannot_be_used_are_refused(beside) -> None:
    with pytest.raises(ValueError, match="object's mask is empty"):
        place(beside, object_mask=np.zeros_like(beside.object_mask))
    with pytest.raises(ValueError, match="object's mask has shape"):
        place(beside, object_mask=beside.object_mask[:100])


def test_the_size_does_not_depend_on_how_the_file_holds_the_object() -> None:
    import trimesh

    bar = np.asarray(trimesh.creation.box((1.0, 0.2, 0.1)).subdivide().vertices)
    flat = bar * [1, 1, 0]
    for angles in ((0, 0, 0), (45, 0, 0), (10, 35, 80)):
        turned = Rotation.from_euler("zyx", angles, degrees=True).as_matrix()
        assert longest_side(bar @ turned.T) == pytest.approx(1, rel=1e-3)
        assert longest_side(flat @ turned.T) == pytest.approx(1, rel=0.03)


def test_a_long_object_beside_a_short_lens_stays_in_front_of_the_camera(picture) -> None:
    """A bar that points at the camera cannot fill a wide mask: it grows only as far as there is room before the camera."""
    import trimesh

    camera = Camera(jnp.full(2, 200.0), jnp.full(2, 128.0))
    human, board = trimesh.creation.icosphere(subdivisions=3, radius=0.3), trimesh.creation.box((0.9, 0.9, 0.02))
    human.apply_translation([-0.6, 0, 1.5])
    board.apply_translation([0.1, 0.1, 1.2])
    bar = trimesh.creation.box((0.1, 0.1, 1.0)).subdivide().subdivide()
    known = picture(human, board.subdivide(), camera)
    known = known._replace(object=np.asarray(bar.vertices), object_faces=np.asarray(bar.faces))
    for rotation in ("given", "search"):
        found = place(known, options=CoarseOptions(rotation=rotation, rotations=200))
        assert stands(found, known.object)[:, 2].min() > 0
