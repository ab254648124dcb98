//! What the appliance and the host agree on: names, and the messages of the job channel.
//!
//! The init itself is the binary `tintype-init` beside this library. A virtual machine is started
//! with it as `/init` of an initial RAM file system; over a virtio-serial port it gets one line of
//! JSON, the order, and answers with lines of JSON until it powers off.

/// The name of the virtio-serial port that is the job channel.
pub const CHANNEL: &str = "org.tintype.job";

/// On the kernel's command line: say [`ALIVE`] on the console and power off.
pub const PROBE: &str = "tintype.probe";

/// What init says on the console when it runs.
pub const ALIVE: &str = "tintype-init: alive";

/// In the initial RAM file system: a line for each group of modules, the group's name and then its
/// modules in the order of loading; each is `/modules/NAME.ko`.
pub const MODULE_GROUPS: &str = "modules/groups";

/// The group that is loaded at once.
pub const BOOT: &str = "boot";

/// The group that a network card needs.
pub const NETWORK: &str = "network";
