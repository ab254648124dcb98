//! The line as its callers see it: the shipped recipe, its plan, and one whole run.

use std::path::{Path, PathBuf};

use line::{Cancel, Converted, Event, Extent, Plan, Recipe, StepName, WorkFolder};

/// Makes the test that makes an image run; it takes minutes, QEMU and the packages of a mirror.
const WHOLE_RUN: &str = "TINTYPE_TEST_MAKE";

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/debian-12.toml")
}

fn recipe(set: &[&str]) -> Recipe {
    let set: Vec<String> = set.iter().map(|&set| set.to_owned()).collect();
    Recipe::read(&shipped(), &set).unwrap_or_else(|why| panic!("{why}"))
}

/// The keys of a recipe's steps, in a work folder that nobody made.
fn keys(set: &[&str]) -> Vec<(StepName, String)> {
    let folder = WorkFolder::look(Path::new("/nonexistent"));
    let plan =
        Plan::of(&recipe(set), folder, Extent::default()).unwrap_or_else(|why| panic!("{why}"));
    plan.steps().into_iter().map(|step| (step.step, step.key)).collect()
}

/// The first step whose key a change of the recipe changes.
fn first_changed(set: &[&str]) -> Option<StepName> {
    let (before, after) = (keys(&[]), keys(set));
    let changed = before.iter().zip(&after).position(|(before, after)| before != after)?;
    let unchanged_after = before[changed..].iter().zip(&after[changed..]).any(|(b, a)| b == a);
    assert!(!unchanged_after, "a step after a changed one kept its key");
    Some(before[changed].0)
}

#[test]
fn the_shipped_recipe_has_no_fault() {
    let recipe = recipe(&[]);
    assert_eq!(recipe.image.name, "debian-12");
    assert!(recipe.publish.is_none());
}

#[test]
fn a_change_of_the_recipe_concerns_its_own_step_and_those_after_it() {
    assert_eq!(first_changed(&[]), None);
    for (set, expected) in [
        ("disk.size=3G", Some(StepName::Source)),
        ("source.suite=trixie", Some(StepName::Source)),
        ("prepare.root_login=true", Some(StepName::Prepare)),
        ("clean.keep=[\"/var/log\"]", Some(StepName::Clean)),
        ("check.fail_on=warn", Some(StepName::Check)),
        ("boot.user=debian", Some(StepName::Boot)),
        // How long to wait changes nothing about what comes of it.
        ("boot.timeout=9m", None),
        ("convert.compress=false", Some(StepName::Convert)),
    ] {
        assert_eq!(first_changed(&[set]), expected, "{set}");
    }
}

#[test]
fn only_what_is_wanted_is_on_the_line() {
    let steps = |set: &[&str]| keys(set).into_iter().map(|(step, _)| step).collect::<Vec<_>>();
    assert!(!steps(&[]).contains(&StepName::Publish));
    assert!(steps(&["publish.cloud=x"]).contains(&StepName::Publish));
    assert!(!steps(&["boot.seeds=[]"]).contains(&StepName::Boot));
}

#[test]
fn an_image_is_made_and_a_second_run_reuses_all_of_it() {
    if std::env::var_os(WHOLE_RUN).is_none() {
        eprintln!("skipped: set {WHOLE_RUN}=1 to make an image (minutes)");
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let make = || {
        let folder = WorkFolder::take(work.path()).unwrap();
        let plan = Plan::of(&recipe(&[]), folder, Extent::default()).unwrap();
        plan.require().unwrap();
        let mut ran = Vec::new();
        let outputs = plan.run(
            &mut |event| {
                eprintln!("{event:?}");
                if let Event::Started { step, .. } = event {
                    ran.push(step);
                }
            },
            &Cancel::new(),
        );
        (outputs.unwrap_or_else(|why| panic!("{why:?}")), ran)
    };
    let (first, ran) = make();
    assert_eq!(ran, &StepName::ALL[..6]);
    let image = first.iter().find_map(Converted::read).unwrap();
    assert_eq!(std::fs::metadata(&image.path).unwrap().len(), image.size);
    assert_eq!(image.virtual_size, 2 << 30);

    let (second, ran) = make();
    assert!(ran.is_empty(), "{ran:?}");
    assert_eq!(second.iter().find_map(Converted::read).unwrap().sha512, image.sha512);
}
