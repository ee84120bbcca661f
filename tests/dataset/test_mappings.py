"""A process lets go of compiled programs before the system refuses it another mapping."""

import jax
import jax.numpy as jnp
import pytest

from hoijax.dataset import mappings
from hoijax.dataset.mappings import MAPPINGS, crowded, forget_programs_when_crowded

pytestmark = pytest.mark.skipif(not MAPPINGS.exists(), reason="only Linux lists the mappings of a process")


def held() -> int:
    return len(MAPPINGS.read_bytes().splitlines())


def test_programs_are_kept_while_there_is_room() -> None:
    assert not crowded()
    assert not forget_programs_when_crowded()


def test_a_crowded_process_forgets_its_programs(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    @jax.jit
    def many_kernels(x: jax.Array) -> jax.Array:
        return sum((jnp.sort(jnp.sin(x * i)).sum() for i in range(60)), start=jnp.zeros(()))

    before = held()
    value = many_kernels(jnp.ones(50))
    grown = held()
    assert grown > before + 60  # the premise: a program takes mappings
    limit = tmp_path / "max_map_count"
    limit.write_text(f"{2 * grown - 10}\n")
    monkeypatch.setattr(mappings, "LIMIT", limit)
    assert forget_programs_when_crowded()
    assert held() < grown - 60
    assert many_kernels(jnp.ones(50)) == value  # and it is compiled again where it is wanted


def test_a_system_that_does_not_tell_is_not_crowded(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mappings, "LIMIT", tmp_path / "nothing")
    assert not crowded()
