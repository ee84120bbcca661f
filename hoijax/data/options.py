"""A config as plain data for files: what a record says about it, its key, and how two of them differ."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flax.core import FrozenDict

from hoijax.config import Config, Stage

# Part of every key: raise it when the same config no longer computes the same, so that old runs are not used again.
SCHEMA = 1


def plain_options(config: Config) -> dict[str, Any]:
    """The config as plain data for a json file."""
    options = dataclasses.asdict(dataclasses.replace(config, stages=()))
    options["stages"] = [
        {key: dict(value) if isinstance(value, FrozenDict) else value for key, value in vars(stage).items()}
        for stage in config.stages
    ]
    return options


def config_key(config: Config) -> str:
    """A name for what a config computes: its preset's name does not count, nor do options at their default.

    So a new option with a neutral default leaves the keys as they were.
    """
    text = json.dumps([SCHEMA, _said(config)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def differing_options(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Names of the options in which a file's config is another than the wanted one; what it does not name is default."""
    wanted = _json(wanted)
    pairs = [(Config, found, wanted), *((Stage, *both) for both in zip(found["stages"], wanted["stages"]))]
    names = [
        name
        for kind, own, other in pairs
        for name in other
        if name not in ("preset", "stages") and (_defaults(kind) | dict(own)).get(name) != other[name]
    ]
    return names + ["stages"] * (len(found["stages"]) != len(wanted["stages"]))


def _json(value: Any) -> Any:
    """The value as it would come back from a file."""
    return json.loads(json.dumps(value))


def _said(config: Config) -> dict[str, Any]:
    """The options that differ from their default, without the preset's name."""
    options = _json(plain_options(config))
    stages = [_without(stage, _defaults(Stage)) for stage in options["stages"]]
    return {**_without(options, {**_defaults(Config), "preset": options["preset"]}), "stages": stages}


def _without(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in defaults or value != defaults[name]}


def _defaults(kind: type[Config] | type[Stage]) -> dict[str, Any]:
    """The options that may be left unsaid, with what they are then."""
    known = {field.name: field.default for field in dataclasses.fields(kind)}
    return {name: _json(value) for name, value in known.items() if value is not dataclasses.MISSING}
