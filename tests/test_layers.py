"""The layers of the house: what each part of the package may import, read from the source and enforced."""

import ast
import sys
from pathlib import Path

import pytest

from third_party_wrappers.registry import NAMES

ROOT = Path(__file__).resolve().parent.parent

# Each name may import those before it (and itself). WORKSPACE.md draws the same list.
CORE = ("types", "config", "presets", "geometry", "mesh", "body", "splats", "losses", "optimize", "coarse", "metrics")
LAYERS = {name: set(CORE[: rank + 1]) for rank, name in enumerate(CORE)}
LAYERS["splats"] -= {"body"}
LAYERS["coarse"] = {"types", "geometry", "mesh", "body", "coarse"}
LAYERS["data"] = set(CORE) | {"data"}
LAYERS["photo"] = {"types", "geometry", "mesh", "body", "data", "photo"}
LAYERS["report"] = set(CORE) | {"data", "report"}
LAYERS["dataset"] = LAYERS["report"] | {"dataset"}
LAYERS["pipeline"] = LAYERS["report"] | {"photo", "pipeline"}
LAYERS["annotate"] = LAYERS["report"] | {"photo", "pipeline", "annotate"}
LAYERS["tasks"] = LAYERS["report"] | {"tasks"}
LAYERS["hoijax"] = set()  # the package's own __init__

FORBIDDEN_EVERYWHERE = {"torch", "smplx", "bpy", "third_party_wrappers"}
FORBIDDEN_IN_PACKAGE = {"absl", "pytest", "beartype"}

# Blender's own python runs this folder: it has numpy, and nothing of ours.
BLENDER = ROOT / "hoijax" / "annotate" / "blender"
IN_BLENDER = {"numpy", "bpy", "mathutils"}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, with dots, at any depth of the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the full name"
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "hoijax"}
    return found


def layer(path: Path) -> str:
    """The layer that a file of the package belongs to."""
    parts = path.relative_to(ROOT / "hoijax").with_suffix("").parts
    return "hoijax" if parts == ("__init__",) else parts[0]


def package_files() -> list[Path]:
    return sorted(path for path in (ROOT / "hoijax").rglob("*.py") if path.parent != BLENDER)


@pytest.mark.parametrize("path", package_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    own = layer(path)
    assert own in LAYERS, f"{path}: {own!r} is no known layer; add it to LAYERS and to WORKSPACE.md"
    for module in imports(path):
        parts = module.split(".")
        assert parts[0] not in FORBIDDEN_EVERYWHERE | FORBIDDEN_IN_PACKAGE, f"{path} imports {module}"
        if parts[0] == "hoijax" and len(parts) > 1 and parts[1] != "__version__":
            assert parts[1] in LAYERS[own], f"{path}: the layer {own!r} may not import {module}"
            assert parts[:3] != ["hoijax", "annotate", "blender"], f"{path} imports {module}, which is Blender's"


@pytest.mark.parametrize("path", sorted(BLENDER.glob("*.py")), ids=lambda p: p.name)
def test_the_add_on_needs_only_what_blender_has(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            wanted = [node.module] if node.module else [alias.name for alias in node.names]
            assert node.level == 1
            assert all((BLENDER / f"{name}.py").is_file() for name in wanted), f"{path} imports {wanted}"
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            roots = {name.split(".")[0] for name in names if name}
            assert roots <= sys.stdlib_module_names | IN_BLENDER, f"{path} imports {roots}"


def wrapper_files() -> list[Path]:
    return sorted((ROOT / "third_party_wrappers").rglob("*.py"))


def runs_elsewhere(path: Path) -> bool:
    """Whether a model's own python reads the file."""
    return path.name == "main.py" or path.parent.name == "child"


@pytest.mark.parametrize("path", wrapper_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_wrappers_do_not_know_the_package_nor_their_models(path: Path) -> None:
    roots = {module.split(".")[0] for module in imports(path)}
    assert "hoijax" not in roots
    if runs_elsewhere(path):
        assert "third_party_wrappers" not in roots
        ast.parse(path.read_text(), feature_version=(3, 8))  # some models need an old python
        top = {
            name.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Import)
            for name in node.names
        }
        assert top <= sys.stdlib_module_names | {"importlib.machinery", "importlib.util"}, (
            "import models inside of functions"
        )
    else:
        assert roots <= sys.stdlib_module_names | {"numpy", "PIL", "third_party_wrappers"}
    if path.name == "wrapper.py":
        ours = {module for module in imports(path) if module.startswith("third_party_wrappers")}
        assert ours <= {"third_party_wrappers", "third_party_wrappers.contract"}


def test_every_wrapper_has_both_halves() -> None:
    folders = {path.parent for path in wrapper_files() if path.name in ("main.py", "wrapper.py")}
    assert {folder.name for folder in folders} == set(NAMES)
    assert all((folder / name).is_file() for folder in folders for name in ("main.py", "wrapper.py", "__init__.py"))


def test_the_check_itself_sees_a_breach(tmp_path: Path) -> None:
    breach = tmp_path / "breach.py"
    breach.write_text("def f():\n    from hoijax.report import overlay\n    import torch\n")
    assert imports(breach) == {"hoijax.report", "torch"}
