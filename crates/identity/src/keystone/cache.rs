//! What Keystone said of tokens.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};

use super::token::Bearer;
use crate::digest::Digest;

/// Valid tokens remembered at most, at about 1 KiB each.
const MAX_VALID: usize = 16_384;

/// Refused tokens remembered at most, at about 64 bytes each. They are kept apart: whoever makes
/// up tokens can't drive valid ones out.
const MAX_INVALID: usize = 16_384;

/// How long a refused token stays refused without a question.
const REFUSED_FOR: SignedDuration = SignedDuration::from_secs(5);

/// Whether a token may be past its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Expired {
    Refused,
    /// A service goes on with what it began while the token lived.
    Accepted,
}

/// A token under the conditions on which it was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) digest: Digest,
    pub(super) expired: Expired,
}

/// What is known of a token.
pub(super) enum Known {
    Valid(Bearer),
    Invalid,
}

/// What Keystone said of tokens, for as long as that counts.
pub(super) struct Cache {
    valid: RwLock<HashMap<Key, (Bearer, Timestamp)>>,
    invalid: RwLock<HashMap<Key, Timestamp>>,
    /// `None`: nothing is remembered.
    life: Option<SignedDuration>,
}

impl Cache {
    pub(super) fn new(life: Option<SignedDuration>) -> Self {
        Self { valid: RwLock::default(), invalid: RwLock::default(), life }
    }

    pub(super) fn get(&self, key: &Key, now: Timestamp) -> Option<Known> {
        self.life?;
        let strict = Key { expired: Expired::Refused, ..*key };
        let valid = self.valid.read().unwrap_or_else(PoisonError::into_inner);
        // A token that is valid without conditions is valid under them.
        let found = [&strict, key].into_iter().find_map(|key| {
            let (bearer, until) = valid.get(key)?;
            (*until > now).then(|| bearer.clone())
        });
        let usable =
            |bearer: &Bearer| key.expired == Expired::Accepted || !bearer.caller.is_expired(now);
        if let Some(bearer) = found.filter(usable) {
            return Some(Known::Valid(bearer));
        }
        drop(valid);
        let invalid = self.invalid.read().unwrap_or_else(PoisonError::into_inner);
        invalid.get(key).filter(|until| **until > now).map(|_| Known::Invalid)
    }

    pub(super) fn remember(&self, key: Key, bearer: Bearer, now: Timestamp) {
        let Some(life) = self.life else { return };
        let until = match key.expired {
            Expired::Refused => after(now, life).min(bearer.caller.expires_at),
            Expired::Accepted => after(now, life),
        };
        let mut valid = self.valid.write().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut valid, MAX_VALID, |(_, until)| *until > now);
        valid.insert(key, (bearer, until));
    }

    pub(super) fn refuse(&self, key: Key, now: Timestamp) {
        let Some(life) = self.life else { return };
        let mut invalid = self.invalid.write().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut invalid, MAX_INVALID, |until| *until > now);
        invalid.insert(key, after(now, life.min(REFUSED_FOR)));
    }
}

fn after(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

/// Lets go of what is stale once the map is full; where nothing is, of every eighth entry.
fn make_room<K: Eq + Hash, V>(map: &mut HashMap<K, V>, max: usize, live: impl Fn(&V) -> bool) {
    if map.len() < max {
        return;
    }
    map.retain(|_, value| live(value));
    if map.len() >= max {
        let mut number = 0_usize;
        map.retain(|_, _| {
            number += 1;
            !number.is_multiple_of(8)
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Caller;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn key(token: &str, expired: Expired) -> Key {
        Key { digest: Digest::of(token), expired }
    }

    fn bearer(life: i64) -> Bearer {
        let expires_at = NOW + SignedDuration::from_secs(life);
        let caller = Arc::new(Caller { expires_at, ..Caller::default() });
        Bearer { caller, access_rules: None }
    }

    fn at(second: i64) -> Timestamp {
        NOW + SignedDuration::from_secs(second)
    }

    fn known(cache: &Cache, key: &Key, second: i64) -> Option<bool> {
        cache.get(key, at(second)).map(|known| matches!(known, Known::Valid(_)))
    }

    #[test]
    fn it_counts_as_long_as_the_token_lives_and_no_longer_than_said() {
        let cache = Cache::new(Some(SignedDuration::from_secs(300)));
        for (token, life, last) in [("brief", 100, 99), ("long", 1000, 299)] {
            let key = key(token, Expired::Refused);
            cache.remember(key, bearer(life), NOW);
            assert_eq!(known(&cache, &key, last), Some(true), "{token}");
            assert_eq!(known(&cache, &key, last + 1), None, "{token}");
        }
    }

    #[test]
    fn an_expired_token_is_known_only_to_whom_it_may_have_expired() {
        let cache = Cache::new(Some(SignedDuration::from_secs(300)));
        let (strict, lenient) = (key("t", Expired::Refused), key("t", Expired::Accepted));
        cache.refuse(strict, NOW);
        cache.remember(lenient, bearer(-10), NOW);
        assert_eq!(known(&cache, &strict, 1), Some(false));
        assert_eq!(known(&cache, &lenient, 1), Some(true));
        assert_eq!(known(&cache, &strict, 5), None);
        cache.remember(strict, bearer(100), NOW);
        assert_eq!(known(&cache, &lenient, 1), Some(true));
    }

    #[test]
    fn it_does_not_grow_without_end_and_refused_tokens_drive_no_valid_one_out() {
        let cache = Cache::new(Some(SignedDuration::from_secs(300)));
        let one = key("one", Expired::Refused);
        cache.remember(one, bearer(1000), NOW);
        for number in 0..=MAX_INVALID {
            cache.refuse(key(&number.to_string(), Expired::Refused), NOW);
        }
        assert_eq!(known(&cache, &one, 1), Some(true));
        for number in 0..=MAX_VALID {
            cache.remember(key(&number.to_string(), Expired::Refused), bearer(1000), NOW);
        }
        assert!(cache.valid.read().unwrap().len() <= MAX_VALID);
        assert!(cache.invalid.read().unwrap().len() <= MAX_INVALID);
    }

    #[test]
    fn nothing_is_remembered_when_that_is_said() {
        let (cache, key) = (Cache::new(None), key("t", Expired::Refused));
        cache.remember(key, bearer(100), NOW);
        assert_eq!(known(&cache, &key, 1), None);
        cache.refuse(key, NOW);
        assert_eq!(known(&cache, &key, 1), None);
    }
}
