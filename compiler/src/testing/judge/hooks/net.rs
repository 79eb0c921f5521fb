//! Takes the other side of a socket, gives the socket, the address, the message and the options by which a call can tell it,
//! or by which nobody can tell it: each such way is tried. The kernel's own reading of them is in ARCHITECTURE.md.

use super::Arg::{self, Address, Message, OptionLevel};
use super::Builder;
use crate::hir::{Operation, Remote};
use ebsec_templates::catalog;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const INET: u64 = 2;
const INET6: u64 = 10;
const STREAM: u64 = 1;
const UDP: [u64; 2] = [17, 136];
const SCTP: u64 = 132;
const MPTCP: u64 = 262;
/// A number that no named value of a socket's fields has: the field is absent.
const NO_VALUE: u64 = 0xffff;
/// Control messages by level and type that say nothing of addresses.
const PLAIN: &[(u32, u32)] = &[(0, 1), (0, 2), (41, 67), (41, 52), (17, 103), (1, 37), (132, 2)];
/// IP_RETOPTS, IPV6_RTHDR, IPV6_2292RTHDR, SCTP_DSTADDRV4, SCTP_DSTADDRV6.
const ROUTES: &[(u32, u32)] = &[(0, 7), (41, 57), (41, 5), (132, 7), (132, 8)];
/// IP_PKTINFO, IPV6_PKTINFO.
const SOURCES: &[(u32, u32)] = &[(0, 8), (41, 50)];
/// More control messages than are looked at.
const MANY: usize = 65;
/// IP_OPTIONS, IPV6_RTHDR, IPV6_2292PKTOPTIONS, IPV6_FLOWLABEL_MGR.
const ROUTE_OPTIONS: &[(u64, u64)] = &[(0, 4), (41, 57), (41, 6), (41, 32)];
/// Options that hold no route.
const OTHER_OPTIONS: &[(u64, u64)] = &[(0, 1), (0, 57), (41, 4), (41, 5), (1, 4), (6, 57), (17, 32)];

/// How an address that cannot be told comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// LSRR or SSRR among the socket's IPv4 options.
    FourRoute,
    /// A routing header among its IPv6 options.
    SixRoute,
    /// It has flow labels, which can have options.
    Labels,
    /// The unspecified IPv4 address on a socket that is bound to a device, by either way.
    Device,
    UnicastDevice,
    /// The same on a socket whose source is elsewhere, or is that of a connection.
    Elsewhere,
    ConnectionSource,
    /// A control message holds a route for the named address, or for the connected peer.
    NamedRoute,
    ConnectedRoute,
    /// A control message holds the source of the unspecified address.
    ControlSource,
    /// There are too many control messages.
    TooMany,
}

/// What the operation says of its socket, and how its other side is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    remote: Option<Remote>,
    /// Only where the address cannot be told.
    way: Option<Way>,
    sends: bool,
    family: u64,
    kind: u64,
    protocol: u64,
}

impl Call {
    fn internet(&self) -> bool {
        [INET, INET6].contains(&self.family)
    }

    /// Whether the kernel reads control messages about addresses.
    fn reads_controls(&self) -> bool {
        self.sends && self.internet() && (self.kind != STREAM || self.protocol == SCTP)
    }

    /// Whether an address without a family is one of the socket's family.
    fn takes_bare_address(&self) -> bool {
        let to_peer = self.family == INET6 && UDP.contains(&self.protocol);
        self.sends && self.internet() && self.kind != STREAM && self.protocol != SCTP && !to_peer
    }

    /// Whether the source of the socket is in the socket.
    fn has_source(&self) -> bool {
        self.internet() && (self.protocol < 256 || self.protocol == MPTCP)
    }

    /// Ways in which the address cannot be told.
    fn ways(&self) -> Vec<Way> {
        let mut ways = Vec::new();
        if self.internet() {
            ways.push(Way::FourRoute);
        }
        if self.family == INET6 {
            ways.extend([Way::SixRoute, Way::Labels]);
        }
        ways.extend(if self.has_source() { [Way::Device, Way::UnicastDevice, Way::ConnectionSource] } else { [Way::Elsewhere; 3] });
        if self.reads_controls() {
            ways.extend([Way::NamedRoute, Way::ConnectedRoute, Way::ControlSource, Way::TooMany]);
        }
        ways
    }
}

/// Decides how the operation's address is told.
pub(super) fn call(operation: &Operation, args: &[Arg], variant: u64) -> Result<Call, String> {
    let value = |field: &str| {
        let id = catalog().field(field)?;
        operation.values.get(&id).copied()
    };
    let number = |field: &str| value(field).unwrap_or(NO_VALUE);
    let remote = operation.objects.first().and_then(Option::as_ref).and_then(|o| o.remote);
    let has = |wanted: fn(&Arg) -> bool| args.iter().any(wanted);
    let sends = has(|a| matches!(a, Message));
    let (family, kind, protocol) = (number("socket.family"), number("socket.type"), number("socket.protocol"));
    let mut call = Call { remote, way: None, sends, family, kind, protocol };
    let Some(remote) = remote else { return Ok(call) };
    if has(|a| matches!(a, OptionLevel)) {
        let untold = remote.named.is_none() && remote.port.is_none();
        return if untold { Ok(call) } else { Err("an option shows no address".to_owned()) };
    }
    if !sends && !has(|a| matches!(a, Address)) {
        return Err("this hook has no address".to_owned());
    }
    if remote.port.is_none() {
        return Err("a call that names an address names a port".to_owned());
    }
    match remote.named {
        None => {
            let ways = call.ways();
            call.way = ways.get((variant >> 4) as usize % ways.len().max(1)).copied();
        }
        Some(IpAddr::V4(named)) if named.is_unspecified() => {
            let of_six = matches!(remote.source, Some(IpAddr::V6(source)) if !source.is_unspecified());
            if !call.has_source() || (of_six && family != INET6) {
                return Err("what this socket makes of the unspecified address cannot be told".to_owned());
            }
        }
        Some(IpAddr::V6(named)) if named.is_unspecified() => {
            if family != INET6 && remote.source.is_some() {
                return Err("this socket has no v4-mapped source".to_owned());
            }
        }
        Some(_) => {}
    }
    Ok(call)
}

impl Builder<'_> {
    fn chance(&self, bit: u32) -> bool {
        self.variant.rotate_right(bit) & 1 == 1
    }

    fn pick<T: Copy>(&self, list: &[T], shift: u32, none: T) -> T {
        list.get((self.variant.rotate_right(shift) as usize) % list.len().max(1)).copied().unwrap_or(none)
    }

    pub(super) fn socket(&mut self) -> Result<u64, String> {
        let call = self.call;
        let world = &mut self.stage.world;
        let socket = world.socket(call.family as u16, call.kind as u16, call.protocol as u16)?;
        if call.family == 0 && call.protocol == 0 && call.remote.is_none() && self.variant & 1 == 1 {
            world.kernel.set(socket, "socket.sk", 0)?;
            return Ok(socket);
        }
        let sock = world.kernel.get(socket, "socket.sk")?;
        if call.internet() {
            self.source(sock)?;
            self.options(sock)?;
        }
        if call.way == Some(Way::ConnectedRoute) {
            let port = call.remote.and_then(|r| r.port).unwrap_or(0);
            self.stage.world.kernel.set(sock, "sock.__sk_common.skc_dport", port.swap_bytes().into())?;
        }
        Ok(socket)
    }

    /// What the socket is bound to.
    fn source(&mut self, sock: u64) -> Result<(), String> {
        let call = self.call;
        // of the unspecified address alone the device is asked; else it may be any
        let named = call.remote.and_then(|r| r.named);
        let free = call.way.is_none() && named.is_none_or(|n| !n.is_unspecified());
        let (any, other) = (u64::from(free && self.chance(9)) * 3, u64::from(free && self.chance(10)) * 2);
        let kernel = &mut self.stage.world.kernel;
        let device = if call.way == Some(Way::Device) { 7 } else { any };
        kernel.set(sock, "sock.__sk_common.skc_bound_dev_if", device)?;
        kernel.set(sock, "inet_sock.uc_index", if call.way == Some(Way::UnicastDevice) { 7 } else { other })?;
        let six = match call.remote.and_then(|r| r.source) {
            Some(IpAddr::V4(four)) => {
                kernel.set(sock, "inet_sock.inet_saddr", u32::from_ne_bytes(four.octets()).into())?;
                four.to_ipv6_mapped()
            }
            Some(IpAddr::V6(six)) if call.family == INET6 => {
                let four = if six.is_unspecified() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::new(127, 0, 0, 6) };
                kernel.set(sock, "inet_sock.inet_saddr", u32::from_ne_bytes(four.octets()).into())?;
                six
            }
            _ => Ipv6Addr::UNSPECIFIED,
        };
        if call.way == Some(Way::ConnectionSource) {
            kernel.set(sock, "inet_sock.inet_saddr", 0x0908_080a)?;
            kernel.set(sock, "sock.__sk_common.skc_daddr", 0x0101_080a)?;
        }
        if call.family == INET6 {
            kernel.set_bytes(sock, "sock.__sk_common.skc_v6_rcv_saddr", &six.octets())?;
        }
        Ok(())
    }

    /// Options that the socket has.
    fn options(&mut self, sock: u64) -> Result<(), String> {
        let way = self.call.way;
        let (four, six) = (way == Some(Way::FourRoute), way == Some(Way::SixRoute));
        let (plain_four, plain_six) = (self.chance(11), self.chance(12));
        let kernel = &mut self.stage.world.kernel;
        if four || plain_four {
            let options = kernel.alloc("ip_options_rcu")?;
            kernel.set(options, "ip_options_rcu.opt.srr", if four { 20 } else { 0 })?;
            kernel.set(sock, "inet_sock.inet_opt", options)?;
        }
        if self.call.family != INET6 {
            return Ok(());
        }
        let pinfo = kernel.alloc("ipv6_pinfo")?;
        kernel.set(sock, "inet_sock.pinet6", pinfo)?;
        if six || plain_six {
            let options = kernel.alloc("ipv6_txoptions")?;
            kernel.set(options, "ipv6_txoptions.srcrt", if six { options } else { 0 })?;
            kernel.set(options, "ipv6_txoptions.hopopt", options)?;
            kernel.set(pinfo, "ipv6_pinfo.opt", options)?;
        }
        if way == Some(Way::Labels) {
            let labels = kernel.alloc("ipv6_fl_socklist")?;
            let old = kernel.has("ipv6_pinfo.ipv6_fl_list");
            let (of, field) = if old { (pinfo, "ipv6_pinfo.ipv6_fl_list") } else { (sock, "inet_sock.ipv6_fl_list") };
            kernel.set(of, field, labels)?;
        }
        Ok(())
    }

    /// Address and length of the other side.
    pub(super) fn address(&mut self) -> Result<(u64, u64), String> {
        let call = self.call;
        let Some(remote) = call.remote.filter(|_| call.way != Some(Way::ConnectedRoute)) else { return self.no_address() };
        let named = match call.way {
            None => remote.named.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            Some(Way::FourRoute | Way::SixRoute | Way::Labels | Way::NamedRoute | Way::TooMany) => [10, 9, 9, 9].into(),
            Some(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        let (v4, v6) = match named {
            IpAddr::V4(v4) => (Some(v4), v4.to_ipv6_mapped()),
            IpAddr::V6(v6) => (None, v6),
        };
        let port = remote.port.unwrap_or(0);
        let four = v4.filter(|_| self.variant & 1 == 0);
        let ip = four.map_or(IpAddr::V6(v6), IpAddr::V4);
        let (address, length) = self.stage.world.sockaddr(ip, port);
        // an address without a family is one of the socket's family
        let own = if four.is_some() { INET } else { INET6 };
        if call.takes_bare_address() && call.family == own && self.variant & 2 != 0 {
            self.stage.world.kernel.mem.poke(address, &[0, 0]).map_err(|e| e.to_string())?;
        }
        let short = if four.is_some() { 16 } else { 24 };
        Ok((address, self.pick(&[length, short, 128, length], 2, length)))
    }

    /// An address that names nobody on the internet.
    fn no_address(&mut self) -> Result<(u64, u64), String> {
        let call = self.call;
        let world = &mut self.stage.world;
        Ok(match self.variant % 6 {
            0 => (0, 0),
            1 => (world.kernel.alloc_bytes("a socket address", b"\x01\0/run/socket\0\0\0\0\0\0"), 20),
            // too short for the family that it claims
            2 => (world.sockaddr(IpAddr::from([10, 0, 0, 1]), 443).0, 8),
            3 => (world.sockaddr(IpAddr::from([0u8; 16]), 443).0, 20),
            // without a family, where that ends a connection, means the connected peer or is refused
            4 if !call.takes_bare_address() => {
                let address = world.sockaddr(IpAddr::from([10, 0, 0, 1]), 443).0;
                world.kernel.mem.poke(address, &[0, 0]).map_err(|e| e.to_string())?;
                (address, 28)
            }
            _ => (world.kernel.alloc_bytes("a socket address", b"\x10\0\0\0aaaabbbb\0\0\0\0\0\0\0\0"), 16),
        })
    }

    /// A message with its address and its control messages.
    pub(super) fn message(&mut self) -> Result<u64, String> {
        let (address, length) = self.address()?;
        let controls = self.controls();
        let kernel = &mut self.stage.world.kernel;
        let message = kernel.alloc("msghdr")?;
        kernel.set(message, "msghdr.msg_name", address)?;
        kernel.set(message, "msghdr.msg_namelen", length)?;
        if !controls.is_empty() {
            let at = kernel.alloc_bytes("control messages", &controls);
            kernel.set(message, "msghdr.msg_control", at)?;
            kernel.set(message, "msghdr.msg_controllen", controls.len() as u64)?;
        }
        Ok(message)
    }

    fn controls(&self) -> Vec<u8> {
        let call = self.call;
        let mut kinds: Vec<(u32, u32)> = Vec::new();
        let plain = if call.way == Some(Way::TooMany) { MANY } else { (self.variant >> 20) as usize % 3 };
        kinds.extend((0..plain).map(|i| self.pick(PLAIN, 13 + i as u32 % 8, (0, 1))));
        let at = (self.variant >> 24) as usize % (kinds.len() + 1);
        match call.way {
            Some(Way::NamedRoute | Way::ConnectedRoute) => kinds.insert(at, self.pick(ROUTES, 27, (0, 7))),
            Some(Way::ControlSource) => kinds.insert(at, self.pick(SOURCES, 27, (0, 8))),
            // a stream has no message to route
            None if self.chance(30) && !call.reads_controls() => kinds.push(self.pick(ROUTES, 27, (0, 7))),
            None if self.chance(31) && !call.remote.and_then(|r| r.named).is_some_and(|n| n.is_unspecified()) => {
                kinds.push(self.pick(SOURCES, 27, (0, 8)));
            }
            _ => {}
        }
        let mut bytes = Vec::new();
        for (i, (level, kind)) in kinds.iter().enumerate() {
            let data = 4 * ((self.variant >> 32) as usize % 4 + i % 2);
            bytes.extend((16 + data as u64).to_le_bytes());
            bytes.extend(level.to_le_bytes().into_iter().chain(kind.to_le_bytes()));
            bytes.resize(bytes.len() + data.next_multiple_of(8), 0x39);
        }
        if self.chance(35) && call.way.is_none() {
            // what the kernel refuses to read: a length beyond the end, and none
            let length = if self.chance(36) { 99u64 } else { 8 };
            bytes.extend(length.to_le_bytes());
            bytes.extend([0, 0, 0, 0, 7, 0, 0, 0]);
        }
        bytes
    }

    /// Level and number of an option.
    pub(super) fn option(&self) -> (u64, u64) {
        self.pick(if self.call.remote.is_some() { ROUTE_OPTIONS } else { OTHER_OPTIONS }, 3, (0, 1))
    }
}
