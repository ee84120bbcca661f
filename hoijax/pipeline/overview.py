"""Where every image stands, and why: a table for the terminal, a CSV, and a page with what each step has made."""

import csv
import html
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from hoijax.data.atomic import save_bytes
from hoijax.data.images import load_depth
from hoijax.data.objfile import load_mesh
from hoijax.pipeline.given import photograph, saved_mask
from hoijax.pipeline.item import STEPS, Item
from hoijax.pipeline.makes import person
from hoijax.pipeline.standing import FINISHED, Standing, State
from hoijax.report.overlay import HUMAN_RGB, OBJECT_RGB, overlay, painted, view_pictures
from hoijax.report.raycast import solid

SHOWN: tuple[State, ...] = ("done", "edited", "ready", "stale", "waiting", "failed", "blocked")
LONG_SIDE = 320  # pixels of a picture on the page
MOST = 500  # images on the page; the CSV has all

PAGE = """
table.steps { border-collapse: collapse; } .steps td, .steps th { padding: 6px; vertical-align: top; text-align: left; }
.steps td { white-space: normal; min-width: 132px; max-width: 170px; overflow-wrap: anywhere; }
.steps img { display: block; height: 120px; border-radius: 8px; background: var(--well); }
.steps small { display: block; color: var(--soft); font-size: 0.75rem; line-height: 1.35; }
.steps .failed, .steps .blocked { color: var(--bad); } .steps .waiting, .steps .ready { color: var(--soft); }
"""


class Row(NamedTuple):
    """An item and the standing of each of its steps."""

    item: Item
    steps: Mapping[str, Standing]

    @property
    def verdict(self) -> Standing:
        """The first step that is not finished, or the last."""
        return next((s for s in self.steps.values() if s.state not in FINISHED), [*self.steps.values()][-1])


def states_table(rows: Sequence[Row]) -> str:
    """How many items stand where, step by step."""
    lines = []
    for step in STEPS:
        found = Counter(row.steps[step].state for row in rows if step in row.steps)
        engines = sorted({row.steps[step].engine for row in rows if step in row.steps})
        if found:
            cells = "".join(f"{found[state] or '-':>9}" for state in SHOWN)
            lines.append(f"{step:<12}{cells}  {', '.join(engines)}")
    return "\n".join([f"{'step':<12}" + "".join(f"{state:>9}" for state in SHOWN) + "  by", *lines])


def reasons_table(rows: Sequence[Row], most: int = 12) -> str:
    """The items that failed, a line each: where and why, in one sentence."""
    lines = []
    for row in rows:
        for step, found in row.steps.items():
            if found.state == "failed":
                lines.append(f"{row.item.id}: {step} ({found.engine}): {_first_line(found.why)}")
    rest = [f"and {len(lines) - most} more: state.csv"] if len(lines) > most else []
    return "\n".join(lines[:most] + rest)


def state_csv(rows: Sequence[Row]) -> str:
    """A line for each item: verdict, and the state of every step."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "category", "actions", "photo", *STEPS, "why", "seconds"])
    for row in rows:
        item = row.item
        states = [row.steps[step].state if step in row.steps else "" for step in STEPS]
        spent = sum(found.record.seconds for found in row.steps.values() if found.record is not None)
        why = "" if row.verdict.state in FINISHED else _first_line(row.verdict.why)
        actions = " ".join(action.replace(" ", "_") for action in item.actions)
        writer.writerow([item.id, item.category or "", actions, item.photo, *states, why, f"{spent:.1f}"])
    return text.getvalue()


def save_overview(rows: Sequence[Row], out: Path) -> Path:
    """OUT/state.csv and OUT/index.html with a small picture of every finished step. The page's path."""
    save_bytes(out / "state.csv", state_csv(rows).encode())
    shown = rows[:MOST]
    steps = [step for step in STEPS if any(step in row.steps for row in rows)]
    lines = "\n".join(_line(row, steps, out) for row in shown)
    done = sum(row.verdict.state in FINISHED for row in rows)
    left = f"<p>The first {MOST} of {len(rows)} are shown; state.csv has all.</p>" if len(rows) > MOST else ""
    heads = "".join(f"<th>{step.replace('_', ' ')}</th>" for step in steps)
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hoijax: from photographs to samples</title>
<link rel="icon" href="data:,">
<style>
{files("hoijax.report").joinpath("page.css").read_text(encoding="utf-8")}{PAGE}</style>
</head>
<body>
<header>
<h1>{done} of {len(rows)} sample{"s" if len(rows) != 1 else ""} ready</h1>
<p class="lead">What each step has made of each photograph. A file in work/&lt;id&gt;/&lt;step&gt; may be changed by hand:
the next run keeps it and makes everything after it anew.</p>
</header>
<main style="max-width: none">
<pre>{html.escape(states_table(rows))}</pre>
{left}<div class="wide"><table class="steps"><thead><tr><th>image</th>{heads}</tr></thead>
<tbody>
{lines}
</tbody></table></div>
</main>
<footer>Made by hoijax.</footer>
</body>
</html>
"""
    save_bytes(out / "index.html", page.encode())
    return out / "index.html"


def _line(row: Row, steps: Sequence[str], out: Path) -> str:
    cells = [f"<td><b>{html.escape(row.item.id)}</b><small>{html.escape(row.item.category or '')}</small></td>"]
    for step in steps:
        found = row.steps.get(step)
        if found is None:
            cells.append('<td class="soft">left out</td>')
        elif found.state in FINISHED:
            picture = _thumbnail(row.item, step, found, out)
            shown = (
                f'<img src="{quote(picture)}" loading="lazy" alt="{step} of {html.escape(row.item.id)}">'
                if picture
                else ""
            )
            note = _first_line(found.why) if found.why else ""
            cells.append(
                f"<td>{shown}<small>{html.escape(found.engine)}{': ' if note else ''}{html.escape(note)}</small></td>"
            )
        else:
            cells.append(
                f'<td class="{found.state}">{found.state}<small>{html.escape(_first_line(found.why))}</small></td>'
            )
    return f"<tr>{''.join(cells)}</tr>"


def _thumbnail(item: Item, step: str, found: Standing, out: Path) -> str:
    """The small picture of a finished step, relative to OUT; made once for each content. Empty where none can be made."""
    path = Path("work") / item.id / "pictures" / f"{step}-{found.product}.jpg"
    if not (out / path).exists():
        try:
            picture = PICTURES[step](item)
        except (ValueError, OSError):  # a file edited into something unusable: the next step will say so
            return ""
        scale = LONG_SIDE / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
        for old in (out / path).parent.glob(f"{step}-*.jpg"):
            old.unlink()
        save_bytes(out / path, data)
    return path.as_posix()


def _masked(item: Item, step: str, rgb: Sequence[float]) -> UInt8[np.ndarray, "h w 3"]:
    """The photograph with a mask tinted."""
    image, mask = photograph(item).astype(np.float32), saved_mask(item, step)[..., None]
    tinted = np.where(mask, 0.45 * image + 0.55 * 255 * np.asarray(rgb, np.float32), 0.6 * image + 60)
    return np.clip(tinted, 0, 255).astype(np.uint8)


def _human(item: Item) -> UInt8[np.ndarray, "h w 3"]:
    human = person(item)
    blue = human.mesh._replace(rgb=np.tile(np.asarray(HUMAN_RGB), (len(human.mesh.verts), 1)))
    return overlay(photograph(item), solid([blue]), human.camera, np.asarray(human.pose.translation), LONG_SIDE)


def _complete(item: Item) -> UInt8[np.ndarray, "h w 3"]:
    with Image.open(item.file("complete")) as picture:
        return _on_ground(np.asarray(picture.convert("RGBA")))


def _mesh(item: Item) -> UInt8[np.ndarray, "h w 3"]:
    mesh = load_mesh(item.file("mesh"))
    return _on_ground(view_pictures(solid([mesh]), mesh.verts, (LONG_SIDE, LONG_SIDE), ("front",))["front"])


def _depth(item: Item) -> UInt8[np.ndarray, "h w 3"]:
    depth = load_depth(item.file("depth"), lambda *_: None)
    low, high = np.quantile(depth[depth > 0], (0.02, 0.98))
    near = np.clip((high - depth) / max(high - low, 1e-9), 0, 1) * (depth > 0)
    return cv2.applyColorMap((255 * near).astype(np.uint8), cv2.COLORMAP_MAGMA)[..., ::-1]


def _placed(item: Item) -> UInt8[np.ndarray, "h w 3"]:
    human, thing = person(item), load_mesh(item.folder("coarse") / "object.obj")
    shape = painted(human.mesh, thing)
    return overlay(photograph(item), shape, human.camera, np.asarray(human.pose.translation), LONG_SIDE)


def _from_the_side(item: Item) -> UInt8[np.ndarray, "h w 3"]:
    human, thing = person(item), load_mesh(item.folder("coarse") / "object.obj")
    framed = np.concatenate([human.mesh.verts, thing.verts])
    view = view_pictures(painted(human.mesh, thing), framed, (LONG_SIDE, LONG_SIDE), ("side",))["side"]
    return _on_ground(view)


def _on_ground(
    picture: UInt8[np.ndarray, "h w 4"], ground: Float[np.ndarray, "3"] | None = None
) -> UInt8[np.ndarray, "h w 3"]:
    """Over a light ground."""
    ground = np.full(3, 236.0) if ground is None else ground
    alpha = picture[..., 3:] / 255
    return (picture[..., :3] * alpha + ground * (1 - alpha)).astype(np.uint8)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


PICTURES: dict[str, Callable[[Item], UInt8[np.ndarray, "h w 3"]]] = {
    "image": photograph,
    "person_mask": lambda item: _masked(item, "person_mask", HUMAN_RGB),
    "object_mask": lambda item: _masked(item, "object_mask", OBJECT_RGB),
    "human": _human,
    "complete": _complete,
    "mesh": _mesh,
    "depth": _depth,
    "coarse": _placed,
    "sample": _from_the_side,
}
