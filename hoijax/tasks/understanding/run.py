"""A run over a tree: which questions are asked of which samples, what is missing, and what the words come to."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hoijax.data.layout import find_samples
from hoijax.data.read import load_labels
from hoijax.data.sample import SampleError
from hoijax.tasks.understanding.answers import AnswerLog, Key, Reply
from hoijax.tasks.understanding.prompts import QUESTIONS, Dialogue, Prompts, Question, dialogue, pick_prompt
from hoijax.tasks.understanding.words import Parsed, WordList, parse, plain

BY_NAME = {question.name: question for question in QUESTIONS}


class Labelled(NamedTuple):
    """A sample and what is true of it. `name` is its folder relative to the tree."""

    name: str
    folder: Path
    object: str
    action: str


class Asked(NamedTuple):
    """One thing to ask a model: whose reply it is, in which sample's folder, and the turns."""

    key: Key
    labelled: Labelled
    question: Question
    dialogue: Dialogue


# Hears of every reply the moment it is there.
Tell = Callable[[Key, Reply], None]
# A model: asks everything and tells of each reply, failures too. It may raise only what no later question survives.
Engine = Callable[[Sequence[Asked], Tell], None]


class Judged(NamedTuple):
    """A question with its truth, all that was said, and the word that it came to."""

    sample: str
    question: str
    truth: str
    description: str
    answer: str
    pick: str | None  # what the picking model said; None where the answer itself was parsed
    error: str | None  # why there is no answer or no pick
    parsed: Parsed


def labelled_samples(tree: Path, tell: Callable[[str], None]) -> list[Labelled]:
    """The samples with an object's and an action's name; `tell` hears of the others.

    Raises SampleError where none is left.
    """
    found = []
    for folder in find_samples(tree):
        name = folder.relative_to(tree).as_posix() if folder != tree else folder.resolve().name
        try:
            labels = load_labels(folder, lambda path, message: None)
        except SampleError as error:
            tell(str(error))
            continue
        if labels.category is None or labels.action is None:
            lacking = "object" if labels.category is None else "action"
            tell(f"{folder}: tells no name of its {lacking}, so no answer can be judged")
            continue
        found.append(Labelled(name, folder, plain(labels.category), plain(labels.action)))
    if not found:
        raise SampleError(tree, "has no sample that tells its object and its action")
    return found


def asked(samples: Sequence[Labelled], prompts: Prompts, questions: Sequence[Question] = QUESTIONS) -> list[Asked]:
    """Everything that is to be asked about the samples."""
    return [
        Asked(
            Key(sample.name, question.name, "answer"),
            sample,
            question,
            dialogue(question, {"object": sample.object, "action": sample.action}, prompts),
        )
        for sample in samples
        for question in questions
    ]


def picks(every: Sequence[Asked], log: AnswerLog, words: Mapping[str, WordList], prompts: Prompts) -> list[Asked]:
    """What is to be asked of the model that picks: for each answer that is there, its word."""
    found = []
    for item in every:
        reply = log.replies.get(item.key)
        if reply is None or reply.error is not None:
            continue
        said = pick_prompt(item.question, _told(reply, 0), _told(reply, -1), words[item.question.target].words, prompts)
        found.append(item._replace(key=item.key._replace(stage="pick"), dialogue=said))
    return found


def ask(every: Sequence[Asked], log: AnswerLog, engine: Engine, heard: Callable[[Reply], None]) -> None:
    """Has the engine reply to what is missing, and keeps each reply at once; `heard` is told of each."""
    missing = set(log.missing([item.key for item in every]))
    left = [item for item in every if item.key in missing]

    def tell(key: Key, reply: Reply) -> None:
        log.add(key, reply)
        heard(reply)

    if left:
        engine(left, tell)


def judge(every: Sequence[Asked], log: AnswerLog, words: Mapping[str, WordList], picked: bool) -> list[Judged]:
    """The word that each question came to. With `picked` the pick is parsed, else the answer to the last turn."""
    found = []
    for item in every:
        reply = log.replies.get(item.key, Reply((), "was never asked"))
        pick = log.replies.get(item.key._replace(stage="pick"), Reply((), "was never picked from")) if picked else None
        error = reply.error or (None if pick is None else pick.error)
        text = _told(reply if pick is None else pick, -1)
        parsed = parse(text, words[item.question.target]) if error is None else Parsed("none", None, ())
        found.append(
            Judged(
                item.key.sample,
                item.question.name,
                item.labelled.object if item.question.target == "object" else item.labelled.action,
                _told(reply, 0) if len(reply.texts) > 1 else "",
                _told(reply, -1),
                None if pick is None or pick.error is not None else _told(pick, -1),
                error,
                parsed,
            )
        )
    return found


def _told(reply: Reply, turn: int) -> str:
    return reply.texts[turn] if reply.texts else ""
