//! `tintype image delete`.

use std::process::ExitCode;

use client::Images;

use super::output::{print, tame};
use super::{Outcome, exit};

/// Delete images and their bytes.
#[derive(clap::Args)]
#[command(
    before_help = "Example:\n  tintype image delete debian-11 debian-10",
    after_help = exit::CODES
)]
pub(super) struct Args {
    /// Ids or names. One that cannot be deleted does not keep the others.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

pub(super) async fn run(images: &Images, args: &Args) -> Outcome {
    let mut code = ExitCode::SUCCESS;
    for name in &args.images {
        match delete(images, name).await {
            Ok(done) => print(&done)?,
            Err(error) => {
                crate::report(&anyhow::Error::new(error));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

async fn delete(images: &Images, name: &str) -> client::Result<String> {
    let image = images.find(name).await?;
    images.delete(&image.id).await?;
    Ok(format!("deleted {} ({})", tame(image.title()), tame(&image.id)))
}
