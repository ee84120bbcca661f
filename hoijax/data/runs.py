"""Runs of an ablation: what one config made of one sample, in a small file that every table may read."""

import dataclasses
import hashlib
import io
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from hoijax.config import Config
from hoijax.data.atomic import save_bytes
from hoijax.data.layout import NAMES, load_bytes, sample_file, sample_name
from hoijax.data.measure import MetricOptions
from hoijax.data.options import SCHEMA, config_key, differing_options, plain_options
from hoijax.data.parameters import load_json
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.strict_json import from_strict, strict


class Run(NamedTuple):
    """One config on one sample. A failed one says why in `failure` and holds nothing else.

    `similarity` is that of the object (scale, rotation, translation, pivot; see `Result`), `human_verts` the human in
    the frame of the sample's files where it moved, None where it stands as the sample has it. `metrics` are {name:
    {"start" | "result" | "annotation": value}}, `measured` the metric options they were measured with. `batch`: how
    many samples shared the program; `seconds` are this sample's share: prepare, compile, fit (all steps and searches,
    without compilation), measure, total. `sweep` says which process took them: seconds of two do not compare.
    """

    sample: str
    similarity: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, float]]
    measured: Mapping[str, Any]
    seconds: Mapping[str, float]
    dropped: int = 0
    notes: tuple[str, ...] = ()
    batch: int = 1
    failure: str = ""
    human_verts: Float[np.ndarray, "v 3"] | None = None
    sweep: str = ""


def failed_run(sample: str, reason: str) -> Run:
    """A run that could not be done."""
    return Run(sample, {}, {}, {}, {}, failure=reason)


def sample_key(folder: Path, extra: bytes = b"") -> str:
    """A name for the content of a sample: every file that a reader may look at, and `extra` (of a body file)."""
    digest = hashlib.sha256(extra)
    for kind in NAMES:
        path = sample_file(folder, kind)
        try:
            data = path.read_bytes() if path else b""
        except OSError:
            data = b"unreadable"
        digest.update(f"{kind} {len(data)} ".encode() + data)
    return digest.hexdigest()[:12]


def run_file(store: Path, config: Config, folder: Path, key: str) -> Path:
    """Where a run stands: STORE/<config>/<sample>-<content>.json."""
    return store / config_key(config) / f"{sample_name(folder)[0]}-{key}.json"


def save_run(path: Path, run: Run, config: Config) -> None:
    """Writes a run, whole or not at all; the human's vertices, where there are any, in an .npz beside it."""
    record: dict[str, Any] = {"schema": SCHEMA, "options": plain_options(config), **run._asdict()}
    record |= {
        "human_verts": run.human_verts is not None,
        "software": {name: version(name) for name in ("hoijax", "jax", "jaxlib", "numpy")},
        "device": device(),
    }
    if run.human_verts is not None:
        file = io.BytesIO()
        np.savez_compressed(file, human_verts=run.human_verts.astype(np.float32))
        save_bytes(path.with_suffix(".npz"), file.getvalue())
    text = json.dumps(strict(record, {"metrics": "the sample cannot tell"}), indent=1, allow_nan=False)
    save_bytes(path, text.encode() + b"\n")


def load_run(path: Path, config: Config) -> Run:
    """The run of this config. Raises SampleError, naming the file, when it is damaged or of another config."""
    record = load_json(path)
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise SampleError(path, f"is no run of schema {SCHEMA}")
    try:
        record = from_strict(record)
        other = differing_options(record["options"], plain_options(config))
        values = {name: record[name] for name in Run._fields if name != "sweep"} | {"sweep": record.get("sweep", "")}
        run = Run(**values)._replace(notes=tuple(record["notes"]), human_verts=None)
        if not run.failure:
            scale, pivot = float(run.similarity["scale"]), np.asarray(run.similarity["pivot"], float)
            if not np.isfinite(scale) or pivot.shape != (3,) or not all("result" in v for v in run.metrics.values()):
                raise ValueError("the object's similarity or the metrics are incomplete")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise SampleError(path, f"is incomplete ({type(error).__name__}: {error})") from error
    if other:
        raise SampleError(path, f"was made with other options: {', '.join(other)}")
    return run._replace(human_verts=_load_human(path.with_suffix(".npz"))) if record["human_verts"] else run


def human_of(sample: Sample, run: Run) -> ColoredMesh:
    """The human at the end of a run."""
    return sample.human if run.human_verts is None else sample.human._replace(verts=run.human_verts)


def same_measure(run: Run, options: MetricOptions) -> bool:
    """Whether the run was measured with these options."""
    return dict(run.measured) == dataclasses.asdict(options)


def device() -> str:
    """What runs are computed on, for records and footers."""
    found = jax.devices()[0]
    return f"{found.platform}: {found.device_kind}, {platform.machine()}"


def _load_human(path: Path) -> Float[np.ndarray, "v 3"]:
    data = load_bytes(path)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return file["human_verts"].astype(np.float64)
    except Exception as error:  # a damaged archive raises anything from EOFError to SyntaxError
        raise SampleError(path, f"cannot be read as vertices ({error})") from error
