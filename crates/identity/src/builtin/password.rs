//! Passwords at rest, and how many are checked at once.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task;

use super::error::Problem;

/// Hashes computed at once. Each takes 19 MiB and a core for tens of milliseconds (argon2's
/// defaults, which are OWASP's first recommendation).
const AT_ONCE: usize = 2;
/// Logins that wait for their turn; more are turned away, so that a flood of them takes neither
/// memory nor the time of those who are in already.
const WAITING: usize = 64;

/// Hashes and verifies passwords with argon2id, a bounded number at a time, off the async threads.
pub(crate) struct Passwords {
    turns: Semaphore,
    seats: Semaphore,
    /// Of a password that nobody knows, verified where there is no user: takes the same time.
    nobodys: String,
}

impl Passwords {
    pub(crate) fn new(nobodys_password: &str) -> Result<Self, Problem> {
        Ok(Self {
            turns: Semaphore::new(AT_ONCE),
            seats: Semaphore::new(AT_ONCE + WAITING),
            nobodys: hash(nobodys_password)?,
        })
    }

    /// As a PHC string with a random salt.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let _turn = self.turn().await?;
        task::spawn_blocking(move || hash(&password)).await.map_err(Problem::internal)?
    }

    /// Whether `password` is the one that `known` was made of. Never so without `known`, and as
    /// slowly.
    pub(crate) async fn verify(
        &self,
        password: String,
        known: Option<String>,
    ) -> Result<bool, Problem> {
        let _turn = self.turn().await?;
        let exists = known.is_some();
        let known = known.unwrap_or_else(|| self.nobodys.clone());
        let right = task::spawn_blocking(move || matches(&password, &known))
            .await
            .map_err(Problem::internal)??;
        Ok(right && exists)
    }

    /// Both permits, to be held while hashing.
    async fn turn(&self) -> Result<(SemaphorePermit<'_>, SemaphorePermit<'_>), Problem> {
        let seat = self.seats.try_acquire().map_err(|_| Problem::Busy)?;
        let turn = self.turns.acquire().await.map_err(Problem::internal)?;
        Ok((seat, turn))
    }
}

fn hash(password: &str) -> Result<String, Problem> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(Problem::internal)?;
    Ok(hash.to_string())
}

fn matches(password: &str, known: &str) -> Result<bool, Problem> {
    let known = PasswordHash::new(known).map_err(Problem::internal)?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &known).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_matches() {
        let passwords = Passwords::new("nobody's").unwrap();
        let known = passwords.hash("right".to_owned()).await.unwrap();
        assert!(known.starts_with("$argon2id$"), "{known}");
        let verify = async |password: &str, known: Option<&String>| {
            passwords.verify(password.to_owned(), known.cloned()).await.unwrap()
        };
        assert!(verify("right", Some(&known)).await);
        assert!(!verify("wrong", Some(&known)).await);
        assert!(!verify("nobody's", None).await);
    }

    #[tokio::test]
    async fn a_flood_of_logins_is_turned_away() {
        let passwords = Passwords::new("nobody's").unwrap();
        let _all = passwords.seats.acquire_many((AT_ONCE + WAITING) as u32).await.unwrap();
        let refused = passwords.verify("any".to_owned(), None).await;
        assert!(matches!(refused, Err(Problem::Busy)), "{refused:?}");
    }
}
