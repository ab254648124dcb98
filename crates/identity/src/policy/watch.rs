//! New rules without a restart.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::files::Files;
use super::{Policy, load};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Follows a policy's files until it is dropped.
#[must_use = "the files are followed until this is dropped"]
#[derive(Debug)]
pub struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Policy {
    /// Looks every second whether the files changed, and reads them when they did. Files that can't
    /// be read leave the rules as they were; an error in the log tells. To be called in a runtime.
    pub fn watch(&self) -> Watch {
        let policy = self.clone();
        Watch(tokio::spawn(async move {
            let mut ticks = interval(PERIOD);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // Read once more: a file may have changed since the start.
            let mut seen = Files::default();
            loop {
                ticks.tick().await;
                let policy = policy.clone();
                let look = move || policy.follow(seen);
                match tokio::task::spawn_blocking(look).await {
                    Ok(now) => seen = now,
                    Err(_) => return,
                }
            }
        }))
    }

    /// Takes the rules over if the files are no longer what was seen; returns what they are now.
    fn follow(&self, seen: Files) -> Files {
        let now = match Files::look(&self.settings) {
            Ok(now) if now == seen => return seen,
            Ok(now) => now,
            Err(error) => {
                tracing::debug!(%error, "the policy's files can't be looked at");
                return seen;
            }
        };
        match load(&self.settings, &now) {
            Ok(rules) => {
                self.replace(rules);
                if seen != Files::default() {
                    tracing::info!(files = ?now.paths().collect::<Vec<_>>(), "policy read anew");
                }
            }
            Err(error) => tracing::error!("the policy stays as it was: {error}"),
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::policy::tests::caller;
    use crate::policy::{Action, Settings, Target};

    fn settings(folder: &Path) -> Settings {
        Settings { search: vec![folder.to_owned()], ..Settings::default() }
    }

    fn may_list(policy: &Policy) -> bool {
        let target = Target::owned_by(Some("p"));
        policy.check(Action::GetImages, &caller("p", &["reader"]), &target).is_ok()
    }

    #[test]
    fn folders_overrule_the_file_and_hidden_files_say_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        fs::create_dir(folder.path().join("policy.d")).unwrap();
        write("policy.yaml", "get_images: '!'\n");
        write("policy.d/10-first.yaml", "get_images: '!'\n");
        write("policy.d/20-last.yaml", "get_images: rule:ours\nours: role:reader\n");
        write("policy.d/.hidden", "get_images: '!'\n");
        assert!(may_list(&Policy::load(settings(folder.path())).unwrap()));
    }

    #[tokio::test]
    async fn changes_are_followed_and_broken_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.yaml");
        let policy = Policy::load(settings(folder.path())).unwrap();
        let mut seen = policy.follow(Files::default());
        let steps = [
            (Some("get_images: '!'\n"), false),
            (Some("get_images: role:reader or\n"), false),
            (Some("get_images: role:reader  # mended\n"), true),
            (Some("get_images: role:admin # and so on\n"), false),
            (None, true),
        ];
        for (text, expected) in steps {
            match text {
                Some(text) => fs::write(&file, text).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            seen = policy.follow(seen);
            assert_eq!(may_list(&policy), expected, "{text:?}");
        }
    }

    #[tokio::test]
    async fn the_files_are_followed_until_the_watch_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let policy = Policy::load(settings(folder.path())).unwrap();
        let watch = policy.watch();
        fs::write(folder.path().join("policy.yaml"), "get_images: '!'\n").unwrap();
        let followed = async {
            let mut ticks = interval(Duration::from_millis(10));
            while may_list(&policy) {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), followed).await.unwrap();
        let handle = watch.0.abort_handle();
        drop(watch);
        tokio::time::timeout(Duration::from_secs(20), async {
            while !handle.is_finished() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }
}
