"""Tells which of other people's models are usable on this machine, what is missing for the others, and what works anyway.

    python experiments/doctor.py --sam_python=ENV/bin/python --sam_checkpoint=DIR ...
    python experiments/doctor.py --tools=tools.json

The exit code is 0 whatever is usable, 1 when a model that something was given for is not.
"""

import importlib.util
import sys

import wrapper_flags
from absl import app, flags

from hoijax.photo.models import models_folder
from third_party_wrappers.declare import Tool
from third_party_wrappers.doctor import examine, table


def builtin() -> str:
    """Whether the small networks of the extra `photo` can be run, in a sentence."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        return "The built-in way lacks ai-edge-litert: pip install 'hoijax[photo]'."
    folder = models_folder()
    if not folder.is_dir():
        return f"The built-in way is usable; its networks (9 MB of a wheel of 36 MB) will be fetched to {folder}."
    return f"The built-in way is usable; its networks are in {folder}."


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"unexpected arguments: {' '.join(argv[1:])}")
    given = wrapper_flags.tools()
    rows = examine(given)
    print(table(rows))
    print(f"\n{builtin()}")
    sys.exit(int(any(row.found.problems and given.get(row.name, Tool()) != Tool() for row in rows)))


if __name__ == "__main__":
    flags.adopt_module_key_flags(wrapper_flags)  # so that --help shows them
    app.run(main)
