"""HAKE-Large's and SWIG-HOI's layouts, in small files of the same structure."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hoijax.data.sample import SampleError
from hoijax.data.sources.read import read_annotations


def label(pair: Any, human: Any, thing: Any, width: int = 640, height: int = 480) -> dict[str, Any]:
    states = [{"human_part": 6, "partstate": 0}, {"human_part": 9, "partstate": 0}]
    return {
        "action_labels": states,
        "height": height,
        "hoi_id": pair,
        "human_bbox": human,
        "object_bbox": thing,
        "width": width,
    }


def hake(*labels: dict[str, Any], prefix: str = "hico_20160224_det/images/train2015") -> dict[str, Any]:
    return {"dataset": "hico-det", "labels": list(labels), "path_prefix": prefix}


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_hake_boxes_count_from_one_and_jitter_is_one_person(tmp_path: Path) -> None:
    content = {
        "HICO_train2015_00000001.jpg": hake(
            label(153, [208, 33, 427, 300], [59, 98, 572, 405]),
            label(156, [209, 26, 444, 317], [59, 99, 579, 395]),
            label(154, [213, 20, 438, 357], [77, 115, 583, 396]),
        ),
        "two.jpg": hake(
            label(154, [1, 1, 100, 300], [50, 50, 400, 400]),
            label(154, [300, 1, 400, 300], [50, 50, 400, 400]),
            prefix="openimages",
        ),
    }
    read = read_annotations(written(tmp_path / "hake_large_annotation.json", content))
    assert read.layout == "hake"
    first, second = read.pictures
    assert str(first.image) == "hico_20160224_det/images/train2015/HICO_train2015_00000001.jpg"
    (pair,) = first.pairs
    assert (first.people, pair.category, pair.actions) == (1, "motorcycle", ("race", "straddle", "ride"))
    np.testing.assert_array_equal(pair.human_box, [208, 25, 437, 316])
    assert pair.id == "hico_20160224_det-images-train2015-HICO_train2015_00000001_0"
    assert (second.people, len(second.pairs), str(second.image)) == (2, 2, "openimages/two.jpg")


def test_hake_sets_aside_labels_without_boxes_or_names(tmp_path: Path) -> None:
    content = {
        "a.jpg": hake(
            label(601, [1, 1, 9, 9], [1, 1, 9, 9]),
            label(12, [1, 1, 200, 200], None),
            label(12, [1, 1, 200, 200], [700, 1, 800, 100]),
            label(12, [1, 1, 200, 200], [50, 60, 50, 100]),
            label(12, [1, 1, 200, 200], [21, 21, 101, 101]),
        ),
        "b.jpg": hake(),
        "c.jpg": {"dataset": "pic"},
    }
    read = read_annotations(written(tmp_path / "hake.json", content))
    assert [entry.reason for entry in read.set_aside] == [
        "unknown id",
        "no box",
        "bad box",
        "bad box",
        "no pair",
        "bad record",
    ]
    assert "outside of the image, which is 640 x 480" in read.set_aside[2].message
    assert "empty" in read.set_aside[3].message
    (pair,) = read.pictures[0].pairs
    np.testing.assert_array_equal(pair.object_box, [20, 20, 100, 100])


NAMES = """# -*- coding: utf-8 -*-
SWIG_CATEGORIES = [{"name": "person", "id": 0}, {"name": "hose", "id": 28, "gloss": ["hose"]}]
SWIG_ACTIONS = [{"id": 402, "name": "wrapping", "def": "to wrap"}]
SWIG_INTERACTIONS = [{"id": 0, "action_id": 402, "object_id": 28}]
raise RuntimeError("this file is read, not run")
"""


def swig(**more: Any) -> dict[str, Any]:
    return {
        "file_name": "wrapping_196.jpg",
        "img_id": 745,
        "height": 512,
        "width": 681,
        "box_annotations": [
            {"bbox": [247, 134, 566, 520], "category_id": 28, "aux_category_id": [167, 323]},
            {"bbox": [282, 217, 441, 317], "category_id": 123, "aux_category_id": []},
            {"bbox": [0, 0, 438, 509], "category_id": 0, "aux_category_id": []},
        ],
        "hoi_annotations": [
            {"subject_id": 2, "object_id": 0, "action_id": 402},
            {"subject_id": 2, "object_id": 1, "action_id": 402},
        ],
    } | more


def test_swig_reads_names_from_the_data_sets_own_file(tmp_path: Path) -> None:
    (tmp_path / "swig_v1_categories.py").write_text(NAMES)
    (tmp_path / "annotations").mkdir()
    read = read_annotations(written(tmp_path / "annotations" / "swig_test_1000.json", [swig()]))
    assert read.layout == "swig"
    (picture,) = read.pictures
    (pair,) = picture.pairs
    assert (picture.people, pair.category, pair.actions, pair.size) == (1, "hose", ("wrapping",), (681, 512))
    np.testing.assert_array_equal(pair.object_box, [247, 134, 566, 512])
    assert pair.id == "wrapping_196_0"
    assert [entry.reason for entry in read.set_aside] == ["unknown id"]
    assert read.notes == ("1 boxes reached beyond their image and were cut at its edge",)


def test_swig_takes_names_from_json(tmp_path: Path) -> None:
    lists = {
        "objects": [{"id": 0, "name": "person"}, {"id": 28, "name": "hose"}],
        "actions": [{"id": 402, "name": "wrap"}],
    }
    names = written(tmp_path / "names.json", lists)
    read = read_annotations(written(tmp_path / "swig.json", [swig()]), names=names)
    assert read.pictures[0].pairs[0].actions == ("wrap",)


def test_swig_without_names_says_what_is_missing(tmp_path: Path) -> None:
    path = written(tmp_path / "swig.json", [swig()])
    with pytest.raises(SampleError, match=r"swig_v1_categories\.py"):
        read_annotations(path)
    (tmp_path / "swig_v1_categories.py").write_text("SWIG_ACTIONS = make()")
    with pytest.raises(SampleError, match="literal"):
        read_annotations(path)
    (tmp_path / "swig_v1_categories.py").write_text("OTHER = 1")
    with pytest.raises(SampleError, match="SWIG_CATEGORIES"):
        read_annotations(path)
