//! Attacks that reach for an address, by every call that names one. An answer
//! that nobody listens there counts as through: the kernel let it go.

use crate::attack::{Attack, Place};
use crate::sys::{self, Address};
use crate::uring;
use libc::{AF_INET, AF_INET6, AF_UNIX, IPPROTO_ICMP, MSG_FASTOPEN, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM};
use std::io;
use std::os::fd::OwnedFd;

const fn egress(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "egress", name, run }
}

/// Reaches nobody outside; a policy about addresses must let it be.
const fn local(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "local", name, run }
}

/// An IPv4 address from its text.
pub fn address(ip: &str, port: &str) -> Result<Address, String> {
    let ip: std::net::Ipv4Addr = ip.parse().map_err(|_| "not an IPv4 address")?;
    let port: u16 = port.parse().map_err(|_| "not a port")?;
    Ok(four_of(ip.octets(), port))
}

/// An IPv4 address with a port.
pub fn four_of(ip: [u8; 4], port: u16) -> Address {
    let family = (AF_INET as u16).to_ne_bytes();
    Address::new(&[&family, &port.to_be_bytes(), &ip, &[0; 8]])
}

/// The peer's IPv4 address.
pub fn four(place: &Place) -> Address {
    four_of(place.peer.four, place.peer.port)
}

/// The IPv4 address under the family 0.
pub fn unspecified(place: &Place) -> Address {
    Address::new(&[&[0; 2], &place.peer.port.to_be_bytes(), &place.peer.four, &[0; 8]])
}

/// An IPv6 address with a port.
pub fn six_of(ip: [u8; 16], port: u16) -> Address {
    let family = (AF_INET6 as u16).to_ne_bytes();
    Address::new(&[&family, &port.to_be_bytes(), &[0; 4], &ip, &[0; 4]])
}

/// An IPv6 address with the peer's port.
pub fn six(place: &Place, address: [u8; 16]) -> Address {
    six_of(address, place.peer.port)
}

/// The same as a v4-mapped address.
pub fn mapped(place: &Place) -> Address {
    let [a, b, c, d] = place.peer.four;
    six(place, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, a, b, c, d])
}

/// The peer's IPv6 address.
pub fn real_six(place: &Place) -> Address {
    six(place, place.peer.six)
}

/// A stream.
pub fn tcp(family: i32) -> io::Result<OwnedFd> {
    sys::socket(family, SOCK_STREAM, 0)
}

/// A datagram socket.
pub fn udp(family: i32) -> io::Result<OwnedFd> {
    sys::socket(family, SOCK_DGRAM, 0)
}

/// An answer that nobody listens is one: the kernel let the call go.
pub fn sent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::ECONNREFUSED) => Ok(()),
        other => other,
    }
}

/// Every attack on the network.
pub const ALL: &[Attack] = &[
    egress("connect4", |p| sent(sys::connect(&tcp(AF_INET)?, &four(p)))),
    egress("connect6", |p| sent(sys::connect(&tcp(AF_INET6)?, &real_six(p)))),
    egress("connect-mapped", |p| sent(sys::connect(&tcp(AF_INET6)?, &mapped(p)))),
    egress("connect4-udp", |p| sent(sys::connect(&udp(AF_INET)?, &four(p)))),
    egress("connect6-udp", |p| sent(sys::connect(&udp(AF_INET6)?, &real_six(p)))),
    egress("connect4-uring", |p| sent(uring::connect(&tcp(AF_INET)?, &four(p)))),
    egress("sendto4", |p| sent(sys::send_to(&udp(AF_INET)?, &four(p), 0))),
    egress("sendto6", |p| sent(sys::send_to(&udp(AF_INET6)?, &real_six(p), 0))),
    egress("sendto-mapped", |p| sent(sys::send_to(&udp(AF_INET6)?, &mapped(p), 0))),
    // An IPv4 address on an IPv6 socket, which the kernel takes too.
    egress("sendto4-on-6", |p| sent(sys::send_to(&udp(AF_INET6)?, &four(p), 0))),
    egress("sendmsg4", |p| sent(sys::send_message(&udp(AF_INET)?, &four(p), false))),
    egress("sendmsg6", |p| sent(sys::send_message(&udp(AF_INET6)?, &real_six(p), false))),
    egress("sendmmsg4", |p| sent(sys::send_message(&udp(AF_INET)?, &four(p), true))),
    egress("sendmsg4-uring", |p| sent(uring::send_message(&udp(AF_INET)?, &four(p)))),
    egress("fastopen4", |p| sent(sys::send_to(&tcp(AF_INET)?, &four(p), MSG_FASTOPEN))),
    egress("fastopen6", |p| sent(sys::send_to(&tcp(AF_INET6)?, &real_six(p), MSG_FASTOPEN))),
    egress("raw4", |p| {
        let socket = sys::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)?;
        sent(sys::send_to(&socket, &four(p), 0))
    }),
    egress("redirected", |p| {
        // Connected elsewhere first: the send's own address counts.
        let socket = udp(AF_INET)?;
        sent(sys::connect(&socket, &four_of([127, 0, 0, 77], 9)))?;
        sent(sys::send_to(&socket, &four(p), 0))
    }),
    // UDP and raw sockets take an address of no family for IPv4.
    egress("sendto4-unspecified", |p| sent(sys::send_to(&udp(AF_INET)?, &unspecified(p), 0))),
    egress("sendmsg4-unspecified", |p| sent(sys::send_message(&udp(AF_INET)?, &unspecified(p), false))),
    egress("raw4-unspecified", |p| {
        let socket = sys::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)?;
        sent(sys::send_to(&socket, &unspecified(p), 0))
    }),
    egress("connect4-mptcp", |p| {
        let socket = sys::socket(AF_INET, SOCK_STREAM, libc::IPPROTO_MPTCP)?;
        sent(sys::connect(&socket, &four(p)))
    }),
    egress("sendto4-udplite", |p| {
        let socket = sys::socket(AF_INET, SOCK_DGRAM, libc::IPPROTO_UDPLITE)?;
        sent(sys::send_to(&socket, &four(p), 0))
    }),
    local("connect-unix", |p| {
        let _listener = std::os::unix::net::UnixListener::bind(&p.outside_fresh)?;
        std::os::unix::net::UnixStream::connect(&p.outside_fresh).map(drop)
    }),
    local("connect-unspecified", |_| {
        let family = (libc::AF_UNSPEC as u16).to_ne_bytes();
        sys::connect(&udp(AF_INET)?, &Address::new(&[&family, &[0; 14]]))
    }),
    local("socketpair", |p| sys::pass(&sys::open(&p.outside, libc::O_RDONLY, 0)?).map(drop)),
    local("unix-datagram", |p| {
        let socket = sys::socket(AF_UNIX, SOCK_DGRAM, 0)?;
        let listener = std::os::unix::net::UnixDatagram::bind(&p.outside_fresh)?;
        let family = (AF_UNIX as u16).to_ne_bytes();
        let name = p.outside_fresh.as_os_str().as_encoded_bytes();
        // Longer names than an address holds are of no use here.
        let short = name.get(..name.len().min(25)).unwrap_or_default();
        let result = sys::send_to(&socket, &Address::new(&[&family, short, &[0]]), 0);
        drop(listener);
        match result {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            other => other,
        }
    }),
];
