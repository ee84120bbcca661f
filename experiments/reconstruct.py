"""Reconstruct the person and the object of one sample, or of every sample of a tree; a result folder for each.

    python experiments/reconstruct.py --sample=DIR --out=DIR
    python experiments/reconstruct.py --data=TREE --out=DIR --preset=paper --config.hoi.weights.contact=2

A finished result folder is skipped, so an interrupted run goes on where it stopped. Each folder holds report.html,
and OUT/index.html leads to all of them.
"""

import sys
from pathlib import Path

import config_flags
import sample_flags
from absl import app, flags, logging
from sample_flags import place_below, sample_folders
from tqdm import tqdm
from watch import watched

from hoijax.data.read import load_sample
from hoijax.data.results import Summary, is_finished, load_summary, save_result, summary
from hoijax.data.sample import SampleError
from hoijax.dataset.clock import use_compile_cache
from hoijax.dataset.reconstruct import Checkpoints, StageError, load_kit
from hoijax.report.folder import result_pages, save_index
from hoijax.report.tables import metrics_table

_OUT = flags.DEFINE_string("out", "out/results", "Where the result folders go: OUT/<category>/<id>.")
_BODY = flags.DEFINE_string(
    "body", None, "SMPL-X model file (.npz). Without it the human is the sample's mesh, held fixed."
)
_OVERWRITE = flags.DEFINE_boolean("overwrite", False, "Reconstruct again where a finished result stands.")
_CHECKPOINT = flags.DEFINE_float(
    "checkpoint_seconds", 60, "A fit that takes longer leaves a checkpoint so often; the same command goes on from it."
)
_CACHE = flags.DEFINE_string("compile_cache", "~/.cache/hoijax", "JAX's persistent compilation cache; empty: none.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    logging.set_verbosity(logging.WARNING)
    try:
        kit = load_kit(config_flags.config(), Path(_BODY.value) if _BODY.value else None)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        sys.exit(str(error))
    if _CACHE.value:
        use_compile_cache(Path(_CACHE.value))
    failed = []
    results: list[Summary] = []
    for folder in tqdm(folders := sample_folders(), desc="samples", unit="sample", disable=len(folders) == 1):
        out = place_below(_OUT.value, folder)
        try:
            if is_finished(out) and not _OVERWRITE.value:
                results.append(load_summary(out))
                tqdm.write(f"{out}: finished before, skipped")
                continue
            sample = load_sample(folder)
            name = out.relative_to(_OUT.value).as_posix()
            checkpoints = Checkpoints(Path(_OUT.value), name, folder, _CHECKPOINT.value)
            result = watched(sample, kit, checkpoints)
            save_result(result, out, result_pages(sample, result), overwrite=_OVERWRITE.value)
            checkpoints.remove(kit)
        except (StageError, SampleError, ValueError, OSError) as error:
            logging.error("%s: %s", folder, error)
            failed.append(folder)
            continue
        results.append(summary(result))
    if results:
        print(metrics_table(results))
        print(f"\nreports: {save_index(Path(_OUT.value))}")
    if failed:
        sys.exit(f"{len(failed)} of {len(folders)} samples failed: " + ", ".join(map(str, failed)))


if __name__ == "__main__":
    config_flags.define()
    for module in (config_flags, sample_flags):
        flags.adopt_module_key_flags(module)  # so that --help shows them
    app.run(main)
