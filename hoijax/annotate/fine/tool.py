"""The fine tool, for the server."""

from hoijax.annotate.fine.bench import build
from hoijax.annotate.fine.shown import made
from hoijax.annotate.fine.state import is_done, word
from hoijax.annotate.tool import Tool

TOOL = Tool(
    "fine",
    "Fine alignment",
    "open_with",
    "Move, turn and scale the object until it fits the photograph and the person.",
    ("image", "parameters", "human", "object", "truth"),
    is_done,
    made,
    build,
    word,
)
