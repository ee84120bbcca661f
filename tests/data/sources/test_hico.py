"""HICO-DET's two layouts, in small files of the same structure, and its names."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from hoijax.data.sample import SampleError
from hoijax.data.sources.hico_names import hico_objects, hico_pairs, hico_verbs
from hoijax.data.sources.read import read_annotations
from hoijax.data.sources.record import Annotations, Pair

CONTACTS = {"race": 153, "ride": 154, "sit_on": 155, "straddle": 156}


def struct(**fields: Any) -> np.ndarray:
    """A MATLAB struct of 1 x 1."""
    return structs([fields])


def structs(rows: list[dict[str, Any]]) -> np.ndarray:
    """A MATLAB struct array of 1 x n."""
    out = np.empty((1, len(rows)), dtype=[(name, object) for name in rows[0]])
    for k, row in enumerate(rows):
        for name, value in row.items():
            out[0, k][name] = value
    return out


def box(x1: int, x2: int, y1: int, y2: int) -> dict[str, int]:
    return {"x1": x1, "x2": x2, "y1": y1, "y2": y2}


def hoi(number: int, people: list[dict], things: list[dict], connection: list[list[int]]) -> dict[str, Any]:
    empty = np.zeros((0, 0))
    return {
        "id": number,
        "bboxhuman": structs(people) if people else empty,
        "bboxobject": structs(things) if things else empty,
        "connection": np.array(connection) if connection else empty,
        "invis": 0 if people else 1,
    }


def image(name: str, hois: list[dict[str, Any]], width: int = 640, height: int = 480) -> dict[str, Any]:
    return {"filename": name, "size": struct(width=width, height=height, depth=3), "hoi": structs(hois)}


@pytest.fixture
def mat(tmp_path: Path) -> Path:
    """Three training images and one test image, with the official file's fields."""
    rider, other = box(208, 427, 33, 300), box(500, 600, 50, 400)
    bike = box(59, 572, 98, 405)
    first = image(
        "HICO_train2015_00000001.jpg",
        [
            hoi(153, [rider], [bike], [[1, 1]]),
            hoi(156, [box(209, 444, 26, 317)], [box(59, 579, 99, 395)], [[1, 1]]),  # the same, drawn anew
        ],
    )
    second = image(
        "HICO_train2015_00000002.jpg",
        [hoi(154, [rider, other], [bike], [[1, 1], [2, 1]]), hoi(160, [], [], [])],  # two people; one invisible
    )
    third = image("HICO_train2015_00000003.jpg", [hoi(160, [], [], [])])
    fourth = image(
        "HICO_test2015_00000001.jpg",
        [hoi(298, [rider], [box(230, 260, 100, 140), box(380, 410, 100, 140)], [[1, 1], [1, 2]])],  # two cups held
    )
    verbs = [
        {"nname": thing.replace(" ", "_"), "vname": verb.replace(" ", "_")} for verb, thing in hico_pairs().values()
    ]
    path = tmp_path / "anno_bbox.mat"
    savemat(
        path,
        {
            "bbox_train": structs([first, second, third]),
            "bbox_test": structs([fourth]),
            "list_action": structs(verbs).T,
        },
    )
    return path


def only(annotations: Annotations, name: str) -> tuple[Pair, ...]:
    (found,) = [picture.pairs for picture in annotations.pictures if picture.image.name == name]
    return found


def test_mat_boxes_count_from_one_and_what_was_drawn_anew_is_one_pair(mat: Path) -> None:
    read = read_annotations(mat)
    assert read.layout == "hico-mat"
    assert [(p.image.name[-12:-4], p.people, len(p.pairs)) for p in read.pictures] == [
        ("00000001", 1, 1),
        ("00000002", 2, 2),
        ("00000001", 1, 2),
    ]
    (pair,) = only(read, "HICO_train2015_00000001.jpg")
    assert (pair.category, pair.actions, pair.size) == ("motorcycle", ("race", "straddle"), (640, 480))
    np.testing.assert_allclose(pair.human_box, np.mean([[207, 32, 426, 299], [208, 25, 443, 316]], axis=0))
    assert pair.id == "HICO_train2015_00000001_0"
    second = only(read, "HICO_train2015_00000002.jpg")
    np.testing.assert_array_equal([pair.human_box[0] for pair in second], [207, 499])
    np.testing.assert_array_equal(second[0].object_box, [58, 97, 571, 404])


def test_mat_sets_aside_what_is_not_visible(mat: Path) -> None:
    aside = read_annotations(mat).set_aside
    assert [(entry.image[-12:-4], entry.reason) for entry in aside] == [
        ("00000002", "invisible"),
        ("00000003", "invisible"),
    ]
    assert "no interaction motorcycle" in aside[0].message


def test_mat_takes_its_names_from_its_own_list(tmp_path: Path) -> None:
    path = tmp_path / "anno_bbox.mat"
    record = image("a.jpg", [hoi(1, [box(1, 100, 1, 100)], [box(1, 50, 1, 50)], [[1, 1]])])
    savemat(
        path, {"bbox_train": structs([record]), "list_action": structs([{"nname": "coffee_cup", "vname": "sip_at"}])}
    )
    (picture,) = read_annotations(path).pictures
    assert (picture.pairs[0].category, picture.pairs[0].actions) == ("coffee cup", ("sip at",))


@pytest.mark.parametrize("content", [b"", b"nothing of MATLAB's"])
def test_a_broken_mat_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "anno_bbox.mat"
    path.write_bytes(content)
    with pytest.raises(SampleError, match=r"anno_bbox\.mat"):
        read_annotations(path)


def test_another_mat_file_is_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "anno.mat", {"anno_train": np.zeros(3)})
    with pytest.raises(SampleError, match=r"expected HICO-DET's anno_bbox\.mat"):
        read_annotations(tmp_path / "anno.mat")


def record(**more: Any) -> dict[str, Any]:
    """The first training image as the common JSON has it."""
    return {
        "file_name": "HICO_train2015_00000001.jpg",
        "img_id": 1,
        "annotations": [
            {"bbox": [207, 32, 426, 299], "category_id": 1},
            {"bbox": [58, 97, 571, 404], "category_id": 4},
        ],
        "hoi_annotation": [
            {"subject_id": 0, "object_id": 1, "category_id": verb, "hoi_category_id": pair}
            for verb, pair in zip((73, 77, 88, 99), CONTACTS.values())
        ],
    } | more


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_json_has_verbs_from_one_and_coco_objects(tmp_path: Path) -> None:
    gaps = record(
        file_name="HICO_train2015_00000009.jpg",
        annotations=[
            {"bbox": [0, 0, 99, 199], "category_id": 1},
            {"bbox": [10, 10, 59, 59], "category_id": 90},
            {"bbox": [20, 10, 79, 59], "category_id": "13"},
        ],
        hoi_annotation=[
            {"subject_id": 0, "object_id": 1, "category_id": 7},
            {"subject_id": 0, "object_id": 2, "category_id": 95},
        ],
    )
    read = read_annotations(written(tmp_path / "trainval_hico.json", [record(), gaps]))
    assert read.layout == "hico-json"
    assert read.set_aside == ()
    (pair,) = read.pictures[0].pairs
    assert pair.actions == ("race", "ride", "sit on", "straddle")
    assert (pair.category, pair.size) == ("motorcycle", None)
    np.testing.assert_array_equal(pair.human_box, [207, 32, 426, 299])
    assert [(p.category, *p.actions) for p in read.pictures[1].pairs] == [
        ("toothbrush", "brush with"),
        ("stop sign", "stand under"),
    ]
    assert [p.id for p in read.pictures[1].pairs] == ["HICO_train2015_00000009_0", "HICO_train2015_00000009_1"]


def test_json_counts_people_who_do_nothing(tmp_path: Path) -> None:
    things = [*record()["annotations"], {"bbox": [500, 10, 600, 300], "category_id": 1}]
    (picture,) = read_annotations(written(tmp_path / "test_hico.json", [record(annotations=things)])).pictures
    assert (picture.people, len(picture.pairs)) == (2, 1)


def test_instances_are_parallel_lists(tmp_path: Path) -> None:
    record = {
        "boxes_h": [[208, 33, 427, 300], [209, 26, 444, 317]],
        "boxes_o": [[59, 98, 572, 405], [59, 99, 579, 395]],
        "hoi": [152, 155],
        "object": [1, 1],
        "verb": [0, 1],
    }
    empty = {key: [] for key in record}
    content = {
        "annotation": [record, empty],
        "filenames": ["HICO_train2015_00000001.jpg", "HICO_train2015_00000002.jpg"],
        "objects": ["airplane", "motorcycle"],
        "verbs": ["race", "straddle"],
        "correspondence": [[152, 1, 0], [155, 1, 1]],
        "size": [[640, 480], [640, 426]],
        "empty": [1],
    }
    read = read_annotations(written(tmp_path / "instances_train2015.json", content))
    assert read.layout == "hico-instances"
    (picture,) = read.pictures
    (pair,) = picture.pairs
    assert (picture.people, pair.category, pair.actions, pair.size) == (
        1,
        "motorcycle",
        ("race", "straddle"),
        (640, 480),
    )
    np.testing.assert_allclose(pair.human_box, np.mean([[207, 32, 426, 299], [208, 25, 443, 316]], axis=0))
    assert [entry.reason for entry in read.set_aside] == ["no pair"]
    with pytest.raises(SampleError, match="lists 1 filenames, 2 sizes"):
        read_annotations(written(tmp_path / "x.json", content | {"filenames": ["a.jpg"]}))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"object_id": 7}, "bad link"),
        ({"object_id": -1}, "bad link"),
        ({"category_id": 118}, "unknown id"),
        ({"hoi_category_id": 1}, "contradiction"),
    ],
)
def test_json_sets_aside_pairs_that_say_nothing(tmp_path: Path, change: dict[str, int], reason: str) -> None:
    hois = [*record()["hoi_annotation"][:1], record()["hoi_annotation"][1] | change]
    read = read_annotations(written(tmp_path / "trainval_hico.json", [record(hoi_annotation=hois)]))
    assert read.pictures[0].pairs[0].actions == ("race",)
    assert [entry.reason for entry in read.set_aside] == [reason]


def test_json_of_another_data_set_is_not_taken_for_hico(tmp_path: Path) -> None:
    hois = [{"subject_id": 0, "object_id": 1, "category_id": 3}]
    path = written(tmp_path / "trainval_vcoco.json", [record(file_name="COCO_train2014_1.jpg", hoi_annotation=hois)])
    with pytest.raises(SampleError, match="V-COCO"):
        read_annotations(path)
    assert read_annotations(path, layout="hico-json").pictures[0].pairs[0].actions == ("block",)


def test_names_are_those_of_the_data_set() -> None:
    assert (len(hico_objects()), len(hico_verbs()), len(hico_pairs())) == (80, 117, 600)
    assert {category for _, category in hico_pairs().values()} == set(hico_objects().values())
    numbers = {name: number for number, name in hico_verbs().items()}
    # The verb's number of every pair, in order, as public lists of HICO-DET have it.
    assert zlib.crc32(bytes(numbers[verb] for verb, _ in hico_pairs().values())) == 1424043493
    last = [10, 24, 31, 46, 54, 65, 76, 86, 92, 96, 107, 111, 129, 146, 160, 170]
    assert [number for number, (verb, _) in hico_pairs().items() if verb == "no interaction"][:16] == last
