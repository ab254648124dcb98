//! The instance's report, as it comes over the serial console.

use super::script::{PREFIX, SUFFIX};

/// The facts of a whole report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report(Vec<(String, String)>);

impl Report {
    /// Every value of a key.
    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// A key's value; nothing when it has none.
    pub(super) fn one(&self, key: &str) -> &str {
        self.0.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }

    /// A key's number.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.one(key).parse().ok()
    }

    pub(super) fn machine_id(&self) -> &str {
        self.one("machine_id")
    }
}

/// Puts a report together from lines.
#[derive(Default)]
pub(super) struct Reader(Vec<(String, String)>);

impl Reader {
    /// Takes a line of the console; gives the report when this line completes one.
    pub(super) fn take(&mut self, line: &str) -> Option<Report> {
        let (key, value) = fact(line)?;
        match key {
            "begin" => self.0.clear(),
            "end" if value.parse() == Ok(self.0.len()) => {
                return Some(Report(std::mem::take(&mut self.0)));
            }
            "end" => {}
            _ => self.0.push((key.to_owned(), value.to_owned())),
        }
        None
    }
}

fn fact(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once(PREFIX)?;
    let fact = rest.trim_end().strip_suffix(SUFFIX)?.trim();
    Some(fact.split_once(' ').unwrap_or((fact, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<Report> {
        let mut reader = Reader::default();
        lines.iter().find_map(|line| reader.take(line))
    }

    #[test]
    fn a_whole_report_is_read_whatever_stands_around_it() {
        let report = read(&[
            "debian login: TINTYPE-REPORT begin -.",
            "TINTYPE-REPORT address eth0=10.0.2.15/24 -.",
            "[ 70.1] random: crng init done",
            "TINTYPE-REPORT hostname born -.",
            "TINTYPE-REPORT end 2 -.",
        ])
        .unwrap();
        assert_eq!(report.all("address").collect::<Vec<_>>(), ["eth0=10.0.2.15/24"]);
        assert_eq!(report.one("hostname"), "born");
    }

    #[test]
    fn a_report_that_was_cut_in_two_waits_for_the_next() {
        let cut =
            ["TINTYPE-REPORT begin -.", "TINTYPE-REPORT address eth", "TINTYPE-REPORT end 1 -."];
        assert_eq!(read(&cut), None);
        let next =
            ["TINTYPE-REPORT begin -.", "TINTYPE-REPORT card eth0 -.", "TINTYPE-REPORT end 1 -."];
        let report = read(&[&cut[..], &next[..]].concat()).unwrap();
        assert_eq!(report.one("card"), "eth0");
        assert_eq!(report.one("address"), "");
    }
}
