//! What every store must do, whatever it is. A kind's file has a function that gives a
//! [`Subject`], and `suite!(function)`, which makes a test of each case; it lets that function
//! return `None` where there is no server to try.
//!
//! Each case that begins and each that ends leaves a line in the file that `TEST_STORES_TABLE`
//! names; `tests/stores/run` makes a table of them.

mod bytes;
pub(crate) mod delete;
pub(crate) mod failure;
pub(crate) mod names;
mod opened;
mod proxy;
pub(crate) mod put;
pub(crate) mod read;
mod report;
mod subject;

pub(crate) use bytes::{assert_same, pattern, source};
pub(crate) use opened::Opened;
pub(crate) use proxy::Proxy;
pub(crate) use report::{Outcome, run};
pub(crate) use subject::{Held, Subject};

/// A test for each case, of the subject that an `async fn() -> Option<Subject>` gives.
macro_rules! suite {
    ($subject:path) => {
        $crate::conformance::cases! { $subject;
            put::known_length, put::unknown_length, put::empty, put::one_byte,
            put::around_boundaries, put::wrong_hint, put::several_at_once, put::abilities,
            put::never_overwrites, put::two_writers, put::checks_itself,
            read::ranges, read::size, read::missing, read::from_elsewhere, read::several_readers,
            read::directly,
            delete::deletes, delete::absent, delete::while_reading, delete::discards,
            failure::source_fails, failure::cancelled, failure::wrong_credentials,
            failure::server_gone_in_put, failure::server_gone_in_get, failure::server_away,
            names::odd, names::through_the_catalog, names::secrets_stay,
        }
        /// Five GiB, nearly all of them zeros. Not among the quick ones: `tests/stores/run`.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        #[ignore = "minutes: tests/stores/run"]
        async fn huge() {
            $crate::conformance::run(module_path!(), "huge", $subject, |s| {
                Box::pin($crate::conformance::put::huge(s))
            })
            .await;
        }
    };
}

macro_rules! cases {
    ($subject:path; $($area:ident::$case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::run(module_path!(), stringify!($case), $subject, |subject| {
                    Box::pin($crate::conformance::$area::$case(subject))
                })
                .await;
            }
        )*
    };
}

pub(crate) use {cases, suite};
