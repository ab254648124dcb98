//! `VERSION` is raised by hand, when what travels changes. That it is not forgotten: what travels is
//! written down in `version.txt`, as the sources define it, together with the version.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

use catalog::registry::VERSION;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

const WRITE: &str = "WRITE_VERSION";

/// What travels without being named by an operation.
const BESIDES: [&str; 2] = ["Error", "Change"];

#[test]
fn what_travels_changes_with_the_version() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let written = own.join("tests/all/version.txt");
    let known = fs::read_to_string(&written).unwrap();
    let shapes = travelling(&[own.join("src"), own.join("../image/src")]);
    let now = format!("version {VERSION}\n\n{}\n", shapes.trim_end());
    if known == now {
        return;
    }
    let is_raised = !known.starts_with(&format!("version {VERSION}\n"));
    assert!(
        is_raised,
        "What the registry and its clients say to each other has changed:\n{}\n\
         raise VERSION in crates/catalog/src/registry/greeting.rs",
        difference(&known, &now)
    );
    assert!(
        env::var_os(WRITE).is_some(),
        "VERSION is raised; write down what it stands for:\n\
         {WRITE}=1 cargo nextest run -p tintype-catalog what_travels"
    );
    fs::write(written, now).unwrap();
}

fn difference(known: &str, now: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (known, now) = (lines(known), lines(now));
    let gone = known.difference(&now).map(|line| format!("- {line}\n"));
    let come = now.difference(&known).map(|line| format!("+ {line}\n"));
    gone.chain(come).collect()
}

/// The operations, and the definitions of all that they are given and answer.
fn travelling(folders: &[impl AsRef<Path>]) -> String {
    let mut known = Definitions::default();
    for folder in folders {
        known.read(folder.as_ref());
    }
    let operations = &known.0["operations!"];
    let mut open: Vec<String> = operations.iter().flat_map(|text| names(text)).collect();
    open.extend(BESIDES.map(str::to_owned));
    let mut found = BTreeMap::from([("operations!", operations)]);
    while let Some(name) = open.pop() {
        if let Some((name, definitions)) = known.0.get_key_value(&name)
            && found.insert(name, definitions).is_none()
        {
            open.extend(definitions.iter().flat_map(|text| names(text)));
        }
    }
    found.values().flat_map(|definitions| definitions.iter()).map(|text| lines(text)).collect()
}

/// The words that may name a type.
fn names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with(char::is_uppercase)).map(str::to_owned).collect()
}

fn lines(text: &str) -> String {
    text.replace(", ", ",\n    ").replace("; ", ";\n    ") + "\n\n"
}

/// Definitions of what has a form that travels, by name, without their documentation.
#[derive(Default)]
struct Definitions(BTreeMap<String, BTreeSet<String>>);

impl Definitions {
    fn read(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.read(&path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                self.add(fs::read_to_string(&path).unwrap().parse().unwrap());
            }
        }
    }

    fn add(&mut self, file: TokenStream) {
        for item in items(file) {
            let whole = item.iter().cloned().collect::<TokenStream>();
            let text = whole.to_string();
            if text.contains("cfg (test)") || text.starts_with("macro_rules") {
                continue;
            }
            if let Some(name) = defined(&item, &text) {
                self.0.entry(name).or_default().insert(bare(whole).to_string());
            } else if after(&item, "mod").is_some()
                && let Some(TokenTree::Group(inner)) = item.last()
            {
                self.add(inner.stream());
            }
        }
    }
}

/// The name of the type whose form an item decides.
fn defined(item: &[TokenTree], text: &str) -> Option<String> {
    let is_serde = text.contains("Serialize") || text.contains("Deserialize");
    let own = after(item, "struct").or_else(|| after(item, "enum"));
    if let [TokenTree::Ident(called), TokenTree::Punct(mark), TokenTree::Group(given), ..] = item
        && mark.as_char() == '!'
    {
        return match called.to_string().as_str() {
            "operations" => Some("operations!".to_owned()),
            "named" | "keys" => names(&bare(given.stream()).to_string()).into_iter().next(),
            _ => None,
        };
    }
    match after(item, "impl") {
        Some(_) if is_serde => after(item, "for"),
        None if is_serde => own,
        _ => None,
    }
}

/// The word behind another one, in an item itself.
fn after(item: &[TokenTree], word: &str) -> Option<String> {
    let is_word = |tree: &TokenTree| matches!(tree, TokenTree::Ident(ident) if ident == word);
    let at = item.iter().position(is_word)?;
    item.get(at + 1).map(ToString::to_string)
}

/// Items end with a block, or with a semicolon.
fn items(file: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut items = vec![Vec::new()];
    for tree in file {
        let ends = match &tree {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(mark) => mark.as_char() == ';',
            _ => false,
        };
        items.last_mut().unwrap().push(tree);
        if ends {
            items.push(Vec::new());
        }
    }
    items
}

/// Without what doesn't travel: documentation, and attributes but those of serde.
fn bare(stream: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for tree in stream {
        match tree {
            TokenTree::Group(group) if is_foreign(&group, kept.last()) => {
                kept.pop();
            }
            TokenTree::Group(group) => {
                kept.push(Group::new(group.delimiter(), bare(group.stream())).into());
            }
            tree => kept.push(tree),
        }
    }
    kept.into_iter().collect()
}

/// Whether this is the attribute, behind its `#`, of somebody else.
fn is_foreign(group: &Group, before: Option<&TokenTree>) -> bool {
    matches!(before, Some(TokenTree::Punct(mark)) if mark.as_char() == '#')
        && !group.stream().to_string().starts_with("serde ")
}
