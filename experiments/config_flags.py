"""Flags for every option of `Config`: --preset picks the values, --config.NAME=VALUE changes one of them."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from absl import flags

from hoijax.config import PARAMETERS, PRESETS, Config, Stage
from hoijax.losses.terms import TERMS

_DEFINE: dict[type, Callable[..., Any]] = {
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    bool: flags.DEFINE_boolean,
    str: flags.DEFINE_string,
}
_FIXED = {"preset", "stages"}


def stage_names() -> list[str]:
    """Names of the stages that some preset has, in order."""
    names = [stage.name for make in PRESETS.values() for stage in make().stages]
    return list(dict.fromkeys(names))


def _options() -> Iterator[tuple[str, type, str]]:
    """Name, type and help of every flag."""
    for field in dataclasses.fields(Config):
        if field.name not in _FIXED:
            about = field.metadata.get("help", "")
            yield f"config.{field.name}", type(getattr(PRESETS["paper"](), field.name)), about
    for stage in stage_names():
        yield f"config.{stage}.steps", int, f"Adam steps of the stage {stage!r}."
        yield f"config.{stage}.slide", float, f"Half range (m) of the search along the ray before {stage!r}; 0: none."
        yield f"config.{stage}.search", int, f"Rotations that the pose search before {stage!r} tries; 0: no search."
        for term in TERMS:
            yield f"config.{stage}.weights.{term}", float, f"Weight of the term {term} in {stage!r}; 0 leaves it out."
        for name in PARAMETERS:
            yield f"config.{stage}.rates.{name}", float, f"Learning rate of {name} in {stage!r}; 0 holds it still."


def define(default_preset: str = "hoijax") -> None:
    """Define --preset and one flag per option. Call once, before the program's flags are parsed."""
    presets = "; ".join(f"{name}: {(make.__doc__ or '').splitlines()[0]}" for name, make in PRESETS.items())
    flags.DEFINE_enum("preset", default_preset, sorted(PRESETS), f"Where all options start from. {presets}")
    for name, kind, about in _options():
        _DEFINE[kind](name, None, f"{about} (default: the preset's)")


def _changed_stage(stage: Stage, values: dict[str, Any]) -> Stage:
    """The stage with the flags that name it."""
    prefix = f"config.{stage.name}."
    weights, rates, rest = dict(stage.weights), dict(stage.rates), {}
    for name, value in values.items():
        if not name.startswith(prefix):
            continue
        kind, _, key = name[len(prefix) :].partition(".")
        if kind in ("weights", "rates"):
            target = weights if kind == "weights" else rates
            target.pop(key, None)
            if value != 0:
                target[key] = value
        else:
            rest[kind] = value
    return dataclasses.replace(stage, weights=weights, rates=rates, **rest)


def config() -> Config:
    """The preset with every --config flag applied. Raises ValueError when a flag names a stage the preset lacks."""
    values = {name: flags.FLAGS[name].value for name, _, _ in _options() if flags.FLAGS[name].value is not None}
    base = PRESETS[str(flags.FLAGS["preset"].value)]()
    own = {stage.name for stage in base.stages}
    for name in values:
        parts = name.split(".")
        if len(parts) > 2 and parts[1] not in own:
            raise ValueError(f"--{name}: the preset {base.preset!r} has the stages {sorted(own)}")
    plain: dict[str, Any] = {name.split(".")[1]: value for name, value in values.items() if name.count(".") == 1}
    stages = tuple(_changed_stage(stage, values) for stage in base.stages)
    return dataclasses.replace(base, stages=stages, **plain)
