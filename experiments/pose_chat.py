"""HOI pose chat (Open3DHOI, section 6.2): the pose of the one person who is meant, asked for in words, and its error.

    python experiments/pose_chat.py --data=TREE --out=DIR --tools=tools.json     # ChatPose is asked
    python experiments/pose_chat.py --data=TREE --out=DIR --answers=ANSWERS      # answers that you have
    python experiments/pose_chat.py --data=TREE --out=DIR --people=any           # plain answers only, no model
    python experiments/pose_chat.py company --data=TREE --out=TREE2              # pictures with two people each

Samples whose pictures show several people are chosen: by people.json in the sample folder or under --boxes, else by
Detectron2 where --tools names it. Every row tells more or less of interaction, object and location; --prompts=FILE.json
brings other words. Above the asked rows stand plain answers, made of the other samples' poses. Every answer is on the
disk as soon as it is there: the same command again asks only what is missing. docs/pose_chat.md says what is in DIR.
"""

import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, cast

import wrapper_flags
from absl import app, flags
from tqdm import tqdm

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import load_body
from hoijax.data.atomic import save_bytes
from hoijax.data.layout import find_samples, required_file
from hoijax.data.lock import LockedError, held
from hoijax.data.read import load_sample
from hoijax.data.sample import SampleError
from hoijax.tasks.pose_chat.answers import ANSWER_FILE, Answer, load_answer
from hoijax.tasks.pose_chat.company import company_of, save_with_company, with_company, words_of
from hoijax.tasks.pose_chat.floors import floor_answers
from hoijax.tasks.pose_chat.page import pose_chat_page
from hoijax.tasks.pose_chat.prompts import PROMPTS, check_rows, load_prompts, question, rows
from hoijax.tasks.pose_chat.score import Score, scores
from hoijax.tasks.pose_chat.select import PEOPLE_FILE, Criteria, People, Subject, load_people, load_subjects
from hoijax.tasks.pose_chat.table import (
    Asked,
    answers_csv,
    csv_text,
    table_csv,
    table_latex,
    table_markdown,
    table_text,
)
from hoijax.types import Body, HumanPose
from third_party_wrappers.contract import Job, Outcome, Tool, run
from third_party_wrappers.registry import wrappers

_DATA = flags.DEFINE_string("data", None, "The tree of samples.", required=True)
_OUT = flags.DEFINE_string("out", None, "Where answers, tables and the page go.", required=True)
_PEOPLE = flags.DEFINE_enum("people", "several", ["several", "any"], "Which pictures: with several people, or all.")
_LEAST = flags.DEFINE_integer("min_people", Criteria().least, "So many people must be seen.", lower_bound=2)
_SCORE = flags.DEFINE_float("min_score", Criteria().score, "A person counts from this score of the detector on.")
_SIDE = flags.DEFINE_float(
    "min_side",
    Criteria().side,
    "A person counts from this size on: longer side of the box by the picture's shorter side.",
)
_BOXES = flags.DEFINE_string("boxes", None, "A tree of people.json files beside the tree of samples.")
_ROWS = flags.DEFINE_list("rows", list(rows()), "What the questions tell: rows of the table.")
_PROMPTS = flags.DEFINE_string("prompts", None, "JSON file {row: text} with other questions.")
_ANSWERS = flags.DEFINE_string("answers", None, "A tree of answers that you have: [ROW/]SAMPLE/answer.json.")
_BODY = flags.DEFINE_string("body", None, "SMPL-X model file (.npz) of the samples; without it the built-in body.")
_SHAPE = flags.DEFINE_enum(
    "shape",
    "annotation",
    ["annotation", "mean"],
    "Shape, fingers and face of the answered body: as annotated, or zero.",
)
_PICTURE = flags.DEFINE_enum(
    "picture",
    "crop",
    ["crop", "pad"],
    "What ChatPose sees of a picture: its middle square, as its own program; or all.",
)
_PAGE = flags.DEFINE_integer("page", 40, "So many samples on the page.", lower_bound=0)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Ask again where an answer to another question stands.")

TOLD = 3  # so many failures are told while they happen; all are in answers.csv
FOUND = 0.05  # what the detector finds from this score on is kept, so that another --min_score needs no other look


def sample_folders() -> dict[str, Path]:
    """The samples of the tree by name."""
    tree = Path(_DATA.value)
    found = {folder.relative_to(tree).as_posix(): folder for folder in find_samples(tree)}
    if not found:
        sys.exit(f"{tree}: no sample folder in it (a sample has an image.jpg and a smplx_parameters.json)")
    return {folder.resolve().name if name == "." else name: folder for name, folder in found.items()}


def given_people(name: str, folder: Path) -> Path | None:
    """The file of the user's that tells who is seen in a sample's picture; None where there is none."""
    places = [Path(_BOXES.value) / name, folder] if _BOXES.value else [folder]
    return next((place / PEOPLE_FILE for place in places if (place / PEOPLE_FILE).is_file()), None)


def people_of(name: str, folder: Path) -> People | None:
    """The people of a sample's picture, None where nobody has looked. Raises SampleError."""
    found = Path(_OUT.value) / "people" / name / PEOPLE_FILE
    path = given_people(name, folder) or (found if found.is_file() else None)
    return None if path is None else load_people(path)


def detect(folders: dict[str, Path], tool: Tool) -> None:
    """Has Detectron2 look for people where the user tells of none; what it has found in the same picture stands.

    What fails is told, and left out later.
    """
    jobs, failed = [], []
    clear_half_done(Path(_OUT.value) / "people")
    for name, folder in folders.items():
        if given_people(name, folder) is None:
            try:
                image = required_file(folder, "image")
            except SampleError:
                continue  # told with the samples that are left out
            jobs.append(Job({"image": image}, Path(_OUT.value) / "people" / name, {"score": FOUND}))
    with tqdm(total=len(jobs), desc="looking for people", unit="picture", disable=not jobs) as bar:
        failed = [
            o.error
            for o in run(
                wrappers()["detectron2"], tool, jobs, overwrite=_OVERWRITE.value, progress=lambda _: bar.update()
            )
            if o.error
        ]
    if failed:
        print(f"{len(failed)} of {len(jobs)} pictures could not be looked at; the first: {failed[0]}", file=sys.stderr)


def choose(tools: dict[str, Tool], body: Body) -> list[Subject]:
    """The samples to ask about; the others are counted by reason and listed in left_out.csv."""
    folders = sample_folders()
    any_number = _PEOPLE.value == "any"
    if not any_number and tools.get("detectron2", Tool()).python:
        detect(folders, tools["detectron2"])
    criteria = Criteria(1 if any_number else _LEAST.value, _SCORE.value, _SIDE.value)

    def told(names: Iterable[str]) -> Iterable[str]:
        return tqdm(names, "reading", unit="sample", leave=False)

    chosen, left_out = load_subjects(folders, people_of, criteria, len(body.template), told)
    save_bytes(Path(_OUT.value) / "left_out.csv", csv_text(["sample", "reason"], list(left_out.items())).encode())
    print(f"{len(chosen)} of {len(folders)} samples to ask about")
    for why, count in Counter(left_out.values()).most_common(5):
        print(f"  left out, {count}: {why}")
    if not chosen:
        sys.exit(f"{_DATA.value}: no sample to ask about (left_out.csv says why; --people=any takes all)")
    return chosen


def ask(subjects: list[Subject], questions: dict[str, list[str]], tool: Tool) -> dict[str, list[Answer | str]]:
    """ChatPose's answers by row, in the order of the subjects; a sentence where none came."""
    places = [(row, index) for row in questions for index in range(len(subjects))]
    jobs = [
        Job(
            {"image": subjects[k].image},
            Path(_OUT.value) / "answers" / row / subjects[k].name,
            {"question": questions[row][k], "picture": _PICTURE.value},
        )
        for row, k in places
    ]
    clear_half_done(Path(_OUT.value) / "answers")
    with tqdm(total=len(jobs), desc="asking", unit="answer") as bar:
        failed = Counter[str]()

        def tell(outcome: Outcome) -> None:
            bar.update()
            if outcome.error:
                failed["all"] += 1
                if failed["all"] <= TOLD:
                    tqdm.write(outcome.error.splitlines()[0], file=sys.stderr)

        outcomes = run(wrappers()["chatpose"], tool, jobs, overwrite=_OVERWRITE.value, progress=tell)
    found: dict[str, list[Answer | str]] = {row: [] for row in questions}
    for (row, _), outcome in zip(places, outcomes, strict=True):
        found[row].append(outcome.error or read(outcome.job.out / ANSWER_FILE))
    return found


def clear_half_done(tree: Path) -> None:
    """Removes the hidden folders of a run that was killed. The lock tells that nobody is at work in them."""
    for folder in [path for path in tree.rglob(".*") if re.fullmatch(r"\..+-[0-9a-f]{8}", path.name) and path.is_dir()]:
        shutil.rmtree(folder, ignore_errors=True)


def given(subjects: list[Subject], names: tuple[str, ...]) -> dict[str, list[Answer | str]]:
    """The user's own answers, in folders by row or in one; a sentence for each that is missing or unusable."""
    tree = Path(_ANSWERS.value or "")
    by_row = {row: tree / row for row in names if (tree / row).is_dir()}
    if not by_row and any((tree / row).is_dir() for row in rows()):
        sys.exit(f"--answers={tree}: has folders of rows, none of them of --rows={','.join(names)}")
    if not by_row and not any((tree / s.name / ANSWER_FILE).is_file() for s in subjects):
        sys.exit(f"--answers={tree}: holds no [ROW/]SAMPLE/{ANSWER_FILE} of these samples, e.g. {subjects[0].name}")
    by_row = by_row or {"given": tree}
    return {row: [read(place / s.name / ANSWER_FILE) for s in subjects] for row, place in by_row.items()}


def read(path: Path) -> Answer | str:
    """An answer, or why there is none."""
    try:
        return load_answer(path)
    except SampleError as error:
        return str(error)


def judged(
    body: Body, subjects: list[Subject], questions: list[str], answers: list[Answer | str], poses: list[HumanPose]
) -> list[Asked]:
    """One row of the table."""
    shape = cast(Literal["annotation", "mean"], _SHAPE.value)
    silent = Answer("", None)
    found = scores(body, [silent if isinstance(a, str) else a for a in answers], poses, shape)
    return [
        Asked(s.name, q, None, Score(*score), a) if isinstance(a, str) else Asked(s.name, q, a, score)
        for s, q, a, score in zip(subjects, questions, answers, found, strict=True)
    ]


def evaluate(tools: dict[str, Tool]) -> None:
    """Chooses, asks, scores and writes."""
    names = check_rows(_ROWS.value)
    if not names:
        sys.exit(f"--rows: names no row, expected some of {', '.join(rows())}")
    for flag in (_BOXES, _ANSWERS):
        if flag.value and not Path(flag.value).is_dir():
            sys.exit(f"--{flag.name}={flag.value}: no such folder")
    prompts = PROMPTS if _PROMPTS.value is None else load_prompts(Path(_PROMPTS.value))
    body = builtin_body() if _BODY.value is None else load_body(_BODY.value)
    subjects = choose(tools, body)
    poses = [subject.pose for subject in subjects]
    questions = {row: [question(row, s.action, s.category, s.place, prompts) for s in subjects] for row in names}
    table = {
        row: judged(
            body, subjects, questions.get(row.removeprefix("words: "), [""] * len(subjects)), list(answers), poses
        )
        for row, answers in floor_answers(subjects).items()
    }
    tool = tools.get("chatpose", Tool())
    asked: dict[str, dict[str, list[Answer | str]]] = {}
    if _ANSWERS.value:
        asked["answers"] = given(subjects, names)
    if tool.python:
        asked["ChatPose"] = ask(subjects, questions, tool)
    for who, by_row in asked.items():
        for row, answers in by_row.items():
            own = questions.get(row, [""] * len(subjects))
            table[f"{who}: {row}"] = judged(body, subjects, own, answers, poses)
    write(subjects, table, bool(asked))
    failed = sum(one.state == "failed" for row in table.values() for one in row)
    if failed:
        sys.exit(
            f"{failed} questions without a usable answer (answers.csv says why); the same command tries them again"
        )


def write(subjects: list[Subject], table: dict[str, list[Asked]], model: bool) -> None:
    """The tables, every answer, and the page; shows the table."""
    people = "all pictures" if _PEOPLE.value == "any" else f"pictures with {_LEAST.value} people or more"
    whose = "as annotated in both" if _SHAPE.value == "annotation" else "zero in the answer, as annotated in the truth"
    notes = [
        f"{len(subjects)} samples, {people}. Mean ± standard error over the answers with a pose; n is their number.",
        f"Root rotation and translation zero in both; shape, face and fingers {whose}; no alignment.",
        "rest, mean and words are plain answers without a model: T-pose, and means of the other samples' poses.",
    ]
    if not model:
        notes.append("No model was asked: give ChatPose with --tools or --chatpose_python, or answers with --answers.")
    out = Path(_OUT.value)
    texts = {"table.md": table_markdown(table, notes), "table.tex": table_latex(table, notes)}
    texts |= {"table.csv": table_csv(table), "answers.csv": answers_csv(table)}
    texts |= {"index.html": pose_chat_page(subjects, table, notes, _PAGE.value)}
    for name, text in texts.items():
        save_bytes(out / name, text.encode())
    print(table_text(table) + "\n\n" + "\n".join(notes) + f"\n{out / 'index.html'}")


def make_company() -> None:
    """A tree of the same samples, each with the person of another one beside it, left and right in turn."""
    folders = sample_folders()
    if len(folders) < 2:
        sys.exit(f"{_DATA.value}: one sample alone has no company")
    if Path(_OUT.value).resolve().is_relative_to(Path(_DATA.value).resolve()):
        sys.exit(f"--out={_OUT.value}: lies in --data, and its samples would be joined once more; choose another place")
    words = [words_of(folder) for folder in folders.values()]
    made, failed = 0, []
    for index, (name, folder) in enumerate(tqdm(list(folders.items()), "joining", unit="sample")):
        place = Path(_OUT.value) / name
        if not place.exists():
            other = list(folders.values())[company_of(words, index)]
            try:
                joined = with_company(load_sample(folder), load_sample(other), left=bool(index % 2))
            except SampleError as error:
                failed.append(f"{name}: {error}")
                continue
            save_with_company(*joined, place)
            made += 1
    there = len(folders) - made - len(failed)
    print(f"{made} pictures with two people written, {there} were there, {len(failed)} failed: {_OUT.value}")
    if failed:
        sys.exit("\n".join(["could not be joined:", *failed]))


def main(arguments: list[str]) -> None:
    if arguments[1:] not in ([], ["company"]):
        sys.exit(f"not a flag: {' '.join(arguments[1:])} (see --help)")
    try:
        with held(Path(_OUT.value) / ".pose_chat.lock"):
            make_company() if arguments[1:] else evaluate(wrapper_flags.tools())
    except (SampleError, LockedError, ValueError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(f"stopped; what is whole stays in {_OUT.value}, the same command goes on")


if __name__ == "__main__":
    flags.adopt_module_key_flags(wrapper_flags)  # so that --help shows them
    app.run(main)
