//! Answers that never come although the server is there: the peer of their connection has vanished
//! without a word, as an address does that moves to another machine, and the kernel asks a silent
//! connection nothing.
//!
//! Whoever waits for long has the server looked at, on a further connection: what is the longest time
//! that it has been at a statement of this account? While there is one that it is at for long, it may be
//! the one whose answer is waited for, whichever connection a proxy has given it. Once there has been
//! none for a while, the answer is lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What the server is at for so long is at least as long as what it does between two parts of one
/// statement.
const LONG: Duration = Duration::from_secs(5);

/// Ticks after which a server is looked at first: what it was asked then is at [`LONG`] already.
const FIRST: u32 = 14;

/// From one look to the next, in ticks.
const NEXT: u32 = 4;

/// Looks in a row that find the server at nothing, after which an answer is lost: long enough for one
/// that is under way on a slow line.
const IDLE: u32 = 4;

/// What the looks at a server have found.
#[derive(Debug, Default)]
pub(super) struct Looks {
    count: AtomicU64,
    is_idle: AtomicBool,
}

impl Looks {
    /// Takes what one has found: the longest time that the server has been at something.
    pub(super) fn add(&self, longest: Duration) {
        self.is_idle.store(longest < LONG, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Release);
    }

    fn last(&self) -> (u64, bool) {
        (self.count.load(Ordering::Acquire), self.is_idle.load(Ordering::Relaxed))
    }
}

/// Whether what is waited for may be given up while the server is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Pace {
    /// It is given up once the server is not at it.
    Ordinary,
    /// It is waited for: it takes long by its nature, and several servers behind one address may each
    /// say that they are not at it.
    Unhurried,
}

/// What is to be done, one tick later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Wait,
    Look,
    GiveUp,
}

/// The doubt whether an answer will come.
#[derive(Debug)]
pub(super) struct Doubt {
    pace: Pace,
    ticks: u32,
    looks: u64,
    idle: u32,
}

impl Doubt {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, ticks: 0, looks: 0, idle: 0 }
    }

    /// There was no answer for one more tick.
    pub(super) fn tick(&mut self, looks: &Looks) -> Next {
        self.ticks = self.ticks.saturating_add(1);
        let since = self.ticks.checked_sub(FIRST).filter(|since| since.is_multiple_of(NEXT));
        let Some(since) = since.filter(|_| self.pace == Pace::Ordinary) else { return Next::Wait };
        let (count, is_idle) = looks.last();
        // One that was begun before says nothing, and nor does none.
        if since > 0 && count != self.looks {
            self.idle = if is_idle { self.idle + 1 } else { 0 };
        }
        self.looks = count;
        if self.idle >= IDLE { Next::GiveUp } else { Next::Look }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Duration = LONG;
    const FREE: Duration = Duration::from_secs(4);

    /// The tick at which an answer is given up, where each look finds the next of these; none is found
    /// after them.
    fn given_up(pace: Pace, found: &[Option<Duration>]) -> Option<u32> {
        let (looks, mut doubt) = (Looks::default(), Doubt::new(pace));
        let mut found = found.iter();
        for tick in 1..1000 {
            match doubt.tick(&looks) {
                Next::Wait => {}
                Next::Look => {
                    if let Some(longest) = found.next().copied().flatten() {
                        looks.add(longest);
                    }
                }
                Next::GiveUp => return Some(tick),
            }
        }
        None
    }

    #[test]
    fn an_answer_is_given_up_once_the_server_was_at_nothing_for_a_while() {
        let (busy, free, none) = (Some(BUSY), Some(FREE), None);
        let cases = [
            (vec![free; 4], Some(30)),
            (vec![busy, free, free, free, free], Some(34)),
            (vec![free, free, free, busy, free, free, free, free], Some(46)),
            (vec![free, none, free, none, free, free], Some(38)),
            (vec![free; 3], None),
            (vec![busy; 200], None),
            (vec![none; 200], None),
        ];
        for (found, expected) in cases {
            assert_eq!(given_up(Pace::Ordinary, &found), expected, "{found:?}");
        }
        assert_eq!(given_up(Pace::Unhurried, &[free; 200]), None);
    }

    #[test]
    fn what_was_found_before_does_not_count() {
        let (looks, mut doubt) = (Looks::default(), Doubt::new(Pace::Ordinary));
        for _ in 0..10 {
            looks.add(FREE);
        }
        assert!((0..1000).all(|_| doubt.tick(&looks) != Next::GiveUp));
    }
}
