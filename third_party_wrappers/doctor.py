"""Which wrappers are usable on this machine, and what is missing for the others."""

import textwrap
from collections.abc import Mapping
from typing import NamedTuple

from third_party_wrappers.declare import Tool
from third_party_wrappers.probe import Found, probe
from third_party_wrappers.registry import wrappers

WIDTH = 116

# What a user has without any model.
WITHOUT_ANY = (
    "Without any of them: experiments/photo.py, and the pipeline with --models=builtin, need nothing but pip; every "
    "model's outputs can also be files that you have from elsewhere (--given)."
)


class Row(NamedTuple):
    """One wrapper's line of the table."""

    name: str
    role: str
    found: Found
    without: str


def examine(tools: Mapping[str, Tool]) -> list[Row]:
    """Asks every wrapper's environment; those without an entry in `tools` are looked at as if nothing was given."""
    return [
        Row(name, wrapper.role, probe(wrapper, tools.get(name, Tool())), wrapper.without)
        for name, wrapper in wrappers().items()
    ]


def table(rows: list[Row]) -> str:
    """The rows as text: usable with its versions, or each problem on a line of its own and what to do without it."""
    lines = []
    for row in rows:
        versions = ", ".join(f"{name} {version}".strip() for name, version in row.found.versions.items())
        gpu = {True: "GPU", False: "CPU only", None: ""}[row.found.gpu]
        state = f"usable ({', '.join(filter(None, [versions, gpu]))})" if not row.found.problems else "not usable"
        lines += _wrapped(f"{row.name:<12} {row.role:<38} {state}", " " * 52)
        for problem in row.found.problems:
            lines += _wrapped(f"{'':<13}- {problem}", " " * 15)
        if row.found.problems:
            lines += _wrapped(f"{'':<13}without it: {row.without}", " " * 15)
    return "\n".join([*lines, "", *_wrapped(WITHOUT_ANY, "")])


def _wrapped(line: str, indent: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False, drop_whitespace=True) or [line]
