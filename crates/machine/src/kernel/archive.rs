//! A kernel from the distribution's archive, by the machine's own apt: downloaded and unpacked as
//! an ordinary user, never installed. apt compares what it gets with its signed lists.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Error, Result};

/// Packages that stand for "the newest kernel for virtual machines": Debian's, then Ubuntu's.
const NEWEST: &[&str] = &["linux-image-cloud-amd64", "linux-image-virtual"];

/// Downloads and unpacks a kernel below `folder`; returns its package's name and its root.
pub(super) fn unpack(folder: &Path, progress: &mut dyn FnMut(&str)) -> Result<(String, PathBuf)> {
    let (package, parts) = packages()?;
    progress(&format!("downloading {}", parts.join(", ")));
    let mut download = Command::new("apt-get");
    download.args(["-qq", "download"]).args(&parts).current_dir(folder).stdout(Stdio::null());
    run(&mut download, "apt")?;
    let root = folder.join("root");
    for file in debs(folder)? {
        progress(&format!("unpacking {}", file.display()));
        run(Command::new("dpkg-deb").arg("-x").arg(&file).arg(&root), "dpkg")?;
    }
    Ok((package, root))
}

/// The image's package, and it with the packages of its modules where these are apart.
fn packages() -> Result<(String, Vec<String>)> {
    for newest in NEWEST {
        let image = depends(newest)?.into_iter().find(|name| name.starts_with("linux-image-"));
        let Some(image) = image else { continue };
        let modules =
            depends(&image)?.into_iter().filter(|name| name.starts_with("linux-modules-"));
        let parts = std::iter::once(image.clone()).chain(modules).collect();
        return Ok((image, parts));
    }
    Err(Error::Program {
        program: "apt-cache".into(),
        message: format!(
            "apt knows none of {}; run `apt-get update` as root, or name a kernel with --kernel and --modules",
            NEWEST.join(", ")
        ),
    })
}

/// The first alternative of each dependency of a package; none for a package apt doesn't know.
fn depends(package: &str) -> Result<Vec<String>> {
    let mut command = Command::new("apt-cache");
    command.args(["depends", "--important", package]).env("LC_ALL", "C");
    let output = command.output().map_err(|why| missing(why, "apt-cache", "apt"))?;
    Ok(parse_depends(&String::from_utf8_lossy(&output.stdout)))
}

fn parse_depends(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.trim().trim_start_matches('|').strip_prefix("Depends: "))
        .map(str::to_owned)
        .collect()
}

fn debs(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::at(folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let all: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(Error::at(folder))?;
    Ok(all.into_iter().filter(|path| path.extension().is_some_and(|end| end == "deb")).collect())
}

/// Runs a program to its end; an error has the end of its standard error.
pub(super) fn run(command: &mut Command, package: &'static str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stderr(Stdio::piped())
        .spawn()
        .and_then(|child| child.wait_with_output())
        .map_err(|why| missing(why, &program, package))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().rev().find(|line| !line.trim().is_empty());
    let message = last.map_or_else(|| output.status.to_string(), |line| line.trim().to_owned());
    Err(Error::Program { program, message })
}

fn missing(why: std::io::Error, program: &str, package: &'static str) -> Error {
    match why.kind() {
        ErrorKind::NotFound => Error::ProgramMissing { program: program.to_owned(), package },
        _ => Error::Io { what: program.to_owned(), source: why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_from_apt_cache() {
        let text = "linux-image-6.1.0-1-cloud-amd64\n  PreDepends: init\n  Depends: kmod\n |Depends: initramfs-tools\n  Depends: linux-modules-6\n";
        assert_eq!(parse_depends(text), ["kmod", "initramfs-tools", "linux-modules-6"]);
    }

    #[test]
    fn a_failing_program_speaks_for_itself() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo first >&2; echo E: no space >&2; exit 3"]);
        let error = run(&mut command, "dash").unwrap_err().to_string();
        assert_eq!(error, "sh failed: E: no space");
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let error = run(&mut Command::new("no-such-program"), "apt").unwrap_err().to_string();
        assert!(error.contains("apt install apt"), "{error}");
    }
}
