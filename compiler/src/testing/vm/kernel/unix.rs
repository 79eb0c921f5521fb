//! Takes names, builds Unix sockets that are bound to them. Never connects one: what an LSM hook sees comes before that.

use super::world::{Location, World};

/// AF_UNIX.
const UNIX: u64 = 1;

/// A Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// its `struct socket`
    pub socket: u64,
    /// its `struct sock`, at the start of a `struct unix_sock`
    pub sock: u64,
}

impl World {
    /// A Unix socket that is bound to a path, or to none.
    pub fn unix_socket(&mut self, at: Option<Location>) -> Result<UnixSocket, String> {
        let (socket, sock) = (self.kernel.alloc("socket")?, self.kernel.alloc("unix_sock")?);
        self.kernel.set(socket, "socket.sk", sock)?;
        self.kernel.set(sock, "unix_sock.sk.__sk_common.skc_family", UNIX)?;
        if let Some(at) = at {
            self.kernel.set(sock, "unix_sock.path.mnt", at.mount.vfs)?;
            self.kernel.set(sock, "unix_sock.path.dentry", at.dentry)?;
        }
        self.kernel.env.unix_socks.insert(sock);
        Ok(UnixSocket { socket, sock })
    }
}
