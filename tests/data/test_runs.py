"""Runs on the disk: when two share a file, and what a damaged one says."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from hoijax.config import Stage, with_options
from hoijax.data.measure import MetricOptions
from hoijax.data.runs import (
    Run,
    config_key,
    failed_run,
    human_of,
    load_run,
    run_file,
    same_measure,
    sample_key,
    save_run,
)
from hoijax.data.sample import SampleError
from hoijax.presets import PRESETS

CONFIG = PRESETS["paper"]()


@pytest.fixture
def run() -> Run:
    place = {"scale": 1 / 3, "rotation": np.eye(3), "translation": np.arange(3.0), "pivot": np.ones(3)}
    metrics = {"co2": {"start": np.nan, "result": 0.1}}
    return Run("cup/a", place, metrics, asdict(MetricOptions()), {"fit": 1.5}, 2, ("a note",), 4, sweep="a1")


def test_what_is_computed_decides_the_key() -> None:
    assert config_key(CONFIG) == config_key(replace(CONFIG, preset="another name"))
    assert config_key(CONFIG) == config_key(with_options(CONFIG, {"hoi.weights.contact": 1}))
    others = [
        with_options(CONFIG, {"hoi.weights.contact": 0}),
        with_options(CONFIG, {"image_size": 128}),
        with_options(CONFIG, {"seed": 1}),
        with_options(CONFIG, {"hoi.slide": 0.1}),
        replace(CONFIG, stages=()),
        replace(CONFIG, stages=CONFIG.stages[:1]),
    ]
    assert len({config_key(config) for config in [CONFIG, *others]}) == len(others) + 1


def test_an_option_at_its_default_is_not_part_of_the_key(tmp_path, run) -> None:
    path = tmp_path / "run.json"
    save_run(path, run, CONFIG)
    record = json.loads(path.read_text())
    del record["options"]["lpips_net"], record["options"]["stages"][0]["slide"]  # a file from before these existed
    path.write_text(json.dumps(record))
    assert load_run(path, CONFIG).similarity["scale"] == 1 / 3
    with pytest.raises(SampleError, match=r"run\.json: was made with other options: lpips_net, slide"):
        load_run(path, with_options(CONFIG, {"lpips_net": "vgg", "render.slide": 0.5}))


def test_content_decides_the_sample_key(folder: Path) -> None:
    first = sample_key(folder)
    assert sample_key(folder) == first
    assert sample_key(folder, b"a body file") != first
    (folder / "notes.txt").write_text("nothing that a reader looks at")
    assert sample_key(folder) == first
    mesh = next(folder.glob("obj_pcd_h_align.obj"))
    mesh.write_bytes(mesh.read_bytes() + b"\n")
    assert sample_key(folder) != first


def test_a_run_comes_back_bit_for_bit(tmp_path, run, sample) -> None:
    path = run_file(tmp_path, CONFIG, tmp_path / "cup" / "drink_1", "abc")
    assert path == tmp_path / config_key(CONFIG) / "cup" / "drink_1-abc.json"
    save_run(path, run, CONFIG)
    back = load_run(path, CONFIG)
    assert np.array_equal(back.similarity["pivot"], run.similarity["pivot"])
    assert np.isnan(back.metrics["co2"]["start"])
    assert back._replace(similarity={}, metrics={}) == run._replace(similarity={}, metrics={})
    assert human_of(sample, back) is sample.human
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert same_measure(back, MetricOptions())
    assert not same_measure(back, MetricOptions(size="hull"))


def test_a_run_from_before_sweeps_were_told_apart_is_read(tmp_path, run) -> None:
    save_run(tmp_path / "run.json", run, CONFIG)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record.pop("sweep") == "a1"
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert load_run(tmp_path / "run.json", CONFIG).sweep == ""


def test_a_human_that_moved_is_kept(tmp_path, run, sample) -> None:
    verts = sample.human.verts.astype(np.float64) + 0.25
    save_run(tmp_path / "run.json", run._replace(human_verts=verts), CONFIG)
    found = human_of(sample, load_run(tmp_path / "run.json", CONFIG))
    np.testing.assert_allclose(found.verts, verts, atol=1e-6)
    (tmp_path / "run.npz").write_bytes(b"PK not really")
    with pytest.raises(SampleError, match=r"run\.npz: cannot be read"):
        load_run(tmp_path / "run.json", CONFIG)


def test_a_failure_comes_back(tmp_path) -> None:
    save_run(tmp_path / "run.json", failed_run("cup/a", "why"), CONFIG)
    assert load_run(tmp_path / "run.json", CONFIG).failure == "why"


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "list", "metrics", "similarity", "stages", "schema"])
def test_a_damaged_file_is_named(tmp_path, run, damage: str) -> None:
    path = tmp_path / "run.json"
    save_run(path, run, CONFIG)
    whole, record = path.read_text(), json.loads(path.read_text())
    record[{"stages": "options"}.get(damage, damage)] = None
    plain = {"cut": whole[: len(whole) // 2], "empty": "", "text": "no json", "list": "[]"}
    path.write_text(plain.get(damage, json.dumps(record)))
    with pytest.raises(SampleError, match=r"run\.json"):
        load_run(path, CONFIG)


def test_more_stages_are_another_config(tmp_path, run) -> None:
    save_run(tmp_path / "run.json", run, CONFIG)
    more = replace(CONFIG, stages=(*CONFIG.stages, Stage("polish", 1, {}, {})))
    with pytest.raises(SampleError, match="other options: stages"):
        load_run(tmp_path / "run.json", more)
