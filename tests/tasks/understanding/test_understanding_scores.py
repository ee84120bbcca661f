"""Scores by hand, tables and the page; the nearest cloud."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from hoijax.tasks.understanding.answers import AnswerLog, Key, Reply
from hoijax.tasks.understanding.clouds import CloudOptions, sample_cloud
from hoijax.tasks.understanding.nearest import answer, distances, features, reference
from hoijax.tasks.understanding.page import answers_html
from hoijax.tasks.understanding.prompts import QUESTIONS, Prompts
from hoijax.tasks.understanding.run import Labelled, ask, asked, judge, labelled_samples, picks
from hoijax.tasks.understanding.scores import confusion_csv, judged_csv, scores, table, table_csv, table_latex
from hoijax.tasks.understanding.words import word_list

WORDS = {
    "object": word_list(["cup", "bench", "horse", "ball"], {"bench": ("seat",)}, "object"),
    "action": word_list(["hold", "sit on"], {}, "action"),
}
SAMPLES = [
    Labelled("a", Path("a"), "cup", "hold"),
    Labelled("b", Path("b"), "cup", "hold"),
    Labelled("c", Path("c"), "bench", "sit on"),
    Labelled("d", Path("d"), "horse", "sit on"),
    Labelled("e", Path("e"), "kayak", "hold"),  # not in the list
    Labelled("f", Path("f"), "ball", "hold"),
]
SAID = {"a": "a cup", "b": "cup or ball", "c": "a seat", "d": "cup", "e": "cup", "f": None}


def judged(tmp_path: Path) -> list:
    log = AnswerLog(tmp_path / "answers.jsonl")
    every = asked(SAMPLES, Prompts(), QUESTIONS[:1])

    def engine(left, tell) -> None:
        for item in left:
            said = SAID[item.key.sample]
            tell(item.key, Reply((), "it crashed") if said is None else Reply((f"<i>{said}", said)))

    ask(every, log, engine, lambda reply: None)
    assert log.missing([item.key for item in every]) == [Key("f", "object", "answer")]
    return judge(every, log, WORDS, picked=False)


def test_scores_by_hand(tmp_path) -> None:
    found = judged(tmp_path)
    [row] = scores(found, WORDS)
    assert (row.n, row.failed, row.unlisted) == (4, 1, 1)
    assert row.top1 == 0.5  # a and c of a, b, c, d
    assert row.error == pytest.approx(np.std([1, 0, 1, 0], ddof=1) / 2)
    assert (row.no_word, row.several, row.chance, row.frequent) == (0.0, 0.25, 0.25, 0.5)
    assert table([row])[1] == [
        ["object", "nothing", "4", "0.500 ± 0.289", "0.000", "0.250", "0.250", "0.500", "1", "1"]
    ]
    lines = list(csv.reader(io.StringIO(confusion_csv(found))))
    assert ["object", "bench", "bench", "1"] in lines
    assert ["object", "cup", "(several)", "1"] in lines
    assert ["object", "horse", "cup", "1"] in lines
    assert ["object", "ball", "(failed)", "1"] in lines
    every = list(csv.DictReader(io.StringIO(judged_csv(found))))
    assert [line["kind"] for line in every] == ["word", "several", "synonym", "word", "word", "failed"]
    assert [line["right"] for line in every] == ["1", "0", "1", "0", "0", "0"]
    assert every[5]["error"] == "it crashed"
    assert "0.5" in table_csv([row])
    assert r"0.500 $\pm$ 0.289" in table_latex([row], "x", ["100 %"])
    assert r"100 \%" in table_latex([row], "x", ["100 %"])
    page = answers_html(found, [row], ["note"])
    assert "&lt;i&gt;cup" in page
    assert "<i>" not in page
    assert "it crashed" in page


def test_nothing_answered_is_no_number(tmp_path) -> None:
    every = asked(SAMPLES, Prompts(), QUESTIONS[:1])
    [row] = scores(judge(every, AnswerLog(tmp_path / "none"), WORDS, picked=False), WORDS)
    assert (row.n, row.failed) == (0, 6)
    assert table([row])[1][0][3] == "–"


def test_picks_are_asked_of_what_is_answered_and_decide(tmp_path) -> None:
    log = AnswerLog(tmp_path / "answers.jsonl")
    every = asked(SAMPLES[:2], Prompts(), QUESTIONS[:1])
    log.add(every[0].key, Reply(("seen", "some vessel")))
    [wanted] = picks(every, log, WORDS, Prompts())
    assert wanted.key == Key("a", "object", "pick")
    assert "some vessel" in wanted.dialogue.turns[0]
    assert "cup, bench, horse, ball" in wanted.dialogue.turns[0]
    log.add(wanted.key, Reply(("Cup",)))
    first, second = judge(every, log, WORDS, picked=True)
    assert (first.parsed.word, first.pick, first.answer, first.description) == ("cup", "Cup", "some vessel", "seen")
    assert second.error == "was never asked"


def test_labels_of_a_tree(tree) -> None:
    told: list[str] = []
    found = labelled_samples(tree, told.append)
    assert found[0]._replace(folder=tree) == Labelled("bench/sit_on_3", tree, "bench", "sit on")
    assert not told
    for name in ("box_annotation.json", "annotations.json"):
        (tree / "bench" / "sit_on_3" / name).unlink(missing_ok=True)
    (tree / "bench" / "sit_on_3").rename(tree / "bench" / "nameless")
    assert len(labelled_samples(tree, told.append)) == 3
    assert "nameless" in told[0]


def test_the_nearest_cloud_is_found_whatever_the_turn_and_the_person_size(make) -> None:
    def numbers(size, place, turn=0.0, grown=1.0) -> dict:
        sample = make(size, place)
        c, s = np.cos(turn), np.sin(turn)
        matrix = (grown * np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])).astype(np.float32)
        human, thing = (mesh._replace(verts=mesh.verts @ matrix.T) for mesh in (sample.human, sample.object))
        return features(sample_cloud(sample._replace(human=human, object=thing), CloudOptions(4000)), 1)

    small, large = ((0.1, 0.1, 0.1), (0.35, -0.2, 0.0)), ((1.5, 0.4, 0.5), (0.0, 0.5, 0.3))
    known = reference(["s", "l"], ["cup", "bench"], ["hold", "sit on"], [numbers(*small), numbers(*large)])
    asked_for = {question.name: question for question in QUESTIONS}
    turned = numbers(*small, turn=1.0, grown=1.2)
    assert distances(known, turned)[0] < 0.25 * distances(known, turned)[1]
    assert answer(known, turned, asked_for["object"], {})[1] == "cup"
    assert answer(known, turned, asked_for["action"], {})[1] == "hold"
    assert answer(known, turned, asked_for["object"], {}, without="s")[1] == "bench"
    assert answer(known, turned, asked_for["object_given_action"], {"action": "sit on"})[1] == "bench"
    assert answer(known, turned, asked_for["object_given_action"], {"action": "fly"})[1] == "cup"
    alone = reference(["s"], ["cup"], ["hold"], [numbers(*small)])
    with pytest.raises(ValueError, match="no other labelled cloud"):
        answer(alone, turned, asked_for["object"], {}, without="s")
