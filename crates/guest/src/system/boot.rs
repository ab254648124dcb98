//! How a guest's kernel is started: its command lines, wherever boot loaders keep them.

use std::path::PathBuf;

use crate::formats::kernel_lines::{Format, map};
use crate::{Edit, Result, Root};

/// Where command lines are. The first two are sources from which tools make the others.
const FILES: &[(&str, Format)] = &[
    ("/etc/default/grub", Format::Defaults),
    ("/etc/default/grub.d/*.cfg", Format::Defaults),
    ("/etc/kernel/cmdline", Format::Plain),
    ("/boot/grub/grub.cfg", Format::Grub),
    ("/boot/grub2/grub.cfg", Format::Grub),
    ("/boot/efi/EFI/*/grub.cfg", Format::Grub),
    ("/boot/grub/menu.lst", Format::Grub),
    ("/boot/grub/grub.conf", Format::Grub),
    ("/boot/grub2/grubenv", Format::Environment),
    ("/boot/efi/EFI/*/grubenv", Format::Environment),
    ("/boot/loader/entries/*.conf", Format::Entry),
    ("/boot/efi/loader/entries/*.conf", Format::Entry),
    ("/efi/loader/entries/*.conf", Format::Entry),
    ("/boot/extlinux/extlinux.conf", Format::Extlinux),
    ("/boot/extlinux.conf", Format::Extlinux),
    ("/boot/syslinux/syslinux.cfg", Format::Extlinux),
];

/// Stands in an entry for the `kernelopts` of the environment block.
const REFERENCE: &str = "$kernelopts";

/// The configurations that GRUB reads when it starts.
pub(crate) const GRUB: &[&str] =
    &["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/efi/EFI/*/grub.cfg"];

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) path: PathBuf,
    pub(crate) arguments: String,
    /// Whether boot loaders read it, or only the tools that make their files.
    pub(crate) is_booted: bool,
}

impl Line {
    /// Whether a word is among the arguments.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.arguments.split_whitespace().any(|argument| argument == word)
    }
}

/// All command lines. Additions for the usual boot are told as part of the one that they add to.
pub(crate) fn lines(root: &Root) -> Result<Vec<Line>> {
    let mut found: Vec<Line> = Vec::new();
    for (path, format) in files(root)? {
        let is_booted = !matches!(format, Format::Defaults | Format::Plain);
        let mut main: Option<Line> = None;
        let mut additions = String::new();
        let mut see = |arguments: &str, is_addition: bool| {
            if is_addition {
                additions = format!("{arguments} ");
            } else if !arguments.contains(REFERENCE) {
                let line = Line { path: path.clone(), arguments: arguments.into(), is_booted };
                found.extend(main.replace(line));
            }
            arguments.into()
        };
        map(format, &root.text(&path)?, &mut see);
        if let Some(line) = &mut main {
            line.arguments.insert_str(0, &additions);
        }
        found.extend(main);
    }
    Ok(found)
}

/// Words to have at the end of each command line, and words not to have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish<'a> {
    pub(crate) add: &'a [&'a str],
    pub(crate) remove: &'a [&'a str],
}

/// Changes all command lines, in the sources and in what is made of them.
pub(crate) fn change(edit: &mut Edit<'_>, wish: Wish<'_>) -> Result<()> {
    for (path, format) in files(edit.root)? {
        edit.rewrite(&path, |text| {
            map(format, text, &mut |arguments, is_addition| match arguments {
                _ if arguments.contains(REFERENCE) => arguments.into(),
                _ if is_addition => changed(arguments, Wish { add: &[], ..wish }),
                _ => changed(arguments, wish),
            })
        })?;
    }
    Ok(())
}

fn changed(arguments: &str, wish: Wish<'_>) -> String {
    let words = || arguments.split(' ').filter(|word| !word.is_empty());
    let stays = |word: &&str| !wish.remove.contains(word) && !wish.add.contains(word);
    let new: Vec<&str> = words().filter(stays).chain(wish.add.iter().copied()).collect();
    if new == words().collect::<Vec<_>>() { arguments.into() } else { new.join(" ") }
}

fn files(root: &Root) -> Result<Vec<(PathBuf, Format)>> {
    let mut found = Vec::new();
    for (pattern, format) in FILES {
        for path in root.glob(pattern)? {
            // A link leads to another of these files, or to nothing.
            if root.read_link(&path)?.is_none() && root.is_file(&path)? {
                found.push((path, *format));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_added_at_the_end_once() {
        let wish = Wish { add: &["console=tty0", "console=ttyS0,115200n8"], remove: &["quiet"] };
        let new = changed("root=a quiet console=ttyS0,115200n8  ro", wish);
        assert_eq!(new, "root=a ro console=tty0 console=ttyS0,115200n8");
        assert_eq!(changed(&new, wish), new);
    }
}
