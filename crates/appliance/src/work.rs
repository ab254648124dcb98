//! The host's order, carried out on the guest.

use std::path::Path;

use appliance::Order;
use guest::job::{self, Event, Report};

use crate::commands::Chroot;
use crate::failure::{Failure, Result};
use crate::mounts::Mounts;
use crate::root::PLACE;
use crate::{network, root};

/// Does the job. Afterwards the guest's file systems are unmounted, whether it went well or not.
pub(crate) fn carry_out(order: &Order, emit: &mut dyn FnMut(Event)) -> Result<Report> {
    if order.network {
        network::up()?;
    }
    let mut mounts = root::mount()?;
    let done = edit(order, &mounts, emit);
    let closed = mounts.close();
    let report = done?;
    closed?;
    Ok(report)
}

fn edit(order: &Order, mounts: &Mounts, emit: &mut dyn FnMut(Event)) -> Result<Report> {
    let mut commands = Chroot::new(Path::new(PLACE), order.network);
    let root = guest::Root::open(PLACE).map_err(Failure::of)?;
    let report = job::run(&root, Some(&mut commands), &order.job, emit).map_err(Failure::of)?;
    if order.job.trim {
        mounts.trim()?;
    }
    Ok(report)
}
