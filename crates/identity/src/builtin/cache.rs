//! Validated tokens in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::token::Token;
use crate::digest::Digest;

/// Tokens remembered at most, at about 1 KiB each.
const MAX: usize = 16_384;

/// What was read from the database of tokens that were used, until something changes there.
#[derive(Default)]
pub(crate) struct Cache(RwLock<Known>);

#[derive(Default)]
struct Known {
    tokens: HashMap<Digest, Arc<Token>>,
    era: Era,
}

/// The time between two changes. What was read in one is not remembered in the next: a token that
/// is revoked while another request reads it stays revoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Era(u64);

impl Cache {
    /// A token that is known and still lives at `now`.
    pub(crate) fn get(&self, digest: &Digest, now: Timestamp) -> Option<Arc<Token>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.tokens.get(digest).filter(|token| !token.caller.is_expired(now)).cloned()
    }

    /// To be asked before the database is read.
    pub(crate) fn era(&self) -> Era {
        self.0.read().unwrap_or_else(PoisonError::into_inner).era
    }

    /// Remembers what was read in `era`.
    pub(crate) fn put(&self, era: Era, token: Arc<Token>, now: Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.era != era {
            return;
        }
        if known.tokens.len() >= MAX {
            known.tokens.retain(|_, token| !token.caller.is_expired(now));
        }
        if known.tokens.len() >= MAX {
            known.tokens.clear();
        }
        known.tokens.insert(token.digest, token);
    }

    /// Forgets one token: it was revoked in the database.
    pub(crate) fn forget_one(&self, digest: &Digest) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.tokens.remove(digest);
        known.era.0 += 1;
    }

    /// Forgets everything: users, projects, roles or assignments changed in the database.
    pub(crate) fn forget(&self) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.tokens.clear();
        known.era.0 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Caller;
    use crate::builtin::token::Named;

    fn token(text: &str) -> Arc<Token> {
        Arc::new(Token {
            digest: Digest::of(text),
            caller: Arc::new(Caller {
                user_id: "u".to_owned(),
                user_name: "u".to_owned(),
                user_domain_id: "default".to_owned(),
                expires_at: Timestamp::MAX,
                ..Caller::default()
            }),
            user_domain: Named { id: "default".to_owned(), name: "Default".to_owned() },
            scope: None,
            roles: vec![],
            methods: vec![],
            audit_ids: vec![],
            issued_at: Timestamp::UNIX_EPOCH,
        })
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let (cache, now) = (Cache::default(), Timestamp::UNIX_EPOCH);
        for change in [Cache::forget, |cache: &Cache| cache.forget_one(&Digest::of("other"))] {
            let before = cache.era();
            change(&cache);
            cache.put(before, token("t"), now);
            assert!(cache.get(&Digest::of("t"), now).is_none());
        }
        cache.put(cache.era(), token("t"), now);
        assert!(cache.get(&Digest::of("t"), now).is_some());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (cache, now) = (Cache::default(), Timestamp::UNIX_EPOCH);
        for number in 0..=MAX {
            cache.put(cache.era(), token(&number.to_string()), now);
        }
        assert!(cache.0.read().unwrap().tokens.len() <= MAX);
        assert!(cache.get(&Digest::of(&MAX.to_string()), now).is_some());
    }
}
