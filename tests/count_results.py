#!/usr/bin/env python3
"""Counts what a test run did and prints it: failures and skips by name, then 'N passed, M failed[, K skipped]'.

Usage: count_results.py REPORTS

REPORTS holds ctest.junit (one entry for each test program), one GoogleTest XML file for each program that is one,
named after it, and lint (the lines of tests/lint.sh). GoogleTest programs count by their cases, everything else as
one. A program that fails without a failing case (it crashed, leaked, timed out or never ran) counts as one failure
of its own. Exit status: 0 when something passed or was skipped and nothing failed.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


class Counts:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []


def count_cases(report, counts):
    """Adds the cases of one GoogleTest report; returns how many failed and how many there were."""
    failed = total = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{report.stem}: {case.get('classname')}.{case.get('name')}"
        total += 1
        skip = case.find("skipped")
        if case.find("failure") is not None:
            counts.failed.append(name)
            failed += 1
        elif case.get("status") == "notrun":
            counts.skipped.append((name, "disabled"))
        elif skip is not None or case.get("result") == "skipped":
            text = (skip.text or skip.get("message") or "") if skip is not None else ""
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            # The first line is the place in the source, unless it is all there is.
            counts.skipped.append((name, " ".join(lines[1:] or lines) or "no reason given"))
        else:
            counts.passed += 1
    return failed, total


def reports_of(directory, program):
    """A program that CTest runs more than once with other arguments gets program_1.xml and so on."""
    pattern = re.compile(re.escape(program) + r"(_\d+)?\.xml$")
    return [path for path in sorted(directory.glob("*.xml")) if pattern.match(path.name)]


def skip_reason(entry):
    """The line with which a script that exits 77 says why, or what CTest says."""
    output = entry.findtext("system-out") or ""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in lines:
        if re.match(r"skip", line, re.IGNORECASE):
            return line
    if lines:
        return lines[-1]
    skipped = entry.find("skipped")
    return (skipped.get("message") if skipped is not None else None) or "no reason given"


def count_programs(directory, counts):
    junit = directory / "ctest.junit"
    if not junit.exists():
        counts.failed.append("ctest wrote no report")
        return
    seen = set()
    for entry in ElementTree.parse(junit).getroot().iter("testcase"):
        name = entry.get("name")
        reports = [path for path in reports_of(directory, name) if path not in seen]
        seen.update(reports)
        failed = total = 0
        for report in reports:
            try:
                more = count_cases(report, counts)
            except ElementTree.ParseError:
                continue  # cut short by a crash, which CTest saw too
            failed += more[0]
            total += more[1]
        status = entry.get("status")
        if status == "run":
            if total == 0:
                counts.passed += 1
        elif status == "disabled":
            counts.skipped.append((name, "disabled"))
        elif status == "notrun" and "SKIP" in (entry.find("skipped").get("message") or "").upper():
            counts.skipped.append((name, skip_reason(entry)))
        elif failed == 0:
            failure = entry.find("failure")
            why = (failure.get("message") if failure is not None else None) or status
            counts.failed.append(f"{name}: the program failed apart from its cases ({why})")


def count_lint(directory, counts):
    for line in (directory / "lint").read_text().splitlines():
        match = re.match(r"lint ([\w-]+): (ok|FAILED|skipped: (.*))$", line)
        if not match:
            continue
        name = f"lint-{match[1]}"
        if match[2] == "ok":
            counts.passed += 1
        elif match[2] == "FAILED":
            counts.failed.append(name)
        else:
            counts.skipped.append((name, match[3]))


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    directory = pathlib.Path(sys.argv[1])
    counts = Counts()
    count_programs(directory, counts)
    count_lint(directory, counts)
    if counts.passed == 0 and not counts.failed and not counts.skipped:
        counts.failed.append("no test ran")
    for name, why in counts.skipped:
        print(f"skipped  {name}: {why}")
    for name in counts.failed:
        print(f"failed   {name}")
    tail = f", {len(counts.skipped)} skipped" if counts.skipped else ""
    print(f"{counts.passed} passed, {len(counts.failed)} failed{tail}")
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
