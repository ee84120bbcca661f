"""Medians of a program's cases beside its committed baseline: what the small benchmarks share."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

BASELINES = Path(__file__).parent / "baselines"


def report(cases: Callable[[], Mapping[str, Callable[[], Any]]], about: str | None, name: str) -> None:
    """Times each case after a first call; prints the median of three, in seconds, beside baselines/<name>.json.

    Reads the command line: --write stores the new times.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="store these times as the baseline")
    write, file = parser.parse_args().write, BASELINES / f"{name}.json"
    baseline = json.loads(file.read_text()) if file.exists() else {}
    times: dict[str, float] = {}
    began = time.perf_counter()
    found = cases()
    print(f"{'making ready':26} {time.perf_counter() - began:8.3f} s, compilation in it", flush=True)
    for case, run in found.items():
        run()
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        times[case] = round(statistics.median(seconds), 3)
        print(f"{case:26} {times[case]:8.3f} s   baseline {baseline.get(case, float('nan')):8.3f} s", flush=True)
    if write:
        file.write_text(json.dumps(times, indent=2) + "\n")
