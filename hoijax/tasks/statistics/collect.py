"""Rows of all samples of a tree: measured by several processes, kept as they come, never measured twice."""

import hashlib
import json
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Int

from hoijax.data.atomic import save_bytes
from hoijax.data.person_parts import parts_of
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample, SampleError
from hoijax.losses.lpips import LpipsWeights, load_lpips
from hoijax.tasks.statistics.row import Row, fingerprint, measured_row, plain, topology_of, unplain
from hoijax.tasks.statistics.stature import Stature, init_stature

# Called with what is done after each sample: its name, and why it was left out, or nothing.
Tell = Callable[[str, str], None]


class Collected(NamedTuple):
    """Rows in the order of the samples' names, {name: why it was left out}, and how many rows were known already."""

    rows: tuple[Row, ...]
    left_out: dict[str, str]
    known: int


class _Tools(NamedTuple):
    """What a process needs for every sample."""

    store: Path
    net: str
    lpips: LpipsWeights | None
    stature: Stature


_tools: list[_Tools] = []  # of this process, filled once by `_begin`


def collect(
    folders: Mapping[str, Path], store: Path, lpips: str = "", workers: int = 1, tell: Tell = lambda name, why: None
) -> Collected:
    """A row for each of {name: folder} that can be measured. `lpips`: "", "alex" or "vgg".

    Each row is a file in `store`, whole or not at all, keyed by a fingerprint of the sample's files: a run that was stopped
    goes on, and a sample that changed is measured anew. The first new sample is measured before others start, so that what
    is learned about its body holds for all that share it. One worker is this process itself. When one of several dies, what
    it was at is tried once more in a process of its own; a sample that ends that one too is left out.
    """
    store.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Row] = {}
    left_out: dict[str, str] = {}
    waiting: dict[str, Path] = {}
    for name, folder in folders.items():
        try:
            found = known_row(store, name, fingerprint(folder, lpips))
        except SampleError as error:
            left_out[name] = str(error)
            tell(name, str(error))
            continue
        if found is None:
            waiting[name] = folder
        else:
            rows[name] = found
            tell(name, "")
    known = len(rows)
    with closing(_measured(waiting, store, lpips, workers)) as measured:  # at once, also when interrupted
        for name, row, why in measured:
            if row is None:
                left_out[name] = why
            else:
                rows[name] = row
            tell(name, why)
    return Collected(tuple(rows[name] for name in folders if name in rows), dict(sorted(left_out.items())), known)


def row_file(store: Path, name: str) -> Path:
    """Where a sample's row is kept."""
    return store / f"{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}.json"


def known_row(store: Path, name: str, key: str) -> Row | None:
    """The kept row of a sample with this fingerprint; None where there is none, or it is of other files."""
    try:
        record = json.loads(row_file(store, name).read_bytes())
        return unplain(record["row"]) if record["fingerprint"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _measured(
    waiting: Mapping[str, Path], store: Path, lpips: str, workers: int
) -> Generator[tuple[str, Row | None, str], None, None]:
    """(name, row, why there is none) as they become ready: here, or by several processes.

    When one of these dies, those it may have died of go on alone, the others in a new crew.
    """
    rest = list(waiting.items())
    if rest and workers == 1:
        _begin(store, lpips)
        for name, folder in rest:
            yield name, *_try(name, folder)
        return
    while rest:
        done = set()
        with closing(_crew(rest, store, lpips, workers)) as ready:
            for name, row, why in ready:
                done.add(name)
                yield name, row, why
        rest = [each for each in rest if each[0] not in done]
        suspects, rest = rest[: 2 * workers], rest[2 * workers :]
        for name, folder in suspects:
            yield name, *_alone(name, folder, store, lpips)


def _crew(
    queue: Sequence[tuple[str, Path]], store: Path, lpips: str, workers: int
) -> Generator[tuple[str, Row | None, str], None, None]:
    """The same by one crew, one by one until the first succeeds; ends early where a process dies."""
    pool = ProcessPoolExecutor(min(workers, len(queue)), get_context("spawn"), _begin, (store, lpips))
    learned, at = False, 0
    try:
        while at < len(queue):
            part = queue[at:] if learned else queue[at : at + 1]
            futures = {pool.submit(_try, *each): each[0] for each in part}
            at += len(part)
            for future in as_completed(futures):
                row, why = future.result()
                learned = learned or row is not None
                yield futures[future], row, why
    except BrokenProcessPool:
        pass  # what is not told yet is tried again
    finally:  # an interrupted run must not measure all that waits before it ends
        pool.shutdown(cancel_futures=True)


def _alone(name: str, folder: Path, store: Path, lpips: str) -> tuple[Row | None, str]:
    """One sample in a process of its own, which it may take with it."""
    with ProcessPoolExecutor(1, get_context("spawn"), _begin, (store, lpips)) as pool:
        try:
            return pool.submit(_try, name, folder).result()
        except BrokenProcessPool:
            return None, f"{folder}: the process that measured it died, perhaps for want of memory"


def _begin(store: Path, lpips: str) -> None:
    """Loads what every sample needs, once a process."""
    if not os.environ.get("JAX_PLATFORMS"):
        jax.config.update("jax_platforms", "cpu")  # nothing here is worth a GPU, and workers would quarrel for it
    _tools[:] = [_Tools(store, lpips, load_lpips(lpips) if lpips else None, init_stature())]


def _try(name: str, folder: Path) -> tuple[Row | None, str]:
    """Measures and keeps one row, or says why not."""
    tools = _tools[0]
    try:
        key = fingerprint(folder, tools.net)
        sample = load_sample(folder)
        row = measured_row(name, sample, _parts(tools.store, sample), tools.stature, tools.lpips)
    except SampleError as error:
        return None, str(error)
    except Exception as error:  # one odd sample must not end a run over thousands; it is listed with this
        first = (str(error).splitlines() or [""])[0]
        return None, f"{folder}: {type(error).__name__}: {first}"
    save_bytes(row_file(tools.store, name), json.dumps({"fingerprint": key, "row": plain(row)}).encode())
    return row, ""


def _parts(store: Path, sample: Sample) -> Int[np.ndarray, " v"]:
    """The 34 parts of the human's vertices, worked out once for each topology and kept."""
    path = store / f"parts_{topology_of(sample.human)}.json"
    try:
        return np.array(json.loads(path.read_bytes()), np.int64)
    except (OSError, ValueError):
        pass
    parts = parts_of(sample)
    save_bytes(path, json.dumps([int(part) for part in parts]).encode())
    return parts
