//! What a service does again and again, and who gives signs of life. What counts is that they change,
//! and how long they have not by the watcher's own clock: clocks of several machines need not agree.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::{Duration, Instant};

use image::Timestamp;
use tokio::time::MissedTickBehavior;

/// From one sign of life to the next, which is also how often those of others are looked for.
const BEAT: Duration = Duration::from_secs(5);

/// Does the work at each beat, until it is dropped. `trouble` is what an error means.
pub(crate) async fn at_each_beat(
    trouble: &str,
    mut work: impl AsyncFnMut() -> catalog::Result<()>,
) {
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = work().await {
            tracing::warn!(%error, "{trouble}");
        }
    }
}

/// What gives no sign of life for so long is taken over: time enough for a service that is busy, or
/// whose database is away for a moment.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// What was seen longer ago says nothing: while nobody could look, nobody may have been able to give
/// signs either.
const GAP: Duration = Duration::from_secs(15);

/// The signs of life that were seen last, and when they were new.
#[derive(Debug)]
pub(crate) struct Watch<K> {
    seen: HashMap<K, (Timestamp, Instant)>,
    looked: Instant,
}

impl<K> Default for Watch<K> {
    fn default() -> Self {
        Self { seen: HashMap::new(), looked: Instant::now() }
    }
}

impl<K: Eq + Hash + Clone> Watch<K> {
    /// Takes what there is to see at a moment, one after the other. Returns those that have given no
    /// sign of life for too long then.
    pub(crate) fn silent(
        &mut self,
        signs: impl Iterator<Item = (K, Timestamp)>,
        now: Instant,
    ) -> HashSet<K> {
        if now.duration_since(self.looked) > GAP {
            self.seen.clear();
        }
        self.looked = now;
        let since = |key: &K, sign: Timestamp| match self.seen.get(key) {
            Some((known, since)) if *known == sign => *since,
            _ => now,
        };
        self.seen = signs.map(|(key, sign)| (key.clone(), (sign, since(&key, sign)))).collect();
        let silent = self.seen.iter().filter(|(_, (_, since))| now.duration_since(*since) >= LEASE);
        silent.map(|(key, _)| key.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_microsecond(second * 1_000_000)
    }

    /// What is silent each time, where one looks every five seconds after a first look at `since`.
    fn looks(watch: &mut Watch<&'static str>, since: Instant, alive: bool) -> Vec<bool> {
        let look = |n: u32| {
            let sign = if alive { at(-1000 + i64::from(n)) } else { at(9_999_999) };
            let now = since + n * Duration::from_secs(5);
            !watch.silent([("x", sign)].into_iter(), now).is_empty()
        };
        (0..8).map(look).collect()
    }

    #[test]
    fn only_what_stays_the_same_for_a_lease_is_silent() {
        let (mut watch, now) = (Watch::default(), Instant::now());
        assert_eq!(looks(&mut watch, now, true), [false; 8]);
        // The clock of those who give signs is nobody's business.
        let dead = [false, false, false, false, false, false, true, true];
        let now = now + Duration::from_secs(40);
        assert_eq!(looks(&mut watch, now, false), dead);
        assert!(watch.silent([("x", at(3))].into_iter(), now).is_empty(), "it lives after all");
    }

    #[test]
    fn nobody_is_taken_for_dead_while_nobody_could_look() {
        let (mut watch, now) = (Watch::default(), Instant::now());
        assert!(watch.silent([("x", at(9_999_999))].into_iter(), now).is_empty());
        let later = now + Duration::from_secs(600);
        let dead = [false, false, false, false, false, false, true, true];
        assert_eq!(looks(&mut watch, later, false), dead);
    }
}
