"""The page's parts as text: figures, words, and a file that needs nothing but itself."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from hoijax.data.results import Result
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.report import words
from hoijax.report.figures import FACES, curve, curves, page_mesh, scene_figure
from hoijax.report.folder import THUMBNAIL_WIDTH, result_pages
from hoijax.report.html import report_html
from hoijax.report.overlay import object_distance

VOID = {"meta", "link", "img", "input", "line", "polyline", "br"}


class Outline(HTMLParser):
    """Tags in the order of the file, unbalanced ones, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.unbalanced: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)


@pytest.fixture(scope="module")
def page(sample: Sample, result: Result) -> str:
    return report_html(sample, result)


def test_page_is_well_formed_and_self_contained(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.unbalanced == []
    assert outline.open == []
    addresses = [attrs[key] for _, attrs in outline.tags for key in ("src", "href") if key in attrs]
    assert len(addresses) > 10
    assert all(address.startswith("data:") for address in addresses)
    assert all(attrs.get("alt") for tag, attrs in outline.tags if tag == "img")
    assert [tag for tag, _ in outline.tags].count("h1") == 1
    assert len(page) < 8e6
    assert page.count("plotly.js v") == 1  # the library stands in the page once


def test_page_says_what_a_reader_must_know(page: str) -> None:
    text = re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    for said in (
        "A person and a coffee cup · drinking",
        "the contact region is empty",
        "dropped 7 entries",
        "h_mesh.obj held fixed",
        "left palm",
        "0.950",
    ):
        assert said in text, said


def test_names_cannot_break_the_page(sample: Sample, result: Result) -> None:
    evil = '<script>alert("x")</script>'
    page = report_html(
        sample._replace(category=evil),
        result._replace(name=evil, notes=(evil,), reasons={evil: evil}, contact_parts=(evil,), config={"preset": evil}),
    )
    assert evil not in page
    assert page.count("&lt;script&gt;") >= 5


def test_page_without_annotation(sample: Sample, result: Result) -> None:
    metrics = {"iou_object": {"start": 0.4, "result": 0.9}, "chamfer_cm": {"start": np.nan, "result": np.nan}}
    page = report_html(sample._replace(truth=None), result._replace(metrics=metrics))
    assert "no annotated object" in page
    assert 'value="annotation"' not in page
    assert ">annotation</th>" not in page


def test_summary_states_the_movement(sample: Sample, result: Result) -> None:
    said = words.summary(sample, result)
    distance = 100 * np.linalg.norm(result.translation)
    assert "1.20 times as large" in said
    assert f"moved by {distance:.1f} cm" in said
    assert f"turned by {np.degrees(0.2):.1f}°" in said
    assert "0.95" in said
    assert "kept at its size" in words.summary(sample, result._replace(scale=1.001))
    assert words.title(sample._replace(category="apple", action=None)) == "A person and an apple"
    assert words.title(sample._replace(category=None, action=None)) == "A person and an object"


def test_warnings_come_when_they_must_and_only_then(result: Result) -> None:
    fine = result._replace(dropped=0, reasons={}, metrics={"gap_cm": {"result": 1.0}})
    assert words.warnings(fine) == []
    assert "dropped 3" in words.warnings(fine._replace(dropped=3))[0]
    assert "contact" in words.warnings(fine._replace(reasons={"contact": "empty"}))[0]
    assert "No body part" in words.warnings(fine._replace(contact_parts=()))[0]
    assert "6.0 cm apart" in words.warnings(fine._replace(metrics={"gap_cm": {"result": 6.0}}))[0]
    assert "overlap by up to 3.0" in words.warnings(fine._replace(metrics={"penetration_max_cm": {"result": 3.0}}))[0]
    opened = fine.object._replace(faces=fine.object.faces[1:])
    assert "not watertight" in words.warnings(fine._replace(object=opened))[0]


def test_curves_mark_stages_and_skip_what_was_never_evaluated() -> None:
    history = {
        "l1_object": np.array([1.0, 0.5, np.nan, np.nan]),
        "loss": np.array([100.0, 10.0, 1.0, 0.5]),
        "never": np.full(4, np.nan),
    }
    drawn = curves(history, {"stages": [{"steps": 2}, {"steps": 2}]})
    assert drawn.index("weighted sum") < drawn.index("l1 object")
    assert "never" not in drawn
    assert "1 → 0.5<" in drawn
    assert "100 → 0.5 (log scale)" in drawn
    assert drawn.count('class="stage"') == 2
    assert curve("x", np.array([2.0])).count("polyline") == 1
    assert curve("x", np.zeros(5)).count("polyline") == 1


def test_scene_is_upright_and_light(sample: Sample, result: Result) -> None:
    figure, colors = scene_figure(sample, result, object_distance(result))
    assert [trace.name for trace in figure.data] == ["person", "object", "start", "annotation"]
    assert [trace.visible for trace in figure.data] == [True, True, False, False]
    assert figure.layout.scene.camera.up.to_plotly_json() == {"x": 0, "y": -1, "z": 0}
    assert figure.layout.scene.aspectmode == "data"
    for kind in ("photo", "nearness"):
        assert [len(rgb) for rgb in colors[kind]] == [len(figure.data[0].x), len(figure.data[1].x)]
    json.dumps(colors)
    without, _ = scene_figure(sample._replace(truth=None), result, object_distance(result))
    assert len(without.data) == 3


def test_page_mesh_decimates_and_passes_soups_through(sample: Sample) -> None:
    unit = np.linspace(0, 2 * np.pi, 121)
    u, v = np.meshgrid(unit, unit, indexing="ij")
    verts = np.stack([(2 + np.cos(v)) * np.cos(u), (2 + np.cos(v)) * np.sin(u), np.sin(v)], -1).reshape(-1, 3)
    i = (np.arange(120)[:, None] * 121 + np.arange(120)).ravel()
    faces = np.concatenate([np.stack([i, i + 121, i + 1], 1), np.stack([i + 1, i + 121, i + 122], 1)]).astype(np.int32)
    torus = ColoredMesh(verts, faces, np.zeros_like(verts))
    assert len(page_mesh(torus).faces) <= FACES
    corners = verts[faces].reshape(-1, 3) + 1e-3 * np.random.default_rng(0).normal(size=(3 * len(faces), 3))
    soup = ColoredMesh(corners, np.arange(3 * len(faces), dtype=np.int32).reshape(-1, 3), np.zeros_like(corners))
    assert len(page_mesh(soup).faces) > 0
    assert page_mesh(sample.human) is sample.human


def test_result_pages_are_readable_pictures_and_a_page(sample: Sample, result: Result, tmp_path) -> None:
    pages = result_pages(sample, result)
    assert set(pages) == {"overlay.png", "thumbnail.jpg", "report.html"}
    for name in ("overlay.png", "thumbnail.jpg"):
        (tmp_path / name).write_bytes(pages[name])
        with Image.open(tmp_path / name) as picture:
            assert picture.width <= (THUMBNAIL_WIDTH if name == "thumbnail.jpg" else 1280)
            assert abs(picture.width / picture.height - 128 / 96) < 0.02
    assert pages["report.html"].decode("utf-8").startswith("<!doctype html>")
