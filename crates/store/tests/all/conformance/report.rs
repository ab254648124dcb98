//! Running a case, and noting what came of it for the table.

use std::fs::File;
use std::future::Future;
use std::io::Write;
use std::time::Duration;

use futures::future::BoxFuture;

use super::Subject;

/// How long a case may take before it counts as hanging.
const LIMIT: Duration = Duration::from_secs(240);

/// What came of a case that has not failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// The store says, or the subject, that it can't do this.
    NotApplicable,
}

/// Runs a case of the subject that `subject` gives. `module` is the path of the suite's module.
pub(crate) async fn run<F>(
    module: &str,
    case: &str,
    subject: impl Fn() -> F,
    body: impl FnOnce(Subject) -> BoxFuture<'static, Outcome>,
) where
    F: Future<Output = Option<Subject>>,
{
    let name = module.trim_start_matches("all::").replace("::", "-");
    let Some(subject) = subject().await else {
        eprintln!("{name}: left out, for no variable names its server");
        return note(&name, case, "-");
    };
    note(&name, case, "FAILED");
    let outcome = tokio::time::timeout(LIMIT, body(subject)).await.expect("it hangs");
    note(&name, case, if outcome == Outcome::Passed { "ok" } else { "n/a" });
}

/// The last line of a case counts.
fn note(name: &str, case: &str, what: &str) {
    let Some(path) = std::env::var_os("TEST_STORES_TABLE") else { return };
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{name}\t{case}\t{what}\n").as_bytes()).unwrap();
}
