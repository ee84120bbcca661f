"""Write the built-in scenes as sample folders in the Open3DHOI layout: OUT/<category>/<action>_<seed>.

    python experiments/make_scenes.py --out=DIR
    python experiments/make_scenes.py --out=DIR --names=ball,chair --seed=3

A scene whose folder exists is skipped.
"""

import sys
from pathlib import Path

from absl import app, flags
from tqdm import tqdm

from hoijax.data.synthetic import sample_folder, scene_names, synthetic_sample
from hoijax.data.write import save_sample

_OUT = flags.DEFINE_string("out", None, "Where the sample folders go.", required=True)
_NAMES = flags.DEFINE_list("names", None, f"Scenes to make, of {', '.join(scene_names())}; all by default.")
_SEED = flags.DEFINE_integer("seed", 0, "0: the scenes as designed; others vary person, camera and coarse start.")


def main(_: list[str]) -> None:
    names = _NAMES.value or list(scene_names())
    unknown = [name for name in names if name not in scene_names()]
    if unknown:
        sys.exit(f"--names: no scene {', '.join(unknown)}; there are {', '.join(scene_names())}")
    made = 0
    for name in (bar := tqdm(names, unit="scene")):
        bar.set_postfix_str(name)
        folder = Path(_OUT.value) / sample_folder(name, _SEED.value)
        if not folder.exists():
            save_sample(synthetic_sample(name, _SEED.value), folder)
            made += 1
    print(f"{made} scenes written, {len(names) - made} were there: {_OUT.value}")


if __name__ == "__main__":
    app.run(main)
