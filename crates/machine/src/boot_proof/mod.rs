//! The proof that an image works: it boots as a cloud would boot it, and the instance is asked.
//!
//! The image is never written: the machine runs on an overlay, enlarged so that the root file
//! system has somewhere to grow. The answers come from inside over the serial console, written by
//! a script that cloud-init runs, and from logging in over SSH with the key that it was given.

mod checks;
mod machine;
mod report;
mod script;
mod ssh;
mod stage;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::accelerator::Accelerator;
use crate::metadata::SeedKind;
use crate::qemu::DriveFormat;
use crate::{Cancel, Error, Result};

pub use checks::Check;
pub use stage::Stage;

/// What to prove of which image.
#[derive(Clone, Debug)]
pub struct BootProof {
    /// The finished image. It is opened read-only.
    pub image: PathBuf,
    /// Its format.
    pub format: DriveFormat,
    /// How the instance finds what it is told.
    pub seed: SeedKind,
    /// The size of the disk that it boots on, in bytes; more than the image's own, so that growing
    /// shows.
    pub disk_size: u64,
    /// The user who must be able to log in; without one, any user that took the key.
    pub user: Option<String>,
    /// What runs it.
    pub accelerator: Accelerator,
    /// How long it may take.
    pub limit: Duration,
}

/// What happens while it boots.
#[derive(Clone, Debug)]
pub enum Progress {
    /// The boot reached a stage, this long after the start.
    Reached(Stage, Duration),
    /// A line of the serial console, without control characters.
    Console(String),
    /// A check was made.
    Checked(Check),
}

/// An image that booted as it should.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    /// How it found its data.
    pub seed: SeedKind,
    /// Each check; all passed.
    pub checks: Vec<Check>,
    /// When each stage was reached, in seconds after the start.
    pub stages: Vec<(Stage, f64)>,
    /// The machine-id that this instance made for itself. Two proofs of one image have two.
    pub machine_id: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// How long a boot may take: 15 s and 80 s are usual, machines that are busy need several times
/// that.
pub fn usual_limit(accelerator: Accelerator) -> Duration {
    match accelerator {
        Accelerator::Kvm => Duration::from_secs(180),
        Accelerator::Tcg => Duration::from_secs(600),
    }
}

impl BootProof {
    /// A proof with the usual limits for an image that is `image_size` bytes large inside: it boots
    /// on a disk 2 GiB larger, and any user may log in.
    pub fn of(
        image: PathBuf,
        format: DriveFormat,
        image_size: u64,
        seed: SeedKind,
        accelerator: Accelerator,
    ) -> Self {
        BootProof {
            image,
            format,
            seed,
            disk_size: image_size + (2 << 30),
            user: None,
            accelerator,
            limit: usual_limit(accelerator),
        }
    }

    /// Boots the image and checks it. Two proofs may run at once, on a thread each.
    ///
    /// # Errors
    /// [`Error::NotProven`] with every check when one fails; [`Error::Stopped`] when the machine
    /// stops, panics or falls into an emergency shell, [`Error::TimedOut`], each with the last 25
    /// lines of the serial console; [`Error::ProgramMissing`] without QEMU or an SSH client;
    /// [`Error::Cancelled`].
    pub fn run(&self, on_progress: &mut dyn FnMut(Progress), cancel: &Cancel) -> Result<Proof> {
        let work = tempfile::tempdir().map_err(Error::doing("making a temporary folder"))?;
        let booted = machine::boot(self, work.path())?;
        let (report, stages) = watch::until_report(&booted.running, on_progress, cancel)?;
        let login = ssh::login(&booted.key, booted.port, &report, self.user.as_deref(), cancel)?;
        let expected = checks::Expected { hostname: &booted.instance.hostname, stages: &stages };
        let checks = checks::all(&report, &login, &expected);
        for check in &checks {
            on_progress(Progress::Checked(check.clone()));
        }
        if checks.iter().any(|check| !check.passed) {
            return Err(Error::NotProven { checks, screen: booted.running.screen() });
        }
        Ok(Proof {
            seed: self.seed,
            checks,
            stages: stages.iter().map(|(stage, after)| (*stage, after.as_secs_f64())).collect(),
            machine_id: report.machine_id().to_owned(),
            seconds: booted.running.age().as_secs_f64(),
        })
    }
}
