"""Flags for every option of `Config`: --preset picks the values, --config.NAME=VALUE changes one of them."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

from absl import flags

from hoijax.config import PARAMETERS, Config, Stage, with_options
from hoijax.losses.terms import TERMS
from hoijax.presets import PRESETS

_DEFINE: dict[type, Callable[..., Any]] = {
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    bool: flags.DEFINE_boolean,
    str: flags.DEFINE_string,
}
_FIXED = {"preset", "name"}


def stage_names() -> list[str]:
    """Names of the stages that some preset has, in order."""
    names = [stage.name for make in PRESETS.values() for stage in make().stages]
    return list(dict.fromkeys(names))


def _fields(part: type[Config] | type[Stage]) -> Iterator[tuple[str, type, str]]:
    """Name, type and help of every option that one flag can hold."""
    kinds = get_type_hints(part)
    for field in dataclasses.fields(part):
        if field.name not in _FIXED and kinds[field.name] in _DEFINE:
            yield field.name, kinds[field.name], field.metadata.get("help", "")


def _options() -> Iterator[tuple[str, type, str]]:
    """Name, type and help of every flag."""
    for name, kind, about in _fields(Config):
        yield f"config.{name}", kind, about
    for stage in stage_names():
        for name, kind, about in _fields(Stage):
            yield f"config.{stage}.{name}", kind, f"Stage {stage!r}: {about}"
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


def config() -> Config:
    """The preset with every --config flag applied. Raises ValueError when a flag names a stage the preset lacks."""
    given = {name.removeprefix("config."): flags.FLAGS[name].value for name, _, _ in _options()}
    changes = {name: value for name, value in given.items() if value is not None}
    return with_options(PRESETS[str(flags.FLAGS["preset"].value)](), changes)
