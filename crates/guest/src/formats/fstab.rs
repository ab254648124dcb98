//! `fstab(5)`.

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// `UUID=…`, `/dev/…`, a swap file, `tmpfs`.
    pub(crate) device: &'a str,
    /// Where it is mounted; `none` for swap.
    pub(crate) place: &'a str,
    /// `ext4`, `swap`.
    pub(crate) kind: &'a str,
    /// Separated by commas.
    pub(crate) options: &'a str,
}

impl Entry<'_> {
    /// Whether an option is given, by its name.
    pub(crate) fn has_option(&self, name: &str) -> bool {
        self.options.split(',').any(|option| option.split('=').next() == Some(name))
    }

    /// Whether it is a file used as swap space.
    pub(crate) fn is_swap_file(&self) -> bool {
        self.kind == "swap" && self.device.starts_with('/') && !self.device.starts_with("/dev/")
    }
}

/// The entries of a text.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    text.lines().filter_map(entry)
}

/// The text without some entries; comments stay.
pub(crate) fn without(text: &str, drop: impl Fn(&Entry<'_>) -> bool) -> String {
    text.split_inclusive('\n')
        .filter(|line| !entry(line).is_some_and(|entry| drop(&entry)))
        .collect()
}

fn entry(line: &str) -> Option<Entry<'_>> {
    if line.trim_start().starts_with('#') {
        return None;
    }
    let mut words = line.split_whitespace();
    let (device, place, kind) = (words.next()?, words.next()?, words.next()?);
    Some(Entry { device, place, kind, options: words.next().unwrap_or("defaults") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_file_is_told_from_a_swap_partition() {
        let text = "# x\nUUID=1 / ext4 errors=remount-ro 0 1\n/swapfile none swap sw 0 0\n/dev/vda2 none swap sw\n";
        let swaps: Vec<bool> = entries(text).map(|entry| entry.is_swap_file()).collect();
        assert_eq!(swaps, [false, true, false]);
        assert!(entries(text).next().unwrap().has_option("errors"));
        assert!(!without(text, |entry| entry.is_swap_file()).contains("swapfile"));
        assert!(without(text, |entry| entry.is_swap_file()).contains("# x"));
    }
}
