"""Nudges as laws: there and back, in any order where the order must not matter, and never to where nobody can mean."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.annotate.fine.pose import (
    Pose,
    PoseError,
    along_ray,
    composed,
    identity,
    matrix,
    placed,
    plain,
    read_pose,
    scaled,
    shifted,
    turned,
)
from hoijax.annotate.fine.steps import AXES, SIZES, dragged
from hoijax.annotate.mesh_view import Drag

PIVOT = np.array([0.3, -0.2, 2.5])


def some_pose(seed: int) -> Pose:
    rng = np.random.default_rng(seed)
    rotation = Rotation.from_rotvec(rng.normal(size=3)).as_matrix()
    return Pose(rotation, rng.normal(0, 0.2, 3), float(rng.normal(0, 0.3)))


def apart(a: Pose, b: Pose) -> float:
    return max(float(np.abs(np.asarray(x) - np.asarray(y)).max()) for x, y in zip(a, b))


def test_a_thousand_nudges_forth_and_back_end_where_they_began() -> None:
    start, rng = some_pose(0), np.random.default_rng(1)
    taken = [(AXES[rng.integers(7)], SIZES["normal"], float(rng.choice([-1, 1]))) for _ in range(1000)]
    pose = start
    for axis, size, steps in taken:
        pose = axis.moved(pose, PIVOT, size, steps)
    assert apart(pose, start) > 0.01
    for axis, size, steps in reversed(taken):
        pose = axis.moved(pose, PIVOT, size, -steps)
    assert apart(pose, start) < 1e-9


def test_many_turns_leave_a_rotation() -> None:
    pose, rng = identity(), np.random.default_rng(2)
    for _ in range(2000):
        pose = turned(pose, rng.normal(0, 0.3, 3))
    np.testing.assert_allclose(pose.rotation @ pose.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(pose.rotation) > 0


def test_along_the_ray_the_centre_keeps_its_place_in_the_image() -> None:
    before = some_pose(3)
    after = along_ray(before, PIVOT, 0.4)
    a, b = PIVOT + before.translation, PIVOT + after.translation
    np.testing.assert_allclose(a[:2] / a[2], b[:2] / b[2], atol=1e-12)
    assert np.linalg.norm(b) - np.linalg.norm(a) == pytest.approx(0.4)


def test_turns_and_scales_leave_the_centre_where_it_is() -> None:
    pose = some_pose(4)
    for changed in (turned(pose, np.array([0.3, 0.1, -0.2])), scaled(pose, 1.3)):
        centre = placed(PIVOT[None], changed, PIVOT)[0]
        np.testing.assert_allclose(centre, PIVOT + pose.translation, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "steps", "moves"),
    [("x", 1.0, [1, 0]), ("y", 1.0, [0, -1]), ("yaw", 1.0, [1, 0]), ("pitch", 1.0, [0, -1]), ("roll", 1.0, [0, 0])],
)
def test_directions_are_what_the_buttons_say(name: str, steps: float, moves: list[int]) -> None:
    """The point of the object that is nearest to the camera goes there in the image (y down)."""
    axis = next(axis for axis in AXES if axis.name == name)
    front = PIVOT - np.array([0.0, 0.0, 0.2])
    gone = placed(front[None], axis.moved(identity(), PIVOT, SIZES["normal"], steps), PIVOT)[0] - front
    assert np.sign(np.round(gone[:2], 6)).tolist() == moves
    if name == "roll":  # to the right: the top of the object goes right
        top = PIVOT - np.array([0.0, 0.2, 0.0])
        assert placed(top[None], axis.moved(identity(), PIVOT, SIZES["normal"], 1.0), PIVOT)[0][0] > top[0]


def test_matrix_and_placed_agree() -> None:
    pose, points = some_pose(5), np.random.default_rng(5).normal(size=(7, 3))
    whole = np.c_[points, np.ones(7)] @ matrix(pose, PIVOT).T
    np.testing.assert_allclose(whole[:, :3], placed(points, pose, PIVOT), atol=1e-12)


def test_composed_is_one_after_the_other() -> None:
    first, then, about = some_pose(6), some_pose(7), np.array([1.0, 0.5, 3.0])
    points = np.random.default_rng(8).normal(size=(9, 3))
    both = composed(first, PIVOT, then, about)
    expected = placed(placed(points, first, PIVOT), then, about)
    np.testing.assert_allclose(placed(points, both, PIVOT), expected, atol=1e-12)


def test_a_pose_comes_back_from_json_to_the_last_bit() -> None:
    pose = some_pose(9)
    assert apart(read_pose(plain(pose)), pose) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"rotation": np.diag([1.0, 1.0, -1.0]).tolist()},
        {"rotation": (1.1 * np.eye(3)).tolist()},
        {"rotation": [[1, 0], [0, 1]]},
        {"translation": [0, float("nan"), 0]},
        {"translation": [0, 0, 21.0]},
        {"log_scale": 3.1},
        {"log_scale": "large"},
        {"log_scale": None},
    ],
)
def test_what_is_no_pose_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(PoseError):
        read_pose(plain(identity()) | change)


def test_nudges_that_go_too_far_are_refused() -> None:
    with pytest.raises(PoseError, match="too near"):
        along_ray(identity(), PIVOT, -2.5)
    with pytest.raises(PoseError, match="20 times"):
        scaled(identity(), 21.0)
    with pytest.raises(PoseError, match="20 m"):
        shifted(identity(), np.array([21.0, 0, 0]))
    with pytest.raises(PoseError, match="wheel"):
        dragged(identity(), PIVOT, Drag("scale", (1e9, 0.0, 0.0)))


def test_pushing_away_with_the_wheel_scales_the_distance() -> None:
    after = dragged(identity(), PIVOT, Drag("away", (0.2, 0.0, 0.0)))
    np.testing.assert_allclose(PIVOT + after.translation, np.exp(0.2) * PIVOT, atol=1e-12)
