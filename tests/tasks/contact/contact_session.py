"""Commands of experiments/contact_model.py one after the other in a process of its own, with a network that compiles fast.

python contact_session.py '[["train", "--data=...", ...], ...]'; after each command stands a line `=== CODE`.
"""

import functools
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "experiments"))

import contact_model
from absl import flags

from hoijax.tasks.encoders import Level

small = {
    "levels": (Level(6, 0.5, 3, (8,)),),
    "cloud_widths": (8,),
    "image_widths": (8,),
    "image_feature": 8,
    "head": (8,),
}
contact_model.ContactNetConfig = functools.partial(contact_model.ContactNetConfig, **small)

for command in json.loads(sys.argv[1]):
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    code = 0
    try:
        contact_model.main(flags.FLAGS(["contact_model.py", *command]))
    except SystemExit as end:
        print(end.code)
        code = 1 if isinstance(end.code, str) else int(end.code or 0)
    print(f"=== {code}", flush=True)
