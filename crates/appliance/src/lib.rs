//! What the appliance and the host agree on: names, and the messages of the job channel.
//!
//! The init itself is the binary `tintype-init` beside this library. A virtual machine is started
//! with it as `/init` of an initial RAM file system; over a virtio-serial port it gets one line of
//! JSON, an [`Order`], and answers with lines of JSON, [`Message`]s, until it powers off.

use guest::job::{Event, Job, Report};
use serde::{Deserialize, Serialize};

/// The name of the virtio-serial port that is the job channel.
pub const CHANNEL: &str = "org.tintype.job";

/// On the kernel's command line: say [`ALIVE`] on the console and power off.
pub const PROBE: &str = "tintype.probe";

/// What init says on the console when it is probed.
pub const ALIVE: &str = "tintype-init: alive";

/// In the initial RAM file system: a line for each group of modules, the group's name and then its
/// modules in the order of loading; each is `/modules/NAME.ko`.
pub const MODULE_GROUPS: &str = "modules/groups";

/// The group that is loaded at once.
pub const BOOT: &str = "boot";

/// The group that a network card needs.
pub const NETWORK: &str = "network";

/// What the host wants, said once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What to do to the guest.
    pub job: Job,
    /// Whether the machine has a network card, which is to be set up for the guest's commands.
    pub network: bool,
}

/// What the appliance says. The last message is a report or a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Something that happened to the guest.
    Event(Event),
    /// The job is done, and the guest's file systems are unmounted.
    Report(Report),
    /// The job could not be done; why, in words for the person outside.
    Failed(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line_each_and_come_back_the_same() {
        for message in [
            Message::Event(Event::Log("a\nb".into())),
            Message::Report(Report::default()),
            Message::Failed("no root".into()),
        ] {
            let line = serde_json::to_string(&message).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(serde_json::from_str::<Message>(&line).unwrap(), message);
        }
    }

    #[test]
    fn an_order_of_another_version_is_refused() {
        let line = r#"{"job":{"tasks":[]},"network":false,"more":1}"#;
        assert!(serde_json::from_str::<Order>(line).is_err());
    }
}
