//! What a policy's decision costs: `cargo bench -p tintype-identity --bench policy`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use identity::Caller;
use identity::policy::{Action, Policy, Settings, Target};

/// Decisions that are timed.
const ROUNDS: u32 = 200_000;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let chain: String = (0..20).map(|n| format!("r{n}: rule:r{}\n", n + 1)).collect();
    let text = format!(
        "get_image: \"rule:r0 or 'x-%(visibility)s':x-%(owner)s\"\n{chain}r20: role:nobody\n"
    );
    fs::write(folder.path().join("policy.yaml"), text).unwrap();
    let search = vec![folder.path().to_owned()];
    let own = Policy::load(Settings { search, ..Settings::default() }).unwrap();

    let caller = Caller {
        user_id: "user".to_owned(),
        project_id: Some("p".to_owned()),
        roles: ["member", "reader"].map(str::to_owned).to_vec(),
        ..Caller::default()
    };
    let target = Target::owned_by(Some("other")).seen_as("shared");
    let default = Policy::default();
    measure("Glance's get_image, granted by its last check", || {
        default.check(Action::GetImage, &caller, &target).is_ok()
    });
    measure("a rule over 20 others, refused", || {
        own.check(Action::GetImage, &caller, &target).is_ok()
    });
    measure("context_is_admin", || default.is_admin(&caller));
}

fn measure(what: &str, mut decide: impl FnMut() -> bool) {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(decide());
    }
    println!("{:>8.0} ns  {what}", start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS));
}
