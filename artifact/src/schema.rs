//! Layouts shared by the kernel programs and the loader: offsets in bytes, readers and writers, little endian.
//! Generated from `bpf-templates/schema.toml` by `compiler/tests/schema_source.rs` (run it with `EBSEC_BLESS=1`).

/// SHA-256 of all layouts; an artifact with another hash is refused.
pub const SCHEMA_HASH: &str = "e0889bafacbe611f5aabf35d425a228a20fe627e27ff9dddee074f37e054b776";

fn get<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(offset).zip(value) {
        *to = *from;
    }
}

/// The control cell: the one map that is never frozen and that only the loader's pin reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[rustfmt::skip]
pub struct Control {
    /// 0 dormant, 1 on.
    pub mode: u32,
    /// Tgid of the canary's child, 0 for none.
    pub canary: u32,
    /// `bpf_ktime_get_ns` at which enforcement ends; all ones: endless.
    pub lease: u64,
    /// Address of the vfsmount at the root of pid 1's mount namespace, where the fast walk begins; 1 for none, 0 until records are seeded.
    pub root_mnt: u64,
    /// Address of the dentry that this vfsmount shows at its top.
    pub root_top: u64,
    /// Address of pid 1's mount namespace.
    pub mnt_ns: u64,
    /// Address of the initial pid namespace.
    pub pid_ns: u64,
    /// Address of the dentry at the host's root; 0 until somebody asks for it.
    pub host_root: u64,
    /// This address and the `event` that pid 1's mount namespace had then, added.
    pub host_sum: u64,
}

#[rustfmt::skip]
impl Control {
    /// Size in bytes.
    pub const SIZE: usize = 64;
    /// Offset of `mode`.
    pub const MODE: usize = 0;
    /// Offset of `canary`.
    pub const CANARY: usize = 4;
    /// Offset of `lease`.
    pub const LEASE: usize = 8;
    /// Offset of `root_mnt`.
    pub const ROOT_MNT: usize = 16;
    /// Offset of `root_top`.
    pub const ROOT_TOP: usize = 24;
    /// Offset of `mnt_ns`.
    pub const MNT_NS: usize = 32;
    /// Offset of `pid_ns`.
    pub const PID_NS: usize = 40;
    /// Offset of `host_root`.
    pub const HOST_ROOT: usize = 48;
    /// Offset of `host_sum`.
    pub const HOST_SUM: usize = 56;
    /// Names and offsets of the fields.
    pub const FIELDS: [(&'static str, usize); 9] = [("mode", 0), ("canary", 4), ("lease", 8), ("root_mnt", 16), ("root_top", 24), ("mnt_ns", 32), ("pid_ns", 40), ("host_root", 48), ("host_sum", 56)];
    /// Reads it from the start of `bytes`; nothing if they are too few.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..Self::SIZE)?;
        Some(Self {
            mode: u32::from_le_bytes(get(bytes, Self::MODE)?),
            canary: u32::from_le_bytes(get(bytes, Self::CANARY)?),
            lease: u64::from_le_bytes(get(bytes, Self::LEASE)?),
            root_mnt: u64::from_le_bytes(get(bytes, Self::ROOT_MNT)?),
            root_top: u64::from_le_bytes(get(bytes, Self::ROOT_TOP)?),
            mnt_ns: u64::from_le_bytes(get(bytes, Self::MNT_NS)?),
            pid_ns: u64::from_le_bytes(get(bytes, Self::PID_NS)?),
            host_root: u64::from_le_bytes(get(bytes, Self::HOST_ROOT)?),
            host_sum: u64::from_le_bytes(get(bytes, Self::HOST_SUM)?),
        })
    }
    /// Its bytes.
    pub fn write(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        put(&mut bytes, Self::MODE, &self.mode.to_le_bytes());
        put(&mut bytes, Self::CANARY, &self.canary.to_le_bytes());
        put(&mut bytes, Self::LEASE, &self.lease.to_le_bytes());
        put(&mut bytes, Self::ROOT_MNT, &self.root_mnt.to_le_bytes());
        put(&mut bytes, Self::ROOT_TOP, &self.root_top.to_le_bytes());
        put(&mut bytes, Self::MNT_NS, &self.mnt_ns.to_le_bytes());
        put(&mut bytes, Self::PID_NS, &self.pid_ns.to_le_bytes());
        put(&mut bytes, Self::HOST_ROOT, &self.host_root.to_le_bytes());
        put(&mut bytes, Self::HOST_SUM, &self.host_sum.to_le_bytes());
        bytes
    }
}

/// What is known of a task; a slot of records, and value of the map tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[rustfmt::skip]
pub struct Record {
    /// Class of the executable << 1 | trusted.
    pub exe: u32,
    /// The same of the program that forked this one.
    pub parent: u32,
    /// The same of the program that is being executed.
    pub pending: u32,
    /// 1: exe known, 2: parent known, 4: executed a program since the record was made.
    pub flags: u32,
    /// Bit for each event of the plan that a rule could concern.
    pub events: u64,
    /// Events that the programs of the line made possible.
    pub line_events: u64,
    /// Lineage bits 0 to 63.
    pub line0: u64,
    /// Lineage bits 64 to 127.
    pub line1: u64,
    /// Lineage bits 128 to 191.
    pub line2: u64,
    /// Lineage bits 192 to 255.
    pub line3: u64,
    /// Address of the last mount namespace of the line that the initial user namespace owned, 0 for none.
    pub base_ns: u64,
    /// That namespace's number, by which it is told from a later one at its address.
    pub base_number: u64,
    /// Where the program's name is kept, 0 for nowhere (asm/images.s).
    pub image: u32,
    /// The same of the program that forked this one.
    pub parent_image: u32,
    /// Process that forked this one.
    pub parent_pid: u32,
    /// Number of the task's last operation that a rule matched (asm/operation.s).
    pub operation: u32,
    /// How many classes the last walk found.
    pub paths: u32,
    /// How many the last walk for the host's paths found.
    pub hosts: u32,
    /// The classes of the paths, 4 bytes each.
    pub classes: [u8; 32],
    /// The classes of the host's paths, 4 bytes each.
    pub host_classes: [u8; 32],
    /// Bit for each hook that was a step of the last operation.
    pub steps: u64,
    /// What tells its system call from others: a hash of the caller's registers.
    pub call: u32,
    /// The low half of its object's address.
    pub object: u32,
    /// The program that has the paths of several classes which the last walk found, as exe.
    pub joined: u64,
}

#[rustfmt::skip]
impl Record {
    /// Size in bytes.
    pub const SIZE: usize = 192;
    /// Offset of `exe`.
    pub const EXE: usize = 0;
    /// Offset of `parent`.
    pub const PARENT: usize = 4;
    /// Offset of `pending`.
    pub const PENDING: usize = 8;
    /// Offset of `flags`.
    pub const FLAGS: usize = 12;
    /// Offset of `events`.
    pub const EVENTS: usize = 16;
    /// Offset of `line_events`.
    pub const LINE_EVENTS: usize = 24;
    /// Offset of `line0`.
    pub const LINE0: usize = 32;
    /// Offset of `line1`.
    pub const LINE1: usize = 40;
    /// Offset of `line2`.
    pub const LINE2: usize = 48;
    /// Offset of `line3`.
    pub const LINE3: usize = 56;
    /// Offset of `base_ns`.
    pub const BASE_NS: usize = 64;
    /// Offset of `base_number`.
    pub const BASE_NUMBER: usize = 72;
    /// Offset of `image`.
    pub const IMAGE: usize = 80;
    /// Offset of `parent_image`.
    pub const PARENT_IMAGE: usize = 84;
    /// Offset of `parent_pid`.
    pub const PARENT_PID: usize = 88;
    /// Offset of `operation`.
    pub const OPERATION: usize = 92;
    /// Offset of `paths`.
    pub const PATHS: usize = 96;
    /// Offset of `hosts`.
    pub const HOSTS: usize = 100;
    /// Offset of `classes`.
    pub const CLASSES: usize = 104;
    /// Offset of `host_classes`.
    pub const HOST_CLASSES: usize = 136;
    /// Offset of `steps`.
    pub const STEPS: usize = 168;
    /// Offset of `call`.
    pub const CALL: usize = 176;
    /// Offset of `object`.
    pub const OBJECT: usize = 180;
    /// Offset of `joined`.
    pub const JOINED: usize = 184;
    /// Names and offsets of the fields.
    pub const FIELDS: [(&'static str, usize); 24] = [("exe", 0), ("parent", 4), ("pending", 8), ("flags", 12), ("events", 16), ("line_events", 24), ("line0", 32), ("line1", 40), ("line2", 48), ("line3", 56), ("base_ns", 64), ("base_number", 72), ("image", 80), ("parent_image", 84), ("parent_pid", 88), ("operation", 92), ("paths", 96), ("hosts", 100), ("classes", 104), ("host_classes", 136), ("steps", 168), ("call", 176), ("object", 180), ("joined", 184)];
    /// Reads it from the start of `bytes`; nothing if they are too few.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..Self::SIZE)?;
        Some(Self {
            exe: u32::from_le_bytes(get(bytes, Self::EXE)?),
            parent: u32::from_le_bytes(get(bytes, Self::PARENT)?),
            pending: u32::from_le_bytes(get(bytes, Self::PENDING)?),
            flags: u32::from_le_bytes(get(bytes, Self::FLAGS)?),
            events: u64::from_le_bytes(get(bytes, Self::EVENTS)?),
            line_events: u64::from_le_bytes(get(bytes, Self::LINE_EVENTS)?),
            line0: u64::from_le_bytes(get(bytes, Self::LINE0)?),
            line1: u64::from_le_bytes(get(bytes, Self::LINE1)?),
            line2: u64::from_le_bytes(get(bytes, Self::LINE2)?),
            line3: u64::from_le_bytes(get(bytes, Self::LINE3)?),
            base_ns: u64::from_le_bytes(get(bytes, Self::BASE_NS)?),
            base_number: u64::from_le_bytes(get(bytes, Self::BASE_NUMBER)?),
            image: u32::from_le_bytes(get(bytes, Self::IMAGE)?),
            parent_image: u32::from_le_bytes(get(bytes, Self::PARENT_IMAGE)?),
            parent_pid: u32::from_le_bytes(get(bytes, Self::PARENT_PID)?),
            operation: u32::from_le_bytes(get(bytes, Self::OPERATION)?),
            paths: u32::from_le_bytes(get(bytes, Self::PATHS)?),
            hosts: u32::from_le_bytes(get(bytes, Self::HOSTS)?),
            classes: get(bytes, Self::CLASSES)?,
            host_classes: get(bytes, Self::HOST_CLASSES)?,
            steps: u64::from_le_bytes(get(bytes, Self::STEPS)?),
            call: u32::from_le_bytes(get(bytes, Self::CALL)?),
            object: u32::from_le_bytes(get(bytes, Self::OBJECT)?),
            joined: u64::from_le_bytes(get(bytes, Self::JOINED)?),
        })
    }
    /// Its bytes.
    pub fn write(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        put(&mut bytes, Self::EXE, &self.exe.to_le_bytes());
        put(&mut bytes, Self::PARENT, &self.parent.to_le_bytes());
        put(&mut bytes, Self::PENDING, &self.pending.to_le_bytes());
        put(&mut bytes, Self::FLAGS, &self.flags.to_le_bytes());
        put(&mut bytes, Self::EVENTS, &self.events.to_le_bytes());
        put(&mut bytes, Self::LINE_EVENTS, &self.line_events.to_le_bytes());
        put(&mut bytes, Self::LINE0, &self.line0.to_le_bytes());
        put(&mut bytes, Self::LINE1, &self.line1.to_le_bytes());
        put(&mut bytes, Self::LINE2, &self.line2.to_le_bytes());
        put(&mut bytes, Self::LINE3, &self.line3.to_le_bytes());
        put(&mut bytes, Self::BASE_NS, &self.base_ns.to_le_bytes());
        put(&mut bytes, Self::BASE_NUMBER, &self.base_number.to_le_bytes());
        put(&mut bytes, Self::IMAGE, &self.image.to_le_bytes());
        put(&mut bytes, Self::PARENT_IMAGE, &self.parent_image.to_le_bytes());
        put(&mut bytes, Self::PARENT_PID, &self.parent_pid.to_le_bytes());
        put(&mut bytes, Self::OPERATION, &self.operation.to_le_bytes());
        put(&mut bytes, Self::PATHS, &self.paths.to_le_bytes());
        put(&mut bytes, Self::HOSTS, &self.hosts.to_le_bytes());
        put(&mut bytes, Self::CLASSES, &self.classes);
        put(&mut bytes, Self::HOST_CLASSES, &self.host_classes);
        put(&mut bytes, Self::STEPS, &self.steps.to_le_bytes());
        put(&mut bytes, Self::CALL, &self.call.to_le_bytes());
        put(&mut bytes, Self::OBJECT, &self.object.to_le_bytes());
        put(&mut bytes, Self::JOINED, &self.joined.to_le_bytes());
        bytes
    }
}

/// One record of the ring buffer events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[rustfmt::skip]
pub struct Report {
    /// Nanoseconds since boot.
    pub time: u64,
    /// Outcome number; the manifest names its rules.
    pub outcome: u32,
    /// Low 16 bits errno of the refusal (0: allowed), bit 16 killed.
    pub verdict: u32,
    /// Process.
    pub tgid: u32,
    /// Thread.
    pub pid: u32,
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// Task name.
    pub comm: [u8; 16],
    /// Number of the operation among the thread's; reports of one operation share it; 0: not known.
    pub operation: u32,
    /// 1: in a container, 2: the object's path or address cannot be told.
    pub flags: u32,
    /// Process that forked this one.
    pub parent: u32,
    /// Number of the process's mount namespace.
    pub mnt_ns: u32,
    /// Of its pid namespace.
    pub pid_ns: u32,
    /// Of its user namespace.
    pub user_ns: u32,
    /// Id of its cgroup in the unified hierarchy.
    pub cgroup: u64,
    /// Inode of the object, 0 for none.
    pub inode: u64,
    /// Type of the object's file system.
    pub fs: [u8; 16],
    /// Device of that file system.
    pub major: u32,
    /// Of the same.
    pub minor: u32,
    /// 0: there is no object, 1: it is a path, 2: an address.
    pub kind: u32,
    /// Port of the other side; all ones: not known.
    pub port: u32,
    /// Bytes of exe that hold the end of the path; bit 31: the front is cut off.
    pub exe_length: u32,
    /// Address of the other side, v4 as v4-mapped.
    pub addr: [u8; 16],
    /// The same of parent_exe.
    pub parent_length: u32,
    /// The same of target.
    pub target_length: u32,
    /// The same of path.
    pub path_length: u32,
    /// Path of the executable as it was executed, right-aligned.
    pub exe: [u8; 256],
    /// Path of the program that forked this one, right-aligned.
    pub parent_exe: [u8; 256],
    /// The new name of a rename or link, right-aligned.
    pub target: [u8; 512],
    /// Path of the object, right-aligned.
    pub path: [u8; 1024],
    /// Nothing: room that the writing of a name may touch.
    pub slack: [u8; 260],
}

#[rustfmt::skip]
impl Report {
    /// Size in bytes.
    pub const SIZE: usize = 2464;
    /// Offset of `time`.
    pub const TIME: usize = 0;
    /// Offset of `outcome`.
    pub const OUTCOME: usize = 8;
    /// Offset of `verdict`.
    pub const VERDICT: usize = 12;
    /// Offset of `tgid`.
    pub const TGID: usize = 16;
    /// Offset of `pid`.
    pub const PID: usize = 20;
    /// Offset of `uid`.
    pub const UID: usize = 24;
    /// Offset of `gid`.
    pub const GID: usize = 28;
    /// Offset of `comm`.
    pub const COMM: usize = 32;
    /// Offset of `operation`.
    pub const OPERATION: usize = 48;
    /// Offset of `flags`.
    pub const FLAGS: usize = 52;
    /// Offset of `parent`.
    pub const PARENT: usize = 56;
    /// Offset of `mnt_ns`.
    pub const MNT_NS: usize = 60;
    /// Offset of `pid_ns`.
    pub const PID_NS: usize = 64;
    /// Offset of `user_ns`.
    pub const USER_NS: usize = 68;
    /// Offset of `cgroup`.
    pub const CGROUP: usize = 72;
    /// Offset of `inode`.
    pub const INODE: usize = 80;
    /// Offset of `fs`.
    pub const FS: usize = 88;
    /// Offset of `major`.
    pub const MAJOR: usize = 104;
    /// Offset of `minor`.
    pub const MINOR: usize = 108;
    /// Offset of `kind`.
    pub const KIND: usize = 112;
    /// Offset of `port`.
    pub const PORT: usize = 116;
    /// Offset of `exe_length`.
    pub const EXE_LENGTH: usize = 120;
    /// Offset of `addr`.
    pub const ADDR: usize = 124;
    /// Offset of `parent_length`.
    pub const PARENT_LENGTH: usize = 140;
    /// Offset of `target_length`.
    pub const TARGET_LENGTH: usize = 144;
    /// Offset of `path_length`.
    pub const PATH_LENGTH: usize = 148;
    /// Offset of `exe`.
    pub const EXE: usize = 152;
    /// Offset of `parent_exe`.
    pub const PARENT_EXE: usize = 408;
    /// Offset of `target`.
    pub const TARGET: usize = 664;
    /// Offset of `path`.
    pub const PATH: usize = 1176;
    /// Offset of `slack`.
    pub const SLACK: usize = 2200;
    /// Names and offsets of the fields.
    pub const FIELDS: [(&'static str, usize); 31] = [("time", 0), ("outcome", 8), ("verdict", 12), ("tgid", 16), ("pid", 20), ("uid", 24), ("gid", 28), ("comm", 32), ("operation", 48), ("flags", 52), ("parent", 56), ("mnt_ns", 60), ("pid_ns", 64), ("user_ns", 68), ("cgroup", 72), ("inode", 80), ("fs", 88), ("major", 104), ("minor", 108), ("kind", 112), ("port", 116), ("exe_length", 120), ("addr", 124), ("parent_length", 140), ("target_length", 144), ("path_length", 148), ("exe", 152), ("parent_exe", 408), ("target", 664), ("path", 1176), ("slack", 2200)];
    /// Reads it from the start of `bytes`; nothing if they are too few.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..Self::SIZE)?;
        Some(Self {
            time: u64::from_le_bytes(get(bytes, Self::TIME)?),
            outcome: u32::from_le_bytes(get(bytes, Self::OUTCOME)?),
            verdict: u32::from_le_bytes(get(bytes, Self::VERDICT)?),
            tgid: u32::from_le_bytes(get(bytes, Self::TGID)?),
            pid: u32::from_le_bytes(get(bytes, Self::PID)?),
            uid: u32::from_le_bytes(get(bytes, Self::UID)?),
            gid: u32::from_le_bytes(get(bytes, Self::GID)?),
            comm: get(bytes, Self::COMM)?,
            operation: u32::from_le_bytes(get(bytes, Self::OPERATION)?),
            flags: u32::from_le_bytes(get(bytes, Self::FLAGS)?),
            parent: u32::from_le_bytes(get(bytes, Self::PARENT)?),
            mnt_ns: u32::from_le_bytes(get(bytes, Self::MNT_NS)?),
            pid_ns: u32::from_le_bytes(get(bytes, Self::PID_NS)?),
            user_ns: u32::from_le_bytes(get(bytes, Self::USER_NS)?),
            cgroup: u64::from_le_bytes(get(bytes, Self::CGROUP)?),
            inode: u64::from_le_bytes(get(bytes, Self::INODE)?),
            fs: get(bytes, Self::FS)?,
            major: u32::from_le_bytes(get(bytes, Self::MAJOR)?),
            minor: u32::from_le_bytes(get(bytes, Self::MINOR)?),
            kind: u32::from_le_bytes(get(bytes, Self::KIND)?),
            port: u32::from_le_bytes(get(bytes, Self::PORT)?),
            exe_length: u32::from_le_bytes(get(bytes, Self::EXE_LENGTH)?),
            addr: get(bytes, Self::ADDR)?,
            parent_length: u32::from_le_bytes(get(bytes, Self::PARENT_LENGTH)?),
            target_length: u32::from_le_bytes(get(bytes, Self::TARGET_LENGTH)?),
            path_length: u32::from_le_bytes(get(bytes, Self::PATH_LENGTH)?),
            exe: get(bytes, Self::EXE)?,
            parent_exe: get(bytes, Self::PARENT_EXE)?,
            target: get(bytes, Self::TARGET)?,
            path: get(bytes, Self::PATH)?,
            slack: get(bytes, Self::SLACK)?,
        })
    }
    /// Its bytes.
    pub fn write(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        put(&mut bytes, Self::TIME, &self.time.to_le_bytes());
        put(&mut bytes, Self::OUTCOME, &self.outcome.to_le_bytes());
        put(&mut bytes, Self::VERDICT, &self.verdict.to_le_bytes());
        put(&mut bytes, Self::TGID, &self.tgid.to_le_bytes());
        put(&mut bytes, Self::PID, &self.pid.to_le_bytes());
        put(&mut bytes, Self::UID, &self.uid.to_le_bytes());
        put(&mut bytes, Self::GID, &self.gid.to_le_bytes());
        put(&mut bytes, Self::COMM, &self.comm);
        put(&mut bytes, Self::OPERATION, &self.operation.to_le_bytes());
        put(&mut bytes, Self::FLAGS, &self.flags.to_le_bytes());
        put(&mut bytes, Self::PARENT, &self.parent.to_le_bytes());
        put(&mut bytes, Self::MNT_NS, &self.mnt_ns.to_le_bytes());
        put(&mut bytes, Self::PID_NS, &self.pid_ns.to_le_bytes());
        put(&mut bytes, Self::USER_NS, &self.user_ns.to_le_bytes());
        put(&mut bytes, Self::CGROUP, &self.cgroup.to_le_bytes());
        put(&mut bytes, Self::INODE, &self.inode.to_le_bytes());
        put(&mut bytes, Self::FS, &self.fs);
        put(&mut bytes, Self::MAJOR, &self.major.to_le_bytes());
        put(&mut bytes, Self::MINOR, &self.minor.to_le_bytes());
        put(&mut bytes, Self::KIND, &self.kind.to_le_bytes());
        put(&mut bytes, Self::PORT, &self.port.to_le_bytes());
        put(&mut bytes, Self::EXE_LENGTH, &self.exe_length.to_le_bytes());
        put(&mut bytes, Self::ADDR, &self.addr);
        put(&mut bytes, Self::PARENT_LENGTH, &self.parent_length.to_le_bytes());
        put(&mut bytes, Self::TARGET_LENGTH, &self.target_length.to_le_bytes());
        put(&mut bytes, Self::PATH_LENGTH, &self.path_length.to_le_bytes());
        put(&mut bytes, Self::EXE, &self.exe);
        put(&mut bytes, Self::PARENT_EXE, &self.parent_exe);
        put(&mut bytes, Self::TARGET, &self.target);
        put(&mut bytes, Self::PATH, &self.path);
        put(&mut bytes, Self::SLACK, &self.slack);
        bytes
    }
}

#[rustfmt::skip]
impl Default for Report {
    fn default() -> Self {
        Self { time: 0, outcome: 0, verdict: 0, tgid: 0, pid: 0, uid: 0, gid: 0, comm: [0; 16], operation: 0, flags: 0, parent: 0, mnt_ns: 0, pid_ns: 0, user_ns: 0, cgroup: 0, inode: 0, fs: [0; 16], major: 0, minor: 0, kind: 0, port: 0, exe_length: 0, addr: [0; 16], parent_length: 0, target_length: 0, path_length: 0, exe: [0; 256], parent_exe: [0; 256], target: [0; 512], path: [0; 1024], slack: [0; 260] }
    }
}

/// Counters of the whole artifact; entries of the map stats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[rustfmt::skip]
pub struct Stats {
    /// Reports in the ring.
    pub emitted: u64,
    /// Reports that found no room; matched = emitted + lost.
    pub lost: u64,
    /// Paths and addresses that could not be told.
    pub failed: u64,
    /// Events of tasks without a record.
    pub missing: u64,
    /// Forks refused because there was no room for a record.
    pub full: u64,
    /// Records made when the policy was loaded.
    pub seeded: u64,
}

#[rustfmt::skip]
impl Stats {
    /// Size in bytes.
    pub const SIZE: usize = 48;
    /// Offset of `emitted`.
    pub const EMITTED: usize = 0;
    /// Offset of `lost`.
    pub const LOST: usize = 8;
    /// Offset of `failed`.
    pub const FAILED: usize = 16;
    /// Offset of `missing`.
    pub const MISSING: usize = 24;
    /// Offset of `full`.
    pub const FULL: usize = 32;
    /// Offset of `seeded`.
    pub const SEEDED: usize = 40;
    /// Names and offsets of the fields.
    pub const FIELDS: [(&'static str, usize); 6] = [("emitted", 0), ("lost", 8), ("failed", 16), ("missing", 24), ("full", 32), ("seeded", 40)];
    /// Reads it from the start of `bytes`; nothing if they are too few.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..Self::SIZE)?;
        Some(Self {
            emitted: u64::from_le_bytes(get(bytes, Self::EMITTED)?),
            lost: u64::from_le_bytes(get(bytes, Self::LOST)?),
            failed: u64::from_le_bytes(get(bytes, Self::FAILED)?),
            missing: u64::from_le_bytes(get(bytes, Self::MISSING)?),
            full: u64::from_le_bytes(get(bytes, Self::FULL)?),
            seeded: u64::from_le_bytes(get(bytes, Self::SEEDED)?),
        })
    }
    /// Its bytes.
    pub fn write(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        put(&mut bytes, Self::EMITTED, &self.emitted.to_le_bytes());
        put(&mut bytes, Self::LOST, &self.lost.to_le_bytes());
        put(&mut bytes, Self::FAILED, &self.failed.to_le_bytes());
        put(&mut bytes, Self::MISSING, &self.missing.to_le_bytes());
        put(&mut bytes, Self::FULL, &self.full.to_le_bytes());
        put(&mut bytes, Self::SEEDED, &self.seeded.to_le_bytes());
        bytes
    }
}
