"""The lists of words, and which of them an answer says: exactly, by a synonym, several of them, or none."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError
from hoijax.tasks.understanding.prompts import Target
from hoijax.tasks.understanding.synonyms import ACTIONS, IRREGULAR, OBJECTS

Table = Mapping[str, tuple[str, ...]]
Kind = Literal["word", "synonym", "several", "none"]

ARTICLES = {"a", "an", "the"}
PARTICLES = {"on", "in", "at", "with", "to", "into", "onto", "from", "off", "up", "down", "under", "over", "along"}
PARTICLES |= {"through", "against", "behind", "beside", "by", "near", "out", "around", "across", "inside"}


class Parsed(NamedTuple):
    """What an answer says: `word` of the list where that is one ("word", "synonym"), and all that were found in it."""

    kind: Kind
    word: str | None
    found: tuple[str, ...]


@dataclass(frozen=True)
class WordList:
    """The words that are an answer, and other names for them. Words are lower case, with single spaces."""

    words: tuple[str, ...]
    synonyms: tuple[tuple[str, str], ...] = ()  # the other name, and the word of the list
    verbs: bool = False  # whether -ing and past forms count

    def __post_init__(self) -> None:
        if not self.words:
            raise ValueError("the list holds no word")
        if len(set(self.words)) < len(self.words):
            raise ValueError(f"the list holds {sorted({w for w in self.words if self.words.count(w) > 1})} twice")


def word_list(words: Iterable[str], table: Table, target: Target) -> WordList:
    """The list with those synonyms that lead into it.

    An action of several words is also said by its verb alone ("sit on": sitting), unless two actions share that verb.
    A synonym that is itself a word of the list stands for that word only.
    """
    kept = tuple(dict.fromkeys(plain(word) for word in words))
    pairs = [(plain(other), plain(word)) for word, others in table.items() for other in others if plain(word) in kept]
    if target == "action":
        pairs += [(word.split()[0], word) for word in kept if word.split()[1:] and word.split()[1] in PARTICLES]
    own = {tuple(word.split()) for word in kept}
    return WordList(kept, tuple(dict.fromkeys(p for p in pairs if tuple(p[0].split()) not in own)), target == "action")


def parse(answer: str, words: WordList) -> Parsed:
    """Which word an answer says.

    The longest names are found first, so that "baseball bat" holds no "bat". Words of the list go before synonyms, and
    count in any form: plural; of actions also -ing and past. Different words are "several": nobody guesses.
    """
    tokens = [token for token in plain(answer).split() if token not in ARTICLES]
    names = [(word, word, True) for word in words.words] + [(other, word, False) for other, word in words.synonyms]
    spans = sorted(
        (-len(name.split()), start, not exact, word)
        for name, word, exact in names
        for start in places(tokens, [part for part in name.split() if part not in ARTICLES], words.verbs)
    )
    taken: dict[int, tuple[int, int]] = {}  # of each token: the name that holds it
    said: dict[bool, list[str]] = {True: [], False: []}
    for length, start, other, word in spans:
        held = {taken.get(k) for k in range(start, start - length)}
        if held <= {None, (start, length)}:
            taken |= dict.fromkeys(range(start, start - length), (start, length))
            said[not other].append(word)
    for exact, kind in ((True, "word"), (False, "synonym")):
        found = tuple(sorted(set(said[exact])))
        if len(found) > 1:
            return Parsed("several", None, found)
        if found:
            return Parsed("word" if kind == "word" else "synonym", found[0], found)
    return Parsed("none", None, ())


def plain(text: str) -> str:
    """Lower case, without punctuation, underscores and hyphens as spaces, single spaces."""
    return " ".join(re.sub(r"[^\w]+|_+", " ", re.sub(r"['’]s?\b", "", text.lower())).split())


def places(tokens: Sequence[str], name: Sequence[str], verbs: bool) -> list[int]:
    """Where a name of several tokens stands in a text."""
    if not name:
        return []
    wanted = [forms(part, verbs) for part in name]
    ends = range(len(tokens) - len(name) + 1)
    return [at for at in ends if all(forms(token, verbs) & each for token, each in zip(tokens[at:], wanted))]


@lru_cache(maxsize=65536)
def forms(token: str, verbs: bool) -> frozenset[str]:
    """The token, and what it may be a form of: without the ending of a plural; of verbs also without -ing and -ed."""
    found = {token, IRREGULAR.get(token, token)}
    if token.endswith("ies") and len(token) > 4:
        found.add(token[:-3] + "y")
    if token.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        found.add(token[:-2])
    if token.endswith("s") and not token.endswith(("ss", "us")) and len(token) > 3:
        found.add(token[:-1])
    if not verbs:
        return frozenset(found)
    if token.endswith("ied") and len(token) > 4:
        found.add(token[:-3] + "y")
    if token.endswith("ying") and len(token) == 5:  # lying, tying, dying
        found.add(token[:-4] + "ie")
    for ending in ("ing", "ed"):
        stem = token.removesuffix(ending)
        if stem != token and re.search("[aeiouy]", stem):
            found |= {stem, stem + "e"}
            if len(stem) > 2 and stem[-1] == stem[-2]:
                found.add(stem[:-1])
    return frozenset(found)


def load_words(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Objects and actions of a JSON file {"objects": [...], "actions": [...]}. Raises SampleError."""
    found = _json(path)
    if not isinstance(found, dict) or set(found) != {"objects", "actions"}:
        raise SampleError(path, 'expected {"objects": [words], "actions": [words]}')
    for name, words in found.items():
        if not isinstance(words, list) or not words or not all(isinstance(w, str) and plain(w) for w in words):
            raise SampleError(path, f"{name} is no list of words")
    return tuple(found["objects"]), tuple(found["actions"])


def load_synonyms(path: Path | None) -> tuple[Table, Table]:
    """Synonyms of objects and of actions: the shipped tables; an entry of the file takes the place of the shipped one.

    The file: {"objects": {"couch": ["sofa"]}, "actions": {"hug": []}}. Raises SampleError.
    """
    if path is None:
        return OBJECTS, ACTIONS
    found = _json(path)
    if not isinstance(found, dict) or set(found) - {"objects", "actions"}:
        raise SampleError(path, 'expected {"objects": {"word": [other names]}, "actions": {...}}')
    tables = []
    for name, shipped in (("objects", OBJECTS), ("actions", ACTIONS)):
        given = found.get(name, {})
        if not isinstance(given, dict) or not all(
            isinstance(others, list) and all(isinstance(other, str) and plain(other) for other in others)
            for others in given.values()
        ):
            raise SampleError(path, f'{name}: expected {{"word": [other names]}}')
        tables.append({**shipped, **{plain(word): tuple(others) for word, others in given.items()}})
    return tables[0], tables[1]


def _json(path: Path) -> object:
    try:
        return json.loads(load_bytes(path))
    except ValueError as error:
        raise SampleError(path, f"is no JSON ({error})") from error
