"""The file of replies, and what a folder of them depends on."""

import json

import pytest

from hoijax.data.sample import SampleError
from hoijax.tasks.understanding.answers import AnswerLog, Key, Reply, changes, keep_options, load_given
from hoijax.tasks.understanding.prompts import QUESTIONS, Prompts, dialogue, load_prompts, pick_prompt

ONE, TWO = Key("cup/hold_1", "object", "answer"), Key("cup/hold_1", "action", "answer")


def test_replies_come_back_and_the_last_one_counts(tmp_path) -> None:
    log = AnswerLog(tmp_path / "new" / "answers.jsonl")
    log.add(ONE, Reply((), "out of memory"))
    assert log.missing([ONE, TWO]) == [ONE, TWO]
    log.add(ONE, Reply(("a\nb", "“cup” \u2028 {}")))
    again = AnswerLog(log.path)
    assert again.replies == {ONE: Reply(("a\nb", "“cup” \u2028 {}"))}
    assert again.missing([ONE, TWO]) == [TWO]
    assert not again.mended
    assert len(log.path.read_text().split("\n")) == 3


def test_another_answer_undoes_the_pick_that_was_made_from_the_former_one(tmp_path) -> None:
    log, pick = AnswerLog(tmp_path / "answers.jsonl"), ONE._replace(stage="pick")
    log.add(ONE, Reply(("", "a cup")))
    log.add(pick, Reply(("cup",)))
    assert AnswerLog(log.path).missing([ONE, pick]) == []
    log.add(ONE, Reply(("", "a bench")))
    assert log.missing([ONE, pick]) == [pick]
    assert AnswerLog(log.path).missing([ONE, pick]) == [pick]


def test_every_way_to_cut_the_last_line_costs_only_that_line(tmp_path) -> None:
    log = AnswerLog(tmp_path / "answers.jsonl")
    log.add(ONE, Reply(("first", "cup")))
    first = log.path.read_bytes()
    log.add(TWO, Reply(("zweite ü", "hold")))
    whole = log.path.read_bytes()
    for end in range(len(first) + 1, len(whole)):
        log.path.write_bytes(whole[:end])
        cut = AnswerLog(log.path)
        assert cut.mended
        assert cut.missing([ONE, TWO]) == [TWO]
        cut.add(TWO, Reply(("again", "hold")))
        assert AnswerLog(log.path).replies[TWO].texts == ("again", "hold")


def test_another_file_is_not_taken_for_ours(tmp_path) -> None:
    path = tmp_path / "answers.jsonl"
    for line in ("nonsense", "[1]", '{"sample": "a"}'):
        path.write_text(line + "\n")
        with pytest.raises(SampleError, match="line 1 is none of ours"):
            AnswerLog(path)


def test_other_options_want_another_folder(tmp_path) -> None:
    options = {"cloud": {"points": 8192}, "words": ["cup", "bench"], "picker": "qwen"}
    keep_options(tmp_path, {"picker": "match"})
    keep_options(tmp_path, options)  # nothing was answered yet
    AnswerLog(tmp_path / "answers.jsonl").add(ONE, Reply(("a",)))
    keep_options(tmp_path, options)
    with pytest.raises(SampleError, match=r"cloud\.points is now 100, was 8192"):
        keep_options(tmp_path, {**options, "cloud": {"points": 100}})
    with pytest.raises(SampleError, match="words is now without bench and with chair"):
        keep_options(tmp_path, {**options, "words": ["cup", "chair"]})
    with pytest.raises(SampleError, match="picker is now null"):
        keep_options(tmp_path, {"cloud": {"points": 8192}, "words": ["cup", "bench"]})
    assert changes(["a", "b"], ["b", "a"], "words") == ["words is now in another order"]
    AnswerLog(tmp_path / "lost" / "answers.jsonl").add(ONE, Reply(("a",)))
    with pytest.raises(SampleError, match="nobody knows what was asked"):
        keep_options(tmp_path / "lost", options)


def test_clouds_of_a_run_that_was_stopped_before_the_first_reply_are_not_taken_for_other_options(tmp_path) -> None:
    cloud = tmp_path / "clouds" / "cup" / "hold_1.npy"
    keep_options(tmp_path, {"cloud": {"up": "y"}})
    cloud.parent.mkdir(parents=True)
    cloud.write_bytes(b"drawn with y up")
    keep_options(tmp_path, {"cloud": {"up": "y"}})
    assert cloud.is_file()
    keep_options(tmp_path, {"cloud": {"up": "z"}})
    assert not cloud.exists()


def test_answers_of_the_user(tmp_path) -> None:
    path = tmp_path / "mine.jsonl"
    good = {"sample": "cup/hold_1", "question": "object", "answer": "a cup"}
    path.write_text(json.dumps(good) + "\n\n" + json.dumps({**good, "question": "action", "description": "d"}) + "\n")
    assert load_given(path) == {ONE: Reply(("", "a cup")), TWO: Reply(("d", "a cup"))}
    for line, told in (
        ("{", "line 1 is no JSON"),
        ("3", "line 1: expected"),
        (json.dumps({"sample": "a", "question": "object"}), "line 1: expected"),
        (json.dumps({**good, "answer": 3}), "line 1: expected"),
        (json.dumps({**good, "question": "colour"}), "'colour' is none of object, action"),
        (json.dumps(good) + "\n" + json.dumps(good), "line 2: cup/hold_1 has a second answer"),
        (json.dumps({**good, "answer": "cup \ud83d"}), "line 1: half of a surrogate pair"),
        (" ", "holds no answer"),
    ):
        path.write_text(line)
        with pytest.raises(SampleError, match=told):
            load_given(path)
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(SampleError, match="UTF-8"):
        load_given(path)


def test_only_what_is_given_is_told() -> None:
    told = {"object": "kayak", "action": "paddle"}
    for question in QUESTIONS:
        text = " ".join(dialogue(question, told, Prompts()).turns)
        assert ("kayak" in text) == (question.given == "object")
        assert ("paddle" in text) == (question.given == "action")
    [text] = pick_prompt(QUESTIONS[0], "It {is} red.", "a cup", ("cup", "bench"), Prompts()).turns
    assert "It {is} red." in text
    assert "cup, bench" in text


def test_prompts_of_the_user(tmp_path) -> None:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"ask_object": "Thing?", "pick_object": "{words} <- {answer}"}))
    prompts = load_prompts(path)
    assert dialogue(QUESTIONS[0], {}, prompts).turns == (Prompts().describe, "Thing?")
    assert pick_prompt(QUESTIONS[0], "d", "a", ("x", "y"), prompts).turns == ("x, y <- a",)
    for text, told in (
        ("[]", "expected"),
        ('{"ask": "x"}', "has no use for ask"),
        ('{"ask_object": "the {action}?"}', "ask_object has the places"),
        ('{"pick_action": "which?"}', "needs {words}"),
        ('{"describe": "open { brace"}', "write {{ and }}"),
        ('{"describe": ""}', "expected"),
    ):
        path.write_text(text)
        with pytest.raises(SampleError, match=told):
            load_prompts(path)
