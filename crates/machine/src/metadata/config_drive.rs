//! OpenStack's config drive, with the documents that Nova writes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Instance, SeedFile};

/// The files of the drive, in the layout of Nova's `openstack/latest`.
pub(super) fn files(instance: &Instance) -> Vec<SeedFile> {
    vec![
        SeedFile {
            path: "openstack/latest/meta_data.json",
            content: meta_data(instance).to_string(),
        },
        SeedFile {
            path: "openstack/latest/network_data.json",
            content: network_data(instance).to_string(),
        },
        SeedFile { path: "openstack/latest/user_data", content: instance.user_data.clone() },
    ]
}

fn meta_data(instance: &Instance) -> Value {
    let keys: BTreeMap<String, &String> = instance
        .public_keys
        .iter()
        .enumerate()
        .map(|(number, key)| (format!("key-{number}"), key))
        .collect();
    json!({
        "uuid": instance.id,
        "hostname": instance.hostname,
        "name": instance.hostname,
        "launch_index": 0,
        "availability_zone": "nova",
        "public_keys": keys,
    })
}

/// One card with DHCP: what Nova says of a port on a subnet that has DHCP.
fn network_data(instance: &Instance) -> Value {
    json!({
        "links": [{
            "id": "tap0",
            "type": "ovs",
            "mtu": 1500,
            "ethernet_mac_address": instance.mac,
        }],
        "networks": [{ "id": "network0", "type": "ipv4_dhcp", "link": "tap0" }],
        "services": [],
    })
}
