"""What comes before a stage of a fit: before the first the human's refinement, later its distance grid, and the searches."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hoijax.body.smplx import pose_body
from hoijax.config import Config, Stage, static_options
from hoijax.mesh.sdf import init_sdf_grid
from hoijax.optimize.align import align, align_notes
from hoijax.optimize.human_pose import refined_human, refinement_note
from hoijax.optimize.outcome import Log
from hoijax.optimize.pose_search import search
from hoijax.optimize.slide import slide, slide_note
from hoijax.optimize.spread import Spread, image_of, placed, run, stacked
from hoijax.optimize.step import Given, Job, moves_human, posed_human
from hoijax.types import SdfGrid

SDF_TERMS = {"contact", "collision"}


def before_stage(job: Job, spread: Spread, config: Config, index: int, log: Log, key: Array) -> Job:
    """What comes before a stage: the human's distance grid where it moved, and the searches."""
    stage, earlier = config.stages[index], config.stages[:index]
    needs_grid = stage.slide > 0 or SDF_TERMS & set(stage.weights)
    if needs_grid and any(trains_human(job, past) for past in earlier):
        job = with_human_sdf(job, spread, config)
    if stage.search > 0:
        key = jax.random.fold_in(key, len(log.traces))
        job, notes = searched(job, spread, stage.search, config, key)
        add_notes(log, notes)
    if stage.align > 0:
        shared = jnp.float32(stage.slide), jax.random.fold_in(key, 1 + len(log.traces))
        state, found = run(align, spread, job, *shared, count=stage.align, config=static_options(config))
        job = job._replace(state=state)
        add_notes(log, align_notes(found))
    elif stage.slide > 0:
        state, offset = run(slide, spread, job, jnp.float32(stage.slide), config=static_options(config))
        job = job._replace(state=state)
        add_notes(log, [slide_note(float(metres)) for metres in np.atleast_1d(np.asarray(offset))])
    return job


def with_refined_human(given: Given, spread: Spread, config: Config) -> tuple[Given, list[str]]:
    """The images with each human refined by its outline, its distance grid made anew, and a note for each.

    The start sizes of its Gaussians stay: a limb that turns keeps its vertices' distances.
    """
    before = given.scene.human
    after = run(refined_human, spread, given, steps=config.pose_steps)
    given = given._replace(scene=given.scene._replace(human=after))
    grid = human_grid(np.asarray(run(given_verts, spread, given)), given, spread, config)
    hosted = jax.device_get((before, after))
    pairs = [image_of(hosted, i) for i in range(len(after.root))] if spread.batch else [hosted]
    return given._replace(scene=given.scene._replace(human_sdf=grid)), [refinement_note(*pair) for pair in pairs]


@jax.jit
def given_verts(given: Given) -> Float[Array, "v 3"]:
    """The human's vertices as given."""
    return pose_body(given.assets.body, given.scene.human).verts


def add_notes(log: Log, notes: Sequence[str]) -> None:
    """A note for each image."""
    for own, note in zip(log.notes, notes, strict=True):
        own.append(note)


def searched(job: Job, spread: Spread, count: int, config: Config, key: Array) -> tuple[Job, list[str]]:
    """The pose search of each image; it fills a device by itself, so images go one after another."""
    if not spread.batch:
        state, note = search(job.state, job.scene, count, config, key)
        return job._replace(state=state), [note]
    images = range(len(job.scene.image))
    found = [search(image_of(job.state, i), image_of(job.scene, i), count, config, key) for i in images]
    states = placed(stacked([state for state, _ in found]), spread)
    return job._replace(state=states), [note for _, note in found]


def with_human_sdf(job: Job, spread: Spread, config: Config) -> Job:
    """The job with the signed distance grid of each human as it stands now. On the host."""
    grid = human_grid(np.asarray(run(human_verts, spread, job)), job, spread, config)
    return job._replace(scene=job.scene._replace(human_sdf=grid))


def human_grid(verts: Float[np.ndarray, "*b v 3"], job: Given | Job, spread: Spread, config: Config) -> SdfGrid:
    """Signed distance to these vertices' mesh, of each image where there are several. On the host."""
    faces = np.asarray(job.assets.body.faces)
    if not spread.batch:
        return init_sdf_grid(verts, faces, config.sdf_resolution)
    own = faces if spread.own_body else [faces] * len(verts)
    grids = [init_sdf_grid(each, its, config.sdf_resolution) for each, its in zip(verts, own)]
    return placed(stacked(grids), spread)


@jax.jit
def human_verts(job: Job) -> Float[Array, "v 3"]:
    """The human's vertices as it stands."""
    return posed_human(job.state.params, job.scene, job.assets).verts


def trains_human(job: Job, stage: Stage) -> bool:
    """Whether the stage moves the human: it has a body with joints to train, and a rate for them."""
    refiners = job.state.params.human
    return moves_human(stage.rates) and bool(refiners.pose or refiners.skinning)
