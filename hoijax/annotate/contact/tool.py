"""The contact tool: which of the 34 body parts touch the object."""

from hoijax.annotate.contact.bench import build
from hoijax.annotate.contact.made import made_of
from hoijax.annotate.contact.state import done, said
from hoijax.annotate.tool import Tool

# Where the object stands decides only what is suggested: aligning it anew leaves what people said of the contact valid.
SEES = ("image", "human")

TOOL = Tool(
    "contact",
    "Contact",
    "touch_app",
    "Mark the body parts that touch the object, on the body or in the list. Green ones are suggested: they are near it.",
    SEES,
    done,
    made_of,
    build,
    said,
)
