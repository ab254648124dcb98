//! `tintype disk info`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use disk::{Detail, Info, ReferenceKind};
use serde_json::{Map, Value, json};

use crate::commands::Outcome;

/// Tell what an image is, from its metadata alone.
///
/// Nothing that the image refers to is opened. Names in JSON are those of `qemu-img info`.
///
/// Example: tintype disk info --json debian-12.qcow2
#[derive(Parser)]
pub(super) struct Args {
    /// The image.
    file: PathBuf,

    /// Its format, when it is not to be guessed from its content.
    #[arg(short, long)]
    format: Option<String>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let info = disk::info(&args.file, args.format.as_deref())?;
    let text = if args.json { format!("{:#}\n", json(&info)) } else { plain(&info) };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn json(info: &Info) -> Value {
    let facts = &info.facts;
    let details: Map<String, Value> =
        facts.details.iter().map(|(name, detail)| ((*name).to_owned(), value(detail))).collect();
    let references: Vec<Value> = facts
        .references
        .iter()
        .map(|reference| json!({ "kind": kind(reference.kind), "name": reference.name }))
        .collect();
    let mut object = json!({
        "filename": info.path,
        "format": info.format,
        "virtual-size": facts.virtual_size,
        "actual-size": info.allocated,
        "file-size": info.length,
        "refers-to": references,
        "format-specific": { "type": info.format, "data": details },
    });
    if let Some(size) = facts.cluster_size {
        object["cluster-size"] = size.into();
    }
    let backing = facts.references.iter().find(|r| r.kind == ReferenceKind::BackingFile);
    if let Some(backing) = backing {
        object["backing-filename"] = backing.name.clone().into();
        object["backing-filename-format"] = backing.format.clone().into();
    }
    object
}

fn value(detail: &Detail) -> Value {
    match detail {
        Detail::Text(text) => text.clone().into(),
        Detail::Number(number) => (*number).into(),
        Detail::Flag(flag) => (*flag).into(),
    }
}

fn kind(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::BackingFile => "backing-file",
        ReferenceKind::DataFile => "data-file",
        ReferenceKind::Extent => "extent",
        ReferenceKind::Parent => "parent",
    }
}

fn plain(info: &Info) -> String {
    let facts = &info.facts;
    let size = |bytes: u64| format!("{} ({bytes} bytes)", disk::ByteSize::new(bytes));
    let mut rows = vec![
        ("image".to_owned(), info.path.display().to_string()),
        ("format".to_owned(), info.format.to_owned()),
        ("disk".to_owned(), facts.virtual_size.map_or("unknown".to_owned(), size)),
        ("file".to_owned(), format!("{}, {} on the disk", info.length, info.allocated)),
    ];
    rows.extend(facts.cluster_size.map(|bytes| ("cluster".to_owned(), size(bytes))));
    rows.extend(facts.references.iter().map(|r| ("refers to".to_owned(), r.to_string())));
    rows.extend(
        facts.details.iter().map(|(name, detail)| ((*name).to_owned(), detail.to_string())),
    );
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    rows.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}
