//! What systemd is told by a service that it has started with `Type=notify`: sd_notify(3).

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The variable that names its socket.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Requests are taken from now on.
pub(crate) const READY: &str = "READY=1";

/// No more are taken.
pub(crate) const STOPPING: &str = "STOPPING=1";

/// Tells systemd, if it wants to know.
pub(crate) fn tell(state: &str) {
    let Some(socket) = env::var_os(SOCKET) else { return };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(%error, "systemd can't be told {state}");
    }
}

fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes().split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut text = [0; 64];
        let length = socket.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    }

    #[test]
    fn sockets_have_a_path_or_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let name = format!("tintype-test-{}", std::process::id());
        let of_path = UnixDatagram::bind(&path).unwrap();
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let of_name = UnixDatagram::bind_addr(&address).unwrap();
        send(path.as_os_str(), READY).unwrap();
        send(format!("@{name}").as_ref(), STOPPING).unwrap();
        assert_eq!([received(&of_path), received(&of_name)], [READY, STOPPING]);
        assert!(send(dir.path().join("none").as_os_str(), READY).is_err());
    }
}
