//! `boot`: the image is started as a cloud would start it, once for each kind of seed.

use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, ScopedJoinHandle};

use disk::ByteSize;
use machine::Cancel;
use machine::boot_proof::{BootProof, Progress, Proof};
use machine::metadata::SeedKind;
use serde_json::{Value, json};

use super::{HandedOn, Made, Room, Step, StepName, Work, editing};
use crate::recipe::{self, Recipe, Seed};
use crate::tool::Tool;
use crate::{Error, Result, image_file};

/// What an instance writes at its first boot: logs, keys, caches. Measured on Debian 12: 60 MB.
const WRITTEN: u64 = 256 << 20;

/// News of boots that wait to be told.
const NEWS: usize = 256;

/// The step.
pub(super) struct Boot(recipe::Boot);

/// A boot's news, or its end.
type News = (SeedKind, Progress);

impl Boot {
    pub(super) fn of(recipe: &Recipe) -> Self {
        Boot(recipe.boot.clone())
    }

    fn proofs(&self, work: &mut Work<'_>) -> Result<Vec<BootProof>> {
        let kernel = editing::kernel(work)?;
        let accelerator = editing::accelerator(work, &kernel)?;
        let disk = work.disk()?;
        let size = image_file::virtual_size(disk)?.bytes();
        let format = editing::drive_format(disk.format);
        let proof = |seed: &Seed| {
            let path = disk.path.clone();
            let mut proof = BootProof::of(path, format, size, kind(*seed), accelerator);
            proof.user = self.0.user.clone();
            proof.limit = self.0.timeout.unwrap_or(proof.limit);
            proof
        };
        Ok(self.0.seeds.iter().map(proof).collect())
    }
}

impl Step for Boot {
    fn name(&self) -> StepName {
        StepName::Boot
    }

    fn what(&self) -> String {
        let names: Vec<_> = self.0.seeds.iter().map(|seed| kind(*seed).name()).collect();
        format!("start it as a cloud would: {}", names.join(", "))
    }

    fn inputs(&self) -> Result<Value> {
        Ok(json!({ "seeds": self.0.seeds, "user": self.0.user }))
    }

    fn tools(&self) -> Vec<Tool> {
        vec![
            editing::QEMU,
            Tool { program: "ssh", package: "openssh-client" },
            Tool { program: "ssh-keygen", package: "openssh-client" },
        ]
    }

    fn room(&self, _: ByteSize) -> Room {
        Room { work: 0, temporary: WRITTEN * self.0.seeds.len() as u64 }
    }

    fn run(&self, work: &mut Work<'_>) -> Result<Made> {
        let proofs = prove_all(&self.proofs(work)?, work)?;
        let told = |proof: &Proof| format!("{} in {:.0} s", proof.seed.name(), proof.seconds);
        let result = proofs.iter().map(told).collect::<Vec<_>>().join(", ");
        Ok(Made { result, disk: HandedOn::Same, found: json!({ "proofs": proofs }) })
    }
}

fn kind(seed: Seed) -> SeedKind {
    match seed {
        Seed::NoCloud => SeedKind::NoCloud,
        Seed::ConfigDrive => SeedKind::ConfigDrive,
    }
}

/// All at once: a boot leaves the processor idle for a good part of its time. The first that fails
/// ends the others.
fn prove_all(proofs: &[BootProof], work: &mut Work<'_>) -> Result<Vec<Proof>> {
    let asked = work.cancel().clone();
    let stop = Cancel::new();
    thread::scope(|scope| {
        let (sender, news) = mpsc::sync_channel(NEWS);
        let start = |proof| {
            let (sender, stop) = (sender.clone(), stop.clone());
            scope.spawn(move || prove(proof, &sender, &stop))
        };
        let running: Vec<_> = proofs.iter().map(start).collect();
        drop(sender);
        while let Some(news) = next(&news, &asked, &stop) {
            tell(work, news);
        }
        collect(running)
    })
}

/// The next news; none when every boot has ended. A cancellation of the line is passed on.
fn next(news: &mpsc::Receiver<News>, asked: &Cancel, stop: &Cancel) -> Option<News> {
    loop {
        if asked.is_cancelled() {
            stop.cancel();
        }
        match news.recv_timeout(std::time::Duration::from_millis(100)) {
            Ok(news) => return Some(news),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
        }
    }
}

fn prove(proof: &BootProof, news: &SyncSender<News>, stop: &Cancel) -> Result<Proof> {
    let mut tell = |progress| {
        // Whoever stopped listening has an error of its own.
        let _ = news.send((proof.seed, progress));
    };
    proof.run(&mut tell, stop).map_err(|why| {
        stop.cancel();
        match why {
            machine::Error::Cancelled => Error::Cancelled,
            source => Error::NotProved { seed: proof.seed.name(), source },
        }
    })
}

/// The proofs, or the error that ended them: not the cancellations that followed it.
fn collect(running: Vec<ScopedJoinHandle<'_, Result<Proof>>>) -> Result<Vec<Proof>> {
    let mut proofs = Vec::new();
    let mut failed: Option<Error> = None;
    for proved in running {
        let proved = proved.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match proved {
            Ok(proof) => proofs.push(proof),
            Err(why) if failed.is_none() || !why.is_cancelled() => failed = Some(why),
            Err(_) => {}
        }
    }
    failed.map_or(Ok(proofs), Err)
}

fn tell(work: &mut Work<'_>, (seed, progress): News) {
    let seed = seed.name();
    match progress {
        Progress::Reached(stage, after) => {
            work.note(format!("{seed}: {stage} after {:.0} s", after.as_secs_f64()));
        }
        Progress::Checked(check) => work.note(format!("{seed}: {check}")),
        Progress::Console(_) => {}
    }
}
