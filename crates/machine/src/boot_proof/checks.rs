//! What an instance must have become.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::Stage;
use super::report::Report;
use super::ssh::Login;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What must be so.
    pub what: &'static str,
    /// Whether it is.
    pub passed: bool,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: found {}", self.what, self.found)
    }
}

/// What the instance was given.
pub(super) struct Expected<'a> {
    pub(super) hostname: &'a str,
    pub(super) stages: &'a [(Stage, Duration)],
}

type Verdict = (bool, String);

type Look = fn(&Report, &Login, &Expected<'_>) -> Verdict;

/// The checks: what must be so, and how that is seen.
const CHECKS: &[(&str, Look)] = &[
    ("exactly one IPv4 address on the one network card", one_address),
    ("the host name that it was given", hostname),
    ("the root file system fills the enlarged disk", grown),
    ("a machine-id of its own, made at this boot", machine_id),
    ("the serial console shows the kernel's messages", console),
    ("log-in over SSH with the injected key", login),
];

/// Makes every check.
pub(super) fn all(report: &Report, login: &Login, expected: &Expected<'_>) -> Vec<Check> {
    CHECKS
        .iter()
        .map(|(what, check)| {
            let (passed, found) = check(report, login, expected);
            Check { what, passed, found }
        })
        .collect()
}

fn one_address(report: &Report, _: &Login, _: &Expected<'_>) -> Verdict {
    let cards: Vec<&str> = report.all("card").collect();
    let addresses: Vec<&str> = report.all("address").collect();
    let found = match addresses.as_slice() {
        [] => format!("no address on {}", cards.join(" ")),
        some => some.join(" "),
    };
    (cards.len() == 1 && addresses.len() == 1, found)
}

/// Some distributions keep the domain in the host name, some keep only the first word.
fn hostname(report: &Report, _: &Login, expected: &Expected<'_>) -> Verdict {
    let found = report.one("hostname");
    let first = found.split('.').next().unwrap_or_default();
    (first == expected.hostname, quoted(found))
}

/// Behind the last partition less than 64 MiB may stay unused (alignment, GPT's backup), and a file
/// system shows at least nine tenths of its device: ext4's inode tables and journal take 3 %.
fn grown(report: &Report, _: &Login, _: &Expected<'_>) -> Verdict {
    const UNUSED: i64 = (64 << 20) / 512;
    let numbers = (report.number("root_bytes"), report.number("root_device_sectors"));
    let (Some(bytes), Some(sectors)) = numbers else {
        return (false, "no size of the root file system".into());
    };
    let unused = report.number("unused_sectors").unwrap_or(0);
    let fills = bytes / 512 * 10 >= sectors * 9;
    let found = format!(
        "{} MiB in a device of {} MiB, {} MiB of the disk unused",
        bytes >> 20,
        sectors >> 11,
        unused >> 11
    );
    (fills && unused < UNUSED, found)
}

fn machine_id(report: &Report, _: &Login, _: &Expected<'_>) -> Verdict {
    let id = report.machine_id();
    let well_formed = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    // The clock may step by seconds when the boot sets it.
    let after_boot = report.number("machine_id_after_boot");
    let fresh = after_boot.is_some_and(|seconds| seconds >= -5);
    let age = if fresh { "" } else { ", which is older than this boot" };
    (well_formed && fresh, format!("{}{age}", quoted(id)))
}

fn console(_: &Report, _: &Login, expected: &Expected<'_>) -> Verdict {
    let kernel = expected.stages.iter().find(|(stage, _)| *stage == Stage::Kernel);
    match kernel {
        Some((_, after)) => (true, format!("its first after {:.1} s", after.as_secs_f32())),
        None => (false, "none: the kernel's command line has no console=ttyS0".into()),
    }
}

fn login(report: &Report, login: &Login, _: &Expected<'_>) -> Verdict {
    match login {
        Login::As { user, machine_id } if machine_id == report.machine_id() => {
            (true, format!("{user} is let in"))
        }
        Login::As { user, .. } => (false, format!("{user} is let into another machine")),
        Login::Refused(why) => (false, why.clone()),
    }
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::super::report::Reader;
    use super::*;

    const GOOD: &[&str] = &[
        "card eth0",
        "address eth0=10.0.2.15/24",
        "hostname born-again",
        "machine_id 0123456789abcdef0123456789abcdef",
        "machine_id_after_boot 3",
        "root_bytes 4149161984",
        "root_device_sectors 8314880",
        "unused_sectors 2015",
    ];

    fn report(facts: &[&str]) -> Report {
        let mut reader = Reader::default();
        for fact in facts {
            reader.take(&format!("TINTYPE-REPORT {fact} -."));
        }
        reader.take(&format!("TINTYPE-REPORT end {} -.", facts.len())).unwrap()
    }

    fn failing(facts: &[&str]) -> Vec<&'static str> {
        let report = report(facts);
        let machine_id = report.machine_id().to_owned();
        let login = Login::As { user: "debian".into(), machine_id };
        let stages = [(Stage::Kernel, Duration::from_secs(5))];
        let expected = Expected { hostname: "born-again", stages: &stages };
        let checks = all(&report, &login, &expected);
        checks.iter().filter(|check| !check.passed).map(|check| check.what).collect()
    }

    fn with(change: &str) -> Vec<&str> {
        let key = change.split(' ').next().unwrap();
        let kept = GOOD.iter().filter(|fact| fact.split(' ').next() != Some(key));
        kept.copied().chain([change]).collect()
    }

    #[test]
    fn a_good_instance_passes() {
        assert_eq!(failing(GOOD), [""; 0]);
    }

    #[test]
    fn each_fault_fails_its_check_alone() {
        for (change, what) in [
            ("hostname localhost", "host name"),
            ("machine_id_after_boot -86400", "machine-id"),
            ("machine_id uninitialized", "machine-id"),
            ("unused_sectors 4194304", "root file system"),
            ("root_bytes 2000000000", "root file system"),
            ("card eth1 card", "one"),
        ] {
            let mut facts = with(change);
            if change.starts_with("card") {
                facts.push("card eth0");
            }
            let failed = failing(&facts);
            assert_eq!(failed.len(), 1, "{change}: {failed:?}");
            assert!(failed[0].contains(what), "{change}: {failed:?}");
        }
    }

    #[test]
    fn two_addresses_fail_and_are_named() {
        let facts = [GOOD, &["address eth0=10.0.2.77/24"]].concat();
        let report = report(&facts);
        let login = Login::Refused("no".into());
        let checks = all(&report, &login, &Expected { hostname: "x", stages: &[] });
        assert_eq!(checks[0].found, "eth0=10.0.2.15/24 eth0=10.0.2.77/24");
        assert!(!checks[0].passed);
    }
}
