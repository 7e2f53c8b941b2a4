#!/usr/bin/env python3
"""coverage.py OBJECTS LEAST - lines of a folder that tests have run.

OBJECTS is a folder of objects that were built with --enable-coverage; the counts
are of all programs that ran since they were made anew. Prints a line for each
source, its lines that never ran, and the sum; fails below LEAST percent.
"""
import json
import pathlib
import subprocess
import sys


def ranges(numbers):
    """[1, 2, 3, 7] as "1-3, 7"."""
    found = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(f"{a}-{b}" if a != b else f"{a}" for a, b in found)


def lines_of(notes):
    """How often each line of its source ran."""
    said = subprocess.run(["gcov", "--json-format", "--stdout", str(notes)], cwd=notes.parent, capture_output=True,
                          text=True, check=True).stdout
    counts = {}
    for line in said.splitlines():
        for source in json.loads(line)["files"]:
            if pathlib.Path(source["file"]).name == f"{notes.stem}.c":
                for one in source["lines"]:
                    counts[one["line_number"]] = counts.get(one["line_number"], 0) + one["count"]
    return counts


def main():
    objects, least = pathlib.Path(sys.argv[1]).resolve(), float(sys.argv[2])
    ran = every = 0
    for notes in sorted(objects.glob("*.gcno")):
        counts = lines_of(notes)
        missed = [number for number, count in counts.items() if count == 0]
        ran += len(counts) - len(missed)
        every += len(counts)
        print(f"{notes.stem + '.c':20} {100 * (1 - len(missed) / max(len(counts), 1)):6.1f} % of {len(counts):4}"
              f"  {ranges(missed)}")
    if every == 0:
        sys.exit(f"{objects} was not built with --enable-coverage")
    share = 100 * ran / every
    print(f"{'all':20} {share:6.1f} % of {every:4}")
    if share < least:
        sys.exit(f"less than {least:.0f} %")


if __name__ == "__main__":
    main()
