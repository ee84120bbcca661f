"""HOI understanding (Open3DHOI, section 6.1): a 3D language model says what a person does and with what; Top-1 accuracy.

    python experiments/understanding.py --data=TREE --out=DIR --tools=tools.json
    python experiments/understanding.py --data=TREE --out=DIR --answerer=nearest [--reference=TREE]
    python experiments/understanding.py --data=TREE --out=DIR --answers=FILE.jsonl --picker=match

Each sample's cloud (8192 points, the person black) goes to PointLLM, which describes it and then answers; Qwen2.5 picks a
word of the list from what it said, or --picker=match reads the word from the answer itself. Four questions are asked:
object, action, object_given_action, action_given_object. Each reply is on the disk the moment it is there
(DIR/answers.jsonl): a run that was stopped goes on, and what failed is tried again. --answerer=nearest needs no model: it
says the words of the most similar labelled cloud, of --reference or of the other samples. --answers takes a file of
answers that you have, a JSON line each: {"sample": "cup/drink_with_1", "question": "object", "answer": "a cup"}.

DIR gets scores.csv, scores.md, scores.tex, confusion.csv, answers.csv, answers.html, clouds/. The exit code is 1 where
something has failed. docs/understanding.md tells more.
"""

import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import wrapper_flags
from absl import app, flags
from tqdm import tqdm
from understanding_models import nearest_cloud, pointllm, qwen

from hoijax.data.atomic import save_bytes
from hoijax.data.lock import LockedError, held
from hoijax.data.read import load_sample
from hoijax.data.sample import SampleError
from hoijax.report.tables import aligned, markdown
from hoijax.tasks.understanding.answers import CLOUDS, FILE, AnswerLog, Reply, keep_options, load_given
from hoijax.tasks.understanding.clouds import CloudOptions, sample_cloud
from hoijax.tasks.understanding.page import answers_html
from hoijax.tasks.understanding.prompts import QUESTIONS, Prompts, load_prompts, record
from hoijax.tasks.understanding.run import (
    Asked,
    Engine,
    Judged,
    Labelled,
    ask,
    asked,
    judge,
    labelled_samples,
    picks,
)
from hoijax.tasks.understanding.scores import Row, confusion_csv, judged_csv, scores, table, table_csv, table_latex
from hoijax.tasks.understanding.words import WordList, load_synonyms, load_words, word_list
from third_party_wrappers.contract import Tool
from third_party_wrappers.probe import missing
from third_party_wrappers.registry import wrappers

_DATA = flags.DEFINE_string(
    "data", None, "The tree of samples; folders or files tell object and action.", required=True
)
_OUT = flags.DEFINE_string("out", None, "Where answers and tables go; a run goes on there.", required=True)
_ANSWERER = flags.DEFINE_enum("answerer", "pointllm", ["pointllm", "nearest"], "Who answers.")
_ANSWERS = flags.DEFINE_string("answers", None, "Answers that you have, as JSON lines, instead of --answerer.")
_PICKER = flags.DEFINE_enum(
    "picker", None, ["qwen", "match"], "Who picks the word; by default qwen after pointllm and match after nearest."
)
_REFERENCE = flags.DEFINE_string("reference", None, "nearest: labelled samples; by default the others of --data.")
_WORDS = flags.DEFINE_string("words", "tree", "tree: those of --data; paper: its object names; or a JSON file.")
_SYNONYMS = flags.DEFINE_string("synonyms", None, "JSON file whose entries replace those of the shipped table.")
_PROMPTS = flags.DEFINE_string("prompts", None, "JSON file of prompts that replace ours.")
_QUESTIONS = flags.DEFINE_list("questions", [q.name for q in QUESTIONS], "Which of the questions are asked.")
_SCORED = flags.DEFINE_bool("scored", False, "qwen: the likeliest word of the list instead of a written one.")
_SAMPLED = flags.DEFINE_bool("sampled", False, "pointllm: sampled as in its own evaluation, instead of greedy.")
_POINTS = flags.DEFINE_integer("points", CloudOptions.points, "Points of a cloud.", lower_bound=64)
_SHARE = flags.DEFINE_float("share", None, "Share of the points on the object; by default by area.")
_LEAST = flags.DEFINE_float("least", CloudOptions.least, "By area: neither mesh gets a smaller share.")
_UP = flags.DEFINE_enum("up", CloudOptions.up, ["y", "z"], "The axis of the cloud that points upwards.")
_SEED = flags.DEFINE_integer("seed", 0, "Of the points, and of sampled answers.")

NOTES = (
    "Shares are of the n samples with an answer whose true word is in the list; ± is the standard error.",
    "chance: one word of the list at random; most frequent: always the word that is most frequent in this data.",
    "Published (Open3DHOI, Table 4; other data, not comparable): summaries of the paper tell that Top-1 lies between 0.20 "
    "and 0.47, depending on what is told. The cells of that table could not be had, so none stands here.",
)


def main(arguments: list[str]) -> None:
    if len(arguments) > 1:
        sys.exit(f"not a flag: {arguments[1:]} (see --help)")
    try:
        check_flags()
        out = Path(_OUT.value)
        with held(out / ".lock"):
            complete = evaluate(Path(_DATA.value), out)
    except (SampleError, LockedError, ValueError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    sys.exit(0 if complete else 1)


def picker_name() -> str:
    return _PICKER.value or ("qwen" if _ANSWERS.value or _ANSWERER.value == "pointllm" else "match")


def check_flags() -> None:
    """Raises ValueError for a question that is not there, and for flags that would do nothing here."""
    names = [question.name for question in QUESTIONS]
    if not _QUESTIONS.value or set(_QUESTIONS.value) - set(names):
        raise ValueError(f"--questions={','.join(_QUESTIONS.value)}: there are {', '.join(names)}")
    who = "answers" if _ANSWERS.value else _ANSWERER.value
    idle: list[tuple[list[flags.FlagHolder[Any]], bool]] = [
        ([_ANSWERER, _SEED, _POINTS, _SHARE, _LEAST, _UP], who == "answers"),
        ([_LEAST], _SHARE.value is not None),
        ([_REFERENCE], who != "nearest"),
        ([_SAMPLED], who != "pointllm"),
        ([_SCORED], picker_name() != "qwen"),
    ]
    given = [f"--{flag.name}" for holders, useless in idle if useless for flag in holders if flag.present]
    if given:
        share = " and --share" if _SHARE.value is not None else ""
        raise ValueError(
            f"of no use with {'--answers' if who == 'answers' else f'--answerer={who}'}, --picker={picker_name()}{share}: "
            f"{', '.join(dict.fromkeys(given))}"
        )


def evaluate(tree: Path, out: Path) -> bool:
    """Asks what is missing and writes all tables; whether nothing failed."""
    left_out: list[str] = []
    samples = labelled_samples(tree, left_out.append)
    words, prompts = word_lists(samples), load_prompts(given_path(_PROMPTS.value))
    questions = [question for question in QUESTIONS if question.name in _QUESTIONS.value]
    options = CloudOptions(_POINTS.value, _SHARE.value, _LEAST.value, cast(Literal["y", "z"], _UP.value), _SEED.value)
    picker = picker_name()
    tools = usable_tools(([] if _ANSWERS.value else [_ANSWERER.value]) + [picker])
    keep_options(out, asked_of(samples, options, prompts, words, picker, tools))
    log = AnswerLog(out / FILE)
    if log.mended:
        print(f"{log.path}: the last line was cut short and is asked again", file=sys.stderr)
    every = asked(samples, prompts, questions)
    if _ANSWERS.value:
        take(load_given(Path(_ANSWERS.value)), every, log)
    else:
        through("asking", every, log, answerer(samples, options, tools, out))
    if picker == "qwen":
        chosen = {"mode": "score" if _SCORED.value else "write"}
        engine = qwen(tools["qwen"], chosen, words, out / "work")
        through("picking", picks(every, log, words, prompts), log, engine)
    judged = judge(every, log, words, picker == "qwen")
    notes = [*NOTES, f"Answered by {_ANSWERS.value or _ANSWERER.value}, picked by {picker}; {len(samples)} samples."]
    notes += [f"{len(left_out)} folders left out; the first: {left_out[0]}"] if left_out else []
    write_tables(out, judged, scores(judged, words), notes)
    return tell_failed(judged)


def write_tables(out: Path, judged: Sequence[Judged], rows: Sequence[Row], notes: Sequence[str]) -> None:
    """The table on the screen, and all files beside the replies."""
    head, lines = table(rows)
    print("\n".join([aligned(head, lines), "", *notes]))
    texts = {
        "scores.csv": table_csv(rows),
        "scores.md": "\n".join([markdown(head, lines), "", *(f"- {note}" for note in notes), ""]),
        "scores.tex": table_latex(rows, "HOI understanding, Top-1 accuracy", notes),
        "confusion.csv": confusion_csv(judged),
        "answers.csv": judged_csv(judged),
        "answers.html": answers_html(judged, rows, notes),
    }
    for name, text in texts.items():
        save_bytes(out / name, text.encode())


def tell_failed(judged: Sequence[Judged]) -> bool:
    """Says how many questions failed, and why the first; whether none did."""
    failed = [each for each in judged if each.error is not None]
    if failed:
        first = " ".join((failed[0].error or "").split())
        print(
            f"{len(failed)} of {len(judged)} questions have no word yet; the next run tries them again. The first, "
            f"{failed[0].sample}, {failed[0].question}: {first[:400]}",
            file=sys.stderr,
        )
    return not failed


def word_lists(samples: Sequence[Labelled]) -> dict[str, WordList]:
    """The words of objects and of actions. Actions come from the tree where the list is the paper's, which has none."""
    objects = tuple(sorted({sample.object for sample in samples}))
    actions = tuple(sorted({sample.action for sample in samples}))
    if _WORDS.value == "paper":
        from hoijax.tasks.vocabulary import CATEGORIES

        objects = CATEGORIES
    elif _WORDS.value != "tree":
        objects, actions = load_words(Path(_WORDS.value))
    of_objects, of_actions = load_synonyms(given_path(_SYNONYMS.value))
    return {"object": word_list(objects, of_objects, "object"), "action": word_list(actions, of_actions, "action")}


def usable_tools(names: Sequence[str]) -> dict[str, Tool]:
    """The tools of the models that are asked. Exits with what is missing, before anything is done."""
    known, given = wrappers(), wrapper_flags.tools()
    found = {name: given.get(name, Tool()) for name in names if name in known}
    lacking = [f"{name}: {'; '.join(why)}" for name, tool in found.items() if (why := missing(known[name], tool))]
    if lacking:
        sys.exit(
            "cannot be run here:\n  "
            + "\n  ".join(lacking)
            + "\nexperiments/doctor.py tells more; --answerer=nearest, "
            "--answers=FILE and --picker=match need no model"
        )
    return found


def asked_of(
    samples: Sequence[Labelled],
    options: CloudOptions,
    prompts: Prompts,
    words: dict[str, WordList],
    picker: str,
    tools: dict[str, Tool],
) -> dict[str, Any]:
    """What the replies of a folder depend on: another of these belongs into another folder."""
    places = {name: {"checkpoint": str(tool.checkpoint)} for name, tool in tools.items()}
    kept = {name: text for name, text in record(prompts).items() if picker == "qwen" or not name.startswith("pick")}
    found: dict[str, Any] = {"prompts": kept, "picker": picker, "tools": places, "data": os.path.abspath(_DATA.value)}
    if _ANSWERS.value:
        found["answers"] = os.path.abspath(_ANSWERS.value)
    else:
        found |= {"answerer": _ANSWERER.value, "cloud": vars(options)}
    if not _ANSWERS.value and _ANSWERER.value == "pointllm":
        found |= {"sampled": _SAMPLED.value}
    elif not _ANSWERS.value:
        names = [sample.name for sample in samples]
        found |= {"reference": os.path.abspath(_REFERENCE.value) if _REFERENCE.value else names}
    if picker == "qwen":
        found |= {"words": {name: list(each.words) for name, each in words.items()}, "scored": _SCORED.value}
    return found


def answerer(samples: Sequence[Labelled], options: CloudOptions, tools: dict[str, Tool], out: Path) -> Engine:
    """The model that answers."""
    if _ANSWERER.value == "nearest":
        return nearest_cloud(samples, options, given_path(_REFERENCE.value))

    def file(sample: Labelled) -> Path:
        path = out / CLOUDS / f"{sample.name}.npy"
        if not path.is_file():
            data = io.BytesIO()
            np.save(data, sample_cloud(load_sample(sample.folder), options).points)
            save_bytes(path, data.getvalue())
        return path

    return pointllm(tools["pointllm"], {"sample": _SAMPLED.value, "seed": _SEED.value}, file, out / "work")


def through(title: str, every: Sequence[Asked], log: AnswerLog, engine: Engine) -> None:
    """Asks what is missing, with a bar."""
    left = len(log.missing([item.key for item in every]))
    with tqdm(total=len(every), initial=len(every) - left, desc=title, unit="reply") as bar:
        ask(every, log, engine, lambda reply: bar.update())


def take(given: dict[Any, Reply], every: Sequence[Asked], log: AnswerLog) -> None:
    """Takes the user's answers in; what the file told once and tells no more counts as missing.

    Exits where one is about no sample of the tree.
    """
    keys = {item.key for item in every}
    samples = {key.sample for key in keys}
    strange = sorted({key.sample for key in given} - samples)
    if strange:
        sys.exit(f"{_ANSWERS.value}: {_DATA.value} has no sample {', '.join(strange[:5])}")
    for key, reply in given.items():
        if key in keys and log.replies.get(key) != reply:
            log.add(key, reply)
    for key in sorted(keys & log.replies.keys() - given.keys()):
        if log.replies[key].error is None:
            log.add(key, Reply((), f"is no longer in {_ANSWERS.value}"))


def given_path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


if __name__ == "__main__":
    app.run(main)
