#!/usr/bin/env python3
"""Tests of coverage.py, over a small repository of their own."""

import contextlib
import io
import pathlib
import tempfile
import unittest

import coverage

EVENTS = """message Event {
  oneof body {
    // A contact.
    ContactLogged contact_logged = 400;
    // A deal.
    DealRecorded deal_recorded = 600;
  }
}
"""

CATALOGUE = """# rule id, kept as, mechanism

club.fair	advice	-
club.first-call	fact contact_logged	call-back

shop.sleep-3-months	fact deal_recorded,contact_logged	lapse
shop.report	fact contact_logged	-
"""

DOMAIN = {
    "club": "# `club`\n- `club.fair` - **Then** fair.\n- `club.first-call` - see `club.fair`.\n",
    "shop": "# `shop`\n\n- `shop.sleep-3-months` - AMB-01.\n- `shop.report` - daily.\n",
}

POLICY = """# shop.report is not cited: this is a comment
id: "shop"
lapse {
  dormancy { period { months: 3 } rule_id: "shop.sleep-3-months" }  # 'shop.no-such-rule'
}
"""

SCENARIO = """scenario SC-01 "Asleep (shop.report)"
policy shop
rules shop.sleep-3-months
2026-03-01 g1 deal_recorded  # shop.report
"""


class CoverageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.root = self.folder / "repository"
        self.put(coverage.EVENTS, EVENTS)
        self.put(coverage.CATALOGUE, CATALOGUE)
        self.put("docs/other.md", "")
        self.put("tests/scenarios/sc01.scenario", SCENARIO)
        for system, text in DOMAIN.items():
            self.put(f"../shared/domain/systems/{system}.md", text)

    def put(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run_main(self, *arguments):
        """Exit status and everything printed."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            try:
                status = coverage.main([*arguments, "--root", str(self.root)])
            except SystemExit as end:
                status = end.code
        return status, output.getvalue()

    def write(self):
        """The page, after writing it and seeing the check agree."""
        status, output = self.run_main("--write")
        self.assertEqual((status, output), (0, self.run_main("--check")[1]))
        self.assertEqual(self.run_main("--check")[0], 0)
        return (self.root / coverage.PAGE).read_text(encoding="utf-8")

    def row(self, rule_id):
        rows = [line for line in self.write().splitlines() if line.startswith(f"| `{rule_id}` |")]
        self.assertEqual(len(rows), 1)
        return rows[0]

    def expect_failure(self, *parts, arguments=("--check",)):
        status, output = self.run_main(*arguments)
        self.assertEqual(status, 1, output)
        for part in parts:
            self.assertIn(part, output)
        return output

    def test_without_policies_everything_is_kept_as_the_catalogue_says(self):
        self.assertEqual(self.row("shop.sleep-3-months"),
                         "| `shop.sleep-3-months` | fact | lapse | - | `deal_recorded`, `contact_logged` |")
        self.assertEqual(self.row("club.fair"), "| `club.fair` | advice | - | - | - |")
        self.assertIn("| [club](#club) | 0 | 1 | 1 | 2 |", self.write())
        self.assertIn("| **all** | 0 | 3 | 1 | 4 |", self.write())

    def test_a_rule_runs_when_a_policy_cites_it_and_a_scenario_quotes_it(self):
        self.put("deploy/policies/shop.textproto", POLICY)
        self.assertEqual(self.row("shop.sleep-3-months"),
                         "| `shop.sleep-3-months` | runs | lapse | "
                         "[shop.textproto:4](../deploy/policies/shop.textproto#L4) | "
                         "[SC-01](../tests/scenarios/sc01.scenario) |")
        self.assertIn("| **all** | 1 | 2 | 1 | 4 |", self.write())

    def test_a_cpp_string_quotes_and_a_cpp_comment_does_not(self):
        self.put("deploy/policies/shop.textproto", POLICY)
        self.put("tests/scenarios/sc01.scenario", "")
        test = 'TEST_F(SleepTest, Sleeps) {\n  // "shop.sleep-3-months"\n  Expect("%s");\n}\n'
        self.put("tests/projections/sleep_test.cc", test % "")
        self.run_main("--write")
        self.expect_failure("shop.sleep-3-months is cited and no test quotes it")
        self.put("tests/projections/sleep_test.cc", test % "by shop.sleep-3-months, 3 months")
        self.assertIn("[SleepTest.Sleeps](../tests/projections/sleep_test.cc)", self.row("shop.sleep-3-months"))
        self.put("tests/projections/sleep_test.cc", 'auto text = R"(rule_id: "shop.sleep-3-months")";\n')
        self.assertIn("[sleep_test](../tests/projections/sleep_test.cc)", self.row("shop.sleep-3-months"))

    def test_a_cited_rule_without_a_test_fails_and_is_shown_as_untested(self):
        self.put("deploy/policies/shop.textproto", POLICY.replace("shop.sleep-3-months", "club.first-call"))
        self.expect_failure("deploy/policies/shop.textproto:4: club.first-call is cited and no test quotes it",
                            arguments=("--write",))
        self.assertIn("| `club.first-call` | untested |", (self.root / coverage.PAGE).read_text(encoding="utf-8"))

    def test_a_title_a_case_a_setting_and_a_bench_quote_nothing(self):
        self.put("deploy/policies/shop.textproto", POLICY)
        rule = "shop.sleep-3-months"
        self.put("tests/scenarios/sc01.scenario",
                 f'scenario SC-01 "{rule}"\ncase "{rule}"\nset lapse.dormancy.rule_id = "{rule}"\n# {rule}\n')
        self.put("tests/bench/bench.cc", f'const char kRule[] = "{rule}";\n')
        self.expect_failure("no test quotes it", arguments=("--write",))
        self.put("tests/scenarios/sc01.scenario", f"ask 2026-03-01 g1 owner rule={rule}\n")
        self.write()

    def test_an_unknown_rule_of_a_system_fails(self):
        self.write()
        self.put("deploy/policies/default.textproto", 'lapse {\n  rule_id: "shop.sleep-4-months"\n}\n')
        self.expect_failure("deploy/policies/default.textproto:2: 'shop.sleep-4-months' is no rule of")

    def test_a_misspelt_system_fails_in_a_companys_policy_only(self):
        self.put("deploy/policies/default.textproto", 'pool { rule_id: "pool.next-registration" }\n')
        self.put("deploy/policies/shop.textproto", 'pool { rule_id: "conv.month-end" other_rule_ids: "AMB-22" }\n')
        self.write()
        self.put("deploy/policies/shop.textproto", 'pool { rule_id: "shpo.sleep-3-months" }\n')
        self.expect_failure("deploy/policies/shop.textproto:1: 'shpo.sleep-3-months' is no rule of")

    def test_a_stale_or_missing_page_fails_and_names_the_command(self):
        self.expect_failure("docs/coverage.md: no such file", "repair: python3 tests/scenarios/coverage.py --write")
        text = self.write()
        self.put(coverage.PAGE, text.replace("| fact | lapse |", "| runs | lapse |"))
        number = text.splitlines().index(self.row_in(text, "shop.sleep-3-months")) + 1
        self.expect_failure(f"docs/coverage.md:{number}: not what",
                            "repair: python3 tests/scenarios/coverage.py --write")
        self.put(coverage.PAGE, text + "one line more\n")
        self.expect_failure("docs/coverage.md:")

    @staticmethod
    def row_in(text, rule_id):
        return next(line for line in text.splitlines() if line.startswith(f"| `{rule_id}` |"))

    def test_the_block_names_the_mechanism(self):
        self.put("deploy/policies/shop.textproto",
                 'hand_over {\n  steps < roles: ["a", \'b\'] > rule_id: "shop.sleep-3-months"\n}\n')
        self.assertIn("| runs | hand-over |", self.row("shop.sleep-3-months"))
        self.put("deploy/policies/shop.textproto",
                 'grade_schemes: [{ name: "a" }, { name: "b" rule_id: "shop.sleep-3-months" }]\n')
        self.assertIn("| runs | grade |", self.row("shop.sleep-3-months"))
        self.put("deploy/policies/shop.textproto", 'business_time { rule_id: "shop.sleep-3-months" }\n')
        self.assertIn("| runs | lapse |", self.row("shop.sleep-3-months"))

    def test_a_text_about_a_rule_lets_nothing_run(self):
        self.put("deploy/policies/shop.textproto", 'rule_texts { rule_id: "shop.sleep-3-months" text: "Asleep." }\n')
        self.assertIn("| fact | lapse |", self.row("shop.sleep-3-months"))
        self.put("deploy/policies/shop.textproto", 'rule_texts { rule_id: "shop.sleep-4-months" text: "Asleep." }\n')
        self.expect_failure("'shop.sleep-4-months' is no rule of")

    def test_a_running_rule_needs_a_mechanism(self):
        self.put("deploy/policies/shop.textproto", 'business_time { rule_id: "shop.report" }\n')
        self.put("tests/scenarios/sc01.scenario", "rules shop.report\n")
        self.expect_failure("shop.report is cited outside any mechanism's block", arguments=("--write",))

    def test_the_domain_pages_are_compared_both_ways(self):
        self.write()
        self.put("../shared/domain/systems/shop.md", DOMAIN["shop"] + "- `shop.new-rule` - new.\n")
        self.expect_failure("shop.new-rule is missing; the pages of the domain have it")
        self.expect_failure("shop.new-rule is missing", arguments=("--check-domain",))
        self.put("../shared/domain/systems/shop.md", DOMAIN["shop"].replace("- `shop.report`", "  `shop.report`"))
        self.expect_failure("shop.report is in no page of the domain")
        lines = DOMAIN["shop"].splitlines()
        self.put("../shared/domain/systems/shop.md", "\n".join(lines[:2] + [lines[3], lines[2]]))
        self.expect_failure("shop.sleep-3-months stands where the pages of the domain have shop.report")
        for system in DOMAIN:
            self.put(f"../shared/domain/systems/{system}.md", "no rules\n")
        self.expect_failure("name no rule", arguments=("--check-domain",))

    def test_without_domain_pages_that_part_is_skipped_visibly(self):
        self.write()
        nowhere = str(self.folder / "nowhere")
        status, output = self.run_main("--check", "--domain", nowhere)
        self.assertEqual(status, 0)
        self.assertIn("skipped: no domain pages", output)
        status, output = self.run_main("--check-domain", "--domain", nowhere)
        self.assertEqual(status, 77)
        self.assertIn("skipped: no domain pages", output)
        self.assertEqual(self.run_main("--check-domain"), (0, ""))

    def test_a_broken_catalogue_is_refused_line_by_line(self):
        wrong = {
            "shop.report\tfact contact_logged\t-": "shop.report is listed twice",
            "apple.first\tadvice\t-": "apple comes before shop",
            "shop.other\tfact contact_logged": "three columns",
            "shop.other\tfact contact_missed\t-": "has no body 'contact_missed'",
            "shop.other\tfact\t-": "has no body",
            "shop.other\tnote\t-": "'note' is neither",
            "shop.other\tadvice contact_logged\t-": "'advice contact_logged' is neither",
            "shop.other\tadvice\tmagic\t": "three columns",
            "shop.other\tadvice\tmagic": "no mechanism is called 'magic'",
            "Shop.other\tadvice\t-": "'Shop.other' is no rule id",
        }
        line = len(CATALOGUE.splitlines()) + 1
        for text, message in wrong.items():
            with self.subTest(text):
                self.put(coverage.CATALOGUE, CATALOGUE + text + "\n")
                for argument in ("--check", "--write", "--check-domain"):
                    self.expect_failure(f"{coverage.CATALOGUE}:{line}: ", message, arguments=(argument,))
        (self.root / coverage.CATALOGUE).unlink()
        self.expect_failure("catalogue.tsv: no such file")

    def test_usage(self):
        self.assertEqual(self.run_main()[0], 2)
        self.assertEqual(self.run_main("--write", "--check")[0], 2)
        status, output = self.run_main("--help")
        self.assertEqual(status, 0)
        self.assertIn("Exit status:", output)


if __name__ == "__main__":
    unittest.main()
