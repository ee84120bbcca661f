"""What a machine bears, and how its accelerators are shared out."""

import os

import pytest

from hoijax.dataset import machine
from hoijax.dataset.machine import WORKER_BYTES, cores, cpu_workers, device_environments, free_memory, grouped


def test_a_worker_for_each_core_that_memory_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
    assert 2**20 < free_memory() < 2**50
    monkeypatch.setattr(machine, "cores", lambda: 8)
    for workers, free in ((8, 100 * WORKER_BYTES), (3, 3 * WORKER_BYTES + 5), (1, 5)):
        monkeypatch.setattr(machine, "free_memory", lambda free=free: free)
        assert cpu_workers() == workers


def test_no_environments_without_accelerators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    device_environments.cache_clear()
    assert device_environments() == []


def test_fewer_workers_than_gpus_see_several_each() -> None:
    three = [{"CUDA_VISIBLE_DEVICES": name} for name in ("0", "1", "2")]
    assert grouped(three, 3) == three == grouped(three, 7)
    assert grouped(three, 2) == [{"CUDA_VISIBLE_DEVICES": "0,2"}, {"CUDA_VISIBLE_DEVICES": "1"}]
    assert grouped(three, 1) == [{"CUDA_VISIBLE_DEVICES": "0,1,2"}]
    assert grouped([], 4) == []
