//! A run on a terminal: a line for each step that is done, and one that moves for the step at work.

use std::time::Duration;

use console::{StyledObject, style};
use indicatif::{ProgressBar, ProgressStyle};
use line::Event;

/// How often the line moves.
const TICK: Duration = Duration::from_millis(120);

pub(super) struct Terminal {
    moving: ProgressBar,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Terminal { moving: ProgressBar::hidden() }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Started { step, what } => self.start(format!("{step:<8}"), what),
            Event::Note { text, .. } => self.moving.set_message(text.clone()),
            Event::Progress { done, total, .. } => self.position(*done, *total),
            Event::Finished { step, result, seconds } => {
                self.moving.finish_and_clear();
                eprintln!("{} {step:<8} {seconds:>6.1} s  {result}", mark());
            }
            Event::Reused { step, what, made } => {
                let made = made.strftime("%Y-%m-%d %H:%M UTC");
                eprintln!("{} {step:<8}     kept  {what} ({made})", mark());
            }
            Event::Finding { .. } => {}
        }
    }

    /// Prints lines above the one that moves.
    pub(super) fn lines(&self, lines: &str) {
        self.moving.suspend(|| eprint!("{lines}"));
    }

    pub(super) fn finish(self) {
        self.moving.finish_and_clear();
    }

    fn start(&mut self, step: String, what: &str) {
        self.moving = ProgressBar::new_spinner().with_prefix(step).with_message(what.to_owned());
        self.moving.set_style(template("{spinner:.cyan} {prefix} {elapsed:>6}    {wide_msg:.dim}"));
        self.moving.enable_steady_tick(TICK);
    }

    /// From the first figure on there is a bar.
    fn position(&mut self, done: u64, total: u64) {
        if self.moving.length() != Some(total) {
            self.moving.set_length(total);
            self.moving.set_style(template(
                "{spinner:.cyan} {prefix} {elapsed:>6}    {bar:30.cyan/dim} {binary_bytes} of \
                 {binary_total_bytes}, {eta} left",
            ));
        }
        self.moving.set_position(done);
    }
}

fn template(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant that was tried")
}

fn mark() -> StyledObject<&'static str> {
    style("✓").green().for_stderr()
}
