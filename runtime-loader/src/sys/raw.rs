//! The bpf(2) system call: one function that makes it, and the argument block of each command as the kernel lays it
//! out (linux/bpf.h). Checks nothing about what is loaded.
#![allow(unsafe_code, reason = "system calls; each use says why it is sound")]

use super::{SysError, SysResult};
use std::os::fd::{FromRawFd, OwnedFd};

/// Commands of bpf(2).
pub(super) mod cmd {
    pub const MAP_CREATE: i32 = 0;
    pub const MAP_LOOKUP_ELEM: i32 = 1;
    pub const MAP_UPDATE_ELEM: i32 = 2;
    pub const MAP_GET_NEXT_KEY: i32 = 4;
    pub const PROG_LOAD: i32 = 5;
    pub const OBJ_PIN: i32 = 6;
    pub const OBJ_GET: i32 = 7;
    pub const PROG_GET_FD_BY_ID: i32 = 13;
    pub const OBJ_GET_INFO_BY_FD: i32 = 15;
    pub const RAW_TRACEPOINT_OPEN: i32 = 17;
    pub const BTF_LOAD: i32 = 18;
    pub const MAP_FREEZE: i32 = 22;
    pub const LINK_CREATE: i32 = 28;
    pub const LINK_GET_FD_BY_ID: i32 = 30;
    pub const LINK_GET_NEXT_ID: i32 = 31;
    pub const ITER_CREATE: i32 = 33;
}

/// An argument block: plain integers in C layout without padding that is not a field of its own.
///
/// # Safety
/// Implementors are `repr(C)`, hold integers and integer arrays only and have no implicit padding.
pub(super) unsafe trait Attr {}

macro_rules! attr {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Default)]
        pub(super) struct $name { $(pub $field: $ty),* }
        const _: () = {
            let mut sum = 0;
            $(sum += size_of::<$ty>();)*
            assert!(sum == size_of::<$name>(), "no implicit padding");
        };
        // SAFETY: repr(C), integers only, and the assertion above excludes padding.
        unsafe impl Attr for $name {}
    };
}

attr! { /// `BPF_MAP_CREATE`
MapCreate { map_type: u32, key_size: u32, value_size: u32, max_entries: u32, map_flags: u32, inner_map_fd: u32,
    numa_node: u32, map_name: [u8; 16], pad: u32 } }
attr! { /// `BPF_MAP_*_ELEM` and `BPF_MAP_FREEZE`
MapElem { map_fd: u32, pad: u32, key: u64, value: u64, flags: u64 } }
attr! { /// `BPF_PROG_LOAD`
ProgLoad { prog_type: u32, insn_cnt: u32, insns: u64, license: u64, log_level: u32, log_size: u32, log_buf: u64,
    kern_version: u32, prog_flags: u32, prog_name: [u8; 16], prog_ifindex: u32, expected_attach_type: u32,
    prog_btf_fd: u32, func_info_rec_size: u32, func_info: u64, func_info_cnt: u32, line_info_rec_size: u32,
    line_info: u64, line_info_cnt: u32, attach_btf_id: u32, attach_prog_fd: u32, pad: u32 } }
attr! { /// `BPF_OBJ_PIN` and `BPF_OBJ_GET`
Obj { pathname: u64, bpf_fd: u32, file_flags: u32 } }
attr! { /// `BPF_*_GET_FD_BY_ID` and `BPF_*_GET_NEXT_ID`
GetId { id: u32, next_id: u32, open_flags: u32 } }
attr! { /// `BPF_OBJ_GET_INFO_BY_FD`
GetInfo { bpf_fd: u32, info_len: u32, info: u64 } }
attr! { /// `BPF_RAW_TRACEPOINT_OPEN`
RawTracepoint { name: u64, prog_fd: u32, pad: u32 } }
attr! { /// `BPF_BTF_LOAD`
BtfLoad { btf: u64, btf_log_buf: u64, btf_size: u32, btf_log_size: u32, btf_log_level: u32, pad: u32 } }
attr! { /// `BPF_LINK_CREATE`
LinkCreate { prog_fd: u32, target_fd: u32, attach_type: u32, flags: u32 } }
attr! { /// `BPF_ITER_CREATE`
IterCreate { link_fd: u32, flags: u32 } }

/// The error that the last libc call left.
pub(super) fn last_error(call: &'static str) -> SysError {
    SysError { call, errno: std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO) }
}

/// Makes the call. Addresses inside `attr` must be of live buffers with the lengths that it names; the callers in
/// `real` build them from slices that they hold.
pub(super) fn bpf<A: Attr>(call: &'static str, command: i32, attr: &mut A) -> SysResult<i32> {
    // SAFETY: `attr` is a live block of size_of::<A>() initialised bytes without padding (trait Attr); the kernel
    // reads or writes only this block and the buffers whose addresses and lengths the callers put in it.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<A>()) };
    if result < 0 { Err(last_error(call)) } else { i32::try_from(result).map_err(|_| SysError { call, errno: libc::EIO }) }
}

/// The same for commands that give a new descriptor.
pub(super) fn bpf_fd<A: Attr>(call: &'static str, command: i32, attr: &mut A) -> SysResult<OwnedFd> {
    let fd = bpf(call, command, attr)?;
    // SAFETY: the command succeeded, so `fd` is a new open descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Address of a buffer, as argument blocks hold it.
pub(super) fn address(bytes: &[u8]) -> u64 {
    bytes.as_ptr() as u64
}

/// Address of a buffer that the kernel writes to.
pub(super) fn address_mut(bytes: &mut [u8]) -> u64 {
    bytes.as_mut_ptr() as u64
}
