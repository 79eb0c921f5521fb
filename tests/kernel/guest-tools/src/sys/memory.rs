//! Calls about memory without a path, and a program that takes another file for its own.

use super::{check, done, owned};
use libc::{c_int, c_long, c_void};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

const RIGHTS: c_int = libc::PROT_READ | libc::PROT_WRITE;

/// memfd_create(2) in huge pages.
pub fn huge_memfd() -> io::Result<OwnedFd> {
    // SAFETY: a terminated name.
    owned(c_long::from(unsafe { libc::memfd_create(c"attack".as_ptr(), libc::MFD_HUGETLB) }))
}

/// Makes a file as long as a mapping needs.
pub fn set_length(file: &OwnedFd, size: usize) -> io::Result<()> {
    // SAFETY: plain numbers.
    done(unsafe { libc::ftruncate(file.as_raw_fd(), size as libc::off_t) })
}

/// A shared mapping of `size` bytes that stays until this process ends.
pub struct Shared {
    at: *mut c_void,
    size: usize,
}

impl Shared {
    fn of(at: *mut c_void, size: usize) -> io::Result<Self> {
        if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Shared { at, size }) }
    }

    /// Of no file.
    pub fn anonymous(size: usize, flags: c_int) -> io::Result<Self> {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | flags;
        // SAFETY: a new mapping at an address of the kernel's choice.
        Self::of(unsafe { libc::mmap(std::ptr::null_mut(), size, RIGHTS, flags, -1, 0) }, size)
    }

    /// Of a file.
    pub fn file(file: &OwnedFd, size: usize) -> io::Result<Self> {
        // SAFETY: as above.
        Self::of(unsafe { libc::mmap(std::ptr::null_mut(), size, RIGHTS, libc::MAP_SHARED, file.as_raw_fd(), 0) }, size)
    }

    /// A System V segment, which goes with its last mapping.
    pub fn segment(size: usize, get: c_int, attach: c_int) -> io::Result<Self> {
        // SAFETY: plain numbers; the segment is new, and attached at an address of the kernel's choice.
        unsafe {
            let id = check(c_long::from(libc::shmget(libc::IPC_PRIVATE, size, libc::IPC_CREAT | 0o700 | get)))? as c_int;
            let at = libc::shmat(id, std::ptr::null(), attach);
            let attached = Self::of(at, size);
            libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut());
            attached
        }
    }

    /// Fills its beginning.
    pub fn fill(&self, bytes: &[u8]) {
        let length = bytes.len().min(self.size);
        // SAFETY: the mapping is writable and at least so long; nothing else points into it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.cast(), length) };
    }

    /// Makes it executable.
    pub fn protect(&self) -> io::Result<()> {
        // SAFETY: this mapping alone, which nothing points into.
        done(unsafe { libc::mprotect(self.at, self.size, libc::PROT_READ | libc::PROT_EXEC) })
    }

    /// The name under which /proc shows what it maps.
    pub fn file_name(&self) -> PathBuf {
        let (from, to) = (self.at as usize, self.at as usize + self.size);
        PathBuf::from(format!("/proc/self/map_files/{from:x}-{to:x}"))
    }
}

/// Maps a shared file, in a length that is not a page's.
pub fn map_length(file: &OwnedFd, size: usize, rights: c_int) -> io::Result<()> {
    // SAFETY: a new mapping at an address of the kernel's choice.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), size, rights, libc::MAP_SHARED, file.as_raw_fd(), 0) };
    if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Creates a tmpfs that is mounted nowhere (fsopen, fsmount).
pub fn private_tmpfs() -> io::Result<OwnedFd> {
    const CMD_CREATE: c_int = 6;
    let none = std::ptr::null::<c_void>();
    // SAFETY: terminated names and null pointers, which the calls take.
    unsafe {
        let context = owned(libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), 0))?;
        check(libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), CMD_CREATE, none, none, 0))?;
        owned(libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), 0, 0))
    }
}

// A program that moves to memory of no file, lets its own file go, names the file at descriptor 77 as its own and maps it
// executable. Its status is 0 or the error's number, 100 where the name was refused.
std::arch::global_asm!(
    ".pushsection .rodata",
    ".globl renamed_begin, renamed_end",
    "renamed_begin:",
    "mov eax, 9; xor edi, edi; mov esi, 4096; mov edx, 7; mov r10d, 0x22; mov r8, -1; xor r9d, r9d; syscall",
    "mov r12, rax",
    "mov rdi, rax; lea rsi, [rip + 2f]; mov ecx, 512; rep movsb",
    "jmp r12",
    "2:",
    "mov eax, 11; mov edi, 0x400000; mov esi, 0x1000; syscall", // munmap
    "mov eax, 157; mov edi, 35; mov esi, 13; mov edx, 77; xor r10d, r10d; xor r8d, r8d; syscall", // PR_SET_MM_EXE_FILE
    "mov edi, 100; test rax, rax; jnz 4f",
    "mov eax, 9; xor edi, edi; mov esi, 4096; mov edx, 5; mov r10d, 2; mov r8d, 77; xor r9d, r9d; syscall",
    "xor edi, edi; test rax, rax; jns 4f; mov rdi, rax; neg rdi",
    "4: mov eax, 60; syscall",
    "renamed_end:",
    ".popsection",
);

unsafe extern "C" {
    static renamed_begin: u8;
    static renamed_end: u8;
}

/// The descriptor that the program below takes.
pub const RENAMED: c_int = 77;

/// That program as an ELF file whose code begins at address 0, as the kernel sees it: an executable segment of no bytes is
/// there, beside the one that holds the code.
pub fn renamed_program() -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const CODE: u64 = 64 + 2 * 56;
    // SAFETY: both symbols are of the bytes above, which are read-only.
    let code = unsafe {
        let begin = &raw const renamed_begin;
        let length = (&raw const renamed_end).offset_from(begin);
        std::slice::from_raw_parts(begin, length.unsigned_abs())
    };
    let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    elf.extend([2u16, 62].iter().flat_map(|n| n.to_le_bytes()));
    elf.extend(1u32.to_le_bytes());
    elf.extend([BASE + CODE, 64, 0].iter().flat_map(|n| n.to_le_bytes()));
    elf.extend(0u32.to_le_bytes());
    elf.extend([64u16, 56, 2, 0, 0, 0].iter().flat_map(|n| n.to_le_bytes()));
    let size = CODE + code.len() as u64;
    for [offset, address, size] in [[0, BASE, size], [0, 0, 0]] {
        elf.extend([1u32, 5].iter().flat_map(|n| n.to_le_bytes()));
        elf.extend([offset, address, address, size, size, 0x1000].iter().flat_map(|n| n.to_le_bytes()));
    }
    elf.extend(code);
    elf
}
