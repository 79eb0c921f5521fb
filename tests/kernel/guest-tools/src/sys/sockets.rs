//! Sockets: addresses as the kernel takes them, connecting, sending, a descriptor through a socket.

use super::{check, done, owned};
use libc::{c_int, c_long};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// A new socket.
pub fn socket(family: c_int, kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    // SAFETY: plain numbers.
    owned(c_long::from(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) }))
}

/// An address as the kernel takes it.
#[derive(Clone, Copy)]
pub struct Address {
    bytes: [u8; 28],
    size: u32,
}

impl Address {
    /// From the words of a `sockaddr`.
    pub fn new(parts: &[&[u8]]) -> Self {
        let mut address = Address { bytes: [0; 28], size: 0 };
        let whole = parts.concat();
        for (place, byte) in address.bytes.iter_mut().zip(&whole) {
            *place = *byte;
            address.size += 1;
        }
        address
    }

    /// Where it is.
    pub fn pointer(&self) -> *const libc::sockaddr {
        self.bytes.as_ptr().cast()
    }

    /// How many bytes count.
    pub fn size(&self) -> u32 {
        self.size
    }
}

/// connect(2).
pub fn connect(socket: &OwnedFd, to: &Address) -> io::Result<()> {
    // SAFETY: the address has as many bytes as it says.
    done(unsafe { libc::connect(socket.as_raw_fd(), to.pointer(), to.size()) })
}

/// sendto(2) of one byte.
pub fn send_to(socket: &OwnedFd, to: &Address, flags: c_int) -> io::Result<()> {
    let byte = [8u8; 8];
    let at = byte.as_ptr().cast();
    // SAFETY: eight readable bytes; the address has as many as it says.
    let sent = unsafe { libc::sendto(socket.as_raw_fd(), at, 8, flags | libc::MSG_NOSIGNAL, to.pointer(), to.size()) };
    check(sent as c_long).map(drop)
}

/// sendmsg(2), or sendmmsg(2) with `many`, of one byte.
pub fn send_message(socket: &OwnedFd, to: &Address, many: bool) -> io::Result<()> {
    let mut byte = 0u8;
    let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // SAFETY: all fields of the struct may be zero.
    let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
    message.msg_hdr.msg_name = to.pointer().cast_mut().cast();
    message.msg_hdr.msg_namelen = to.size();
    message.msg_hdr.msg_iov = &raw mut part;
    message.msg_hdr.msg_iovlen = 1;
    let number = socket.as_raw_fd();
    // SAFETY: the message points at locals that outlive the call.
    let sent = unsafe {
        match many {
            true => c_long::from(libc::sendmmsg(number, &raw mut message, 1, 0)),
            false => libc::sendmsg(number, &raw const message.msg_hdr, 0) as c_long,
        }
    };
    check(sent).map(drop)
}

/// Sends a descriptor to ourselves through a socket pair, gives the received
/// one: another descriptor of the same open file.
pub fn pass(file: &OwnedFd) -> io::Result<OwnedFd> {
    let mut pair = [0; 2];
    // SAFETY: room for two descriptors.
    done(unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()) })?;
    let mut byte = 0u8;
    let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // struct cmsghdr (16 bytes) and one descriptor, aligned.
    let mut control = [20u64, 0, 0];
    control[1] = u64::from(libc::SOL_SOCKET.cast_unsigned()) | u64::from(libc::SCM_RIGHTS.cast_unsigned()) << 32;
    control[2] = u64::from(file.as_raw_fd().cast_unsigned());
    // SAFETY: all fields of the struct may be zero.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = 24;
    // SAFETY: the message points at locals that outlive the calls.
    unsafe {
        check(libc::sendmsg(pair[0], &raw const message, 0) as c_long)?;
        control[2] = u64::MAX;
        check(libc::recvmsg(pair[1], &raw mut message, 0) as c_long)?;
    }
    owned(c_long::from((control[2] & 0xffff_ffff) as i32))
}
