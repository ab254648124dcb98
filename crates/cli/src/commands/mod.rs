//! The commands, one file each. To add one: a file with `Args` and `run`, a module line and a
//! variant here.

mod appliance;
mod cache;
mod completions;
mod configured;
mod db;
mod disk;
mod image;
mod make;
mod open_files;
mod progress;
mod registry;
mod registry_keys;
mod scrub;
mod serve;
mod stop;
mod store;
mod systemd;
mod task;

use std::process::ExitCode;

use clap::Subcommand;

/// What every command returns: its exit code, or an error that `main` prints.
pub(crate) type Outcome = anyhow::Result<ExitCode>;

#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(serve::Args),
    Registry(registry::Args),
    Scrub(scrub::Args),
    Store(store::Args),
    Db(db::Args),
    Image(image::Args),
    Cache(cache::Args),
    Task(task::Args),
    Disk(disk::Args),
    Make(make::Args),
    Appliance(appliance::Args),
    Completions(completions::Args),
}

impl Command {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Command::Serve(args) => serve::run(&args),
            Command::Registry(args) => registry::run(&args),
            Command::Scrub(args) => scrub::run(&args),
            Command::Store(args) => store::run(args),
            Command::Db(args) => db::run(args),
            Command::Image(args) => image::run(args),
            Command::Cache(args) => cache::run(args),
            Command::Task(args) => task::run(args),
            Command::Disk(args) => disk::run(args),
            Command::Make(args) => make::run(&args),
            Command::Appliance(args) => appliance::run(&args),
            Command::Completions(args) => completions::run(&args),
        }
    }
}
