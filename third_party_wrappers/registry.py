"""All wrappers by name."""

from importlib import import_module

from third_party_wrappers.declare import Wrapper

NAMES = (
    "detectron2",
    "sam",
    "osx",
    "amodal",
    "inpaint",
    "instantmesh",
    "zoedepth",
    "clip",
    "pointllm",
    "qwen",
    "chatpose",
)


def wrappers() -> dict[str, Wrapper]:
    """Every wrapper, in the order in which a photograph meets them."""
    return {name: import_module(f"third_party_wrappers.{name}.wrapper").WRAPPER for name in NAMES}
