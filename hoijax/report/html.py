"""The page of one result: a single file that needs no network."""

import base64
import io
import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from hoijax import __version__
from hoijax.data.results import Result
from hoijax.data.sample import Sample
from hoijax.report import words
from hoijax.report.figures import curves, scene_figure
from hoijax.report.overlay import (
    NEAR,
    SCORE,
    TRUTH_RGB,
    body_pictures,
    framing,
    heat,
    object_distance,
    overlay,
    painted,
    view_pictures,
)
from hoijax.report.raycast import Solid, solid
from hoijax.report.tables import STATES, heading, improved, known_metrics, metric, metric_text

LONG_SIDE = 960  # pixels of the pictures on the page
QUALITY = 84  # of their WebP

Pixels = UInt8[np.ndarray, "h w c"]


def report_html(sample: Sample, result: Result) -> str:
    """The page: comparison with the photograph, warnings, 3D scene, views, contact, metrics, losses, options."""
    distance = object_distance(result)
    shapes = {"start": painted(sample.human, sample.object), "result": painted(result.human, result.object)}
    if sample.truth is not None:
        shapes["annotation"] = painted(sample.human, sample.truth, TRUTH_RGB)
    sections = [
        _head(sample, result),
        _compare(sample, result, shapes),
        _scene(sample, result, distance),
        _views(shapes, framing(sample, result)),
        _contact(result, distance),
        _metrics(result),
        _losses(result),
        _details(result),
    ]
    style, script = (files("hoijax.report").joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(result.name)} · hoijax</title>\n<link rel="icon" href="data:,">\n'
        f"<style>\n{style}</style>\n</head>\n"
        "<body>\n" + "\n".join(sections) + f"\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def image_tag(picture: Pixels, alt: str, attributes: str = "") -> str:
    """An <img> that holds its picture, as WebP. `alt` tells those who cannot see it what it shows."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "webp", quality=QUALITY, method=2)
    code = base64.b64encode(data.getvalue()).decode("ascii")
    h, w = picture.shape[:2]
    return f'<img src="data:image/webp;base64,{code}" width="{w}" height="{h}" alt="{escape(alt)}" {attributes}>'


def _head(sample: Sample, result: Result) -> str:
    said = "".join(f"<li>{escape(text)}</li>" for text in words.warnings(result))
    box = f'<section class="warnings" role="note"><h2>Before you trust it</h2><ul>{said}</ul></section>' if said else ""
    notes = "".join(f"<li>{escape(note)}</li>" for note in result.notes)
    box += f'<section class="notes" role="note"><h2>Good to know</h2><ul>{notes}</ul></section>' if notes else ""
    facts = "".join(f"<li><b>{escape(f.value)}</b><span>{escape(f.meaning)}</span></li>" for f in words.facts(result))
    return (
        f"<header><h1>{escape(words.title(sample))}</h1>\n"
        f'<p class="soft">{escape(result.name)} · reconstructed from one photograph, preset '
        f"{escape(str(result.config.get('preset', '?')))}</p>\n"
        f'<p class="lead">{escape(words.summary(sample, result))}</p>{box}\n<ul class="facts">{facts}</ul></header>\n<main>'
    )


def _compare(sample: Sample, result: Result, shapes: Mapping[str, Solid]) -> str:
    """The result over the photograph; a slider uncovers the photograph, the start or the annotation."""
    poses = {"result": result.pose}
    drawn = {
        name: overlay(
            sample.image, shape, sample.camera, np.asarray(poses.get(name, sample.pose).translation), LONG_SIDE
        )
        for name, shape in shapes.items()
    }
    over = drawn.pop("result")
    photo = cv2.resize(sample.image, over.shape[1::-1], interpolation=cv2.INTER_AREA)
    under = {"photograph": (photo, "The photograph")}
    under |= {name: (picture, f"The {name} over the photograph") for name, picture in drawn.items()}
    images = "".join(
        image_tag(picture, alt, f'data-name="{name}"' + (' class="on"' if name == "photograph" else ""))
        for name, (picture, alt) in under.items()
    )
    shown = _chips("Left side", "radio", "under", [(name, name, "") for name in under], {"photograph"})
    return (
        "<section><h2>Over the photograph</h2>\n"
        '<p class="soft">Drag the line. Person blue, object orange; the annotation, where there is one, green.</p>\n'
        f'<figure class="compare">{image_tag(over, "The reconstruction over the photograph")}'
        f'<div class="under">{images}</div><span class="corner left">photograph</span><span class="corner right">result'
        '</span><input type="range" min="0" max="100" step="0.5" value="42" aria-label="How much of the left side shows">'
        f"</figure>\n{shown}</section>"
    )


def _scene(sample: Sample, result: Result, distance: Float[np.ndarray, " v"]) -> str:
    figure, colors = scene_figure(sample, result, distance)
    plot = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        config={"displaylogo": False, "displayModeBar": False, "responsive": True, "scrollZoom": True},
        default_width="100%",
        default_height="100%",
    )
    traces = [("0", "person", "human"), ("1", "object", "object"), ("2", "where it started", "start")]
    if sample.truth is not None:
        traces.append(("3", "annotation", "truth"))
    coloring = [
        ("plain", "plain", ""),
        ("photo", "from the photograph", ""),
        ("nearness", "nearness to the object", ""),
    ]
    return (
        "<section><h2>In three dimensions</h2>\n"
        '<p class="soft">Drag to turn, scroll or pinch to come nearer.</p>\n'
        f'<div id="scene" role="img" aria-label="Person and object in 3D, seen from the front and a little from the side">'
        f"{plot}</div>\n{_chips('Show', 'checkbox', 'trace', traces, {'0', '1'})}"
        f"{_chips('Colours', 'radio', 'coloring', coloring, {'plain'}, TURN)}"
        f'<script type="application/json" id="colors">{json.dumps(colors)}</script></section>'
    )


TURN = '<button type="button" id="turn" aria-pressed="false">Turn</button>'


def _views(shapes: Mapping[str, Solid], framed: Float[np.ndarray, "n 3"]) -> str:
    titles = {"front": "from the camera", "side": "from the side", "top": "from above"}
    cells = '<span class="blank"></span>' + "".join(
        f'<span class="head soft">{text}</span>' for text in titles.values()
    )
    for state, shape in shapes.items():
        pictures = view_pictures(shape, framed, (400, 400))
        cells += f'<span class="row soft">{state}</span>'
        cells += "".join(image_tag(pictures[side], f"{state}, seen {text}") for side, text in titles.items())
    return (
        "<section><h2>From three sides</h2>\n"
        '<p class="soft">What the photograph cannot show: depth, and how the two stand to each other.</p>\n'
        f'<div class="views">{cells}</div></section>'
    )


def _contact(result: Result, distance: Float[np.ndarray, " v"]) -> str:
    parts = "".join(f'<span class="tag">{escape(name)}</span>' for name in result.contact_parts)
    touching = f'<div class="chips">{parts}</div>' if parts else "<p>No body part touches the object.</p>"
    shape = solid([result.human])
    near = (
        "Nearness",
        f"Distance of the body to the object's surface: dark red touches, pale is {100 * NEAR:.0f} cm away.",
    )
    score = (
        "Contact score",
        (
            "Eq. 4 of the paper, low for contact. It mixes nearness with opacity: what the camera cannot see scores low too."
        ),
    )
    bodies = _body(*near, shape, distance, NEAR, ("touching", f"{100 * NEAR:.0f} cm or more"))
    bodies += _body(*score, shape, np.asarray(result.contact, np.float64), SCORE, ("0", f"{SCORE} or more"))
    return f'<section><h2>Where they touch</h2>\n{touching}\n<div class="bodies">{bodies}</div></section>'


def _body(
    name: str, about: str, shape: Solid, value: Float[np.ndarray, " v"], full: float, ends: tuple[str, str]
) -> str:
    """Front and back of the body coloured by `value`, with the scale and what it means."""
    pictures = body_pictures(shape, heat(value, full))
    images = image_tag(pictures["front"], f"{name} on the body, camera's side")
    images += image_tag(pictures["back"], f"{name} on the body, from behind")
    stops = ", ".join(f"rgb({r:.0f} {g:.0f} {b:.0f})" for r, g, b in 255 * heat(np.linspace(0, full, 9), full))
    return (
        f"<figure><div>{images}</div>"
        f'<div class="bar" style="background: linear-gradient(to right, {stops})"></div>'
        f'<p class="ends soft"><span>{ends[0]}</span><span>{ends[1]}</span></p>'
        f"<figcaption><b>{name}.</b> {about}</figcaption></figure>"
    )


def _metrics(result: Result) -> str:
    names = known_metrics([result])
    states = [state for state in STATES if any(state in result.metrics[name] for name in names)]
    head = "".join(f'<th scope="col">{state}</th>' for state in states)
    rows = "".join(_metric_row(name, result.metrics[name], states) for name in names)
    unknown = ", ".join(metric(name).title for name in result.metrics if name not in names)
    note = f'<p class="soft">Not known for this sample: {escape(unknown)}.</p>' if unknown else ""
    return (
        "<section><h2>How good it is</h2>\n"
        '<p class="soft">Arrows point to better. Green where the result beats the start, red where it is worse.</p>\n'
        f'<div class="wide"><table><thead><tr><th scope="col">metric</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{note}</section>"
    )


def _metric_row(name: str, values: Mapping[str, float], states: Sequence[str]) -> str:
    texts = {state: metric_text(values.get(state, math.nan), name) for state in states}
    verdict = improved(name, values.get("start", math.nan), values.get("result", math.nan))
    if verdict is not None and texts.get("start") != texts.get("result"):
        kind = "better" if verdict else "worse"
        texts["result"] = f'<span class="{kind}" title="{kind} than the start">{texts["result"]}</span>'
    cells = "".join(f"<td>{text}</td>" for text in texts.values())
    return f"<tr><td>{escape(heading(name))}<small>{escape(metric(name).about)}</small></td>{cells}</tr>"


def _losses(result: Result) -> str:
    return (
        "<section><h2>What the optimizer saw</h2>\n"
        '<p class="soft">Each term before its weight, over the steps; dashed lines where a stage ends.</p>\n'
        f'<div class="curves">{curves(result.history, result.config)}</div></section>'
    )


def _details(result: Result) -> str:
    options = escape(json.dumps(result.config, indent=2, default=str))
    where = (
        f"scale {result.scale:.6g}\nrotation {np.array2string(np.asarray(result.rotation), precision=6)}\n"
        f"translation {np.array2string(np.asarray(result.translation), precision=6)} m\n"
        f"pivot {np.array2string(np.asarray(result.pivot), precision=6)} m\n\n"
        "x' = scale * rotation (x - pivot) + pivot + translation"
    )
    return (
        "<section><h2>Small print</h2>\n"
        f"<details><summary>Where the object went</summary><pre>{escape(where)}</pre></details>\n"
        f"<details><summary>Options</summary><pre>{options}</pre></details></section></main>\n"
        f"<footer>hoijax {escape(__version__)}. Beside this page lie the meshes, scene.glb for any 3D viewer, gaussians.ply "
        "for splat viewers, and result.json with every number.</footer>"
    )


def _chips(
    legend: str, kind: str, name: str, items: Sequence[tuple[str, str, str]], on: set[str], after: str = ""
) -> str:
    """A row of radio buttons or check boxes: (value, text, colour class)."""
    labels = "".join(
        f'<label><input type="{kind}" name="{name}" value="{value}"{" checked" if value in on else ""}>'
        + (f'<i class="dot {dot}"></i>' if dot else "")
        + f"{text}</label>"
        for value, text, dot in items
    )
    return f'<fieldset class="chips"><legend>{legend}</legend>{labels}{after}</fieldset>'
