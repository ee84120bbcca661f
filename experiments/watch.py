"""A reconstruction that can be watched: a bar of its steps with the values of its terms."""

from tqdm import tqdm

from hoijax.data.results import Result
from hoijax.data.sample import Sample
from hoijax.dataset.reconstruct import Checkpoints, Kit, reconstruct
from hoijax.optimize.fit import Progress

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


def watched(sample: Sample, kit: Kit, checkpoints: Checkpoints) -> Result:
    """One sample, as read, to a result; a bar shows the steps."""
    with tqdm(total=sum(stage.steps for stage in kit.config.stages), desc=sample.name, unit="step", leave=False) as bar:

        def watch(progress: Progress) -> None:
            if not progress.values:
                tqdm.write(f"{sample.name}: goes on after step {progress.step}, from a checkpoint")
            bar.set_postfix({name: f"{progress.values[name]:.3g}" for name in SHOWN if name in progress.values})
            bar.update(progress.step - bar.n)

        return reconstruct(sample, kit, {}, watch, checkpoints)
