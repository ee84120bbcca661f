"""What is made of a sample: parts of faces, distances, suggestions, cameras, the photograph."""

import xml.etree.ElementTree
from pathlib import Path

import numpy as np
import pytest

from hoijax.annotate.contact.body_map import absent, face_labels
from hoijax.annotate.contact.hints import NEAR, REACHES, hints
from hoijax.annotate.contact.made import made_of
from hoijax.annotate.contact.photo import close_box, outline, photo_of, svg
from hoijax.annotate.contact.views import SIDES, UP, facing, views
from hoijax.body.builtin import builtin_body
from hoijax.body.parts import PART_NAMES, body_parts
from hoijax.data.person_parts import parts_of
from hoijax.data.read import load_sample
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.metrics.co2 import in_contact, nearness

pytestmark = pytest.mark.slow  # the scenes are drawn first


@pytest.fixture(scope="session")
def chair(scenes: Path) -> Sample:
    return load_sample(next(path for path in (scenes / "chair").iterdir()))


def test_the_builtin_body_keeps_its_own_parts(chair: Sample) -> None:
    np.testing.assert_array_equal(parts_of(chair), body_parts(builtin_body()))
    assert absent(parts_of(chair)) == []


def test_a_face_has_the_part_of_most_of_its_corners(chair: Sample) -> None:
    parts = parts_of(chair)
    labels, corners = face_labels(chair.human, parts), parts[chair.human.faces]
    count = (corners == labels[:, None]).sum(1)
    assert (count >= 1).all()
    for k in range(3):
        assert ((corners == corners[:, [k]]).sum(1) <= count).all()
    assert set(labels.tolist()) == set(range(len(PART_NAMES)))
    mesh = ColoredMesh(np.zeros((3, 3)), np.array([[0, 1, 2], [2, 1, 1]], np.int64), np.zeros((3, 3)))
    np.testing.assert_array_equal(face_labels(mesh, np.array([5, 7, 7])), [7, 7])
    np.testing.assert_array_equal(face_labels(mesh, np.array([5, 6, 7])), [5, 6])


def test_a_body_of_other_faces_gets_its_parts_from_the_builtin_one(chair: Sample) -> None:
    faces = chair.human.faces[:, [1, 2, 0]]
    other = chair._replace(human=chair.human._replace(faces=faces))
    assert (parts_of(other) == parts_of(chair)).mean() > 0.97


def test_parts_within_5_cm_are_suggested(chair: Sample) -> None:
    parts = parts_of(chair)
    found = hints(chair, parts)
    assert "bottom" in found.suggested()
    assert "nose" not in found.suggested()
    near = nearness(chair.human.verts, found.thing.verts, found.thing.faces)
    for reach in REACHES:
        assert set(found.suggested(reach)) == {PART_NAMES[k] for k in parts[in_contact(near, reach)]}
    assert len(found.suggested(0.01)) < len(found.suggested(NEAR))
    assert found.source == "the annotated object"
    start = hints(chair._replace(truth=None), parts)
    assert start.source == "the object's coarse start"
    np.testing.assert_array_equal(start.thing.verts, chair.object.verts)


def test_an_object_without_distances_is_told(chair: Sample) -> None:
    broken = chair.object._replace(verts=np.full_like(chair.object.verts, np.nan))
    with pytest.raises(SampleError, match="how near the person is"):
        made_of(chair._replace(object=broken, truth=None))


def test_the_person_is_seen_whole_from_every_side(chair: Sample) -> None:
    found = views(chair)
    assert tuple(found) == SIDES
    for view in found.values():
        ahead = (view.target - view.eye) / np.linalg.norm(view.target - view.eye)
        depth = (chair.human.verts - view.eye) @ ahead
        across = np.linalg.norm(chair.human.verts - view.eye - depth[:, None] * ahead, axis=1)
        assert (across / depth).max() < np.tan(np.radians(view.fov / 2))
    assert (found["top"].eye - found["top"].target) @ UP > 0 > (found["below"].eye - found["below"].target) @ UP
    np.testing.assert_allclose(found["photo"].eye, -np.asarray(chair.pose.translation))


def test_left_is_the_persons_left_and_front_their_face(chair: Sample) -> None:
    parts, found = parts_of(chair), views(chair)
    middle = {
        name: chair.human.verts[parts == PART_NAMES.index(name)].mean(0) for name in ("left hip", "right hip", "nose")
    }
    left = found["left"].eye - found["left"].target
    assert (middle["left hip"] - middle["right hip"]) @ left > 0
    assert (middle["nose"] - found["front"].target) @ facing(chair) > 0


def test_who_lies_is_seen_from_the_camera(chair: Sample) -> None:
    lying = chair._replace(
        pose=chair.pose._replace(root=chair.pose.root * 0 + np.array([-np.pi / 2, 0, 0], np.float32))
    )
    np.testing.assert_allclose(facing(lying), [0, 0, -1])


def test_the_photograph_is_cropped_around_both_with_room() -> None:
    mask = np.zeros((100, 200), bool)
    mask[40:60, 100:150] = True
    assert close_box(mask) == (94.0, 34.0, 62.0, 32.0)
    mask[0, 0] = True
    assert close_box(mask)[:2] == (0.0, 0.0)
    assert close_box(np.zeros((100, 200), bool)) == (0.0, 0.0, 200.0, 100.0)


def test_outlines_follow_the_masks_and_the_svg_is_well_formed(chair: Sample) -> None:
    mask = np.zeros((100, 200), bool)
    assert outline(mask) == ""
    mask[40:60, 100:150] = True
    assert outline(mask) == "M100.5,40.5 L100.5,59.5 L149.5,59.5 L149.5,40.5Z"
    photo = photo_of(chair)
    drawn = xml.etree.ElementTree.fromstring(svg(photo, '/blob/a"<b>', True, True))
    assert len(drawn) == 3
    assert drawn[0].attrib["href"] == '/blob/a"<b>'
    assert len(xml.etree.ElementTree.fromstring(svg(photo, "x", False, False))) == 1
