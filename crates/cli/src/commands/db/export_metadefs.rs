//! `tintype db export-metadefs`.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use catalog::metadefs::Document;

use crate::commands::Outcome;
use crate::commands::configured::{Configured, block_on};

/// Write metadata definitions as JSON files, which load-metadefs reads.
#[derive(clap::Args)]
#[command(after_help = "\
Example: tintype db export-metadefs /srv/backup/metadefs

Exit codes: 0 written; 1 not all are written; 2 wrong usage.")]
pub(crate) struct Args {
    #[command(flatten)]
    configured: Configured,

    /// The folder for the files, one for each namespace; made where there is none. Files of the same
    /// names are replaced.
    path: PathBuf,
}

pub(super) fn run(args: &Args) -> Outcome {
    let documents = block_on(async {
        let catalog = args.configured.records(&args.configured.config()?).await?;
        anyhow::Ok(catalog.export().await?)
    })?;
    fs::create_dir_all(&args.path)
        .with_context(|| format!("can't make the folder {}", args.path.display()))?;
    let mut taken = HashSet::new();
    for document in &documents {
        let file = args.path.join(format!("{}.json", name(document, &mut taken)));
        let text = serde_json::to_string_pretty(document)? + "\n";
        fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))?;
        eprintln!("{}: written", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Letters and digits of the name for people, as Glance names its files; of the namespace's own
/// name where there is none, with a number where another namespace has it.
fn name(document: &Document, taken: &mut HashSet<String>) -> String {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let shown = plain(document.display_name.as_deref().unwrap_or_default());
    let candidates = [shown, plain(&document.namespace), "namespace".to_owned()];
    let base = candidates.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    let mut names = std::iter::once(base.clone()).chain(numbered);
    let free = names.find(|name| !taken.contains(&name.to_lowercase())).unwrap_or(base);
    taken.insert(free.to_lowercase());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_namespace_has_a_file_of_its_own() {
        let document = |namespace: &str, display_name: Option<&str>| {
            let display_name = display_name.map_or(serde_json::Value::Null, Into::into);
            let fields =
                serde_json::json!({ "namespace": namespace, "display_name": display_name });
            serde_json::from_value::<Document>(fields).unwrap()
        };
        let mut taken = HashSet::new();
        let documents = [
            document("OS::A", Some("Watch_dog behaviour")),
            document("OS::B", None),
            document("a/../b", Some("watchdog Behaviour")),
            document("..", Some("../..")),
            document("::", None),
        ];
        let names = documents.iter().map(|document| name(document, &mut taken));
        let names: Vec<_> = names.collect();
        assert_eq!(
            names,
            ["Watchdogbehaviour", "OSB", "watchdogBehaviour-2", "namespace", "namespace-2"]
        );
    }
}
