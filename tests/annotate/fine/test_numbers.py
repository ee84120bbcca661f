"""The live numbers against the package's own metrics."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hoijax.annotate.fine.numbers import contact_masks, iou, sight, touch
from hoijax.body.builtin import builtin_body
from hoijax.data.measure import measure
from hoijax.data.prepare import human_parts
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.types import Camera


def enlarged(sample: Sample, factor: int) -> Sample:
    """The same scene in a photograph so many times larger."""
    h, w = sample.object_mask.shape
    masks = (
        cv2.resize(mask.astype(np.uint8), (factor * w, factor * h), interpolation=cv2.INTER_NEAREST) > 0
        for mask in (sample.human_mask, sample.object_mask)
    )
    human, obj = masks
    camera = Camera(*(factor * value for value in sample.camera))
    return sample._replace(human_mask=human, object_mask=obj, camera=camera)


@pytest.mark.parametrize("scene", ["ball/hold_0", "chair/sit_on_0", "box/carry_0"])
def test_numbers_are_those_of_measure(scenes: Path, scene: str) -> None:
    sample = load_sample(scenes / scene)
    exact = measure(sample, sample.human, sample.object, human_parts(sample, builtin_body()))
    assert iou(sight(sample), sample.object.verts, sample.object.faces) == exact["iou_object"]
    found = touch(sample.human, sample.object, contact_masks(sample))
    assert found.co2 == pytest.approx(exact["co2"], abs=1e-12)
    assert found.gap_cm == pytest.approx(exact["gap_cm"])
    assert found.penetration_cm == pytest.approx(exact["penetration_max_cm"])


def test_of_a_large_photograph_the_iou_is_within_a_hundredth(scenes: Path) -> None:
    sample = enlarged(load_sample(scenes / "chair/sit_on_0"), 3)
    mesh = sample.object
    small, whole = sight(sample), sight(sample, 10_000)
    assert max(small.object_mask.shape) == 512
    assert max(whole.object_mask.shape) == 1536
    assert abs(iou(small, mesh.verts, mesh.faces) - iou(whole, mesh.verts, mesh.faces)) < 0.01


def test_without_annotated_parts_there_is_no_co2_but_a_gap(scenes: Path) -> None:
    sample = load_sample(scenes / "ball/hold_0")._replace(contact_parts=None)
    found = touch(sample.human, sample.object, contact_masks(sample))
    assert np.isnan(found.co2)
    assert np.isfinite(found.gap_cm)
