//! Addresses that lead to this machine or to its cloud's insides, whoever names them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where Amazon's clouds keep metadata on IPv6; the one on IPv4 is link-local.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Whether nobody but this machine could mean the address: it is loopback, link-local, or none of
/// one host. Private networks are not meant: clouds keep images in theirs, and Glance reads them.
pub(crate) fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_internal_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_internal_v4(inner),
            None => is_internal_v6(address),
        },
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    // RFC 1122, 3.2.1.3: all of 0.0.0.0/8 is "this host on this network"; Linux takes 0.0.0.0 for
    // itself.
    address.octets()[0] == 0
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address == METADATA
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291, 2.5.5), NAT64 (RFC 6052) and
/// 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, .., y, z] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(of(y, z)),
        [0x2002, ..] => Some(of(b, address.segments()[2])),
        // `::` and `::1` are addresses of their own; the others were IPv4's once.
        [0, 0, 0, 0, 0, 0, _, _] if a == 0 && y != 0 => Some(of(y, z)),
        _ => address.to_ipv4_mapped(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_inside_is_known_in_every_spelling() {
        for inside in [
            "127.0.0.1",
            "127.8.9.10",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
        ] {
            assert!(is_internal(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["192.0.2.7", "10.0.0.1", "172.16.0.1", "2001:db8::1", "fd12::1"] {
            assert!(!is_internal(outside.parse().unwrap()), "{outside}");
        }
    }
}
