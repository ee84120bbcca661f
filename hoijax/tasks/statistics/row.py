"""One line of the statistics: what the files of one sample tell."""

import base64
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

from hoijax.body.parts import PART_NAMES
from hoijax.data.layout import NAMES, load_bytes, sample_file, sample_name
from hoijax.data.measure import image_metrics
from hoijax.data.parameters import load_json
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.losses.lpips import LpipsWeights
from hoijax.metrics.co2 import co2, in_contact, nearness, part_masks
from hoijax.metrics.image import object_appearance
from hoijax.report.raycast import cast, photo_view, solid
from hoijax.tasks.statistics.stature import Stature
from hoijax.tasks.vocabulary import category_name

UNKNOWN = "unknown"  # the category of a sample whose files and folder name none
PICTURE = 256  # pixels: long side at which the object is drawn and compared
QUALITY = (
    *("penetration_max_cm", "penetration_mean_cm", "collision", "contact_cm", "gap_cm", "co2"),
    *("iou_object", "iou_human", "iou_both", "object_ssim", "object_lpips"),
)


class Row(NamedTuple):
    """What the statistics know of one sample. NaN and None: not known.

    `interactions` are pairs (action, category of its object), all that annotations.json lists. `size` is the cube root of
    the object's volume in metres, of its hull where the mesh is not `watertight`; `relative_size` that by the person's
    `stature` (metres, estimated). `contact_parts` is None without labels. `near` are the vertices of the human within
    5 cm of the object, or in it, packed to bits; humans with one `topology` share their vertices' order. `values` are the
    numbers of `QUALITY`; the object is the annotated one, or the start where there is none: `object_is`.
    """

    name: str
    category: str
    interactions: tuple[tuple[str, str], ...]
    width: int
    height: int
    people: int
    contact_parts: tuple[str, ...] | None
    object_is: str
    size: float
    watertight: bool
    stature: float
    relative_size: float
    topology: str
    human_verts: int
    near: str
    values: dict[str, float]
    warnings: tuple[str, ...] = ()


def fingerprint(folder: Path, lpips: str) -> str:
    """SHA-256 over the folder's name, the contents of all files that are read, and how a row is made of them.

    Raises: SampleError for a file that cannot be read.
    """
    digest = hashlib.sha256(repr((4, lpips, sample_name(folder))).encode("utf-8", "backslashreplace"))
    for kind in NAMES:
        path = sample_file(folder, kind)
        if path is not None:
            digest.update(f"{path.name}\0".encode("utf-8", "surrogateescape"))
            digest.update(hashlib.sha256(load_bytes(path)).digest())
    return digest.hexdigest()


def topology_of(mesh: ColoredMesh) -> str:
    """A short name of a mesh's faces: equal where vertices correspond."""
    faces = np.ascontiguousarray(mesh.faces, np.int64)
    return hashlib.sha256(f"{len(mesh.verts)} ".encode() + faces.tobytes()).hexdigest()[:16]


def measured_row(
    name: str, sample: Sample, parts: Int[np.ndarray, " v"], stature: Stature, lpips: LpipsWeights | None = None
) -> Row:
    """The row of a sample. `parts`: of its human's vertices; `stature`: how the height follows from them.

    Raises: SampleError for meshes that cannot be measured.
    """
    thing, object_is = (sample.object, "start") if sample.truth is None else (sample.truth, "annotation")
    warnings = list(sample.warnings)
    interactions, people = load_interactions(name, sample, warnings)
    labelled = sample.contact_parts
    touching = [part for part in labelled or () if (parts == PART_NAMES.index(part)).any()]
    warnings += [f"no vertices for the contact part {part}" for part in labelled or () if part not in touching]
    masks = part_masks(parts, touching, PART_NAMES) if touching else np.zeros((0, len(parts)), bool)
    try:
        near = nearness(sample.human.verts, thing.verts, thing.faces)
        hoi = co2(sample.human.verts, sample.human.faces, thing.verts, thing.faces, masks, near=near)
        values = image_metrics(sample, sample.human, thing)
        likeness = appearance(sample, thing, lpips)
    except ValueError as error:
        raise SampleError(sample.folder, str(error)) from error
    height = stature.height(sample.human.verts, sample.human.faces, parts)
    values |= {
        "penetration_max_cm": hoi.penetration_max_cm,
        "penetration_mean_cm": hoi.penetration_mean_cm,
        "collision": hoi.collision,
        "contact_cm": 100 * hoi.contact_mean,
        "gap_cm": hoi.gap_cm,
        "co2": hoi.co2,
    } | likeness
    return Row(
        name=name,
        category=category_of(name, sample),
        interactions=interactions,
        width=sample.image.shape[1],
        height=sample.image.shape[0],
        people=people,
        contact_parts=labelled,
        object_is=object_is,
        size=hoi.size,
        watertight=hoi.watertight,
        stature=height,
        relative_size=hoi.size / height if height > 0 else float("nan"),
        topology=topology_of(sample.human),
        human_verts=len(sample.human.verts),
        near=packed(in_contact(near)),
        values={key: float(values[key]) for key in QUALITY},
        warnings=tuple(warnings),
    )


def category_of(name: str, sample: Sample) -> str:
    """The sample's category in the vocabulary's spelling; of `<category>/<image_id>` in the tree where none is told."""
    for text in (sample.category or "", name.split("/")[-2] if "/" in name else ""):
        try:
            return category_name(text)
        except ValueError:
            continue
    return UNKNOWN


def load_interactions(name: str, sample: Sample, warnings: list[str]) -> tuple[tuple[tuple[str, str], ...], int]:
    """All pairs (action, category) of annotations.json, each once, and how many people it lists (at least one).

    The object's category may stand as `category` or `category_id`; where it is missing it is the sample's. Without a file,
    or without an action in it, the action is that of the folder.
    """
    own = category_of(name, sample)
    path = sample_file(sample.folder, "annotations")
    record = {} if path is None else load_json(path)
    record = record[0] if isinstance(record, list) and len(record) == 1 else record
    things, found = record.get("annotations", []), []
    for pair in record.get("hoi_annotation", []):
        action = pair.get("action") if isinstance(pair, dict) else None
        if not isinstance(action, str) or not any(letter.isalnum() for letter in action):
            warnings.append(f"annotations.json: an interaction has the action {action!r}; left out")
            continue
        found.append((category_name(action), _thing(things, pair.get("object_id")) or own))
    if not found and sample.action:
        found = [(category_name(sample.action), own)]
    people = sum(_word(thing) == "person" for thing in things)
    return tuple(dict.fromkeys(found)), max(people, 1)


def appearance(sample: Sample, thing: ColoredMesh, lpips: LpipsWeights | None) -> dict[str, float]:
    """SSIM and LPIPS of the object, drawn unlit in its own colours, against the photograph (see `object_appearance`).

    At `PICTURE` pixels, in the corner of a square, so that pictures of every shape share one compiled program.
    """
    h, w = sample.object_mask.shape
    scale = PICTURE / max(h, w)
    size = max(1, round(h * scale)), max(1, round(w * scale))
    offset = np.asarray(sample.pose.translation, np.float64)
    drawn = cast(solid([thing]), photo_view(sample.camera, (h, w), offset, scale), shaded=False)

    def framed(picture: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        out = np.zeros((PICTURE, PICTURE, *picture.shape[2:]), np.float32)
        out[: size[0], : size[1]] = picture
        return out

    def small(picture: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        return framed(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA))

    image = small(sample.image.astype(np.float32) / 255)
    mask, hidden = (small(m.astype(np.float32)) > 0.5 for m in (sample.object_mask, sample.human_mask))
    likeness = object_appearance(framed(drawn.rgb), framed(drawn.alpha), image, mask, hidden, lpips)
    return {"object_ssim": float(likeness.ssim), "object_lpips": float(likeness.lpips)}


def packed(mask: Bool[np.ndarray, " v"]) -> str:
    """A mask as text, eight vertices a byte."""
    return base64.b64encode(np.packbits(mask).tobytes()).decode("ascii")


def unpacked(text: str, count: int) -> Bool[np.ndarray, " v"]:
    """The mask of `count` vertices that `packed` made text of."""
    return np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=count).astype(bool)


def plain(row: Row) -> dict[str, Any]:
    """The row as JSON takes it; NaN is null."""
    numbers = {key: None if np.isnan(value) else value for key, value in row.values.items()}
    record = row._asdict() | {"values": numbers}
    return {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in record.items()}


def unplain(record: dict[str, Any]) -> Row:
    """The row of such a record. Raises KeyError, TypeError or ValueError for any other."""
    nan = float("nan")
    parts = record["contact_parts"]
    floats = {key: nan if record[key] is None else float(record[key]) for key in ("size", "stature", "relative_size")}
    values = {key: nan if record["values"][key] is None else float(record["values"][key]) for key in QUALITY}
    tuples = {
        "interactions": tuple((str(action), str(thing)) for action, thing in record["interactions"]),
        "contact_parts": None if parts is None else tuple(parts),
        "warnings": tuple(record["warnings"]),
    }
    return Row(**{**record, **floats, **tuples, "values": values})


def _thing(things: Any, index: Any) -> str:
    """Category of an entry of annotations; empty where it has none."""
    if isinstance(things, list) and isinstance(index, int) and 0 <= index < len(things):
        return _word(things[index])
    return ""


def _word(thing: Any) -> str:
    record = thing if isinstance(thing, dict) else {}
    text = next((record[key] for key in ("category", "category_id") if isinstance(record.get(key), str)), "")
    try:
        return category_name(text)
    except ValueError:
        return ""
