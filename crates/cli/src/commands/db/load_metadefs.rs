//! `tintype db load-metadefs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use catalog::metadefs::{Document, Existing, Loaded, Metadefs};

use crate::commands::Outcome;
use crate::commands::configured::{Configured, block_on};

/// Where Glance keeps its files: the default of `metadata_source_path`.
const DEFAULT_PATH: &str = "/etc/glance/metadefs/";

/// Load metadata definitions from JSON files.
///
/// Each file holds one namespace, in the format of those that Glance ships. A namespace that exists
/// is left alone unless options say otherwise.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tintype db load-metadefs /etc/glance/metadefs
      what is not there yet
  tintype db load-metadefs --merge --prefer-new watchdog.json
      one namespace, brought up to date

Exit codes: 0 every file was read; 1 some were not, the others are loaded; 2 wrong usage.")]
pub(crate) struct Args {
    #[command(flatten)]
    configured: Configured,

    /// A file, or a folder whose *.json files are loaded [default: metadata_source_path of the
    /// configuration, /etc/glance/metadefs/ without one].
    path: Option<PathBuf>,

    /// Add to namespaces that exist what they lack.
    #[arg(long)]
    merge: bool,

    /// Replace what both have; goes with --merge.
    #[arg(long, requires = "merge", conflicts_with = "overwrite", alias = "prefer_new")]
    prefer_new: bool,

    /// Remove namespaces that exist before loading them; goes with --merge.
    #[arg(long, requires = "merge")]
    overwrite: bool,
}

impl Args {
    fn existing(&self) -> Existing {
        match (self.merge, self.prefer_new, self.overwrite) {
            (false, ..) => Existing::Skip,
            (true, _, true) => Existing::Overwrite,
            (true, true, false) => Existing::MergeNewer,
            (true, false, false) => Existing::Merge,
        }
    }
}

pub(super) fn run(args: &Args) -> Outcome {
    block_on(load(args))
}

async fn load(args: &Args) -> Outcome {
    let config = args.configured.config()?;
    let configured =
        config.default_section().or("metadata_source_path", PathBuf::from(DEFAULT_PATH))?;
    let files = files(args.path.as_deref().unwrap_or(&configured))?;
    let catalog = args.configured.records(&config).await?;
    let mut code = ExitCode::SUCCESS;
    for file in files {
        match load_file(&*catalog, &file, args.existing()).await {
            Ok(loaded) => eprintln!("{}: {}", file.display(), said(loaded)),
            Err(error) => {
                eprintln!("{}: not loaded: {error:#}", file.display());
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// The file, or the folder's `*.json` files by name.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let entries = fs::read_dir(path).with_context(|| format!("can't read {}", path.display()))?;
    for entry in entries {
        let file = entry?.path();
        if file.is_file() && file.extension().is_some_and(|extension| extension == "json") {
            files.push(file);
        }
    }
    if files.is_empty() {
        bail!("{} holds no *.json files", path.display());
    }
    files.sort();
    Ok(files)
}

async fn load_file(
    catalog: &dyn Metadefs,
    file: &Path,
    existing: Existing,
) -> anyhow::Result<Loaded> {
    let text = fs::read_to_string(file)?;
    let document: Document = serde_json::from_str(&text)?;
    Ok(catalog.load(&document, existing).await?)
}

fn said(loaded: Loaded) -> &'static str {
    match loaded {
        Loaded::Created => "loaded",
        Loaded::Skipped => "skipped: the namespace exists",
        Loaded::Merged => "merged",
        Loaded::Overwritten => "overwritten",
    }
}
