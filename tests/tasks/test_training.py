"""Epochs and checkpoints: the same bits after a stop, the best kept, damage told."""

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.data.sample import SampleError
from hoijax.tasks.checkpoints import load_state, save_state
from hoijax.tasks.training import BEST, LAST, Epoch, LoopOptions, load_best, run_epochs, start_folder


class State(NamedTuple):
    params: dict
    step: jax.Array
    key: jax.Array


X = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)
Y = X @ np.float32([1.0, -2.0, 0.5])


def start() -> State:
    return State({"w": jnp.zeros(3), "b": {"deep": jnp.zeros((1, 2))}}, jnp.zeros((), jnp.int32), jax.random.key(4))


def step(state: State, chosen: np.ndarray, rng: np.random.Generator) -> tuple[State, jax.Array]:
    """Least squares with noise from both generators, so that a wrong resume shows."""
    key, noise = jax.random.split(state.key)
    x = X[chosen] + rng.normal(0, 0.01, (len(chosen), 3)).astype(np.float32) + 0.01 * jax.random.normal(noise, (3,))
    loss, slope = jax.value_and_grad(lambda w: jnp.mean((x @ w - Y[chosen]) ** 2))(state.params["w"])
    return State(state.params | {"w": state.params["w"] - 0.05 * slope}, state.step + 1, key), loss


def score(state: State) -> float:
    return -float(jnp.mean((X @ state.params["w"] - Y) ** 2))


def same(a: Any, b: Any) -> bool:
    def plain(leaf: jax.Array) -> jax.Array:
        return jax.random.key_data(leaf) if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf

    return jax.tree.structure(a) == jax.tree.structure(b) and all(
        np.array_equal(plain(x), plain(y)) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b))
    )


def last(folder: Path) -> State:
    found = load_state(folder / LAST, start())
    assert found is not None
    return found[0]


def test_a_state_comes_back_with_its_keys_and_its_progress(tmp_path: Path) -> None:
    state = start()._replace(step=jnp.asarray(7, jnp.int32))
    save_state(tmp_path, state, {"epoch": 3, "why": "a sentence", "best": 0.25})
    found = load_state(tmp_path, start())
    assert found is not None
    assert same(found[0], state)
    assert found[1] == {"epoch": 3, "why": "a sentence", "best": 0.25}
    assert load_state(tmp_path / "none", start()) is None


def test_two_checkpoints_stay(tmp_path: Path) -> None:
    for epoch in range(4):
        save_state(tmp_path, start(), {"epoch": epoch})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000002", "000003"]


def test_a_damaged_checkpoint_is_told_and_the_one_before_it_taken(tmp_path: Path) -> None:
    for epoch in range(2):
        save_state(tmp_path, start(), {"epoch": epoch})
    for path in (tmp_path / "000001").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.warns(UserWarning, match="000001.*cannot be read"):
        found = load_state(tmp_path, start())
    assert found is not None
    assert found[1] == {"epoch": 0}
    for path in (tmp_path / "000000").rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="cannot be read"),
        pytest.raises(SampleError, match="none of its 2 checkpoints"),
    ):
        load_state(tmp_path, start())


def test_the_state_of_another_network_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path, start(), {})
    other = start()._replace(params={"w": jnp.zeros(4), "b": {"deep": jnp.zeros((1, 2))}})
    with pytest.raises(SampleError, match="another network"):
        load_state(tmp_path, other)


def test_a_stopped_training_ends_with_the_same_bits(tmp_path: Path) -> None:
    options = LoopOptions(epochs=5, batch=8, patience=99, seed=3)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run_epochs(start(), step, score, len(X), options, whole)

    class Stop(Exception):
        pass

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise Stop

    with pytest.raises(Stop):
        run_epochs(start(), step, score, len(X), options, parts, stop)
    told: list[Epoch] = []
    run_epochs(start(), step, score, len(X), options, parts, told.append)
    assert [epoch.epoch for epoch in told] == [3, 4, 5]
    (one, at), (other, there) = load_best(whole, start()), load_best(parts, start())
    assert same(last(whole), last(parts))
    assert same(one, other)
    assert at == there
    assert int(last(whole).step) == 5 * 3  # 23 examples are three steps of 8


def test_patience_ends_it_and_the_best_epoch_is_kept(tmp_path: Path) -> None:
    values = iter([0.1, 0.5, 0.4, 0.3, 0.2, 0.9])
    progress = run_epochs(start(), step, lambda state: next(values), len(X), LoopOptions(9, 8, 3, 0), tmp_path)
    assert (progress.epoch, progress.best, progress.since_best) == (5, 0.5, 3)
    best, at = load_best(tmp_path, start())
    assert at.epoch == 2
    assert int(best.step) == 6
    again: list[Epoch] = []
    run_epochs(start(), step, score, len(X), LoopOptions(9, 8, 3, 0), tmp_path, again.append)
    assert not again  # its patience was over


def test_numbers_that_are_not_finite_end_it_and_the_best_stays(tmp_path: Path) -> None:
    values = iter([0.1, float("nan")])
    with pytest.raises(SampleError, match=r"epoch 2 came to loss .* score nan"):
        run_epochs(start(), step, lambda state: next(values), len(X), LoopOptions(9, 8, 3, 0), tmp_path)
    assert load_best(tmp_path, start())[1] == (1, 0.1, 0)


def test_a_training_is_not_made_shorter(tmp_path: Path) -> None:
    run_epochs(start(), step, score, len(X), LoopOptions(2, 8, 9, 0), tmp_path)
    with pytest.raises(SampleError, match="holds 2 epochs, more than the 1"):
        run_epochs(start(), step, score, len(X), LoopOptions(1, 8, 9, 0), tmp_path)


def test_a_folder_of_another_training_is_refused(tmp_path: Path) -> None:
    record = {"network": {"widths": (3, 4)}, "training": {"epochs": 3, "rate": 0.1}}
    start_folder(tmp_path, record)
    start_folder(tmp_path, record | {"training": {"epochs": 9, "rate": 0.1}})
    with pytest.raises(SampleError, match=r"training\.rate"):
        start_folder(tmp_path, record | {"training": {"epochs": 9, "rate": 0.2}})


def test_a_folder_without_an_epoch_holds_no_network(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="no epoch"):
        load_best(tmp_path, start())
    save_state(tmp_path / BEST, start(), {"epoch": 1, "best": 0.0, "since_best": 0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_best(tmp_path, start())[1].epoch == 1
