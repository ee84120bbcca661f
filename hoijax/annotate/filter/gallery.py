"""Templates of a library to choose from: those nearest in name first, and how each looks."""

from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

from hoijax.annotate.blobs import jpeg
from hoijax.annotate.filter.prepare import small
from hoijax.data.meshfile import load_any_mesh
from hoijax.data.sources.hico_names import plain_name
from hoijax.data.template_search import known_category
from hoijax.data.templates import Library, Template
from hoijax.report.templates import template_tile

PICTURE_PX = 96


def ranked(library: Library, category: str | None, search: str = "") -> list[Template]:
    """Templates whose category or name holds every word of `search`; the item's category (or its synonym) first, then
    categories with a word in common, then those spelt most alike."""
    own = plain_name(category or "")
    known = known_category(library, own) if own else None
    words = search.lower().replace("_", " ").split()

    def far(template: Template) -> tuple[bool, bool, float, str, str]:
        alike = SequenceMatcher(None, own, template.category).ratio() if own else 0.0
        common = set(own.split()) & set(template.category.split())
        return template.category != known, not common, -alike, template.category, template.name

    def named(template: Template) -> str:
        return f"{template.category} {template.name}".lower().replace("_", " ")

    found = [template for template in library.templates if all(word in named(template) for word in words)]
    return sorted(found, key=far)


def template_picture(library: Library, template: Template) -> bytes:
    """The template from its front left, a small JPEG; drawn once. Raises SampleError where its mesh cannot be read."""
    return _drawn(library.folder / template.file, template.digest)


@lru_cache(maxsize=2048)
def _drawn(path: Path, digest: str) -> bytes:
    """`digest` is that of the content: a mesh that changes is another picture."""
    return jpeg(small(template_tile(load_any_mesh(path)), PICTURE_PX))
