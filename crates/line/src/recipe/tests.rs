//! Recipes, good and bad.

use super::*;

const LEAST: &str = "[image]\nname = \"x\"\n[source]\nsuite = \"bookworm\"\n";

fn parse(content: &str, set: &[&str]) -> Result<Recipe, String> {
    let set: Vec<String> = set.iter().map(|&set| set.to_owned()).collect();
    Recipe::parse(Path::new("r.toml"), content.to_owned(), &set).map_err(|why| why.to_string())
}

/// Where each fault is, and what must be said about it.
#[test]
fn a_fault_is_told_with_its_place_and_the_nearest_name() {
    for (content, expected) in [
        ("[image]\nnmae = \"x\"", "r.toml:2:1: unknown key `nmae` in [image]"),
        ("[image]\nnmae = \"x\"", "^^^^ did you mean `name`?"),
        ("[imgae]\nname = \"x\"", "r.toml:1:2: unknown section [imgae]"),
        ("[imgae]\nname = \"x\"", "did you mean `image`?"),
        ("[image]\n", "r.toml:1:1: [image] lacks the key `name`"),
        ("image = 3", "r.toml:1:9: `image` is a section"),
        ("[image]\nname = 3", "r.toml:2:8: invalid type: integer `3`, expected a string"),
        ("[image]\nname = \"../x\"", "r.toml:2:8: a name is 1 to 200 bytes without `/`"),
        ("[image]\nname = \"x", "r.toml:2:10: "),
        ("[disk]\nsize = \"2X\"", "r.toml:2:8: "),
        ("[convert]\nformat = \"qcow3\"", "r.toml:2:10: unknown value `qcow3`"),
        ("[convert]\nformat = \"qcow3\"", "did you mean `qcow2`?"),
        ("[boot]\nseeds = [\"nocloud\", \"configdrive\"]", "did you mean `config-drive`?"),
        ("[boot]\ntimeout = \"soon\"", "r.toml:2:11: `soon` is not a time"),
        ("[publish]\nvisibility = \"pubic\"", "did you mean `public`?"),
        ("[source]\n", "r.toml:1:1: [source] needs exactly one of the keys"),
        ("[source]\nsuit = \"a\"", "r.toml:2:1: unknown key `suit` in [source]"),
        ("[source]\ndisk = \"a\"\nsuite = \"a\"", "it has 2"),
        ("[source]\ndisk = \"no-such-file\"", "r.toml:2:8: there is no file no-such-file"),
        ("[source]\ndisk = \"/dev/null\"\nsha256 = \"abc\"", "r.toml:3:10: a SHA-256 is 64"),
        ("[source]\ndisk = \"x\"\nmirror = \"sid\"", "r.toml:3:1: unknown key `mirror`"),
        ("[prepare]\nserial_consol = true", "did you mean `serial_console`?"),
        ("[clean]\nkeep = 1", "r.toml:2:8: invalid type"),
        ("[clean]\nskip = [\"machin-id\"]", "r.toml:2:9: there is no clean operation"),
        ("[clean]\nskip = [\"machin-id\"]", "did you mean `machine_id`?"),
        ("[check]\nfail_on = \"wran\"", "did you mean `warn`?"),
        ("", "the recipe lacks the section [image]"),
        ("", "the recipe lacks the section [source]"),
    ] {
        let said = parse(content, &[]).unwrap_err();
        assert!(said.contains(expected), "{content:?} gives\n{said}\nwithout {expected:?}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let said = parse("[image]\nnam = 1\n[disk]\nsiez = 1\n[bot]\n", &[]).unwrap_err();
    for place in ["r.toml:2:1", "r.toml:4:1", "r.toml:5:2", "lacks the section [source]"] {
        assert!(said.contains(place), "{said}");
    }
}

#[test]
fn what_is_not_said_has_its_usual_value() {
    let recipe = parse(LEAST, &[]).unwrap();
    assert_eq!(recipe.boot.seeds, [Seed::NoCloud, Seed::ConfigDrive]);
    assert_eq!(recipe.convert.format, Format::Qcow2);
    assert!(recipe.publish.is_none());
    let Source::Packages(source) = recipe.source else { panic!("not packages") };
    assert_eq!((source.components, source.mirror), (vec!["main".to_owned()], None));
    assert!(source.packages.contains(&"cloud-init".to_owned()));
}

#[test]
fn set_lays_values_over_the_recipe() {
    let set = ["disk.size=4G", "image.name = other", "convert.compress=false", "boot.seeds=[]"];
    let recipe = parse(LEAST, &set).unwrap();
    assert_eq!(recipe.disk.size.map(disk::ByteSize::bytes), Some(4 << 30));
    assert_eq!(recipe.image.name, "other");
    assert_eq!(recipe.convert.compress, Compression::Plain);
    assert!(recipe.boot.seeds.is_empty());
}

#[test]
fn a_fault_in_set_is_told_as_such() {
    let said = parse(LEAST, &["disk.siz=4G"]).unwrap_err();
    assert!(said.contains("--set:1:6: unknown key `siz` in [disk]"), "{said}");
    let said = parse(LEAST, &["disk"]).unwrap_err();
    assert!(said.contains("--set:1:"), "{said}");
}
