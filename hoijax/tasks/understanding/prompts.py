"""What is asked, in which settings, and in which words. Intent: Open3DHOI, section 6.1 and B.3.1; the words are ours.

| setting | object unknown | object given |
|---|---|---|
| action unknown | asks for the object; asks for the action | asks for the action |
| action given | asks for the object | nothing is left to ask |
"""

import json
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal, NamedTuple

from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError

Target = Literal["object", "action"]


class Question(NamedTuple):
    """One cell of the table: what is asked for, and what is told beforehand."""

    name: str
    target: Target
    given: Target | None


QUESTIONS = (
    Question("object", "object", None),
    Question("action", "action", None),
    Question("object_given_action", "object", "action"),
    Question("action_given_object", "action", "object"),
)


class Dialogue(NamedTuple):
    """What a model is told, in turn; it answers each turn before it sees the next."""

    turns: tuple[str, ...]


@dataclass(frozen=True)
class Prompts:
    """Templates. {object} and {action} are what is told, {words} the list, {description} and {answer} the model's."""

    describe: str = (
        "The black points are a person and the coloured points are an object that the person is using. Look at the "
        "person's pose, the shape of the object and where they touch, and describe what you see."
    )
    describe_given_object: str = (
        "The black points are a person and the coloured points are an object that the person is using. The object is: "
        "{object}. Look at the person's pose and where they touch the object, and describe what you see."
    )
    describe_given_action: str = (
        "The black points are a person and the coloured points are an object that the person is using. What the person "
        "does with it: {action}. Look at the shape of the object and where they touch, and describe what you see."
    )
    ask_object: str = "What is the object that the person is using? Name it in a few words."
    ask_action: str = "What is the person doing with the object? Answer with a verb."
    pick_object: str = (
        "Somebody looked at a 3D scan of one person with one object and wrote about it.\n\nDescription: {description}\n"
        "Their guess of the object: {answer}\n\nWhich of these names fits the object best?\n{words}\n\n"
        "Reply with exactly one name of the list and nothing else."
    )
    pick_action: str = (
        "Somebody looked at a 3D scan of one person with one object and wrote about it.\n\nDescription: {description}\n"
        "Their guess of what the person does: {answer}\n\nWhich of these actions fits best?\n{words}\n\n"
        "Reply with exactly one action of the list and nothing else."
    )


# The places that a template may have, and those that it must have.
_PLACES: dict[str, tuple[set[str], set[str]]] = {
    "describe": (set(), set()),
    "describe_given_object": ({"object"}, {"object"}),
    "describe_given_action": ({"action"}, {"action"}),
    "ask_object": (set(), set()),
    "ask_action": (set(), set()),
    "pick_object": ({"description", "answer", "words"}, {"words"}),
    "pick_action": ({"description", "answer", "words"}, {"words"}),
}


def load_prompts(path: Path | None) -> Prompts:
    """Templates from a JSON file {"ask_object": "..."}; those that it does not name stay. Raises SampleError."""
    if path is None:
        return Prompts()
    try:
        found = json.loads(load_bytes(path))
    except ValueError as error:
        raise SampleError(path, f"is no JSON ({error})") from error
    known = [field.name for field in fields(Prompts)]
    if not isinstance(found, dict) or not all(isinstance(text, str) and text.strip() for text in found.values()):
        raise SampleError(path, 'expected {"name of a prompt": "its text"}; names: ' + ", ".join(known))
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise SampleError(path, f"has no use for {', '.join(unknown)}; names: {', '.join(known)}")
    for name, text in found.items():
        _check(path, name, text)
    return replace(Prompts(), **found)


def dialogue(question: Question, told: Mapping[str, str], prompts: Prompts) -> Dialogue:
    """Description first, then the question. `told`: {"object": ..., "action": ...}, of which only `given` is used."""
    if question.given is None:
        return Dialogue((prompts.describe, getattr(prompts, f"ask_{question.target}")))
    first = getattr(prompts, f"describe_given_{question.given}").format(**{question.given: told[question.given]})
    return Dialogue((first, getattr(prompts, f"ask_{question.target}")))


def pick_prompt(
    question: Question, description: str, answer: str, words: tuple[str, ...], prompts: Prompts
) -> Dialogue:
    """What the language model is asked that picks a word."""
    text = getattr(prompts, f"pick_{question.target}")
    return Dialogue((text.format(description=description, answer=answer, words=", ".join(words)),))


def record(prompts: Prompts) -> dict[str, str]:
    """As JSON keeps them."""
    return asdict(prompts)


def _check(path: Path, name: str, text: str) -> None:
    """Raises SampleError for a template with places that nothing fills, or without one that it needs."""
    try:
        places = {place for _, place, _, _ in string.Formatter().parse(text) if place is not None}
    except ValueError as error:
        raise SampleError(path, f"{name}: {error}; write {{{{ and }}}} for braces") from error
    may, must = _PLACES[name]
    if places - may or must - places:
        allowed = ", ".join(f"{{{place}}}" for place in sorted(may)) or "none"
        needed = ", ".join(f"{{{place}}}" for place in sorted(must)) or "none"
        raise SampleError(path, f"{name} has the places {sorted(places)}; it may have {allowed} and needs {needed}")
