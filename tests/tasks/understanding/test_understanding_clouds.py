"""The point cloud of a sample: counts, colours, frame, size."""

import numpy as np
import pytest

from hoijax.data.sample import ColoredMesh, SampleError
from hoijax.tasks.understanding.clouds import CloudOptions, sample_cloud, split, surface, triangle_areas


def test_a_cloud_is_what_pointllm_takes(make) -> None:
    cloud = sample_cloud(make((0.3, 0.3, 0.3), (0.5, 0.0, 0.0)))
    assert cloud.points.shape == (8192, 6)
    assert cloud.points.dtype == np.float32
    xyz, rgb = cloud.points[:, :3], cloud.points[:, 3:]
    np.testing.assert_allclose(xyz.mean(0), 0, atol=1e-6)
    assert np.linalg.norm(xyz, axis=1).max() == pytest.approx(1, abs=1e-6)
    assert (rgb[: cloud.human] == 0).all()
    assert (rgb[cloud.human :, 0] == 1).all()
    green = rgb[cloud.human :, 1]
    assert green.min() >= 0
    assert green.max() <= 1
    assert ((green > 0.05) & (green < 0.95)).mean() > 0.3  # between the corners' colours


def test_points_are_by_area_down_to_a_floor(make) -> None:
    sample = make((0.3, 0.3, 0.3), (0.5, 0.0, 0.0))
    human, thing = (triangle_areas(mesh).sum() for mesh in (sample.human, sample.object))
    assert thing == pytest.approx(6 * 0.09)
    assert sample_cloud(sample, CloudOptions(1000)).human == round(1000 * human / (human + thing))
    assert split(1.0, 0.001, CloudOptions(1000)) == (800, 200)
    assert split(1.0, 99.0, CloudOptions(1000)) == (200, 800)
    assert split(1.0, 0.001, CloudOptions(1000, least=0.0)) == (999, 1)
    assert split(1.0, 1.0, CloudOptions(1000, share=0.1)) == (900, 100)


def test_the_seed_alone_decides(make) -> None:
    sample = make((0.3, 0.3, 0.3), (0.5, 0.0, 0.0))
    one, same, other = (sample_cloud(sample, CloudOptions(100, seed=seed)).points for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_the_person_stands_upright_and_keeps_their_hands(make) -> None:
    """An object at the person's head, to the right in the picture and behind them."""
    sample = make((0.1, 0.1, 0.1), (0.4, -0.8, 0.3))
    for up, axes in (("y", (0, 1, 2)), ("z", (0, 2, 1))):
        cloud = sample_cloud(sample, CloudOptions(2000, up=up))
        apart = cloud.points[cloud.human :, :3].mean(0) - cloud.points[: cloud.human, :3].mean(0)
        x, height, depth = apart[list(axes)]
        assert x > 0.2
        assert height > 0.5
        assert (depth < -0.1) if up == "y" else (depth > 0.1)  # behind: they face +z, or -y


def test_the_annotated_object_is_taken(make) -> None:
    sample = make((0.1, 0.1, 0.1), (0.4, 0.0, 0.0))
    far = sample._replace(truth=sample.object._replace(verts=sample.object.verts + np.float32([3, 0, 0])))
    cloud = sample_cloud(far, CloudOptions(500))
    assert cloud.points[cloud.human :, 0].min() > cloud.points[: cloud.human, 0].max()


def test_points_are_even_over_a_surface() -> None:
    verts = np.float32([[0, 0, 0], [3, 0, 0], [0, 1, 0], [3, 1, 0]])
    mesh = ColoredMesh(verts, np.int32([[0, 1, 2], [1, 3, 2]]), verts / np.float32(3))
    points, rgb = surface(mesh, 30000, np.random.default_rng(0))
    counts, *_ = np.histogram2d(points[:, 0], points[:, 1], bins=(6, 2), range=((0, 3), (0, 1)))
    assert np.abs(counts / 2500 - 1).max() < 0.1
    np.testing.assert_allclose(rgb[:, 0], points[:, 0] / 3, atol=1e-6)


def test_what_cannot_be_is_refused(make) -> None:
    flat = make((0.1, 0.1, 0.1), (0.4, 0.0, 0.0))
    flat = flat._replace(object=flat.object._replace(verts=np.zeros_like(flat.object.verts)))
    with pytest.raises(SampleError, match="object's mesh has no area"):
        sample_cloud(flat)
    for wrong in ({"points": 1}, {"share": 1.0}, {"least": 0.6}, {"up": "x"}):
        with pytest.raises(Exception, match=next(iter(wrong))):
            CloudOptions(**wrong)
