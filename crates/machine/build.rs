//! Builds the appliance's init, linked statically, and hands its path to the library as
//! `TINTYPE_INIT`.
//!
//! The init is a program of this workspace, so that one code edits a guest wherever it runs; it
//! needs flags of its own, so it is built by a cargo of its own, into a folder of its own.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// What the outer cargo sets for us and the inner one must not inherit: flags, wrappers as
/// Clippy's, and places.
const NOT_INHERITED: &[&str] = &[
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_MAKEFLAGS",
    "CLIPPY_ARGS",
    "CLIPPY_CONF_DIR",
    "MAKEFLAGS",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
];

/// What the init is made of; a change there makes it anew.
const SOURCES: &[&str] = &["crates/appliance", "crates/guest", "Cargo.toml", "Cargo.lock"];

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..");
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", workspace.join(source).display());
    }
    let init = build(&workspace, &shared_target(&PathBuf::from(env::var("OUT_DIR")?)))?;
    println!("cargo:rustc-env=TINTYPE_INIT={}", init.display());
    Ok(())
}

/// `OUT_DIR` is `TARGET/PROFILE/build/PACKAGE-HASH/out`, with a target triple in between when one
/// was asked for. A folder beside the profiles serves them all: they share one init.
fn shared_target(out: &Path) -> PathBuf {
    let is_target = |folder: &&Path| folder.join("CACHEDIR.TAG").exists();
    let target = out.ancestors().find(is_target).unwrap_or(out);
    target.join("appliance")
}

fn build(workspace: &Path, target: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--locked", "--quiet", "--package", "tintype-appliance"])
        .args(["--bin", "tintype-init", "--profile", "appliance", "--target", TARGET])
        .arg("--manifest-path")
        .arg(workspace.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target);
    for variable in NOT_INHERITED {
        cargo.env_remove(variable);
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    let status = cargo.status()?;
    if !status.success() {
        return Err(format!("the appliance's init could not be built: {status}").into());
    }
    Ok(target.join(TARGET).join("appliance").join("tintype-init"))
}
