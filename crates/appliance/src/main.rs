//! `tintype-init`: the first and only program of the appliance. It mounts the guest's file
//! systems, does the host's job on them, unmounts them and powers off.

mod channel;
mod chroot;
mod commands;
mod devices;
mod failure;
mod fstab;
mod ground;
mod modules;
mod mounts;
mod name_server;
mod network;
mod root;
mod superblock;
mod trim;
mod work;

use appliance::Message;

fn main() {
    if std::process::id() != 1 {
        chroot::become_program();
    }
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("tintype-init: {panic}");
        ground::power_off();
    }));
    if let Err(why) = start() {
        eprintln!("tintype-init: {why}");
    }
    ground::power_off();
}

fn start() -> failure::Result<()> {
    ground::mount_kernel_file_systems()?;
    if ground::command_line_has(appliance::PROBE) {
        eprintln!("{}", appliance::ALIVE);
        return Ok(());
    }
    modules::load(appliance::BOOT)?;
    let mut channel = channel::Channel::open()?;
    let order = channel.order()?;
    let done = work::carry_out(&order, &mut |event| channel.say(&Message::Event(event)));
    channel.say(&match done {
        Ok(report) => Message::Report(report),
        Err(why) => Message::Failed(why.to_string()),
    });
    Ok(())
}
