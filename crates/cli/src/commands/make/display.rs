//! How a run is shown: a moving line on a terminal, plain lines in a log, JSON for programs.

use std::io::{self, IsTerminal, Write};

use line::{Event, Finding, StepName};

use super::findings;
use super::terminal::Terminal;

/// One of the three ways; findings are put together to a table for people.
pub(super) struct Display {
    way: Way,
    findings: Vec<Finding>,
}

enum Way {
    Terminal(Terminal),
    Log,
    Json,
}

impl Display {
    pub(super) fn new(json: bool) -> Self {
        let way = match (json, io::stderr().is_terminal()) {
            (true, _) => Way::Json,
            (false, true) => Way::Terminal(Terminal::new()),
            (false, false) => Way::Log,
        };
        Display { way, findings: Vec::new() }
    }

    /// Shows what happened.
    pub(super) fn show(&mut self, event: &Event) {
        if let (Way::Terminal(_) | Way::Log, Event::Finding { finding, .. }) = (&self.way, event) {
            self.findings.push(finding.clone());
        }
        if matches!(event, Event::Finished { step: StepName::Check, .. }) {
            self.show_findings();
        }
        match &mut self.way {
            Way::Terminal(terminal) => terminal.show(event),
            Way::Log => log(event),
            Way::Json => json(event),
        }
    }

    /// The run is over, well or not.
    pub(super) fn finish(mut self) {
        self.show_findings();
        if let Way::Terminal(terminal) = self.way {
            terminal.finish();
        }
    }

    fn show_findings(&mut self) {
        let findings = std::mem::take(&mut self.findings);
        if findings.is_empty() {
            return;
        }
        match &self.way {
            Way::Terminal(terminal) => terminal.lines(&findings::table(&findings)),
            _ => eprint!("{}", findings::table(&findings)),
        }
    }
}

fn log(event: &Event) {
    match event {
        Event::Started { step, what } => eprintln!("{step}: {what}"),
        Event::Reused { step, what, made } => {
            eprintln!("{step}: {what}: done already, {}", made.strftime("%Y-%m-%d %H:%M UTC"));
        }
        Event::Note { step, text } => eprintln!("{step}: {text}"),
        Event::Finished { step, result, seconds } => {
            eprintln!("{step}: done in {seconds:.1} s: {result}");
        }
        Event::Progress { .. } | Event::Finding { .. } => {}
    }
}

fn json(event: &Event) {
    // Whoever does not read any more has no use for the rest either; the work itself goes on.
    if let Ok(line) = serde_json::to_string(event) {
        let _ = writeln!(io::stdout().lock(), "{line}");
    }
}
