"""The presets beside each other."""

from collections.abc import Iterator

from _base import NOTE as NOTE
from _base import made

from hoijax.config import Config
from hoijax.report.tables import KEY_METRICS

TITLE = "Presets"
METRICS = KEY_METRICS


def grid() -> Iterator[tuple[str, Config]]:
    """The paper's text, what its released code in effect optimises, and our default."""
    for preset in ("paper", "release", "hoijax"):
        yield preset, made(preset)
