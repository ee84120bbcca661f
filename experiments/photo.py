"""One photograph of one person, one object mesh and a box around the object: a 3D scene, with nothing but pip.

    python experiments/photo.py --image=PHOTO --object=MESH --box=X0,Y0,X1,Y1 --out=OUT

The person is found, cut out and a body fitted to them; the object is cut out inside the box (pixels of the photograph,
as any viewer tells them), turned, sized and placed by its silhouette, and reconstruct.py's optimizer does the rest. The
report is OUT/result/report.html; the sample, to be used like any other, is in OUT/samples; OUT/index.html shows every
step. Each thing that is known better may be given: masks (white on black), the person's mesh with its
smplx_parameters.json, a depth map (.npy in metres, or ZoeDepth's PNG), the object's size. What is finished is not done
again when only a flag changes.
"""

import sys
from pathlib import Path

import config_flags
import numpy as np
from absl import app, flags, logging
from tqdm import tqdm
from watch import watched

from hoijax.coarse.place import ROTATIONS, CoarseOptions
from hoijax.data.lock import held
from hoijax.data.read import load_sample
from hoijax.data.results import is_finished, load_summary, save_result, summary
from hoijax.data.sample import SampleError
from hoijax.dataset.clock import use_compile_cache
from hoijax.dataset.reconstruct import Checkpoints, StageError, load_kit
from hoijax.pipeline import photo_engines
from hoijax.pipeline.drive import LOCK, run_steps
from hoijax.pipeline.engine import Ending, Engine
from hoijax.pipeline.given import own_engine
from hoijax.pipeline.item import STEPS, Item
from hoijax.pipeline.overview import Row, save_overview
from hoijax.pipeline.plan import Choice, choice, engines_of
from hoijax.pipeline.standing import FINISHED, standings
from hoijax.report.folder import result_pages
from hoijax.report.tables import metrics_table

_IMAGE = flags.DEFINE_string("image", None, "The photograph.", required=True)
_OBJECT = flags.DEFINE_string("object", None, "The object's mesh: .obj, .glb, .ply, .stl or .off.", required=True)
_OUT = flags.DEFINE_string("out", None, "Where everything goes.", required=True)
_BOX = flags.DEFINE_list("box", None, "Box around the object, X0,Y0,X1,Y1 in pixels; not needed with --object_mask.")
_ON = flags.DEFINE_list("on", None, "Clicks on the object, X,Y,X,Y..., where its mask misses a part.")
_OFF = flags.DEFINE_list("off", None, "Clicks in the box that are not on the object, X,Y,X,Y...")
_PERSON_BOX = flags.DEFINE_list("person_box", None, "Box around the person, where there are several.")
_OBJECT_MASK = flags.DEFINE_string("object_mask", None, "The object's mask, instead of one found in the box.")
_PERSON_MASK = flags.DEFINE_string("person_mask", None, "The person's mask, instead of one found.")
_HUMAN = flags.DEFINE_string(
    "human", None, "The person's posed mesh (.obj), instead of a fitted body; smplx_parameters.json lies beside it."
)
_DEPTH = flags.DEFINE_string("depth", None, "A depth map of the photograph; without one the person's depth decides.")
_SIZE = flags.DEFINE_float(
    "object_size", None, "The object's longest side in metres; not with --depth, which tells it.", lower_bound=0.001
)
_FOCAL = flags.DEFINE_float(
    "focal_px",
    None,
    "Focal length of the photograph in pixels; a natural one (docs/photo.md) by default.",
    lower_bound=1,
)
_ROTATION = flags.DEFINE_enum("rotation", "search", list(ROTATIONS), "given: the object stands as its mesh does.")
_CATEGORY = flags.DEFINE_string("category", "object", "What the object is: the folder's name, and in the report.")
_ONLY_SAMPLE = flags.DEFINE_boolean("only_sample", False, "Stop before the optimizer, with the sample.")
_OVERWRITE = flags.DEFINE_boolean("overwrite", False, "Optimize again where a result stands.")
_CACHE = flags.DEFINE_string("compile_cache", "~/.cache/hoijax", "JAX's persistent compilation cache; empty: none.")


def box(name: str, values: list[str] | None) -> np.ndarray | None:
    """Four numbers of a flag. Exits with a sentence for anything else."""
    if not values:
        return None
    try:
        x0, y0, x1, y1 = (float(value) for value in values)
    except ValueError:
        sys.exit(f"--{name}={','.join(values)}: expected four numbers X0,Y0,X1,Y1 in pixels")
    if not (x0 < x1 and y0 < y1):
        sys.exit(f"--{name}={','.join(values)}: expected X0 < X1 and Y0 < Y1 (left, top, right, bottom)")
    return np.array([x0, y0, x1, y1])


def clicks(name: str, values: list[str] | None) -> list[tuple[float, float]]:
    """Pairs of numbers of a flag. Exits with a sentence for anything else."""
    try:
        numbers = [float(value) for value in values or ()]
        return list(zip(numbers[::2], numbers[1::2], strict=True))
    except ValueError:
        sys.exit(f"--{name}={','.join(values or ())}: expected pairs of numbers X,Y,X,Y... in pixels")


def own(step: str, *files: tuple[str, str | Path | None]) -> dict[str, Engine]:
    """The engine of a step whose files a flag gives. Exits with a sentence where one is not there."""
    paths = {name: Path(path) for name, path in files if path}
    for path in paths.values():
        if not path.is_file():
            sys.exit(f"{path}: no such file")
    return {step: own_engine(step, paths)} if paths else {}


def chosen() -> Choice:
    """Who does which step."""
    engines = {
        "person_mask": photo_engines.person_mask(),
        "object_mask": photo_engines.object_mask(clicks("on", _ON.value), clicks("off", _OFF.value)),
        "human": photo_engines.human(_FOCAL.value),
    }
    human = Path(_HUMAN.value) if _HUMAN.value else None
    beside = human.with_name("smplx_parameters.json") if human else None
    engines |= own("person_mask", ("person_mask.png", _PERSON_MASK.value))
    engines |= own("object_mask", ("object_mask.png", _OBJECT_MASK.value))
    engines |= own("human", ("h_mesh.obj", human), ("smplx_parameters.json", beside))
    engines |= own("mesh", ("mesh.obj", _OBJECT.value))
    engines |= own("depth", ("depth.npy", _DEPTH.value))
    return choice(engines, CoarseOptions(rotation=_ROTATION.value), _SIZE.value)


def made_sample(item: Item, engines: Choice) -> bool:
    """The steps up to the sample folder; whether any was done. Exits with the reason where one fails."""
    errors, done = [], []

    def begin(step: str, count: int) -> None:
        if count:
            tqdm.write(f"{step.replace('_', ' ')} ...")

    def tell(step: str, ending: Ending) -> None:
        done.append(step)
        for note in ending.notes:
            tqdm.write(f"  {note}")
        if ending.error is not None:
            errors.append(f"{step.replace('_', ' ')}: {ending.error}")

    try:
        with held(item.out / LOCK):
            errors += run_steps([item], lambda item: engines_of(item, engines, None), STEPS, begin, tell, True)
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    standing = standings(item, engines_of(item, engines, None))
    page = save_overview([Row(item, standing)], item.out)
    if standing["sample"].state not in FINISHED:
        sys.exit("\n".join([*errors, f"what was done until then: {page}"]))
    return bool(done)


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    logging.set_verbosity(logging.WARNING)
    if not _BOX.value and not _OBJECT_MASK.value:
        sys.exit("give --box=X0,Y0,X1,Y1 around the object, or --object_mask=PNG")
    if _SIZE.value and _DEPTH.value:
        sys.exit("--object_size is for a photograph without a depth map: leave one of --object_size and --depth out")
    image, out = Path(_IMAGE.value), Path(_OUT.value)
    if not image.is_file():
        sys.exit(f"--image={image}: no such file")
    if _CACHE.value:
        use_compile_cache(Path(_CACHE.value))
    boxes = box("person_box", _PERSON_BOX.value), box("box", _BOX.value)
    item = Item(image.stem, image, _CATEGORY.value, (), *boxes, out)
    is_new, folder = made_sample(item, chosen()), item.folder("sample")
    print(f"sample: {folder}")
    if _ONLY_SAMPLE.value:
        return
    if is_finished(out / "result") and not _OVERWRITE.value:
        if is_new:
            sys.exit(f"{out / 'result'}: is of an older sample; --overwrite optimizes again")
        print(metrics_table([load_summary(out / "result")]))
        print(f"\nfinished before (--overwrite optimizes again): {out / 'result' / 'report.html'}")
        return
    try:
        kit = load_kit(config_flags.config(), None)
        sample = load_sample(folder)
        checkpoints = Checkpoints(out, "result", folder, 60.0)
        result = watched(sample, kit, checkpoints)
        save_result(result, out / "result", result_pages(sample, result), overwrite=_OVERWRITE.value)
        checkpoints.remove(kit)
    except (StageError, SampleError, ValueError, OSError, ModuleNotFoundError) as error:
        sys.exit(str(error))
    print(metrics_table([summary(result)]))
    print(f"\nreport: {out / 'result' / 'report.html'}")


if __name__ == "__main__":
    config_flags.define()
    flags.adopt_module_key_flags(config_flags)  # so that --help shows them
    app.run(main)
