"""Agreement of annotators, against scikit-learn and by hand."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sklearn.metrics import cohen_kappa_score

from hoijax.annotate.agreement import Line, agreement, cohen_kappa, pose_difference
from hoijax.annotate.agreement_tables import (
    agreement_csv,
    agreement_latex,
    agreement_markdown,
    agreement_page,
    agreement_text,
)
from hoijax.annotate.items import find_items
from hoijax.annotate.store import load_events, open_store
from hoijax.data.read import load_sample
from tests.annotate.decided import READERS, decide, finish

BALL, BOX, CHAIR = "ball/hold_0", "box/carry_0", "chair/sit_on_0"


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    classes = ["pass", "delete", "again"][: 2 + seed % 2]
    first = random.choice(classes, 40, p=[0.8, *[0.2 / (len(classes) - 1)] * (len(classes) - 1)])
    second = np.where(random.random(40) < 0.6, first, random.choice(classes, 40))
    found = cohen_kappa(first.tolist(), second.tolist())
    assert found.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert found.observed == pytest.approx((first == second).mean())


def test_kappa_of_known_tables() -> None:
    assert cohen_kappa("abab", "abab").value == 1
    assert cohen_kappa("abab", "baba").value == -1
    assert cohen_kappa("aabb", "abab").value == 0
    assert cohen_kappa("aaab", "aaaa").value == 0  # no better than chance, though three of four are equal


def test_kappa_is_undefined_where_nobody_ever_said_anything_else() -> None:
    found = cohen_kappa(["pass"] * 5, ["pass"] * 5)
    assert math.isnan(found.value)
    assert found.observed == 1
    assert found.why == "undefined: both always said pass"
    assert cohen_kappa([], []).why == "no common items"
    with pytest.raises(ValueError, match="2 and 1 decisions"):
        cohen_kappa("ab", "a")


@pytest.mark.slow  # the scenes take a while to make
def test_pose_difference_of_a_known_similarity(tree: Path) -> None:
    sample = load_sample(tree / BOX)
    verts = sample.object.verts.astype(np.float64)
    middle = verts.mean(0)
    turned = (verts - middle) @ Rotation.from_rotvec([0, np.radians(10), 0]).as_matrix().T * 1.25 + middle
    for first, second in ((verts, turned + [0.03, 0, 0.04]), (turned + [0.03, 0, 0.04], verts)):
        found = pose_difference(sample, first, second, sample.object.faces)
        assert found.scale == pytest.approx(1.25)
        assert found.rotation_degrees == pytest.approx(10)
        assert found.translation_cm == pytest.approx(5)
        assert found.vertex_cm > found.chamfer_cm > 0
    same = pose_difference(sample, verts, verts, sample.object.faces)
    assert same == pytest.approx((1, 0, 0, 0, 0), abs=1e-6)


@pytest.fixture
def lines(tree: Path) -> list[Line]:
    """Anna and bert on all three items, carl on one; what is about older files or unfinished does not count."""
    items = find_items(tree)
    store = open_store(tree / "annotations.sqlite")
    for who, shift, parts in (("anna", 0.0, ["back"]), ("bert", 0.02, ["back", "neck"])):
        for item in (BALL, BOX):
            finish(store, items, who, item, parts, shift)
        decide(
            store, items, who, CHAIR, "filter", "judge", human="delete", object="pass" if who == "anna" else "delete"
        )
        decide(store, items, who, CHAIR, "contact", "begun")
    decide(store, items, "carl", BALL, "contact", "done", parts=["back"])
    mesh = items.folders[BALL] / "object_mesh.obj"
    mesh.write_text(mesh.read_text() + "# changed\n")
    store.close()
    return agreement(items, load_events(tree / "annotations.sqlite"), READERS)


def value(lines: list[Line], pair: tuple[str, str], measure: str) -> Line:
    (found,) = [line for line in lines if line.pair == pair and line.measure == measure]
    return found


@pytest.mark.slow  # the scenes take a while to make
def test_agreement_of_a_store(lines: list[Line]) -> None:
    both = "anna", "bert"
    assert value(lines, both, "human: kappa")[3:5] == (3, 1)
    assert value(lines, both, "object: equal")[3:5] == (3, pytest.approx(2 / 3))
    assert value(lines, both, "object: equal").note == "pass / delete: 1"
    assert value(lines, both, "parts: Jaccard")[3:5] == (2, 0.5)
    assert value(lines, both, "parts: F1")[3:5] == (2, pytest.approx(2 / 3))
    ours, theirs = ([name in parts for name in range(34)] * 2 for parts in ({4}, {4, 2}))
    assert value(lines, both, "parts: kappa, pooled")[3:5] == (68, pytest.approx(cohen_kappa_score(ours, theirs)))
    assert value(lines, both, "back: kappa").note == "undefined: both always said touches"
    assert value(lines, both, "neck: kappa").value == 0
    assert value(lines, both, "centre, cm: median")[3:5] == (1, pytest.approx(2, abs=1e-4))  # the ball's files changed
    assert math.isnan(value(lines, both, "quality: kappa").value)
    assert value(lines, ("anna", "carl"), "parts: Jaccard")[3:5] == (1, 1)
    assert not [line for line in lines if line.pair == ("anna", "carl") and line.tool != "contact"]


@pytest.mark.slow  # the scenes take a while to make
def test_the_tables_say_the_same(lines: list[Line]) -> None:
    read = list(csv.DictReader(agreement_csv(lines).splitlines()))
    assert len(read) == len(lines)
    assert float(next(row for row in read if row["measure"] == "parts: F1")["value"]) == pytest.approx(2 / 3)
    assert next(row for row in read if row["measure"] == "quality: kappa")["value"] == ""
    assert "anna / bert  contact  parts: Jaccard            " in agreement_text(lines)
    assert "left palm" not in agreement_text(lines)
    assert "left palm: kappa" in agreement_text(lines, parts=True)
    assert "| anna / bert | contact | parts: Jaccard | 2 | 0.500 |" in agreement_markdown(lines)
    assert r"anna / bert & contact & parts: Jaccard & 2 & 0.500 \\" in agreement_latex(lines)


@pytest.mark.slow  # the scenes take a while to make
def test_the_page_escapes_and_holds_every_number(lines: list[Line]) -> None:
    page = agreement_page([*lines, Line(("<b>", "&"), "filter", "sample: kappa", 1, math.nan, "<script>")])
    assert "<script>" not in page
    assert "&lt;b&gt; and &amp;" in page
    assert page.count("<tr>") == len(lines) + 1 + 7  # a head for each of four pairs, and for the parts of three
