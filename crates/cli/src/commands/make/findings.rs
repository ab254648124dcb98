//! What the offline checks found, as a table: verdict, id, what was looked at, and the fix.

use std::fmt::Write;

use console::{StyledObject, style};
use line::{Finding, Verdict};

/// A line for each finding; what is wrong and how to mend it stand below.
pub(super) fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
    let below = " ".repeat(width + 12);
    let mut table = String::new();
    for finding in findings {
        let (word, id) = (word(finding.verdict), tame(&finding.check));
        // A string takes whatever is written to it.
        let _ = writeln!(table, "    {word}  {id:<width$}  {}", tame(&finding.title));
        for (name, text) in [("found", &finding.what), ("fix", &finding.fix)] {
            if !text.is_empty() {
                let _ = writeln!(table, "{below}{name}: {}", tame(text));
            }
        }
    }
    table
}

/// In colours, where standard error is a terminal.
fn word(verdict: Verdict) -> StyledObject<&'static str> {
    let word = match verdict {
        Verdict::Pass => style("pass").green(),
        Verdict::Warn => style("warn").yellow(),
        Verdict::Fail => style("fail").red(),
        Verdict::Skip => style("skip").dim(),
    };
    word.for_stderr()
}

/// What was found are words of the guest: control characters could say anything to a terminal.
fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use line::Severity;

    use super::*;

    #[test]
    fn what_is_wrong_has_its_fix_below_it_and_cannot_command_the_terminal() {
        let finding = |check: &str, verdict, what: &str, fix: &str| Finding {
            check: check.into(),
            title: "a title".into(),
            severity: Severity::Error,
            verdict,
            what: what.into(),
            fix: fix.into(),
            rejects: false,
        };
        let findings = [
            finding("N1", Verdict::Pass, "", ""),
            finding("B11", Verdict::Fail, "e\u{1b}[2J", "mend it"),
        ];
        let plain = console::strip_ansi_codes(&table(&findings)).into_owned();
        let expected = "    pass  N1   a title\n    fail  B11  a title\n\
            \u{20}              found: e\u{FFFD}[2J\n               fix: mend it\n";
        assert_eq!(plain, expected);
    }
}
