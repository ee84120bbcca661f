"""Work in batches: results as those of single fits, bad samples aside, memory that is short."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.data.read import find_samples, load_sample
from hoijax.data.results import load_result, load_summary
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample
from hoijax.dataset import batches
from hoijax.dataset.memory import bearable_batch, free_bytes, is_out_of_memory
from hoijax.dataset.tasks import Outcome, Settings, Stopped, Task
from hoijax.dataset.worker import work
from hoijax.presets import phosa

PHOSA = phosa()  # draws no Gaussians: what is tested here does not depend on it, and it compiles in seconds
# one rate: what no term holds would drift by rounding alone
STAGE = dataclasses.replace(
    PHOSA.stages[0],
    steps=3,
    search=0,
    weights={"silhouette_crop": 1.0, "scale_prior": 1.0},
    rates={"object.rotvec": 0.01},
)
CONFIG = dataclasses.replace(PHOSA, stages=(STAGE,), image_size=64, sdf_resolution=16)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three built-in scenes of one shape (landscape), and one that cannot be read."""
    folder = tmp_path_factory.mktemp("samples")
    for name in ("ball", "box", "chair"):
        save_sample(synthetic_sample(name), folder / name / "0")
    (folder / "ruin" / "0").mkdir(parents=True)
    return folder


class Row:
    """Tasks as a driver gives them: all at once, then the end when every outcome has come."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks, self.outcomes, self.expected = list(tasks), [], len(tasks)

    def take(self, timeout: float | None) -> Task | None:
        if self.tasks:
            return self.tasks.pop(0)
        if len(self.outcomes) == self.expected:
            raise Stopped
        assert timeout is not None, "waits for ever for a task, with outcomes missing"
        return None

    def give(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes += outcomes


def done(tree: Path, out: Path, names: Sequence[str], **options: object) -> dict[str, Outcome]:
    """What becomes of the samples of these names."""
    row = Row([Task(name, tree / name, out / name) for name in names])
    work(Settings(CONFIG, files="result", **options), row.take, row.give)
    return {outcome.name: outcome for outcome in row.outcomes}


NAMES = ("ball/0", "box/0", "chair/0", "ruin/0")


@pytest.mark.slow
def test_a_batch_writes_what_single_fits_write(tree: Path, tmp_path: Path) -> None:
    """With two processes of the host, a batch that is not full, and a sample that cannot be read."""
    assert [path.parent.name for path in find_samples(tree)][:3] == ["ball", "box", "chair"]
    single = done(tree, tmp_path / "single", NAMES, batch=1)
    batch = done(tree, tmp_path / "batch", NAMES, batch=2, host_workers=2)
    for found in (single, batch):
        assert [found[name].state for name in NAMES] == ["done"] * 3 + ["failed"], [o.reason for o in found.values()]
        assert found["ruin/0"].stage == "read"
        assert {"read", "prepare", "fit", "compile", "measure", "write"} <= set(found["ball/0"].seconds)
    for name in NAMES[:3]:
        one, two = (load_result(tmp_path / kind / name) for kind in ("single", "batch"))
        np.testing.assert_allclose(one.history["loss"], two.history["loss"], rtol=1e-4)
        np.testing.assert_allclose(one.object.verts, two.object.verts, atol=1e-4)
        assert one.contact_parts == two.contact_parts
        assert (one.config, one.notes, set(one.metrics)) == (two.config, two.notes, set(two.metrics))


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_halved(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a device that bears one image at a time: beyond that it really asks for more memory than there is."""
    sizes = []

    def tight(scenes: Sequence[object], *args: object, **options: object) -> object:
        sizes.append(len(scenes))
        if len(scenes) > 1:
            jnp.zeros(2**45).block_until_ready()
        return batches_fit(scenes, *args, **options)

    batches_fit = batches.fit_batch
    monkeypatch.setattr(batches, "fit_batch", tight)
    found = done(tree, tmp_path, NAMES[:3], batch=4)
    assert sizes == [4, 2, 1, 1, 1]
    assert [(found[name].state, found[name].reason) for name in NAMES[:3]] == [("done", "")] * 3
    assert all(load_summary(tmp_path / name).metrics for name in NAMES[:3])

    monkeypatch.setattr(batches, "fit_batch", lambda *_, **__: jnp.zeros(2**45))
    found = done(tree, tmp_path / "none", NAMES[:2], batch=2)
    assert [found[name].state for name in NAMES[:2]] == ["failed"] * 2
    assert "Out of memory" in found["ball/0"].reason


@pytest.mark.slow
def test_an_image_without_a_finite_loss_fails_alone(tree: Path, tmp_path: Path) -> None:
    """One vertex of its object is so far away that the loss overflows."""
    samples = tmp_path / "samples"
    shutil.copytree(tree / "ball", samples / "ball")
    sick = load_sample(tree / "box" / "0")
    verts = sick.object.verts.copy()
    verts[0] = (1e30, 0, 5)
    save_sample(sick._replace(object=sick.object._replace(verts=verts)), samples / "box" / "0")
    found = done(samples, tmp_path / "out", NAMES[:2], batch=2)
    assert (found["ball/0"].state, found["ball/0"].reason) == ("done", "")
    assert (found["box/0"].state, found["box/0"].stage) == ("failed", "fit")
    assert "not finite" in found["box/0"].reason


def test_memory_decides_the_batch() -> None:
    assert bearable_batch(10, [1000]) == 64  # 80 would fit
    assert bearable_batch(10, [1000, 200]) == 2 * 16
    assert bearable_batch(10, [11]) == 1
    assert bearable_batch(1, [10**12]) == 128
    assert bearable_batch(10, [0, 0]) == 2
    assert free_bytes(jax.devices("cpu")[0]) == 0


def test_what_out_of_memory_looks_like() -> None:
    with pytest.raises(Exception, match="memory") as caught:
        jnp.zeros(2**45).block_until_ready()
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(ValueError("a shape"))
