//! Calls about sockets beside connecting and sending: sources, options, control messages.

use super::{Address, check, done, owned};
use libc::{c_int, c_long};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// bind(2).
pub fn bind(socket: &OwnedFd, to: &Address) -> io::Result<()> {
    // SAFETY: the address has as many bytes as it says.
    done(unsafe { libc::bind(socket.as_raw_fd(), to.pointer(), to.size()) })
}

/// setsockopt(2).
pub fn set_option(socket: &OwnedFd, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    // SAFETY: the value is readable for its whole size.
    done(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value.as_ptr().cast(), value.len() as u32) })
}

/// Gives a descriptor a number, which stays when another program is executed.
pub fn place(file: &OwnedFd, number: c_int) -> io::Result<()> {
    // SAFETY: nothing else has this number here.
    check(c_long::from(unsafe { libc::dup2(file.as_raw_fd(), number) })).map(drop)
}

/// What another program has left at a number for this one.
pub fn left_at(number: c_int) -> io::Result<OwnedFd> {
    // SAFETY: a plain number.
    owned(c_long::from(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) }))
}

/// A control message, padded to where the next one may begin.
pub fn control(level: c_int, kind: c_int, data: &[u8]) -> Vec<u8> {
    let mut bytes = (16 + data.len()).to_ne_bytes().to_vec();
    bytes.extend(level.to_ne_bytes().into_iter().chain(kind.to_ne_bytes()));
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// sendmsg(2) of one byte with control messages, to an address or to the connected peer.
pub fn send_controlled(socket: &OwnedFd, to: Option<&Address>, controls: &[u8]) -> io::Result<()> {
    let mut byte = 0u8;
    let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let mut words = aligned(controls);
    // SAFETY: all fields of the struct may be zero.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    if let Some(to) = to {
        message.msg_name = to.pointer().cast_mut().cast();
        message.msg_namelen = to.size();
    }
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = words.as_mut_ptr().cast();
    message.msg_controllen = controls.len();
    // SAFETY: the message points at locals that outlive the call.
    check(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, 0) } as c_long).map(drop)
}

/// sendmmsg(2) of two messages to one address, the second with control messages. The kernel asks about the first alone.
pub fn send_twice(socket: &OwnedFd, to: &Address, controls: &[u8]) -> io::Result<()> {
    let mut byte = 0u8;
    let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let mut words = aligned(controls);
    // SAFETY: all fields of the struct may be zero.
    let mut messages: [libc::mmsghdr; 2] = unsafe { std::mem::zeroed() };
    for message in &mut messages {
        message.msg_hdr.msg_name = to.pointer().cast_mut().cast();
        message.msg_hdr.msg_namelen = to.size();
        message.msg_hdr.msg_iov = &raw mut part;
        message.msg_hdr.msg_iovlen = 1;
    }
    let [_, second] = &mut messages;
    second.msg_hdr.msg_control = words.as_mut_ptr().cast();
    second.msg_hdr.msg_controllen = controls.len();
    // SAFETY: the messages point at locals that outlive the call.
    let sent = check(unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), 2, 0) }.into())?;
    // what refused the second one is told to nobody
    if sent == 2 { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EPROTO)) }
}

/// The kernel wants control messages aligned.
fn aligned(controls: &[u8]) -> Vec<u64> {
    let mut words = vec![0u64; controls.len().div_ceil(8)];
    for (word, bytes) in words.iter_mut().zip(controls.chunks(8)) {
        *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    words
}

/// sendto(2) of these bytes.
pub fn send_bytes(socket: &OwnedFd, to: &Address, bytes: &[u8]) -> io::Result<()> {
    let at = bytes.as_ptr().cast();
    // SAFETY: the bytes are readable; the address has as many as it says.
    check(unsafe { libc::sendto(socket.as_raw_fd(), at, bytes.len(), 0, to.pointer(), to.size()) } as c_long).map(drop)
}

/// send(2) of one byte to the connected peer.
pub fn send(socket: &OwnedFd) -> io::Result<()> {
    let byte = 8u8;
    // SAFETY: one readable byte.
    check(unsafe { libc::send(socket.as_raw_fd(), (&raw const byte).cast(), 1, libc::MSG_NOSIGNAL) } as c_long).map(drop)
}
