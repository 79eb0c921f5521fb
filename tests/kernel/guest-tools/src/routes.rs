//! Attacks that say one address and reach another: the unspecified address, and source routes by every way to set one. An
//! answer that nobody listens there counts as through, as in `net`.

use crate::attack::{Attack, Place};
use crate::net::{four, four_of, mapped, real_six, sent, six, six_of, tcp, udp, unspecified};
use crate::sys::{self, Address};
use crate::uring;
use libc::{AF_INET, AF_INET6, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_IP, IPPROTO_IPV6, MSG_FASTOPEN, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM};
use std::io;
use std::os::fd::OwnedFd;

/// Reaches this machine by the unspecified address.
const fn here(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "here", name, run }
}

/// Reaches the peer by a source route, with another address in the call.
const fn routed(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "routed", name, run }
}

/// The same on a socket that another program has given the route.
const fn inherited(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "inherited", name, run }
}

/// Reaches the peer by a header of its own, which no hook shows.
const fn own_header(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "own-header", name, run }
}

/// What no policy about the peer's address is about.
const fn elsewhere(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "elsewhere", name, run }
}

const IP_OPTIONS: i32 = 4;
const IP_RETOPTS: i32 = 7;
const IPV6_2292RTHDR: i32 = 5;
const IPV6_2292PKTOPTIONS: i32 = 6;
const IPV6_FLOWLABEL_MGR: i32 = 32;
const IPV6_RECVRTHDR: i32 = 56;
const IPV6_RTHDR: i32 = 57;
const LOCAL: [u8; 4] = [127, 0, 0, 1];
/// An address of this machine that is not loopback: the scenario gives it to the loopback device.
const OWN: [u8; 4] = [10, 8, 8, 8];
/// An address that is nobody's.
const FAR: [u8; 4] = [10, 8, 1, 1];
const FAR_SIX: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x55];
/// Where a socket with a route stands for the program that is executed with it.
pub const INHERITED: i32 = 78;

fn any4(p: &Place) -> Address {
    four_of([0; 4], p.peer.port)
}

fn any6(p: &Place) -> Address {
    six(p, [0; 16])
}

fn any_mapped(p: &Place) -> Address {
    six(p, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0])
}

fn far4(p: &Place) -> Address {
    four_of(FAR, p.peer.port)
}

fn far6(p: &Place) -> Address {
    six(p, FAR_SIX)
}

/// A socket of the kind that is bound to an address, and the address is free.
fn bound(socket: OwnedFd, to: &Address) -> io::Result<OwnedFd> {
    sys::bind(&socket, to)?;
    Ok(socket)
}

/// A routing header of mobile nodes (type 2), the only one that the kernel takes from a control message.
fn mobile(by: [u8; 16]) -> Vec<u8> {
    let mut header = vec![0, 2, 2, 1, 0, 0, 0, 0];
    header.extend(by);
    header
}

/// A segment routing header: the kernel puts the call's address last and sends by the other.
fn header(by: [u8; 16]) -> Vec<u8> {
    let mut header = vec![0, 4, 4, 1, 1, 0, 0, 0];
    header.extend(FAR_SIX);
    header.extend(by);
    header
}

/// The loose (131) or strict (137) route by the peer.
fn list(kind: u8, by: [u8; 4]) -> Vec<u8> {
    [&[kind, 7, 4][..], &by, &[0]].concat()
}

/// A flow label with options: struct in6_flowlabel_req and a control message.
fn label(by: [u8; 16]) -> Vec<u8> {
    const CREATE: u16 = 1;
    const EXCLUSIVE: u8 = 1;
    let mut request = FAR_SIX.to_vec();
    // a label of its own for each process, for an exclusive one stays for a while
    request.extend((std::process::id() & 0xf_ffff).to_be_bytes());
    request.extend([0, EXCLUSIVE]);
    request.extend(CREATE.to_le_bytes());
    request.extend([0; 8]);
    request.extend(sys::control(IPPROTO_IPV6, IPV6_RTHDR, &mobile(by)));
    request
}

fn set_six(socket: &OwnedFd, p: &Place) -> io::Result<()> {
    sys::set_option(socket, IPPROTO_IPV6, IPV6_RTHDR, &header(p.peer.six))
}

fn set_four(socket: &OwnedFd, kind: u8, p: &Place) -> io::Result<()> {
    sys::set_option(socket, IPPROTO_IP, IP_OPTIONS, &list(kind, p.peer.four))
}

fn controlled(socket: &OwnedFd, to: Option<&Address>, level: i32, kind: i32, data: &[u8]) -> io::Result<()> {
    sent(sys::send_controlled(socket, to, &sys::control(level, kind, data)))
}

fn taken() -> io::Result<OwnedFd> {
    sys::left_at(INHERITED)
}

/// Makes a socket with a route where [`INHERITED`] says, before another program is executed.
pub fn give(kind: &str) -> Result<(), String> {
    let six = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x99];
    let made = match kind {
        "six" => udp(AF_INET6).and_then(|s| sys::set_option(&s, IPPROTO_IPV6, IPV6_RTHDR, &header(six)).map(|()| s)),
        "label" => udp(AF_INET6).and_then(|s| sys::set_option(&s, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &label(six)).map(|()| s)),
        "four" => udp(AF_INET).and_then(|s| sys::set_option(&s, IPPROTO_IP, IP_OPTIONS, &list(131, [10, 9, 9, 9])).map(|()| s)),
        "plain" => udp(AF_INET).and_then(|s| sys::set_option(&s, IPPROTO_IP, IP_OPTIONS, &[1, 1, 1, 0]).map(|()| s)),
        other => return Err(format!("there is no route `{other}`")),
    };
    let socket = made.map_err(|error| format!("cannot make the route `{kind}`: {error}"))?;
    sys::place(&socket, INHERITED).map_err(|error| error.to_string())
}

/// IP_PKTINFO: the device, the source, and nothing.
fn source(device: u32, from: [u8; 4]) -> Vec<u8> {
    [&device.to_ne_bytes()[..], &from, &[0; 4]].concat()
}

/// Every attack of these kinds.
pub const ALL: &[Attack] = &[
    here("connect4-any", |p| sent(sys::connect(&tcp(AF_INET)?, &any4(p)))),
    here("connect6-any", |p| sent(sys::connect(&tcp(AF_INET6)?, &any6(p)))),
    here("connect-mapped-any", |p| sent(sys::connect(&tcp(AF_INET6)?, &any_mapped(p)))),
    here("connect4-any-udp", |p| sent(sys::connect(&udp(AF_INET)?, &any4(p)))),
    here("connect6-any-udp", |p| sent(sys::connect(&udp(AF_INET6)?, &any6(p)))),
    here("connect4-any-on-6", |p| sent(sys::connect(&udp(AF_INET6)?, &any4(p)))),
    here("connect4-any-uring", |p| sent(uring::connect(&tcp(AF_INET)?, &any4(p)))),
    here("connect4-any-mptcp", |p| sent(sys::connect(&sys::socket(AF_INET, SOCK_STREAM, libc::IPPROTO_MPTCP)?, &any4(p)))),
    here("connect6-any-from-mapped", |p| {
        let socket = bound(tcp(AF_INET6)?, &six_of([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1], 0))?;
        sent(sys::connect(&socket, &any6(p)))
    }),
    here("connect4-any-from-local", |p| sent(sys::connect(&bound(tcp(AF_INET)?, &four_of([127, 0, 0, 9], 0))?, &any4(p)))),
    here("connect-mapped-any-from-six", |p| {
        let socket = bound(udp(AF_INET6)?, &six_of([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 0))?;
        sent(sys::connect(&socket, &any_mapped(p)))
    }),
    // The device chooses the address.
    here("connect4-any-device", |p| {
        let socket = udp(AF_INET)?;
        sys::set_option(&socket, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, b"lo\0")?;
        sent(sys::connect(&socket, &any4(p)))
    }),
    // The source of a connection, which another thread may end.
    here("sendto4-any-connected", |p| {
        let socket = udp(AF_INET)?;
        sent(sys::connect(&socket, &four_of(OWN, 9)))?;
        sent(sys::send_to(&socket, &any4(p), 0))
    }),
    here("sendto4-any", |p| sent(sys::send_to(&udp(AF_INET)?, &any4(p), 0))),
    here("sendto6-any", |p| sent(sys::send_to(&udp(AF_INET6)?, &any6(p), 0))),
    here("sendto-mapped-any", |p| sent(sys::send_to(&udp(AF_INET6)?, &any_mapped(p), 0))),
    here("sendto4-any-on-6", |p| sent(sys::send_to(&udp(AF_INET6)?, &any4(p), 0))),
    here("sendto4-any-unspecified", |p| {
        let bare = Address::new(&[&[0; 2], &p.peer.port.to_be_bytes(), &[0; 12]]);
        sent(sys::send_to(&udp(AF_INET)?, &bare, 0))
    }),
    here("sendmsg4-any-uring", |p| sent(uring::send_message(&udp(AF_INET)?, &any4(p)))),
    here("sendmsg4-any-source", |p| controlled(&udp(AF_INET)?, Some(&any4(p)), IPPROTO_IP, libc::IP_PKTINFO, &source(0, LOCAL))),
    here("sendmsg4-any-interface", |p| controlled(&udp(AF_INET)?, Some(&any4(p)), IPPROTO_IP, libc::IP_PKTINFO, &source(1, [0; 4]))),
    // The kernel asks about the first message to an address alone.
    here("sendmmsg4-any-source-late", |p| {
        let socket = bound(udp(AF_INET)?, &four_of(OWN, 0))?;
        sent(sys::send_twice(&socket, &any4(p), &sys::control(IPPROTO_IP, libc::IP_PKTINFO, &source(0, LOCAL))))
    }),
    here("fastopen4-any", |p| sent(sys::send_to(&tcp(AF_INET)?, &any4(p), MSG_FASTOPEN))),
    here("fastopen6-any", |p| sent(sys::send_to(&tcp(AF_INET6)?, &any6(p), MSG_FASTOPEN))),
    here("raw4-any", |p| sent(sys::send_to(&sys::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)?, &any4(p), 0))),
    here("raw6-any", |p| sent(sys::send_to(&sys::socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)?, &any6(p), 0))),
    routed("option6", |p| {
        let socket = udp(AF_INET6)?;
        set_six(&socket, p)?;
        sent(sys::send_to(&socket, &far6(p), 0))
    }),
    routed("option6-connected", |p| {
        let socket = udp(AF_INET6)?;
        sent(sys::connect(&socket, &far6(p)))?;
        set_six(&socket, p)?;
        sent(sys::send(&socket))
    }),
    routed("option6-stream", |p| {
        let socket = sys::socket(AF_INET6, SOCK_STREAM | libc::SOCK_NONBLOCK, 0)?;
        set_six(&socket, p)?;
        match sys::connect(&socket, &far6(p)) {
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
            other => sent(other),
        }
    }),
    routed("sticky-options6", |p| {
        let socket = udp(AF_INET6)?;
        let options = sys::control(IPPROTO_IPV6, IPV6_RTHDR, &mobile(p.peer.six));
        sys::set_option(&socket, IPPROTO_IPV6, IPV6_2292PKTOPTIONS, &options)?;
        sent(sys::send_to(&socket, &far6(p), 0))
    }),
    routed("flow-label6", |p| {
        let socket = udp(AF_INET6)?;
        sys::set_option(&socket, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &label(p.peer.six))?;
        sent(sys::send_to(&socket, &far6(p), 0))
    }),
    routed("control6", |p| controlled(&udp(AF_INET6)?, Some(&far6(p)), IPPROTO_IPV6, IPV6_RTHDR, &mobile(p.peer.six))),
    routed("control6-2292", |p| controlled(&udp(AF_INET6)?, Some(&far6(p)), IPPROTO_IPV6, IPV6_2292RTHDR, &mobile(p.peer.six))),
    routed("control6-connected", |p| {
        let socket = udp(AF_INET6)?;
        sent(sys::connect(&socket, &far6(p)))?;
        controlled(&socket, None, IPPROTO_IPV6, IPV6_RTHDR, &mobile(p.peer.six))
    }),
    routed("control6-late", |p| {
        let socket = udp(AF_INET6)?;
        let class = sys::control(IPPROTO_IPV6, libc::IPV6_TCLASS, &0i32.to_ne_bytes());
        let route = sys::control(IPPROTO_IPV6, IPV6_RTHDR, &mobile(p.peer.six));
        sent(sys::send_controlled(&socket, Some(&far6(p)), &[class, route].concat()))
    }),
    routed("sendmmsg6-late", |p| {
        let class = sys::control(IPPROTO_IPV6, libc::IPV6_TCLASS, &0i32.to_ne_bytes());
        let route = sys::control(IPPROTO_IPV6, IPV6_RTHDR, &mobile(p.peer.six));
        sent(sys::send_twice(&udp(AF_INET6)?, &far6(p), &[class, route].concat()))
    }),
    routed("sendmmsg4-late", |p| {
        sent(sys::send_twice(&udp(AF_INET)?, &far4(p), &sys::control(IPPROTO_IP, IP_RETOPTS, &list(131, p.peer.four))))
    }),
    routed("option4-loose", |p| {
        let socket = udp(AF_INET)?;
        set_four(&socket, 131, p)?;
        sent(sys::send_to(&socket, &far4(p), 0))
    }),
    routed("option4-strict", |p| {
        let socket = udp(AF_INET)?;
        set_four(&socket, 137, p)?;
        sent(sys::send_to(&socket, &far4(p), 0))
    }),
    routed("option4-connected", |p| {
        let socket = udp(AF_INET)?;
        sent(sys::connect(&socket, &far4(p)))?;
        set_four(&socket, 131, p)?;
        sent(sys::send(&socket))
    }),
    routed("option4-on-6", |p| {
        let socket = udp(AF_INET6)?;
        set_four(&socket, 131, p)?;
        sent(sys::send_to(&socket, &far4(p), 0))
    }),
    routed("control4", |p| controlled(&udp(AF_INET)?, Some(&far4(p)), IPPROTO_IP, IP_RETOPTS, &list(131, p.peer.four))),
    inherited("sendto4-inherited", |p| sent(sys::send_to(&taken()?, &far4(p), 0))),
    inherited("connect4-inherited", |p| sent(sys::connect(&taken()?, &far4(p)))),
    inherited("sendto6-inherited", |p| sent(sys::send_to(&taken()?, &far6(p), 0))),
    inherited("connect6-inherited", |p| sent(sys::connect(&taken()?, &far6(p)))),
    elsewhere("connect4-far", |p| sent(sys::connect(&udp(AF_INET)?, &far4(p)))),
    elsewhere("connect6-far", |p| sent(sys::connect(&udp(AF_INET6)?, &far6(p)))),
    elsewhere("connect4-any-from-own", |p| sent(sys::connect(&bound(tcp(AF_INET)?, &four_of(OWN, 0))?, &any4(p)))),
    elsewhere("sendto4-any-from-own", |p| sent(sys::send_to(&bound(udp(AF_INET)?, &four_of(OWN, 0))?, &any4(p), 0))),
    elsewhere("connect4-any-port", |_| sent(sys::connect(&udp(AF_INET)?, &four_of([0; 4], 9)))),
    elsewhere("sendto6-no-family", |p| {
        // To UDP over IPv6 an address without a family is the connected peer.
        let socket = udp(AF_INET6)?;
        sent(sys::connect(&socket, &far6(p)))?;
        let [a, b, c, d] = LOCAL;
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, a, b, c, d];
        let bare = Address::new(&[&[0; 2], &p.peer.port.to_be_bytes(), &[0; 4], &mapped, &[0; 4]]);
        sent(sys::send_to(&socket, &bare, 0))
    }),
    elsewhere("control4-source", |p| controlled(&udp(AF_INET)?, Some(&far4(p)), IPPROTO_IP, libc::IP_PKTINFO, &source(1, LOCAL))),
    elsewhere("control4-service", |p| controlled(&udp(AF_INET)?, Some(&far4(p)), IPPROTO_IP, libc::IP_TOS, &8i32.to_ne_bytes())),
    elsewhere("control6-class", |p| controlled(&udp(AF_INET6)?, Some(&far6(p)), IPPROTO_IPV6, libc::IPV6_TCLASS, &8i32.to_ne_bytes())),
    elsewhere("sendmmsg6-class", |p| {
        sent(sys::send_twice(&udp(AF_INET6)?, &far6(p), &sys::control(IPPROTO_IPV6, libc::IPV6_TCLASS, &8i32.to_ne_bytes())))
    }),
    elsewhere("sendmmsg4-source", |p| {
        let socket = bound(udp(AF_INET)?, &four_of(OWN, 0))?;
        sent(sys::send_twice(&socket, &far4(p), &sys::control(IPPROTO_IP, libc::IP_PKTINFO, &source(0, OWN))))
    }),
    elsewhere("option6-receive", |_| sys::set_option(&udp(AF_INET6)?, IPPROTO_IPV6, IPV6_RECVRTHDR, &1i32.to_ne_bytes())),
    elsewhere("option6-2292-receive", |_| sys::set_option(&udp(AF_INET6)?, IPPROTO_IPV6, IPV6_2292RTHDR, &1i32.to_ne_bytes())),
    elsewhere("option4-service", |_| sys::set_option(&udp(AF_INET)?, IPPROTO_IP, libc::IP_TOS, &8i32.to_ne_bytes())),
    own_header("raw4-own-header", |p| {
        let header = [&[0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0][..], &p.peer.four].concat();
        sent(sys::send_bytes(&sys::socket(AF_INET, SOCK_RAW, libc::IPPROTO_RAW)?, &far4(p), &header))
    }),
    own_header("packet-own-header", |p| {
        let header = [&[0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1][..], &p.peer.four].concat();
        // struct sockaddr_ll: IPv4 on the loopback device
        let family = (libc::AF_PACKET as u16).to_ne_bytes();
        let device = Address::new(&[&family, &0x0800u16.to_be_bytes(), &1i32.to_ne_bytes(), &[0; 12]]);
        sys::send_bytes(&sys::socket(libc::AF_PACKET, SOCK_DGRAM, 0)?, &device, &header)
    }),
    // The addresses themselves, for comparison: these are refused.
    here("connect4-loopback", |p| sent(sys::connect(&tcp(AF_INET)?, &four_of(LOCAL, p.peer.port)))),
    routed("connect4-peer", |p| sent(sys::connect(&udp(AF_INET)?, &four(p)))),
    routed("connect6-peer", |p| sent(sys::connect(&udp(AF_INET6)?, &real_six(p)))),
    routed("connect-mapped-peer", |p| sent(sys::connect(&udp(AF_INET6)?, &mapped(p)))),
    routed("sendto4-peer-unspecified", |p| sent(sys::send_to(&udp(AF_INET)?, &unspecified(p), 0))),
    routed("ping4-peer", |p| sent(sys::connect(&sys::socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)?, &four(p)))),
    routed("ping6-peer", |p| sent(sys::connect(&sys::socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6)?, &real_six(p)))),
];
