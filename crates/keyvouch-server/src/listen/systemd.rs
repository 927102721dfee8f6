//! Telling systemd how far the service is (`Type=notify`).

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Tells the state to who started the process, if it wants to know.
pub(super) fn tell(state: &str) {
    let Some(place) = std::env::var_os("NOTIFY_SOCKET").filter(|place| !place.is_empty()) else { return };
    if let Err(why) = send(&place, state) {
        tracing::warn!(%why, "NOTIFY_SOCKET cannot be told {state}");
    }
}

fn send(place: &OsStr, state: &str) -> io::Result<()> {
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address(place)?).map(drop)
}

/// A file, or on Linux a name without one, which is written with `@`.
fn address(place: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = place.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(place)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("notify");
        let ear = UnixDatagram::bind(&place).unwrap();
        send(place.as_os_str(), "READY=1").unwrap();
        let mut heard = [0; 16];
        let length = ear.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"READY=1");
    }
}
