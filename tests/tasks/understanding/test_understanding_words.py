"""What an answer says: a table of answers as models give them, and the files of words and synonyms."""

import json

import pytest

from hoijax.data.sample import SampleError
from hoijax.tasks.understanding.words import load_synonyms, load_words, parse, word_list

OBJECTS = [
    "bicycle",
    "ball",
    "baseball bat",
    "couch",
    "cup",
    "knife",
    "bench",
    "teddy bear",
    "glass",
    "mug",
    "eggs",
    "bus",
]
ACTIONS = [
    "ride",
    "sit on",
    "lie on",
    "carry",
    "drink with",
    "hold",
    "stop at",
    "wear",
    "throw",
    "cut",
    "type on",
    "swing",
    "catch",
    "look through",
]


@pytest.mark.parametrize(
    ("answer", "kind", "word"),
    [
        ("bicycle", "word", "bicycle"),
        ("  Bicycle.\n", "word", "bicycle"),
        ("**BICYCLES**", "word", "bicycle"),
        ('"a baseball_bat"', "word", "baseball bat"),
        ("The baseball-bat!", "word", "baseball bat"),
        ("It is a Baseball  Bat, held in both hands.", "word", "baseball bat"),
        ("two knives", "word", "knife"),
        ("some glasses", "word", "glass"),
        ("an egg", "word", "eggs"),
        ("buses", "word", "bus"),
        ("the person's cup", "word", "cup"),
        ("a cup - yes, a cup", "word", "cup"),
        ("a bike", "synonym", "bicycle"),
        ("a large brown sofa", "synonym", "couch"),
        ("a bat", "synonym", "baseball bat"),
        ("a sofa, that is, a couch", "word", "couch"),
        ("a soccer ball on a bench", "several", None),
        ("cup or mug", "several", None),
        ("a sofa or a bike", "several", None),
        ("a football", "none", None),
        ("ballet", "none", None),
        ("a ballpoint", "none", None),
        ("cupboard", "none", None),
        ("I cannot tell.", "none", None),
        ("", "none", None),
        ("🙂 ???", "none", None),
        ("Benched", "none", None),  # an object has no past
    ],
)
def test_objects(answer: str, kind: str, word: str | None) -> None:
    found = parse(answer, word_list(OBJECTS, load_synonyms(None)[0], "object"))
    assert (found.kind, found.word) == (kind, word)


@pytest.mark.parametrize(
    ("answer", "kind", "word"),
    [
        ("riding", "word", "ride"),
        ("The person rides a bike", "word", "ride"),
        ("He rode it", "word", "ride"),
        ("sitting_on", "word", "sit on"),
        ("Sitting on the bench.", "word", "sit on"),
        ("sitting", "synonym", "sit on"),
        ("The person is seated on the bench.", "word", "sit on"),
        ("seated", "synonym", "sit on"),
        ("on the seat of a bicycle", "none", None),
        ("laying on a couch", "word", "lie on"),
        ("laid down", "synonym", "lie on"),
        ("playing with a teddy bear", "none", None),
        ("caught it", "word", "catch"),
        ("has it on", "none", None),
        ("looking", "synonym", "look through"),
        ("sat", "synonym", "sit on"),
        ("lying on a couch", "word", "lie on"),
        ("carrying", "word", "carry"),
        ("carried", "word", "carry"),
        ("drinking with a cup", "word", "drink with"),
        ("drinks", "synonym", "drink with"),
        ("is typing on it", "word", "type on"),
        ("stopped at", "word", "stop at"),
        ("swinging the bat", "word", "swing"),
        ("worn", "word", "wear"),
        ("cutting", "word", "cut"),
        ("grasping it", "synonym", "hold"),
        ("tossing", "synonym", "throw"),
        ("holding and swinging", "several", None),
        ("sitting or lying", "several", None),
        ("sing", "none", None),
        ("the ring", "none", None),
        ("does nothing", "none", None),
    ],
)
def test_actions(answer: str, kind: str, word: str | None) -> None:
    found = parse(answer, word_list(ACTIONS, load_synonyms(None)[1], "action"))
    assert (found.kind, found.word) == (kind, word)


def test_every_word_of_the_list_says_itself() -> None:
    for words, table, target in ((OBJECTS, 0, "object"), (ACTIONS, 1, "action")):
        known = word_list(words, load_synonyms(None)[table], target)
        assert {word: parse(word, known).word for word in words} == {word: word for word in words}


def test_what_is_several_is_told_and_a_verb_of_two_actions_is_nobodys() -> None:
    known = word_list(["sit on", "sit at", "hold"], {}, "action")
    assert parse("sitting", known).found == ("sit at", "sit on")
    assert parse("sitting at it", known).word == "sit at"


def test_a_synonym_that_is_a_word_of_the_list_is_that_word() -> None:
    table = {"cup": ("mug",), "coffee cup": ("mug",)}
    assert parse("a mug", word_list(["cup", "mug"], table, "object")).word == "mug"
    assert parse("a mug", word_list(["cup", "coffee cup"], table, "object")).found == ("coffee cup", "cup")
    assert parse("a mug", word_list(["cup"], table, "object")).word == "cup"


def test_files_of_words_and_synonyms(tmp_path) -> None:
    words, synonyms = tmp_path / "words.json", tmp_path / "synonyms.json"
    words.write_text(json.dumps({"objects": ["Kayak_paddle"], "actions": ["row"]}))
    assert load_words(words) == (("Kayak_paddle",), ("row",))
    assert word_list(load_words(words)[0], {}, "object").words == ("kayak paddle",)
    synonyms.write_text(json.dumps({"objects": {"couch": ["divan"]}, "actions": {}}))
    known = word_list(["couch"], load_synonyms(synonyms)[0], "object")
    assert parse("a divan", known).word == "couch"
    assert parse("a sofa", known).kind == "none"
    for file, text in (
        (words, "["),
        (words, "[]"),
        (words, '{"objects": [], "actions": ["row"]}'),
        (words, '{"objects": [1], "actions": ["row"]}'),
    ):
        file.write_text(text)
        with pytest.raises(SampleError, match=r"words\.json"):
            load_words(file)
    for text in ("1", '{"things": {}}', '{"objects": {"couch": "sofa"}}'):
        synonyms.write_text(text)
        with pytest.raises(SampleError, match="expected"):
            load_synonyms(synonyms)
    with pytest.raises(ValueError, match="no word"):
        word_list([], {}, "object")
