"""Pack the Blender add-on into the one file that Blender installs (docs/blender.md).

python experiments/blender_addon.py --out=out/hoijax-blender.zip
"""

import sys
from pathlib import Path

from absl import app, flags

from hoijax.annotate.blender_addon import save_addon

_OUT = flags.DEFINE_string("out", "out/hoijax-blender.zip", "The zip to write.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    try:
        save_addon(Path(_OUT.value))
    except OSError as error:
        sys.exit(f"{_OUT.value}: cannot be written ({error.strerror or error})")
    print(f"{_OUT.value}: in Blender, Edit > Preferences > Add-ons > Install from Disk")


if __name__ == "__main__":
    app.run(main)
