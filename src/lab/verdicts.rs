//! The results of `eidway lab test`, as TAP and as JUnit.

use std::fmt::Write;
use std::time::Duration;

/// The maximum number of lines of output that the result of a failed scenario has.
const MOST_LINES: usize = 60;

/// The outcome of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All results were as expected.
    Passed,
    /// A result was not as expected, or the lab did not come up. The text is the output of the
    /// scenario.
    Failed(String),
    /// The scenario was not played, for this reason.
    Skipped(String),
}

/// The result of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The folder of the lab.
    pub lab: String,
    /// The name of the scenario, or `lab.toml` if the lab cannot be read.
    pub scenario: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The time that the scenario took, including the start and the end of its lab.
    pub took: Duration,
}

/// Returns the first lines of TAP, version 14, for this number of results.
pub fn tap_head(count: usize) -> String {
    format!("TAP version 14\n1..{count}\n")
}

impl Verdict {
    /// Returns the lines of TAP for the result with this number.
    pub fn tap(&self, number: usize) -> String {
        let Verdict { lab, scenario, outcome, took } = self;
        let (result, after) = match outcome {
            Outcome::Passed => ("ok", String::new()),
            Outcome::Failed(_) => ("not ok", String::new()),
            Outcome::Skipped(why) => ("ok", format!(" # SKIP {why}")),
        };
        let seconds = took.as_secs_f64();
        // A `#` in a description would begin a directive.
        let name = format!("{lab}: {scenario}").replace('\\', "\\\\").replace('#', "\\#");
        let mut text = format!("{result} {number} - {name} ({seconds:.1} s){after}\n");
        if let Outcome::Failed(output) = outcome {
            for line in last(output) {
                text.push_str(&format!("# {line}\n"));
            }
        }
        text
    }
}

/// Returns the last [`MOST_LINES`] lines of an output.
fn last(output: &str) -> Vec<&str> {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(MOST_LINES)..].to_vec()
}

/// Returns the results in the form of JUnit: one suite for each lab.
pub fn junit(verdicts: &[Verdict]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for of_lab in verdicts.chunk_by(|one, other| one.lab == other.lab) {
        let count = |is: fn(&Outcome) -> bool| of_lab.iter().filter(|it| is(&it.outcome)).count();
        let failures = count(|outcome| matches!(outcome, Outcome::Failed(_)));
        let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        let took: Duration = of_lab.iter().map(|verdict| verdict.took).sum();
        // A write into a `String` has no error.
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\" \
             time=\"{:.3}\">",
            escaped(&of_lab[0].lab),
            of_lab.len(),
            took.as_secs_f64()
        );
        for Verdict { lab, scenario, outcome, took } in of_lab {
            let (lab, scenario) = (escaped(lab), escaped(scenario));
            let inside = match outcome {
                Outcome::Passed => String::new(),
                Outcome::Failed(output) => {
                    format!("<failure>{}</failure>", escaped(&last(output).join("\n")))
                }
                Outcome::Skipped(why) => format!("<skipped message=\"{}\"/>", escaped(why)),
            };
            let _ = writeln!(
                text,
                "    <testcase classname=\"{lab}\" name=\"{scenario}\" time=\"{:.3}\">{inside}</testcase>",
                took.as_secs_f64()
            );
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// Returns a text in the form that XML requires. Characters that XML does not permit are replaced.
fn escaped(text: &str) -> String {
    let permitted = |c: char| c >= ' ' || c == '\n' || c == '\t';
    let text: String = text.chars().map(|c| if permitted(c) { c } else { '\u{fffd}' }).collect();
    super::page::escaped(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts() -> Vec<Verdict> {
        let verdict = |lab: &str, scenario: &str, outcome| Verdict {
            lab: lab.to_owned(),
            scenario: scenario.to_owned(),
            outcome,
            took: Duration::from_millis(1500),
        };
        vec![
            verdict("a", "one", Outcome::Passed),
            verdict("a", "two#", Outcome::Failed("x < 1\n\u{1b}[1m".to_owned())),
            verdict("b", "three", Outcome::Skipped("only simulated".to_owned())),
        ]
    }

    #[test]
    fn tap_numbers_each_result_and_shows_the_output_of_a_failure() {
        let text: String = (1..).zip(verdicts()).map(|(number, it)| it.tap(number)).collect();
        let expected = "ok 1 - a: one (1.5 s)\nnot ok 2 - a: two\\# (1.5 s)\n# x < 1\n# \u{1b}[1m\n\
                        ok 3 - b: three (1.5 s) # SKIP only simulated\n";
        assert_eq!(text, expected);
        assert_eq!(tap_head(3), "TAP version 14\n1..3\n");
    }

    #[test]
    fn junit_has_a_suite_for_each_lab_and_only_characters_of_xml() {
        let text = junit(&verdicts());
        for part in [
            "<testsuite name=\"a\" tests=\"2\" failures=\"1\" skipped=\"0\" time=\"3.000\">",
            "<failure>x &lt; 1\n\u{fffd}[1m</failure>",
            "<testsuite name=\"b\" tests=\"1\" failures=\"0\" skipped=\"1\" time=\"1.500\">",
            "<skipped message=\"only simulated\"/>",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }
}
