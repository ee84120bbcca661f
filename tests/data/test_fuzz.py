"""Any damage to a sample's bytes: the reader gives a sample or a SampleError, the checker a list, never a traceback."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hoijax.data.check import check_sample
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample, SampleError
from hoijax.data.write import save_sample

FILES = (
    "image.jpg",
    "person_mask.png",
    "object_mask.png",
    "smplx_parameters.json",
    "h_mesh.obj",
    "obj_pcd_h_align.obj",
    "object_mesh.obj",
    "depth.npy",
    "box_annotation.json",
    "annotations.json",
    "calibration.json",
    "extrinsic.json",
    "contact_label/human_part.json",
)
JSON_FILES = tuple(name for name in FILES if name.endswith(".json"))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def target(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "cup" / "drinking_1"
    save_sample(sample, folder)
    return folder


def assert_survives(folder: Path) -> None:
    """The reader and the checker agree that the sample is sound, or both say what is wrong."""
    found = check_sample(folder)
    assert not any("could not be checked" in problem.message for problem in found), found
    if any(problem.severity == "error" for problem in found):
        with pytest.raises(SampleError) as caught:
            load_sample(folder)
        assert str(caught.value).startswith(str(folder))
        return
    loaded = load_sample(folder)
    h, w, _ = loaded.image.shape
    assert loaded.human_mask.shape == loaded.object_mask.shape == (h, w)
    assert loaded.human_mask.any()
    assert loaded.object_mask.any()
    for mesh in (loaded.human, loaded.object):
        assert np.isfinite(mesh.verts).all()
        assert 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.verts)


def mutated(data: bytes, edits: list[tuple[int, int]], cut: int | None, tail: bytes) -> bytes:
    """Some bytes replaced, the end cut off, something appended."""
    changed = bytearray(data)
    for position, value in edits:
        changed[position % len(changed)] = value
    return bytes(changed[: None if cut is None else cut % (len(changed) + 1)]) + tail


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(FILES),
    edits=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=20),
    cut=st.none() | st.integers(0, 10**6),
    tail=st.binary(max_size=10),
)
def test_any_bytes(target: Path, name: str, edits: list[tuple[int, int]], cut: int | None, tail: bytes) -> None:
    data = (target / name).read_bytes()
    try:
        (target / name).write_bytes(mutated(data, edits, cut, tail))
        assert_survives(target)
    finally:
        (target / name).write_bytes(data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(JSON_FILES), key=st.integers(0, 20), value=json_values, whole=st.booleans())
def test_any_json(target: Path, name: str, key: int, value: object, whole: bool) -> None:
    data = (target / name).read_text()
    content = json.loads(data)
    if whole:
        content = value
    elif isinstance(content, dict):
        content[sorted(content)[key % len(content)]] = value
    else:
        content[key % len(content)] = value
    try:
        (target / name).write_text(json.dumps(content))
        assert_survives(target)
    finally:
        (target / name).write_text(data)
