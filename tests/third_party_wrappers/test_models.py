"""The real main.py of the models that transformers and diffusers carry, on tiny checkpoints with random weights."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from third_party_wrappers.contract import Job, Tool, import_existing, problems, run
from third_party_wrappers.registry import wrappers

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def checkpoints(models_python, tmp_path_factory) -> Path:
    """A folder of checkpoints, one for each model."""
    folder = tmp_path_factory.mktemp("checkpoints")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)
    command = [models_python, str(HERE / "tiny_checkpoints.py"), str(folder), "sam", "zoedepth", "clip", "inpaint"]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return folder


def tool_of(models_python: str, checkpoints: Path, name: str) -> Tool:
    return Tool(models_python, checkpoint=checkpoints / name, device="cpu", time_limit=120.0)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_sam_makes_a_mask_for_each_box(models_python, checkpoints, photograph, tmp_path):
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({"human": [10, 5, 60, 70], "object": [50.5, 20, 90, 60]}))
    lying = photograph("lying.jpg", (60, 100))
    with Image.open(lying) as picture:
        exif = picture.getexif()
        exif[0x0112] = 6  # to be turned by a quarter
        picture.save(lying, exif=exif)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    images = [photograph(size=(100, 75)), broken, lying]
    jobs = [Job({"image": image, "boxes": boxes}, tmp_path / "out" / image.stem) for image in images]
    tool = tool_of(models_python, checkpoints, "sam")
    outcomes = run(wrappers()["sam"], tool, jobs)
    assert [outcome.state for outcome in outcomes] == ["done", "failed", "done"]
    assert "UnidentifiedImageError" in outcomes[1].error
    masks = [pixels(jobs[0].out / f"{name}_mask.png") for name in ("human", "object")]
    assert all(mask.shape == (75, 100) and mask.dtype == np.uint8 for mask in masks)
    assert (masks[0] != masks[1]).any()
    assert pixels(jobs[2].out / "human_mask.png").shape == (60, 100)
    assert run(wrappers()["sam"], tool, jobs[:1])[0].state == "cached"
    assert problems(wrappers()["sam"], tool) == []


def test_zoedepth_measures_every_pixel(models_python, checkpoints, photograph, tmp_path):
    job = Job({"image": photograph(size=(130, 90))}, tmp_path / "out")
    [outcome] = run(wrappers()["zoedepth"], tool_of(models_python, checkpoints, "zoedepth"), [job])
    assert outcome.error is None
    depth = np.load(job.out / "depth.npy")
    assert depth.shape == (90, 130)
    assert depth.dtype == np.float32
    assert depth.min() >= 0.1  # what the checkpoint's bins allow
    assert depth.max() <= 10


def test_clip_tells_images_apart(models_python, checkpoints, photograph, tmp_path):
    images = [photograph("a.jpg", seed=1), photograph("b.jpg", seed=2), photograph("c.jpg", seed=1)]
    jobs = [Job({"image": image}, tmp_path / "out" / image.stem) for image in images]
    outcomes = run(wrappers()["clip"], tool_of(models_python, checkpoints, "clip"), jobs)
    assert [outcome.error for outcome in outcomes] == [None] * 3
    one, other, same = (np.load(job.out / "clip.npy") for job in jobs)
    assert one.shape == (24,)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3
    short = import_existing(wrappers()["clip"], {"clip.npy": jobs[0].out / "clip.npy"}, jobs[1])
    assert "expected (512,)" in short.error


def test_inpaint_fills_the_mask_and_nothing_else(models_python, checkpoints, photograph, tmp_path):
    image, mask = photograph(size=(90, 61)), tmp_path / "mask.png"
    white = np.zeros((61, 90), np.uint8)
    white[20:40, 30:60] = 255
    Image.fromarray(white).save(mask)
    wrong = tmp_path / "wrong.png"
    Image.fromarray(white[1:]).save(wrong)
    asked = {"prompt": "a chair", "steps": 2}
    jobs = [
        Job({"image": image, "mask": mask}, tmp_path / "out" / "0", asked),
        Job({"image": image, "mask": mask}, tmp_path / "out" / "1", asked),
        Job({"image": image, "mask": mask}, tmp_path / "out" / "2", {**asked, "seed": 5}),
        Job({"image": image, "mask": wrong}, tmp_path / "out" / "3", asked),
    ]
    outcomes = run(wrappers()["inpaint"], tool_of(models_python, checkpoints, "inpaint"), jobs)
    assert [outcome.state for outcome in outcomes] == ["done", "done", "done", "failed"]
    assert "the mask is 90x60, the image 90x61" in outcomes[3].error
    first, again, other = (pixels(job.out / "image.png") for job in jobs[:3])
    given = pixels(image)
    assert (first[white == 0] == given[white == 0]).all()
    assert (first[white > 0] != given[white > 0]).mean() > 0.5
    assert (first == again).all()
    assert (first != other).any()


def test_an_environment_without_the_model_says_so(models_python, checkpoints, photograph, tmp_path):
    gone = tmp_path / "empty"
    gone.mkdir()
    [outcome] = run(
        wrappers()["zoedepth"],
        Tool(models_python, checkpoint=gone, device="cpu"),
        [Job({"image": photograph()}, tmp_path / "out")],
    )
    assert outcome.state == "failed"
    assert "before its first job" in outcome.error
    lacking = problems(wrappers()["osx"], Tool(models_python, checkpoint=gone, device="cuda"))
    assert any(problem.startswith("mmpose cannot be imported by python") for problem in lacking)
