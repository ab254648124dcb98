//! The network card, set up for QEMU's user network, over netlink (`rtnetlink(7)`).

use std::fs;
use std::net::Ipv4Addr;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, connect, recv, send, socket};

use crate::failure::{Failure, Result};
use crate::modules;

/// The addresses of QEMU's user network ("-netdev user" in its manual).
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
const PREFIX: u8 = 24;
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// Its name server.
pub(crate) const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);

/// From `linux/netlink.h` and `linux/rtnetlink.h`.
const ERROR: u16 = 2;
const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
const REQUEST_ACKNOWLEDGED: u16 = 0x1 | 0x4;
const CREATE: u16 = 0x400;
const INET: u8 = 2;

/// Brings up the loopback and the card, with an address and a route.
pub(crate) fn up() -> Result<()> {
    modules::load(appliance::NETWORK)?;
    let card = card()?;
    for (what, request) in [
        ("the loopback", link_up(index("lo")?)),
        ("the network card", link_up(index(&card)?)),
        ("the address", address(index(&card)?)),
        ("the route", route(index(&card)?)),
    ] {
        ask(&request).map_err(Failure::doing(format!("setting up {what}")))?;
    }
    Ok(())
}

fn card() -> Result<String> {
    let cards = fs::read_dir("/sys/class/net").map_err(Failure::doing("/sys/class/net"))?;
    cards
        .flatten()
        .filter_map(|card| card.file_name().into_string().ok())
        .find(|card| card != "lo")
        .ok_or_else(|| Failure("the appliance has no network card".into()))
}

fn index(card: &str) -> Result<u32> {
    let path = format!("/sys/class/net/{card}/ifindex");
    let text = fs::read_to_string(&path).map_err(Failure::doing(&path))?;
    text.trim().parse().map_err(Failure::doing(&path))
}

/// `struct ifinfomsg` with the flag `IFF_UP` set and selected.
fn link_up(index: u32) -> Vec<u8> {
    let mut body = vec![0; 4];
    body.extend(index.to_ne_bytes());
    body.extend(1u32.to_ne_bytes());
    body.extend(1u32.to_ne_bytes());
    message(NEW_LINK, 0, &body)
}

/// `struct ifaddrmsg` with `IFA_LOCAL` and `IFA_ADDRESS`.
fn address(index: u32) -> Vec<u8> {
    let mut body = vec![INET, PREFIX, 0, 0];
    body.extend(index.to_ne_bytes());
    attribute(&mut body, 2, ADDRESS.octets());
    attribute(&mut body, 1, ADDRESS.octets());
    message(NEW_ADDRESS, CREATE, &body)
}

/// `struct rtmsg` for the default route: main table, protocol boot, universe, unicast; with
/// `RTA_GATEWAY` and `RTA_OIF`.
fn route(index: u32) -> Vec<u8> {
    let mut body = vec![INET, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
    attribute(&mut body, 5, GATEWAY.octets());
    attribute(&mut body, 4, index.to_ne_bytes());
    message(NEW_ROUTE, CREATE, &body)
}

fn attribute(body: &mut Vec<u8>, kind: u16, value: [u8; 4]) {
    body.extend(8u16.to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
}

/// A request behind its `struct nlmsghdr`; every body here is a multiple of four long.
fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(16 + body.len());
    message.extend((16 + body.len() as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend((REQUEST_ACKNOWLEDGED | flags).to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// Sends a request and reads the kernel's answer.
fn ask(request: &[u8]) -> rustix::io::Result<()> {
    // No protocol is number zero, which is `NETLINK_ROUTE`.
    let socket = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    connect(&socket, &SocketAddrNetlink::new(0, 0))?;
    send(&socket, request, SendFlags::empty())?;
    let mut answer = [0; 4096];
    let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    acknowledged(&answer[..length])
}

/// An acknowledgement is an error message with the number zero.
fn acknowledged(answer: &[u8]) -> rustix::io::Result<()> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let error = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, error) {
        (Some(ERROR), Some(0)) => Ok(()),
        (Some(ERROR), Some(error)) => Err(Errno::from_raw_os_error(-error)),
        _ => Err(Errno::PROTO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_its_own_length() {
        for request in [link_up(2), address(2), route(2)] {
            let said = u32::from_ne_bytes(*request.first_chunk().unwrap());
            assert_eq!(said as usize, request.len());
        }
    }

    #[test]
    fn a_refusal_is_the_kernels_error() {
        let mut answer = message(ERROR, 0, &(-17i32).to_ne_bytes());
        assert_eq!(acknowledged(&answer), Err(Errno::EXIST));
        answer[16..20].fill(0);
        assert_eq!(acknowledged(&answer), Ok(()));
        assert_eq!(acknowledged(&[]), Err(Errno::PROTO));
    }

    #[test]
    fn the_kernel_understands_a_request() {
        // Index 0 is no card: a well-formed request is answered with an error about that.
        assert!(ask(&link_up(0)).is_err());
        assert_ne!(ask(&link_up(0)), Err(Errno::PROTO));
    }
}
