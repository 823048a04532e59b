#!/usr/bin/env python3
"""Says of every rule of the catalogue whether it runs, is kept as a fact, or is advice.

Usage: coverage.py --write | --check | --check-domain [--root DIR] [--domain DIR] [--help]

Reads deploy/policies/catalogue.tsv (every rule and what it is kept as), deploy/policies/*.textproto (which
rules a policy cites, and in which block) and the tests: tests/**/*.scenario and the C++ under tests/. A rule
runs when a policy cites it and a test quotes it: in a string of C++, or in a scenario's list of rules, events or
expectations. Titles, what a scenario sets in its policy, comments and tests/bench do not count.

  --write         write docs/coverage.md, then report what --check would
  --check         fail when the page is not what --write would write, a policy cites a rule that the
                  catalogue does not have, a cited rule is quoted by no test, the catalogue names a mechanism
                  or an event that does not exist, or catalogue and domain pages name different rules. Without
                  the domain pages that last part is skipped, which is said
  --check-domain  only that last part; exit status 77 where there are no domain pages
  --root DIR      the repository (default: the one this script is in)
  --domain DIR    the domain pages (default: shared/domain beside the repository)

Exit status: 0 nothing to report, 1 something, 2 bad usage, 77 skipped.
"""

import argparse
import collections
import pathlib
import re
import sys

CATALOGUE = "deploy/policies/catalogue.tsv"
POLICIES = "deploy/policies"
PAGE = "docs/coverage.md"
EVENTS = "proto/customerledger/v1/event.proto"
COMMAND = "python3 tests/scenarios/coverage.py"

MECHANISMS = ("registration", "claim", "lapse", "pool", "hand-over", "grade", "call-back", "reception", "credit",
              "dispute", "duty", "requirement")
# The outermost block of a policy in which a rule is cited, where it is not called as its mechanism is. In any
# other block, business_time say, the catalogue's word counts.
BLOCK_MECHANISMS = {"ownership": "claim", "grade_schemes": "grade", "duties": "duty", "requirements": "requirement"}
# A block that says in words what rules mean, and lets nothing run.
TEXTS = "rule_texts"

RULE = r"[a-z0-9]+(?:-[a-z0-9]+)*\.[a-z0-9]+(?:-[a-z0-9]+)*"
# Conventions and readings are cited beside rules; they are in the pages of the domain, not in the catalogue.
NO_RULE = re.compile(r"conv\.|AMB-")
LINKS_MAX = 3

Rule = collections.namedtuple("Rule", "id system kept events mechanism")
# Where something is said: a path below the root, a line, and what the reader is told it is called.
Place = collections.namedtuple("Place", "path line name")
Citation = collections.namedtuple("Citation", "id place block")


class CatalogueError(Exception):
    """The catalogue, or the list of events, cannot be read; nothing else can be said."""


def system_of(rule_id):
    return rule_id.split(".", 1)[0]


def event_bodies(root):
    """The field names of the event's body, as the contract has them."""
    path = root / EVENTS
    if not path.is_file():
        raise CatalogueError(f"{EVENTS}: no such file")
    body = re.search(r"oneof body \{(.*?)\n  \}", path.read_text(encoding="utf-8"), re.DOTALL)
    if body is None:
        raise CatalogueError(f"{EVENTS}: it has no 'oneof body' any more")
    return set(re.findall(r"^ +\w+ (\w+) = \d+;", body[1], re.MULTILINE))


def read_rule(line, bodies):
    """One line of the catalogue. Raises ValueError with what is wrong."""
    columns = line.split("\t")
    if len(columns) != 3:
        raise ValueError(f"three columns with a tab between them are needed, there are {len(columns)}")
    rule_id, kept, mechanism = columns
    if not re.fullmatch(RULE, rule_id):
        raise ValueError(f"'{rule_id}' is no rule id")
    if mechanism != "-" and mechanism not in MECHANISMS:
        raise ValueError(f"no mechanism is called '{mechanism}'")
    word, _, names = kept.partition(" ")
    events = names.split(",") if names else []
    if word == "fact":
        unknown = [name for name in events if name not in bodies]
        if unknown or not events:
            raise ValueError(f"{EVENTS} has no body '{unknown[0] if unknown else ''}'")
    elif kept != "advice":
        raise ValueError(f"'{kept}' is neither 'fact EVENT[,EVENT]' nor 'advice'")
    return Rule(rule_id, system_of(rule_id), word, events, mechanism)


def read_catalogue(root):
    """The rules by id, in the order of the file: by system, each system in one piece."""
    path = root / CATALOGUE
    if not path.is_file():
        raise CatalogueError(f"{CATALOGUE}: no such file")
    bodies = event_bodies(root)
    rules, wrong, system = {}, [], ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            rule = read_rule(line, bodies)
            if rule.id in rules:
                raise ValueError(f"{rule.id} is listed twice")
            if rule.system < system:
                raise ValueError(f"{rule.system} comes before {system}: systems are sorted")
        except ValueError as error:
            wrong.append(f"{CATALOGUE}:{number}: {error}")
            continue
        system = rule.system
        rules[rule.id] = rule
    if wrong:
        raise CatalogueError("\n".join(wrong))
    return rules


TEXTPROTO_TOKEN = re.compile(r"""\#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[{}<>]|\w+|\n""")


def policy_strings(text):
    """Every string of a policy in text format: (line, outermost block, field, string)."""
    line, names = 1, [""]  # names: the last word seen at each depth; the outermost block's is the first
    for token in TEXTPROTO_TOKEN.findall(text):
        if token == "\n":
            line += 1
        elif token in "{<":
            names.append("")
        elif token in "}>":
            if len(names) > 1:
                names.pop()
        elif token[0] in "\"'":
            yield line, names[0] if len(names) > 1 else "", names[-1], token[1:-1]
        elif token[0] != "#":
            names[-1] = token


def read_policies(root, rules):
    """What the policies cite: (citations of rules of the catalogue, citations of no such rule)."""
    systems = {rule.system for rule in rules.values()}
    known, unknown = [], []
    for path in sorted((root / POLICIES).glob("*.textproto")):
        for line, block, field, text in policy_strings(path.read_text(encoding="utf-8")):
            place = Place(f"{POLICIES}/{path.name}", line, f"{path.name}:{line}")
            if text in rules:
                if block != TEXTS:
                    known.append(Citation(text, place, block))
                continue
            # In a company's own policy a misspelt system is no less wrong than a misspelt rule.
            in_system = "." in text and system_of(text) in systems and " " not in text
            misspelt = path.stem in systems and re.search(r"rule_ids?$", field) and not NO_RULE.match(text)
            if in_system or (misspelt and text):
                unknown.append(Citation(text, place, block))
    return known, unknown


CPP_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/"""
    r"""|R"(?P<delimiter>[^()\\\s]{0,16})\((?P<raw>.*?)\)(?P=delimiter)\""""
    r"""|"(?P<string>(?:\\.|[^"\\\n])*)"|'(?:\\.|[^'\\\n])'"""
    r"""|\bTEST(?:_F|_P)?\(\s*(?P<suite>\w+),\s*(?P<case>\w+)\s*\)""", re.DOTALL)


def quotes_of_cpp(path, text):
    """Every rule id in a string of a C++ file, with the test around it."""
    name = pathlib.Path(path).stem
    for match in CPP_TOKEN.finditer(text):
        if match["suite"]:
            name = f"{match['suite']}.{match['case']}"
        for part in ("raw", "string"):
            if match[part]:
                line = text.count("\n", 0, match.start(part)) + 1
                yield from ((rule_id, Place(path, line, name)) for rule_id in re.findall(RULE, match[part]))


def quotes_of_scenario(path, text):
    """Every rule id in a scenario's list of rules, its events and expectations, with the scenario's name."""
    name = pathlib.Path(path).stem
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        title = re.match(r"scenario\s+\"?([\w-]+)", line)
        if title:
            name = title[1]
        elif not re.match(r"(case|set)\b", line):
            yield from ((rule_id, Place(path, number, name)) for rule_id in re.findall(RULE, line))


def read_tests(root, rules):
    """Where the tests quote each rule: id -> places, one for each test."""
    quotes = collections.defaultdict(list)
    for path in sorted((root / "tests").rglob("*")):
        if path.suffix == ".scenario":
            found = quotes_of_scenario
        elif path.suffix in (".cc", ".h"):
            found = quotes_of_cpp
        else:
            continue
        relative = path.relative_to(root).as_posix()
        if relative.startswith("tests/bench/"):
            continue
        for rule_id, place in found(relative, path.read_text(encoding="utf-8")):
            tests = {(place.path, place.name) for place in quotes[rule_id]} if rule_id in rules else None
            if tests is not None and (place.path, place.name) not in tests:
                quotes[rule_id].append(place)
    return quotes


class Coverage:
    """What the files under a root say of every rule."""

    def __init__(self, root):
        self.rules = read_catalogue(root)
        known, self.unknown = read_policies(root, self.rules)
        self.citations = collections.defaultdict(list)
        for citation in known:
            self.citations[citation.id].append(citation)
        self.quotes = read_tests(root, self.rules)
        self.mechanisms = {rule.id: self.mechanism_of(rule) for rule in self.rules.values()}

    def mechanism_of(self, rule):
        for citation in self.citations.get(rule.id, []):
            word = BLOCK_MECHANISMS.get(citation.block, citation.block.replace("_", "-"))
            if word in MECHANISMS:
                return word
        return rule.mechanism

    def standing(self, rule):
        if rule.id not in self.citations:
            return rule.kept
        return "runs" if self.quotes.get(rule.id) else "untested"


def linked(places):
    """Markdown links to places, as seen from the folder of the page."""
    links = []
    for place in places[:LINKS_MAX]:
        anchor = f"#L{place.line}" if place.line else ""
        links.append(f"[{place.name}](../{place.path}{anchor})")
    if len(places) > LINKS_MAX:
        links.append(f"{len(places) - LINKS_MAX} more")
    return ", ".join(links)


def rule_row(coverage, rule):
    standing = coverage.standing(rule)
    preset, last = "-", "-"
    if standing in ("runs", "untested"):
        preset = linked([citation.place for citation in coverage.citations[rule.id]])
        # No line of a test: it would move with every test written above it.
        last = linked([place._replace(line=0) for place in coverage.quotes.get(rule.id, [])]) or "-"
    elif rule.events:
        last = ", ".join(f"`{event}`" for event in rule.events)
    return f"| `{rule.id}` | {standing} | {coverage.mechanisms[rule.id]} | {preset} | {last} |"


def totals_rows(groups, coverage, standings):
    """One line for each (cell, rules of it), with the numbers of each standing."""
    for cell, rules in groups:
        counts = collections.Counter(coverage.standing(rule) for rule in rules)
        yield "| " + " | ".join([cell] + [str(counts[word]) for word in standings] + [str(len(rules))]) + " |"


def totals_table(title, groups, coverage):
    rules = list(coverage.rules.values())
    standings = ["runs", "fact", "advice"]
    if any(coverage.standing(rule) == "untested" for rule in rules):
        standings.insert(1, "untested")
    yield f"| {title} | " + " | ".join(standings) + " | rules |"
    yield "|---" + "|---:" * (len(standings) + 1) + "|"
    yield from totals_rows(list(groups) + [("**all**", rules)], coverage, standings)


def by_system(coverage):
    groups = collections.OrderedDict()
    for rule in coverage.rules.values():
        groups.setdefault(rule.system, []).append(rule)
    return groups


def page(coverage):
    """The text of the page."""
    systems = by_system(coverage)
    mechanisms = [(word, [rule for rule in coverage.rules.values() if coverage.mechanisms[rule.id] == word])
                  for word in MECHANISMS + ("-",)]
    lines = [
        "# Coverage: what becomes of every rule",
        "",
        f"Written by `{COMMAND} --write` from `{CATALOGUE}`,",
        "the policies beside it and the tests; a test compares. Do not edit this page.",
        "",
        "- **runs**: a policy cites the rule, so a mechanism carries it out and answers cite it, and a test quotes",
        "  it. The page links the lines of the policy, and the tests.",
        "- **fact**: kept in order, with nothing computed from it under that rule; the page names the event bodies",
        "  of `event.proto` that record it. The mechanism is the one that could run it; `-`: none is needed.",
        "- **advice**: no event could record it; it stays a note.",
    ]
    if any(coverage.standing(rule) == "untested" for rule in coverage.rules.values()):
        lines += ["- **untested**: a policy cites the rule and no test quotes it, which fails the test of this page."]
    lines += ["", *totals_table("mechanism", mechanisms, coverage), ""]
    lines += totals_table("system", [(f"[{system}](#{system})", rules) for system, rules in systems.items()],
                          coverage)
    for system, rules in systems.items():
        lines += ["", f"## {system}", "", "| rule | | mechanism | policy | test, or event |", "|---|---|---|---|---|"]
        lines += [rule_row(coverage, rule) for rule in rules]
    return "\n".join(lines) + "\n"


def policy_problems(coverage):
    for citation in coverage.unknown:
        yield (f"{citation.place.path}:{citation.place.line}: '{citation.id}' is no rule of {CATALOGUE}; "
               "correct the id")
    for rule_id, citations in sorted(coverage.citations.items()):
        place = citations[0].place
        if not coverage.quotes.get(rule_id):
            yield (f"{place.path}:{place.line}: {rule_id} is cited and no test quotes it; expect it in a test "
                   "under tests/scenarios, or let the policy not cite it")
        if coverage.mechanisms[rule_id] == "-":
            yield (f"{place.path}:{place.line}: {rule_id} is cited outside any mechanism's block; name the "
                   f"mechanism that runs it in {CATALOGUE}")


def page_problems(root, wanted):
    path = root / PAGE
    repair = f"repair: {COMMAND} --write"
    if not path.is_file():
        yield f"{PAGE}: no such file; {repair}"
        return
    found = path.read_text(encoding="utf-8")
    if found == wanted:
        return
    pairs = zip(found.splitlines() + [""], wanted.splitlines() + [""])
    number = next((number for number, (old, new) in enumerate(pairs, 1) if old != new), 1)
    yield f"{PAGE}:{number}: not what the catalogue, the policies and the tests say; {repair}"


def domain_rules(domain):
    """The ids of the domain pages: by page, then in the order of the page."""
    ids = []
    for path in sorted((domain / "systems").glob("*.md"), key=lambda path: path.stem):
        ids += re.findall(rf"^- `({RULE})`", path.read_text(encoding="utf-8"), re.MULTILINE)
    return ids


def domain_problems(rules, domain):
    ids = domain_rules(domain)
    if not ids:
        yield f"{domain}: its systems pages name no rule"
        return
    for rule_id in sorted(set(ids) - set(rules)):
        yield f"{CATALOGUE}: {rule_id} is missing; the pages of the domain have it"
    for rule_id in sorted(set(rules) - set(ids)):
        yield f"{CATALOGUE}: {rule_id} is in no page of the domain"
    if set(ids) == set(rules):
        first = next(((old, new) for old, new in zip(rules, ids) if old != new), None)
        if first:
            yield f"{CATALOGUE}: {first[0]} stands where the pages of the domain have {first[1]}"


def check_domain(rules, domain):
    """Problems with the domain pages, or None where there are none to compare with."""
    if not (domain / "systems").is_dir():
        print(f"skipped: no domain pages in {domain}; whether the catalogue is complete was not checked")
        return None
    return list(domain_problems(rules, domain))


def report(problems):
    for problem in problems:
        print(f"coverage: {problem}", file=sys.stderr)
    return 1 if problems else 0


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="coverage.py", usage=__doc__.split("Usage: ")[1].split("\n")[0],
                                     add_help=False)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true")
    what.add_argument("--check", action="store_true")
    what.add_argument("--check-domain", action="store_true")
    what.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--domain", type=pathlib.Path)
    return parser.parse_args(arguments)


def main(arguments):
    options = parse_arguments(arguments)
    if options.help:
        print(__doc__.strip())
        return 0
    domain = options.domain or options.root.resolve().parent / "shared" / "domain"
    try:
        if options.check_domain:
            problems = check_domain(read_catalogue(options.root), domain)
            return 77 if problems is None else report(problems)
        coverage = Coverage(options.root)
    except CatalogueError as error:
        return report(str(error).splitlines())
    text = page(coverage)
    if options.write:
        (options.root / PAGE).write_text(text, encoding="utf-8")
    problems = list(policy_problems(coverage)) + list(page_problems(options.root, text))
    status = report(problems + (check_domain(coverage.rules, domain) or []))
    if status == 0:
        counts = collections.Counter(coverage.standing(rule) for rule in coverage.rules.values())
        print(f"{len(coverage.rules)} rules: " + ", ".join(f"{counts[word]} {word}"
                                                          for word in ("runs", "fact", "advice")))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
