"""Inverse kinematics of the built-in scenes: velocities against differences, goals met, nothing left inside."""

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import pose_body, with_joint_rotvecs, zero_pose
from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.figure import JOINTS, Figure, Stance, init_figure, place, stance_of, velocities
from hoijax.data.synthetic.reach import Align, Reach, Touch, reach, signed_distance

ARM = ("left_collar", "left_shoulder", "left_elbow", "left_wrist")


@pytest.fixture(scope="module")
def figure() -> Figure:
    return init_figure(builtin_body(), np.linspace(-1, 1, 10))


def sphere(center: tuple[float, float, float], radius: float) -> ColoredMesh:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    verts = np.array(ball.vertices) + center
    return ColoredMesh(verts, np.array(ball.faces), np.full_like(verts, 0.5))


def random_stance(seed: int) -> Stance:
    rng = np.random.default_rng(seed)
    return Stance(Rotation.from_rotvec(rng.normal(0, 0.4, (55, 3))).as_matrix(), rng.normal(size=3))


def test_place_agrees_with_the_body_model(figure: Figure) -> None:
    stance = random_stance(0)
    rotvecs = Rotation.from_matrix(stance.local).as_rotvec()
    pose = with_joint_rotvecs(zero_pose(), jnp.asarray(rotvecs, jnp.float32))
    pose = pose._replace(shape=jnp.linspace(-1, 1, 10))
    expected = pose_body(builtin_body(), pose)
    shift = stance.root - figure.joints[0]
    placed = place(figure, stance)
    np.testing.assert_allclose(placed.verts, np.asarray(expected.verts) + shift, atol=5e-6)
    np.testing.assert_allclose(placed.positions, np.asarray(expected.joints) + shift, atol=5e-6)


def test_velocities_are_differences(figure: Figure) -> None:
    stance, step = random_stance(1), 1e-6
    vertices = np.random.default_rng(2).choice(len(figure.rest), 30, replace=False)
    free = np.array([0, 3, 13, 16, 20, 26, 5])
    slopes = velocities(figure, place(figure, stance), vertices, free)
    for column, joint in enumerate(free):
        for axis in range(3):
            ends = []
            for sign in (1, -1):
                local = stance.local.copy()
                local[joint] = local[joint] @ Rotation.from_rotvec(sign * step * np.eye(3)[axis]).as_matrix()
                ends.append(place(figure, stance._replace(local=local)).verts[vertices])
            np.testing.assert_allclose(slopes[:, :, column, axis], (ends[0] - ends[1]) / (2 * step), atol=1e-7)


def test_stance_words_turn_about_fixed_axes_and_mirror() -> None:
    stance = stance_of({"both_shoulder": "x20 z-70", "head": "y30"}, np.zeros(3))
    expected = Rotation.from_euler("xz", [20, -70], degrees=True).as_matrix()  # extrinsic
    mirror = np.diag([-1.0, 1, 1])
    left, right = (stance.local[JOINTS.index(f"{side}_shoulder")] for side in ("left", "right"))
    np.testing.assert_allclose(left, expected, atol=1e-12)
    np.testing.assert_allclose(right, mirror @ expected @ mirror, atol=1e-12)
    np.testing.assert_allclose(
        stance.local[JOINTS.index("head")], Rotation.from_euler("y", 30, degrees=True).as_matrix(), atol=1e-12
    )
    np.testing.assert_array_equal(stance.local[JOINTS.index("jaw")], np.eye(3))


def test_signed_distance_of_a_sphere() -> None:
    ball = sphere((0.1, 0.2, 0.3), 0.5)
    rng = np.random.default_rng(3)
    points = np.array([0.1, 0.2, 0.3]) + rng.normal(size=(200, 3)) * 0.4
    distance, gradient = signed_distance(points, ball)
    center = points - [0.1, 0.2, 0.3]
    radius = np.linalg.norm(center, axis=1)
    np.testing.assert_allclose(distance, radius - 0.5, atol=0.006)  # a polyhedron of 1,280 faces
    assert ((gradient * center).sum(1) / radius > 0.9).all(), "the gradient points outward on both sides"


def test_hand_reaches_a_point_and_turns(figure: Figure) -> None:
    start = stance_of({"both_shoulder": "z-60"}, np.array([0.0, 1.1, 0.0]))
    target, facing = np.array([0.25, 1.35, 0.42]), np.array([0.0, 0.0, 1.0])
    goals = (Reach("left palm", target), Align("left_wrist", (0, -1, 0), facing))
    stance = reach(figure, start, None, goals, ARM, moves=False)
    placed = place(figure, stance)
    assert np.linalg.norm(placed.verts[figure.patches["left palm"]].mean(0) - target) < 0.01
    assert placed.frames[JOINTS.index("left_wrist")] @ [0, -1, 0] @ facing > np.cos(np.radians(15))
    fixed = [k for k, name in enumerate(JOINTS) if name not in ARM]
    np.testing.assert_array_equal(stance.local[fixed], start.local[fixed])
    np.testing.assert_array_equal(stance.root, start.root)


def test_what_is_inside_comes_out_and_touches(figure: Figure) -> None:
    start = stance_of({"both_shoulder": "z-60 y-30"}, np.array([0.0, 1.1, 0.0]))
    palm = place(figure, start).verts[figure.patches["left palm"]].mean(0)
    ball = sphere(tuple(palm + [0.0, -0.05, 0.02]), 0.08)
    before, _ = signed_distance(place(figure, start).verts, ball)
    assert before.min() < -0.03, "the test starts with the hand inside"
    stance = reach(figure, start, ball, (Touch("left palm", 6),), ARM, moves=False)
    after, _ = signed_distance(place(figure, stance).verts, ball)
    assert after.min() > -0.004
    assert np.abs(after[figure.patches["left palm"]]).min() < 0.003


def test_feet_come_down_to_the_floor(figure: Figure) -> None:
    start = stance_of({"left_hip": "x-15", "left_knee": "x10"}, np.array([0.0, 1.02, 0.0]))
    feet = tuple(Touch(f"{side} {patch}", 8, floor=True) for side in ("left", "right") for patch in ("heel", "toes"))
    legs = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle"))
    placed = place(figure, reach(figure, start, None, feet, legs, moves=True))
    for goal in feet:
        assert abs(placed.verts[figure.patches[goal.patch], 1].min()) < 0.004, goal.patch
    assert placed.verts[:, 1].min() > -0.005
