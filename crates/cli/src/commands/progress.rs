//! How far a transfer is: a bar on a terminal, else a line every few seconds.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use client::Progress;
use indicatif::{BinaryBytes, MultiProgress, ProgressBar, ProgressStyle};
use tracing_subscriber::fmt::MakeWriter;

/// Between lines, where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Every bar, so that a warning can be written between them.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// The display of one transfer; the bar goes away with it.
pub(crate) struct Transfer {
    bar: ProgressBar,
}

impl Transfer {
    /// Of `total` bytes, which is not known of every image.
    pub(crate) fn start(verb: &'static str, title: &str, total: Option<u64>) -> (Self, Progress) {
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new).with_style(style());
        bar.set_message(format!("{verb} {title}"));
        if io::stderr().is_terminal() {
            let bar = BARS.add(bar);
            let moved = bar.clone();
            return (Self { bar }, Progress::new(move |position| moved.set_position(position)));
        }
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        let lines = Arc::new(Lines::new(format!("{verb} {title}"), total));
        (Self { bar }, Progress::new(move |position| lines.at(position)))
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let template =
        "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Progress for a log file.
struct Lines {
    title: String,
    total: Option<u64>,
    last: Mutex<Instant>,
}

impl Lines {
    fn new(title: String, total: Option<u64>) -> Self {
        Self { title, total, last: Mutex::new(Instant::now()) }
    }

    fn at(&self, position: u64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < LINE_EVERY {
            return;
        }
        *last = Instant::now();
        eprintln!("{}", line(&self.title, position, self.total));
    }
}

fn line(title: &str, position: u64, total: Option<u64>) -> String {
    match total.filter(|total| *total > 0) {
        Some(total) => {
            let percent = u128::from(position) * 100 / u128::from(total);
            format!("{title}: {percent} %, {} of {}", BinaryBytes(position), BinaryBytes(total))
        }
        None => format!("{title}: {}", BinaryBytes(position)),
    }
}

/// Shows the warnings of the client: what is tried again, and why.
pub(crate) fn show_warnings() {
    let shown = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(BesideBars)
        .without_time()
        .with_target(false)
        .try_init();
    // Only a second subscriber fails, and then the first one shows them.
    drop(shown);
}

/// Standard error, with the bars out of the way while it is written to.
struct BesideBars;

impl<'a> MakeWriter<'a> for BesideBars {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for BesideBars {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_of_how_much() {
        for (position, total, expected) in [
            (512, Some(1024), "push x: 50 %, 512 B of 1.00 KiB"),
            (0, Some(0), "push x: 0 B"),
            (u64::MAX, Some(u64::MAX), "push x: 100 %, 16.00 EiB of 16.00 EiB"),
            (2048, None, "push x: 2.00 KiB"),
        ] {
            assert_eq!(line("push x", position, total), expected);
        }
    }
}
