//! [`Kernel`] by system calls and the files of /proc and /sys. Decides nothing; gives each failure with its call.
#![allow(unsafe_code, reason = "system calls; each use says why it is sound")]

use super::ops::Canary;
use super::raw::{self, address, address_mut, bpf, bpf_fd, cmd};
use super::ring::MappedRing;
use super::{Kernel, Kind, MapSpec, Number, ProgInfo, ProgKind, ProgSpec, Ring, Seen, SysError, SysResult};
use std::ffi::CString;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

const PROG_TYPE_TRACING: u32 = 26;
const PROG_TYPE_LSM: u32 = 29;
const ATTACH_LSM_MAC: u32 = 27;
const ATTACH_TRACE_ITER: u32 = 28;
const F_SLEEPABLE: u32 = 1 << 4;
const BPF_FS_MAGIC: i64 = 0xcafe_4a11;
/// Files of /proc and /sys are read up to here.
const TEXT_LIMIT: u64 = 64 << 20;

/// The running kernel.
pub struct Real;

impl Number for OwnedFd {
    fn number(&self) -> i32 {
        self.as_raw_fd()
    }
}

impl Real {
    /// Lifts the limit on locked memory, which kernels before 5.11 charge maps to; a failure shows when maps are made.
    pub fn new() -> Self {
        let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: the call reads the initialised struct that lives on this stack frame.
        unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
        Self
    }
}

fn number(fd: &OwnedFd) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

/// Names of kernel objects: 15 bytes of letters, digits, `_` and `.`.
fn name(text: &str) -> [u8; 16] {
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().take(15).zip(text.bytes()) {
        *to = if from.is_ascii_alphanumeric() || from == b'_' || from == b'.' { from } else { b'_' };
    }
    name
}

fn path_bytes(call: &'static str, path: &Path) -> SysResult<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| SysError { call, errno: libc::EINVAL })
}

fn from_io(call: &'static str) -> impl Fn(std::io::Error) -> SysError {
    move |e| SysError { call, errno: e.raw_os_error().unwrap_or(libc::EIO) }
}

/// A missing thing that was to be removed is as good as removed.
fn gone(result: std::io::Result<()>, call: &'static str) -> SysResult<()> {
    match result {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(from_io(call)),
    }
}

fn length(call: &'static str, bytes: &[u8]) -> SysResult<u32> {
    u32::try_from(bytes.len()).map_err(|_| SysError { call, errno: libc::E2BIG })
}

fn read(call: &'static str, path: &Path, limit: u64) -> SysResult<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(from_io(call))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(from_io(call))?;
    if bytes.len() as u64 > limit { Err(SysError { call, errno: libc::EFBIG }) } else { Ok(bytes) }
}

/// Bytes of `struct bpf_prog_info` and `struct bpf_link_info` that are asked for.
fn info<const N: usize>(fd: &OwnedFd) -> SysResult<[u8; N]> {
    let mut info = [0; N];
    let mut attr = raw::GetInfo { bpf_fd: number(fd), info_len: N as u32, info: address_mut(&mut info) };
    bpf("BPF_OBJ_GET_INFO_BY_FD", cmd::OBJ_GET_INFO_BY_FD, &mut attr)?;
    Ok(info)
}

fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u32::from_le_bytes(*b))
}

/// Name of the LSM program that this link attaches, if it does attach one.
fn attached_program(link: u32) -> SysResult<Option<String>> {
    const LINK_TYPE_TRACING: u32 = 2;
    let mut attr = raw::GetId { id: link, ..Default::default() };
    let link: [u8; 16] = info(&bpf_fd("BPF_LINK_GET_FD_BY_ID", cmd::LINK_GET_FD_BY_ID, &mut attr)?)?;
    if word(&link, 0) != LINK_TYPE_TRACING {
        return Ok(None);
    }
    let mut attr = raw::GetId { id: word(&link, 8), ..Default::default() };
    let program: [u8; 80] = info(&bpf_fd("BPF_PROG_GET_FD_BY_ID", cmd::PROG_GET_FD_BY_ID, &mut attr)?)?;
    let name = program.iter().skip(64).take_while(|b| **b != 0).map(|b| char::from(*b)).collect();
    Ok(Some(name).filter(|_| word(&program, 0) == PROG_TYPE_LSM))
}

fn lock_file(path: &Path) -> SysResult<std::fs::File> {
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create(true).truncate(false).mode(0o600).open(path).map_err(from_io("open"))
}

/// The active modules by lsm_list_modules (6.8 and later): BPF's number among them.
fn listed_modules() -> Option<Vec<String>> {
    const LSM_LIST_MODULES: i64 = 461;
    const LSM_ID_BPF: u64 = 109;
    let mut ids = [0u64; 32];
    let mut size = size_of_val(&ids) as u32;
    // SAFETY: the kernel writes at most `size` bytes to `ids` and the used size to `size`; both live here.
    let count = unsafe { libc::syscall(LSM_LIST_MODULES, ids.as_mut_ptr(), &raw mut size, 0u32) };
    let count = usize::try_from(count).ok()?;
    let name = |id: &u64| if *id == LSM_ID_BPF { "bpf".to_owned() } else { format!("#{id}") };
    Some(ids.iter().take(count).map(name).collect())
}

impl Kernel for Real {
    type Fd = OwnedFd;

    fn release(&self) -> String {
        let text = read("read", Path::new("/proc/sys/kernel/osrelease"), 4096).unwrap_or_default();
        String::from_utf8_lossy(&text).trim().to_owned()
    }

    fn security_modules(&self) -> Option<Vec<String>> {
        match read("read", Path::new("/sys/kernel/security/lsm"), 4096) {
            Ok(text) => Some(String::from_utf8_lossy(&text).trim().split(',').map(str::to_owned).collect()),
            Err(_) => listed_modules(),
        }
    }

    fn confidential(&self) -> bool {
        let text = read("read", Path::new("/sys/kernel/security/lockdown"), 4096).unwrap_or_default();
        String::from_utf8_lossy(&text).contains("[confidentiality]")
    }

    fn kernel_btf(&self) -> SysResult<Vec<u8>> {
        read("reading /sys/kernel/btf/vmlinux", Path::new("/sys/kernel/btf/vmlinux"), TEXT_LIMIT)
    }

    fn is_bpffs(&self, path: &Path) -> bool {
        let Ok(path) = path_bytes("statfs", path) else { return false };
        let mut out = std::mem::MaybeUninit::<libc::statfs>::zeroed();
        // SAFETY: `path` is a live C string, and the kernel fills the struct that `out` has room for.
        let result = unsafe { libc::statfs(path.as_ptr(), out.as_mut_ptr()) };
        // SAFETY: zeroed at first and filled by the call; integers only.
        result == 0 && unsafe { out.assume_init() }.f_type == BPF_FS_MAGIC
    }

    fn is_of_process_1(&self, path: &Path) -> SysResult<bool> {
        let device = |path: &Path| std::fs::metadata(path).map(|m| m.dev()).map_err(from_io("stat"));
        let theirs = Path::new("/proc/1/root").join(path.strip_prefix("/").unwrap_or(path));
        Ok(device(path)? == device(&theirs)?)
    }

    fn attached(&self) -> SysResult<Vec<String>> {
        const NEXT: &str = "BPF_LINK_GET_NEXT_ID";
        let (mut names, mut last) = (Vec::new(), 0);
        loop {
            let mut attr = raw::GetId { id: last, ..Default::default() };
            match bpf(NEXT, cmd::LINK_GET_NEXT_ID, &mut attr) {
                Ok(_) => last = attr.next_id,
                Err(e) if e.errno == libc::ENOENT => return Ok(names),
                Err(e) => return Err(e),
            }
            match attached_program(last) {
                Ok(name) => names.extend(name),
                // it is gone already, or somebody is just making it
                Err(e) if matches!(e.errno, libc::ENOENT | libc::EAGAIN) => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn btf_load(&mut self, btf: &[u8]) -> SysResult<OwnedFd> {
        let btf_size = length("BPF_BTF_LOAD", btf)?;
        let mut attr = raw::BtfLoad { btf: address(btf), btf_size, ..Default::default() };
        bpf_fd("BPF_BTF_LOAD", cmd::BTF_LOAD, &mut attr)
    }

    fn map_create(&mut self, spec: &MapSpec) -> SysResult<OwnedFd> {
        let mut attr = raw::MapCreate {
            map_type: spec.kind,
            key_size: spec.key_size,
            value_size: spec.value_size,
            max_entries: spec.max_entries,
            map_flags: spec.flags,
            map_name: name(&spec.name),
            ..Default::default()
        };
        bpf_fd("BPF_MAP_CREATE", cmd::MAP_CREATE, &mut attr)
    }

    fn map_update(&mut self, map: &OwnedFd, key: &[u8], value: &[u8]) -> SysResult<()> {
        let mut attr = raw::MapElem { map_fd: number(map), key: address(key), value: address(value), ..Default::default() };
        bpf("BPF_MAP_UPDATE_ELEM", cmd::MAP_UPDATE_ELEM, &mut attr).map(drop)
    }

    fn map_lookup(&mut self, map: &OwnedFd, key: &[u8], value: &mut [u8]) -> SysResult<bool> {
        let mut attr = raw::MapElem { map_fd: number(map), key: address(key), value: address_mut(value), ..Default::default() };
        match bpf("BPF_MAP_LOOKUP_ELEM", cmd::MAP_LOOKUP_ELEM, &mut attr) {
            Ok(_) => Ok(true),
            Err(e) if e.errno == libc::ENOENT => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn map_value_size(&mut self, map: &OwnedFd) -> SysResult<usize> {
        let info: [u8; 16] = info(map)?;
        Ok(word(&info, 12) as usize)
    }

    fn map_count(&mut self, map: &OwnedFd, key_size: usize) -> SysResult<u64> {
        let (mut key, mut next) = (Vec::new(), vec![0; key_size]);
        // Entries come and go meanwhile; a map of the allowed size ends the walk long before this.
        for count in 0..1 << 24 {
            let mut attr = raw::MapElem { map_fd: number(map), value: address_mut(&mut next), ..Default::default() };
            attr.key = if key.is_empty() { 0 } else { address(&key) };
            match bpf("BPF_MAP_GET_NEXT_KEY", cmd::MAP_GET_NEXT_KEY, &mut attr) {
                Ok(_) => key.clone_from(&next),
                Err(e) if e.errno == libc::ENOENT => return Ok(count),
                Err(e) => return Err(e),
            }
        }
        Ok(1 << 24)
    }

    fn map_freeze(&mut self, map: &OwnedFd) -> SysResult<()> {
        // The block may be longer than the command's own part only if the rest is zero.
        let mut attr = raw::MapElem { map_fd: number(map), ..Default::default() };
        bpf("BPF_MAP_FREEZE", cmd::MAP_FREEZE, &mut attr).map(drop)
    }

    fn map_memory(&mut self, map: &OwnedFd) -> u64 {
        let path = format!("/proc/self/fdinfo/{}", map.as_raw_fd());
        let text = read("read", Path::new(&path), 1 << 16).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.lines().find_map(|l| l.strip_prefix("memlock:")?.trim().parse().ok()).unwrap_or(0)
    }

    fn prog_load(&mut self, spec: &ProgSpec<'_>, log_level: u32, log: &mut Vec<u8>) -> SysResult<OwnedFd> {
        const CALL: &str = "BPF_PROG_LOAD";
        let lsm = spec.kind != ProgKind::Iter;
        let typed = spec.btf >= 0;
        let count = |bytes: &[u8], size: usize| u32::try_from(bytes.len() / size).unwrap_or(0);
        let mut attr = raw::ProgLoad {
            prog_type: if lsm { PROG_TYPE_LSM } else { PROG_TYPE_TRACING },
            expected_attach_type: if lsm { ATTACH_LSM_MAC } else { ATTACH_TRACE_ITER },
            prog_flags: if spec.kind == ProgKind::LsmSleepable { F_SLEEPABLE } else { 0 },
            insn_cnt: count(spec.instructions, 8),
            insns: address(spec.instructions),
            license: address(spec.license.to_bytes_with_nul()),
            log_level,
            log_size: length(CALL, log)?,
            log_buf: address_mut(log),
            prog_name: name(spec.name),
            attach_btf_id: spec.attach_btf_id,
            ..Default::default()
        };
        if typed {
            attr.prog_btf_fd = spec.btf.cast_unsigned();
            attr.func_info_rec_size = 8;
            attr.func_info = address(spec.func_info);
            attr.func_info_cnt = count(spec.func_info, 8);
            attr.line_info_rec_size = 16;
            attr.line_info = address(spec.line_info);
            attr.line_info_cnt = count(spec.line_info, 16);
        }
        let mut result = bpf_fd(CALL, cmd::PROG_LOAD, &mut attr);
        for _ in 0..5 {
            match &result {
                Err(e) if e.errno == libc::EAGAIN => result = bpf_fd(CALL, cmd::PROG_LOAD, &mut attr),
                _ => break,
            }
        }
        let end = log.iter().position(|b| *b == 0).unwrap_or(log.len());
        log.truncate(end);
        result
    }

    fn ring(&mut self, map: OwnedFd) -> SysResult<Box<dyn Ring>> {
        let info: [u8; 24] = info(&map)?;
        Ok(Box::new(MappedRing::new(map, word(&info, 16))?))
    }

    fn prog_info(&mut self, prog: &OwnedFd) -> SysResult<ProgInfo> {
        let info: [u8; 24] = info(prog)?;
        let tag = info.iter().skip(8).take(8).map(|b| format!("{b:02x}")).collect();
        Ok(ProgInfo { id: word(&info, 4), tag, translated: word(&info, 20) / 8 })
    }

    fn attach(&mut self, prog: &OwnedFd) -> SysResult<OwnedFd> {
        let mut attr = raw::RawTracepoint { prog_fd: number(prog), ..Default::default() };
        bpf_fd("BPF_RAW_TRACEPOINT_OPEN", cmd::RAW_TRACEPOINT_OPEN, &mut attr)
    }

    fn link_prog(&mut self, link: &OwnedFd) -> SysResult<ProgInfo> {
        let info: [u8; 16] = info(link)?;
        let mut attr = raw::GetId { id: word(&info, 8), ..Default::default() };
        let prog = bpf_fd("BPF_PROG_GET_FD_BY_ID", cmd::PROG_GET_FD_BY_ID, &mut attr)?;
        self.prog_info(&prog)
    }

    fn pause(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn run_iterator(&mut self, prog: &OwnedFd) -> SysResult<()> {
        let mut attr = raw::LinkCreate { prog_fd: number(prog), attach_type: ATTACH_TRACE_ITER, ..Default::default() };
        let link = bpf_fd("BPF_LINK_CREATE", cmd::LINK_CREATE, &mut attr)?;
        let mut attr = raw::IterCreate { link_fd: number(&link), flags: 0 };
        let iter = bpf_fd("BPF_ITER_CREATE", cmd::ITER_CREATE, &mut attr)?;
        let mut file = std::fs::File::from(iter);
        let mut buffer = [0; 4096];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // The kernel gives a long walk back to user space now and then.
                Err(e) if matches!(e.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => {}
                Err(e) => return Err(from_io("reading the task iterator")(e)),
            }
        }
    }

    fn pin(&mut self, fd: &OwnedFd, path: &Path) -> SysResult<()> {
        let path = path_bytes("BPF_OBJ_PIN", path)?;
        let mut attr = raw::Obj { pathname: address(path.as_bytes_with_nul()), bpf_fd: number(fd), file_flags: 0 };
        bpf("BPF_OBJ_PIN", cmd::OBJ_PIN, &mut attr).map(drop)
    }

    fn open_pin(&mut self, path: &Path) -> SysResult<OwnedFd> {
        let path = path_bytes("BPF_OBJ_GET", path)?;
        let mut attr = raw::Obj { pathname: address(path.as_bytes_with_nul()), ..Default::default() };
        bpf_fd("BPF_OBJ_GET", cmd::OBJ_GET, &mut attr)
    }

    fn remove_file(&mut self, path: &Path) -> SysResult<()> {
        gone(std::fs::remove_file(path), "unlink")
    }

    fn lock(&mut self, path: &Path) -> SysResult<OwnedFd> {
        let file = lock_file(path)?;
        file.lock().map_err(from_io("flock"))?;
        Ok(file.into())
    }

    fn try_lock(&mut self, path: &Path) -> SysResult<OwnedFd> {
        let file = lock_file(path)?;
        file.try_lock().map_err(|_| SysError { call: "flock", errno: libc::EWOULDBLOCK })?;
        Ok(file.into())
    }

    fn make_dir(&mut self, path: &Path) -> SysResult<()> {
        std::fs::DirBuilder::new().mode(0o700).create(path).map_err(from_io("mkdir"))
    }

    fn remove_dir(&mut self, path: &Path) -> SysResult<()> {
        gone(std::fs::remove_dir(path), "rmdir")
    }

    fn rename(&mut self, from: &Path, to: &Path) -> SysResult<()> {
        std::fs::rename(from, to).map_err(from_io("rename"))
    }

    fn list(&self, path: &Path) -> SysResult<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(from_io("readdir"))?,
        };
        let mut found: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
        found.sort();
        Ok(found)
    }

    fn write_file(&mut self, path: &Path, bytes: &[u8]) -> SysResult<()> {
        let part = path.with_extension("part");
        let mut open = std::fs::OpenOptions::new();
        let mut file = open.write(true).create(true).truncate(true).mode(0o600).open(&part).map_err(from_io("open"))?;
        file.write_all(bytes).map_err(from_io("write"))?;
        file.sync_all().map_err(from_io("fsync"))?;
        std::fs::rename(&part, path).map_err(from_io("rename"))
    }

    fn read_file(&self, path: &Path, limit: u64) -> SysResult<Vec<u8>> {
        read("read", path, limit)
    }

    fn look(&self, path: &Path) -> SysResult<Seen> {
        let path = path_bytes("statx", path)?;
        let mut out = std::mem::MaybeUninit::<libc::statx>::zeroed();
        let flags = libc::AT_SYMLINK_NOFOLLOW | libc::AT_NO_AUTOMOUNT | libc::AT_STATX_DONT_SYNC;
        let mask = libc::STATX_TYPE | libc::STATX_MNT_ID;
        // SAFETY: `path` is a live C string, and the kernel fills the struct that `out` has room for.
        if unsafe { libc::statx(libc::AT_FDCWD, path.as_ptr(), flags, mask, out.as_mut_ptr()) } != 0 {
            return Err(raw::last_error("statx"));
        }
        // SAFETY: zeroed at first and filled by the call; integers only.
        let out = unsafe { out.assume_init() };
        let kind = match u32::from(out.stx_mode) & libc::S_IFMT {
            libc::S_IFLNK => Kind::Link,
            libc::S_IFDIR if out.stx_attributes & libc::STATX_ATTR_AUTOMOUNT as u64 != 0 => Kind::Automount,
            libc::S_IFDIR => Kind::Folder,
            _ => Kind::Other,
        };
        let mount = if out.stx_mask & libc::STATX_MNT_ID == 0 { 0 } else { out.stx_mnt_id };
        Ok(Seen { kind, mount })
    }

    fn read_link(&self, path: &Path) -> SysResult<PathBuf> {
        std::fs::read_link(path).map_err(from_io("readlink"))
    }

    fn log(&mut self, line: &str) -> SysResult<()> {
        let mut log = std::fs::OpenOptions::new();
        let mut log = log.write(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg").map_err(from_io("open"))?;
        log.write_all(line.as_bytes()).map_err(from_io("write"))
    }

    fn canary(&mut self, folder: &Path, operations: &[usize]) -> SysResult<Box<dyn super::Canary>> {
        Ok(Box::new(Canary::start(folder, operations)?))
    }

    fn cgroup_path(&self, id: u64) -> Option<String> {
        ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].into_iter().find_map(|root| cgroup_below(root, id))
    }

    fn clocks(&self) -> (u64, u64) {
        (clock(libc::CLOCK_REALTIME), clock(libc::CLOCK_BOOTTIME))
    }
}

/// A handle of the cgroup file system: `struct file_handle` of FILEID_KERNFS, whose 8 bytes are the id.
#[repr(C)]
struct CgroupHandle {
    bytes: u32,
    kind: i32,
    id: u64,
}

const FILEID_KERNFS: i32 = 0xfe;

fn cgroup_below(root: &str, id: u64) -> Option<String> {
    let folder = std::fs::File::open(root).ok()?;
    let mut handle = CgroupHandle { bytes: 8, kind: FILEID_KERNFS, id };
    let flags = libc::O_PATH | libc::O_CLOEXEC;
    // SAFETY: the handle lives on this stack frame and is as long as it says; the descriptor is open.
    let fd = unsafe { libc::syscall(libc::SYS_open_by_handle_at, folder.as_raw_fd(), &raw mut handle, flags) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: the call gave this descriptor to us alone.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let path = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).ok()?;
    let path = path.to_string_lossy();
    let below = path.strip_prefix(root)?;
    Some(if below.is_empty() { "/" } else { below }.to_owned())
}

fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the struct that lives on this stack frame.
    if unsafe { libc::clock_gettime(id, &raw mut time) } != 0 {
        return 0;
    }
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}
