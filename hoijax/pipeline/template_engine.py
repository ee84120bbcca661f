"""The object's mesh from a library of templates: the one of its category whose silhouette is most like its mask."""

from pathlib import Path

from hoijax.data.meshfile import load_any_mesh
from hoijax.data.objfile import save_mesh
from hoijax.data.template_search import nearest_templates
from hoijax.data.templates import Library
from hoijax.pipeline.engine import Engine, category, engine
from hoijax.pipeline.given import saved_mask
from hoijax.pipeline.item import Item


def template_engine(library: Library | None) -> Engine:
    """The nearest template, turned as it was found. Without a library it lacks one, and says what to do about it."""

    def make(item: Item, folder: Path) -> tuple[str, ...]:
        assert library is not None
        thing = saved_mask(item, "object_mask")
        found = nearest_templates(library, item.category, thing, 1, saved_mask(item, "person_mask"))
        best = found.matches[0]
        mesh = load_any_mesh(library.folder / best.template.file)
        verts = (mesh.verts @ best.rotation.T).astype(mesh.verts.dtype)
        save_mesh(folder / "mesh.obj", mesh._replace(verts=verts))
        return (f"template {best.template.file}, silhouette IoU {best.score:.2f}", found.note)

    def lacks() -> str:
        return "" if library is not None else "no mesh: give GIVEN/<id>/mesh.obj, a library of templates, or a model"

    contents = [] if library is None else [template.digest for template in library.templates]
    needs = ("image", "person_mask", "object_mask")
    return engine("templates", "mesh", needs, {"templates": contents}, make, about=category, lacks=lacks)
