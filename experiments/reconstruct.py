"""Reconstruct the person and the object of one sample, or of every sample of a tree; a result folder for each.

    python experiments/reconstruct.py --sample=DIR --out=DIR
    python experiments/reconstruct.py --data=TREE --out=DIR --preset=paper --config.hoi.weights.contact=2

A finished result folder is skipped, so an interrupted run goes on where it stopped. Each folder holds report.html,
and OUT/index.html leads to all of them.
"""

import sys
import time
from pathlib import Path

import config_flags
import jax
import sample_flags
from absl import app, flags, logging
from compile_clock import CompileClock
from jaxtyping import Array
from sample_flags import place_below, sample_folders
from tqdm import tqdm

from hoijax.body.smplx import load_body, load_hand_means
from hoijax.config import Config
from hoijax.data.assemble import assemble
from hoijax.data.prepare import prepare
from hoijax.data.read import load_sample
from hoijax.data.results import Result, Summary, find_results, is_finished, load_summary, save_result, summary
from hoijax.data.sample import Sample, SampleError
from hoijax.losses.lpips import LpipsWeights, load_lpips
from hoijax.optimize.fit import NotFiniteError, Progress, fit
from hoijax.optimize.outcome import term_names
from hoijax.report.folder import result_pages
from hoijax.report.index import index_html
from hoijax.report.tables import metrics_table
from hoijax.types import Assets, Body

_OUT = flags.DEFINE_string("out", "out/results", "Where the result folders go: OUT/<category>/<id>.")
_BODY = flags.DEFINE_string(
    "body", None, "SMPL-X model file (.npz). Without it the human is the sample's mesh, held fixed."
)
_OVERWRITE = flags.DEFINE_boolean("overwrite", False, "Reconstruct again where a finished result stands.")
_CACHE = flags.DEFINE_string("compile_cache", "~/.cache/hoijax", "JAX's persistent compilation cache; empty: none.")

SHOWN = (
    "loss",
    "l1_object",
    "mask_object",
    "silhouette_object",
    "contact",
    "collision",
    "ordinal",
    "silhouette_crop",
    "interaction",
)


def reconstruct(
    sample: Sample, config: Config, body: tuple[Body, Array] | None, lpips: LpipsWeights | None, clock: CompileClock
) -> Result:
    """One sample, as read, to a result."""
    start = time.perf_counter()
    compiled = clock.seconds
    prepared = prepare(sample, config, *(body or ()))
    ready = time.perf_counter()
    with tqdm(total=sum(stage.steps for stage in config.stages), desc=sample.name, unit="step", leave=False) as bar:

        def watch(progress: Progress) -> None:
            bar.set_postfix({name: f"{progress.values[name]:.3g}" for name in SHOWN if name in progress.values})
            bar.update(progress.step - bar.n)

        fitted = fit(prepared.scene, Assets(prepared.body, lpips), config, jax.random.key(config.seed), watch)
    fitted_at = time.perf_counter()
    seconds = {"prepare": ready - start, "compile": clock.seconds - compiled}
    seconds["fit"] = fitted_at - ready - seconds["compile"]
    result = assemble(sample, prepared, fitted, config, seconds, lpips)
    seconds["measure"] = time.perf_counter() - fitted_at
    return result._replace(seconds=seconds | {"total": time.perf_counter() - start})


def save_index(out: Path) -> Path:
    """Writes the page that leads to every finished result under `out`, also those of earlier runs."""
    page = index_html({folder.relative_to(out).as_posix(): load_summary(folder) for folder in find_results(out)})
    (out / "index.html").write_text(page, encoding="utf-8")
    return out / "index.html"


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    logging.set_verbosity(logging.WARNING)
    try:
        config = config_flags.config()
        body = (load_body(_BODY.value), load_hand_means(_BODY.value)) if _BODY.value else None
        wants_lpips = any(name.startswith("lpips") for name in term_names(config))
        lpips = load_lpips(config.lpips_net) if wants_lpips else None
    except (ValueError, OSError, ModuleNotFoundError) as error:
        sys.exit(str(error))
    if _CACHE.value:
        jax.config.update("jax_compilation_cache_dir", str(Path(_CACHE.value).expanduser()))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    clock, failed = CompileClock(), []
    results: list[Summary] = []
    for folder in tqdm(folders := sample_folders(), desc="samples", unit="sample", disable=len(folders) == 1):
        out = place_below(_OUT.value, folder)
        try:
            if is_finished(out) and not _OVERWRITE.value:
                results.append(load_summary(out))
                tqdm.write(f"{out}: finished before, skipped")
                continue
            sample = load_sample(folder)
            result = reconstruct(sample, config, body, lpips, clock)
            save_result(result, out, result_pages(sample, result), overwrite=_OVERWRITE.value)
        except (SampleError, NotFiniteError, ValueError, OSError) as error:
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
