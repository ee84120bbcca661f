"""List every problem of a sample folder, or of every sample in a tree.

    python experiments/check_data.py --data=DIR
    python experiments/check_data.py --data=DIR --json=problems.json

An error means that the sample cannot be read, a warning that somebody should look. The exit code is 1 when there are
errors, 2 when the program was called wrongly or there is no sample to check, else 0.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from absl import app, flags
from tqdm import tqdm

from hoijax.data.check import Problem, check_sample
from hoijax.data.layout import find_samples
from hoijax.data.sample import SampleError

_DATA = flags.DEFINE_string("data", None, "A sample folder in the Open3DHOI layout, or a tree of them.")
_JSON = flags.DEFINE_string("json", None, "Also write the problems to this file: {folder: [problem, ...]}.")

MISUSE = 2


def stop(message: str) -> NoReturn:
    """Ends the program as one that was called wrongly."""
    print(message, file=sys.stderr)
    sys.exit(MISUSE)


def table(folder: Path, problems: Sequence[Problem]) -> str:
    """The problems of one sample, one line each, in columns."""
    width = max(len(problem.file) for problem in problems)
    lines = [f"  {problem.severity:<7}  {problem.file:<{width}}  {problem.message}" for problem in problems]
    return "\n".join([str(folder), *lines])


def summary(found: Mapping[Path, Sequence[Problem]]) -> str:
    """One line: how many samples, how many are without problems, how many errors and warnings."""
    errors = sum(problem.severity == "error" for problems in found.values() for problem in problems)
    warnings = sum(len(problems) for problems in found.values()) - errors
    clean = sum(not problems for problems in found.values())
    counts = ((len(found), "sample"), (errors, "error"), (warnings, "warning"))
    samples, errors_text, warnings_text = (f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts)
    return f"{samples} checked, {clean} without problems: {errors_text}, {warnings_text}"


def parse(argv: list[str]) -> list[str]:
    """Parses the flags; ends the program with a sentence when they are wrong."""
    try:
        rest = flags.FLAGS(argv)
    except flags.Error as error:
        stop(f"{error} (see --help)")
    if len(rest) > 1:
        stop(f"not a flag: {' '.join(rest[1:])} (see --help)")
    return rest


def main(_: list[str]) -> None:
    if not _DATA.value:
        stop("give --data=DIR, a sample folder or a tree of them (see --help)")
    try:
        folders = find_samples(_DATA.value)
    except SampleError as error:
        stop(str(error))
    if not folders:
        stop(f"{_DATA.value}: holds no sample (a sample has image.jpg, person_mask.png, smplx_parameters.json, ...)")
    found = {}
    for folder in tqdm(folders, unit="sample", disable=len(folders) == 1, leave=False):
        found[folder] = check_sample(folder)
        if found[folder]:
            tqdm.write(table(folder, found[folder]) + "\n")
    print(summary(found))
    if _JSON.value:
        content = {str(folder): [problem._asdict() for problem in problems] for folder, problems in found.items()}
        try:
            Path(_JSON.value).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            stop(f"{_JSON.value}: cannot be written ({error.strerror})")
    if any(problem.severity == "error" for problems in found.values() for problem in problems):
        sys.exit(1)


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
