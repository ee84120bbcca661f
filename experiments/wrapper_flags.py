"""The flags that tell where other people's models live on this machine: five for each, or one file for all."""

import json
import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from absl import flags

from third_party_wrappers.declare import Tool
from third_party_wrappers.registry import NAMES

_TOOLS = flags.DEFINE_string(
    "tools",
    None,
    'JSON file instead of many flags: {"sam": {"python": ..., "checkpoint": ...}, ...}; flags win over it.',
)
_FLAGS = {
    name: {
        "python": flags.DEFINE_string(f"{name}_python", None, f"Python of {name}'s environment."),
        "repository": flags.DEFINE_string(f"{name}_repository", None, f"Clone of {name}'s repository."),
        "checkpoint": flags.DEFINE_string(f"{name}_checkpoint", None, f"File or folder of {name}'s weights."),
        "device": flags.DEFINE_string(f"{name}_device", None, f"Device of {name}: auto, cpu, cuda, cuda:1."),
        "time_limit": flags.DEFINE_float(
            f"{name}_time_limit", None, f"Seconds without a finished job before {name} counts as hung.", lower_bound=0.0
        ),
    }
    for name in NAMES
}


def tools() -> dict[str, Tool]:
    """Every wrapper's tool by name, from the file and the flags. Exits with a sentence when the file is no good."""
    given = {} if _TOOLS.value is None else _from_file(Path(_TOOLS.value))
    for name, holders in _FLAGS.items():
        given.setdefault(name, {}).update(
            {field: flag.value for field, flag in holders.items() if flag.value is not None}
        )
    return {name: _tool(entry) for name, entry in given.items()}


def _from_file(path: Path) -> dict[str, dict[str, Any]]:
    """The file's entries, relative paths taken from where the file is."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"--tools={path}: cannot be read as JSON ({error})")
    known = [field.name for field in fields(Tool)]
    if not isinstance(record, dict) or not all(isinstance(entry, dict) for entry in record.values()):
        sys.exit(f'--tools={path}: expected {{"model": {{"python": ...}}}}')
    for name, entry in record.items():
        unknown = sorted(set(entry) - set(known))
        if name not in NAMES or unknown:
            wrong = f"{name} has no {', '.join(unknown)}" if name in NAMES else f"there is no model {name}"
            sys.exit(f"--tools={path}: {wrong}; models: {', '.join(NAMES)}; each may have {', '.join(known)}")
        for field, value in entry.items():
            kind = (int, float) if field == "time_limit" else str
            if not isinstance(value, kind) or isinstance(value, bool):
                sys.exit(
                    f"--tools={path}: {name}.{field} is {value!r}, expected a {'text' if kind is str else 'number'}"
                )
        for field in ("repository", "checkpoint", "python"):
            if field in entry and (field != "python" or "/" in entry[field]):
                entry[field] = str(path.resolve().parent / Path(entry[field]).expanduser())
    return record


def _tool(entry: dict[str, Any]) -> Tool:
    places = {field: Path(entry[field]).expanduser() for field in ("repository", "checkpoint") if field in entry}
    python = os.path.expanduser(entry["python"]) if "python" in entry else None
    limit = float(entry.get("time_limit", Tool.time_limit))
    return Tool(python=python, device=entry.get("device", Tool.device), time_limit=limit, **places)
