//! Reader of a BPF ring buffer through its mappings. Gives whole records; never touches the producer's side.
#![allow(unsafe_code, reason = "shared memory with the kernel; each use says why it is sound")]

use super::raw::last_error;
use super::{Ring, SysError, SysResult};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The record is not complete yet.
const BUSY: u32 = 1 << 31;
/// The program gave the record up.
const DISCARD: u32 = 1 << 30;
const HEADER: u64 = 8;

/// A mapping that is undone on drop.
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    fn new(fd: &OwnedFd, length: usize, protection: i32, offset: i64) -> SysResult<Self> {
        // SAFETY: a new shared mapping at an address of the kernel's choice; no memory of ours is replaced.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, libc::MAP_SHARED, fd.as_raw_fd(), offset) };
        if start == libc::MAP_FAILED {
            return Err(last_error("mmap of the event ring"));
        }
        let start = NonNull::new(start.cast()).ok_or(SysError { call: "mmap of the event ring", errno: libc::EIO })?;
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly the range that `new` mapped; no reference into it outlives a method of the owner.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// One consumer of a ring. Two at once would take each other's records; the caller keeps others out.
pub struct MappedRing {
    fd: OwnedFd,
    /// The page with our position.
    consumer: Mapping,
    /// The kernel's position, a page, and after it the data, mapped twice in a row so that no record is cut.
    producer: Mapping,
    page: usize,
    mask: u64,
}

impl MappedRing {
    /// Maps a ring of `size` data bytes, as the kernel gives its size.
    pub fn new(fd: OwnedFd, size: u32) -> SysResult<Self> {
        if !size.is_power_of_two() {
            return Err(SysError { call: "mmap of the event ring", errno: libc::EINVAL });
        }
        // SAFETY: the call takes a number and gives one.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
        let consumer = Mapping::new(&fd, page, libc::PROT_READ | libc::PROT_WRITE, 0)?;
        let length = page + 2 * size as usize;
        let producer = Mapping::new(&fd, length, libc::PROT_READ, page as i64)?;
        Ok(Self { fd, consumer, producer, page, mask: u64::from(size) - 1 })
    }

    fn position(mapping: &Mapping) -> &AtomicU64 {
        // SAFETY: the mapping starts at a page with an aligned u64 that the kernel accesses atomically; it lives as
        // long as the mapping that the reference borrows.
        unsafe { mapping.start.cast::<AtomicU64>().as_ref() }
    }

    /// The length word of the record at a position, or nothing if that lies outside.
    fn header(&self, position: u64) -> Option<&AtomicU32> {
        let at = self.page + usize::try_from(position & self.mask).ok()?;
        if !at.is_multiple_of(8) || at + 8 > self.producer.length {
            return None;
        }
        // SAFETY: in bounds and aligned (checked above); the kernel writes the word atomically.
        Some(unsafe { self.producer.start.add(at).cast::<AtomicU32>().as_ref() })
    }

    fn copy(&self, position: u64, length: usize) -> Option<Vec<u8>> {
        let at = self.page + usize::try_from(position & self.mask).ok()? + HEADER as usize;
        if at + length > self.producer.length {
            return None;
        }
        // SAFETY: in bounds (checked above); the record is complete (not BUSY, read with acquire), and the kernel does
        // not reuse its room before our position moves past it.
        let bytes = unsafe { std::slice::from_raw_parts(self.producer.start.add(at).as_ptr(), length) };
        Some(bytes.to_vec())
    }
}

impl Ring for MappedRing {
    fn take(&mut self, max: u64) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let mut at = Self::position(&self.consumer).load(Ordering::Relaxed);
        while (out.len() as u64) < max && at < Self::position(&self.producer).load(Ordering::Acquire) {
            let Some(word) = self.header(at).map(|h| h.load(Ordering::Acquire)) else { break };
            if word & BUSY != 0 {
                break;
            }
            let length = word & !(BUSY | DISCARD);
            if word & DISCARD == 0
                && let Some(record) = self.copy(at, length as usize)
            {
                out.push(record);
            }
            at += (HEADER + u64::from(length)).next_multiple_of(8);
            Self::position(&self.consumer).store(at, Ordering::Release);
        }
        out
    }

    fn wait(&self, milliseconds: i32) -> SysResult<()> {
        let mut poll = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one live pollfd, and its count is 1.
        let result = unsafe { libc::poll(&raw mut poll, 1, milliseconds) };
        let error = last_error("poll");
        if result < 0 && error.errno != libc::EINTR { Err(error) } else { Ok(()) }
    }
}
