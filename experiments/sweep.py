"""Does the runs of an ablation that are still missing, sample by sample, and writes each as soon as it is done."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from hoijax.config import Config
from hoijax.data.assemble import fit_metrics, missing_parts, placed
from hoijax.data.measure import MetricOptions, measure, moved
from hoijax.data.prepare import PREPARED_BY, Prepared, choose_body, human_parts, prepare
from hoijax.data.read import load_sample
from hoijax.data.runs import Run, failed_run, human_of, run_file, save_run
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.dataset.clock import CompileClock
from hoijax.dataset.mappings import forget_programs_when_crowded
from hoijax.losses.lpips import LpipsWeights, load_lpips
from hoijax.optimize.fit import NotFiniteError, fit, fit_batch
from hoijax.optimize.outcome import Fitted, term_names
from hoijax.types import Assets, Body

# What one sample may raise without an end to the rest; jax's errors of the device are RuntimeErrors.
FAILURES = (SampleError, ArithmeticError, ValueError, OSError, RuntimeError)
MOVED = 1e-4  # metres: a human whose vertices stay within this of the sample's stands still


class Settings(NamedTuple):
    """Where runs go and how they are made."""

    store: Path
    body: tuple[Body, Array] | None
    measured: MetricOptions
    batch: int
    sweep: str = ""


class Work(NamedTuple):
    """A sample, the key of its content, and what it lacks; `old`: runs that need only be measured again."""

    folder: Path
    name: str
    key: str
    configs: Sequence[Config]
    old: Mapping[Config, Run]


class Subject(NamedTuple):
    """A sample with what all of its runs share: the parts of its human and the measures of start and annotation."""

    work: Work
    sample: Sample
    body: Body
    parts: Int[np.ndarray, " v"]
    known: Mapping[str, Mapping[str, float]]


class Item(NamedTuple):
    """One run to be done."""

    subject: Subject
    prepared: Prepared
    config: Config
    seconds: float


Report = Callable[[Work, Config, Run], None]


def sweep(works: Sequence[Work], settings: Settings, report: Report) -> None:
    """Does all that is missing; `report` hears of every run once it is on the disk. A failure is a run too."""
    clock, settings = CompileClock(), settings._replace(sweep=uuid.uuid4().hex[:12])
    waiting: dict[Any, list[Item]] = {}

    def done(work: Work, config: Config, run: Run) -> None:
        save_run(run_file(settings.store, config, work.folder, work.key), run, config)
        report(work, config, run)

    def flush(items: list[Item]) -> None:
        for item, run in zip(items, fitted_runs(items, settings, clock)):
            done(item.subject.work, item.config, run)

    for work in works:
        for item in items_of(work, settings, done):
            group = waiting.setdefault((item.config, shapes(item)), [])
            group.append(item)
            if len(group) >= settings.batch:
                flush(waiting.pop((item.config, shapes(item))))
    for group in waiting.values():
        flush(group)


def items_of(work: Work, settings: Settings, done: Report) -> Iterator[Item]:
    """What has to be fitted of a sample. What needs no fit, and what cannot be done, is reported at once."""
    try:
        subject = subject_of(work, settings)
    except FAILURES as error:
        for config in work.configs:
            done(work, config, failed_run(work.name, reason(error)))
        return
    scenes: dict[tuple[Any, ...], Prepared] = {}
    for config in work.configs:
        key = tuple(getattr(config, name) for name in PREPARED_BY)
        start = time.perf_counter()
        try:
            if config in work.old or not config.stages:
                done(work, config, unfitted_run(subject, work.old.get(config), settings))
                continue
            if key not in scenes:
                scenes[key] = prepare(subject.sample, config, *(settings.body or ()))
        except FAILURES as error:
            done(work, config, failed_run(work.name, reason(error)))
            continue
        yield Item(subject, scenes[key], config, time.perf_counter() - start)


def subject_of(work: Work, settings: Settings) -> Subject:
    """Reads a sample, and measures what does not depend on a config."""
    sample = load_sample(work.folder)
    body, _, _ = choose_body(sample, *(settings.body or (None, None)))
    parts = human_parts(sample, body)
    states = {"start": sample.object, "annotation": sample.truth}
    known = {
        name: measure(sample, sample.human, thing, parts, settings.measured)
        for name, thing in states.items()
        if thing is not None
    }
    return Subject(work, sample, body, parts, known)


def unfitted_run(subject: Subject, old: Run | None, settings: Settings) -> Run:
    """The start, measured; or an old run, measured again."""
    sample = subject.sample
    if old is None:
        similarity = {"scale": 1.0, "rotation": np.eye(3), "translation": np.zeros(3), "pivot": np.zeros(3)}
        metrics = joined(subject.known, subject.known["start"])
        notes = (*sample.warnings, *missing_parts(sample, subject.parts))
        return Run(sample.name, similarity, metrics, asdict(settings.measured), {"total": 0.0}, notes=notes)
    place = {name: np.asarray(value, float) for name, value in old.similarity.items()}
    thing = moved(sample.object, float(place.pop("scale")), **place)
    result = measure(sample, human_of(sample, old), thing, subject.parts, settings.measured)
    both: dict[str, Mapping[str, float]] = {**old.metrics, **joined(subject.known, result)}
    return old._replace(metrics=both, measured=asdict(settings.measured))


def fitted_runs(items: Sequence[Item], settings: Settings, clock: CompileClock) -> list[Run]:
    """Runs of one config on samples of equal shapes. When the batch fails, each is tried alone."""
    start, compiled = time.perf_counter(), clock.seconds
    try:
        fits = fitted(items, settings.batch)
    except FAILURES as error:
        if len(items) == 1:
            return [failed_run(items[0].subject.sample.name, reason(error))]
        note = f"a batch of {len(items)} failed ({reason(error)}), fitted alone"
        alone = [run for item in items for run in fitted_runs([item], settings._replace(batch=1), clock)]
        return [run._replace(notes=(*run.notes, note)) for run in alone]
    share = {"compile": (clock.seconds - compiled) / len(items)}
    share["fit"] = (time.perf_counter() - start) / len(items) - share["compile"]
    return [
        finished_run(item, own, settings, share)
        if isinstance(own, Fitted)
        else failed_run(item.subject.sample.name, reason(own))
        for item, own in zip(items, fits)
    ]


def fitted(items: Sequence[Item], batch: int) -> Sequence[Fitted | NotFiniteError]:
    """The fits of one config. A batch that is not full repeats its last sample, so that it is compiled once."""
    forget_programs_when_crowded()
    config = items[0].config
    key = jax.random.key(config.seed)
    weights = lpips_weights(config.lpips_net) if wants_lpips(config) else None
    assets = [Assets(body, weights) for body in shared_bodies([item.prepared.body for item in items])]
    if batch == 1:
        return [fit(items[0].prepared.scene, assets[0], config, key)]
    full = [*range(len(items)), *[len(items) - 1] * (batch - len(items))]
    same = all(each.body is assets[0].body for each in assets)
    scenes = [items[i].prepared.scene for i in full]
    return fit_batch(scenes, [assets[0] if same else assets[i] for i in full], config, key)[: len(items)]


def finished_run(item: Item, own: Fitted, settings: Settings, share: Mapping[str, float]) -> Run:
    """A fit, measured."""
    start = time.perf_counter()
    subject, sample = item.subject, item.subject.sample
    try:
        end = placed(sample, own)
        human = sample.human
        has_moved = human.verts.shape != end.human_verts.shape or np.abs(human.verts - end.human_verts).max() > MOVED
        if has_moved:
            human = ColoredMesh(end.human_verts, np.asarray(item.prepared.body.faces), human.rgb)
        result = measure(sample, human, end.object, subject.parts, settings.measured)
        wants = wants_lpips(item.config)
        result |= fit_metrics(item.prepared, own, lpips_weights(item.config.lpips_net) if wants else None)
    except FAILURES as error:
        return failed_run(sample.name, reason(error))
    seconds = {"prepare": item.seconds, **share, "measure": time.perf_counter() - start}
    return Run(
        sample.name,
        {name: getattr(end, name) for name in ("scale", "rotation", "translation", "pivot")},
        joined(subject.known, result),
        asdict(settings.measured),
        seconds | {"total": sum(seconds.values())},
        own.dropped,
        (*item.prepared.notes, *own.notes, *missing_parts(sample, subject.parts)),
        settings.batch,
        human_verts=human.verts if has_moved else None,
        sweep=settings.sweep,
    )


def joined(known: Mapping[str, Mapping[str, float]], result: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """{metric: {state: value}} of the measures of start, result and, where there is one, annotation."""
    columns = {"start": known["start"], "result": result, **known}
    names = dict.fromkeys(name for values in columns.values() for name in values)
    return {name: {column: values.get(name, np.nan) for column, values in columns.items()} for name in names}


def shapes(item: Item) -> tuple[tuple[int, ...], ...]:
    """What has to be equal in a batch."""
    return tuple(leaf.shape for leaf in jax.tree.leaves((item.prepared.scene, item.prepared.body)))


def shared_bodies(bodies: Sequence[Body]) -> list[Body]:
    """The same bodies, equal ones as one object: a batch does not copy what all share."""
    found: list[Body] = []
    for body in bodies:
        same = (each for each in found if equal(each.template, body.template) and equal(each.weights, body.weights))
        found.append(next(same, body))
    return found


def equal(a: Float[Array, "..."], b: Float[Array, "..."]) -> bool:
    """Equal in shape and values."""
    return a.shape == b.shape and bool(jnp.array_equal(a, b))


def wants_lpips(config: Config) -> bool:
    """Whether a stage weighs an LPIPS term."""
    return any(name.startswith("lpips") for name in term_names(config))


@cache
def lpips_weights(net: str) -> LpipsWeights:
    """The weights of the LPIPS network, loaded once."""
    return load_lpips(net)


def reason(error: Exception) -> str:
    """One line about a failure."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:500]
