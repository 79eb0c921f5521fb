//! Takes a busybox, files and a script, gives a newc archive that a kernel boots
//! from. Never reads the disk but for the files it is told to pack.

use super::{Failure, GuestFile, machine::Source, modules};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// What goes into one archive.
pub struct Contents<'a> {
    /// A static busybox.
    pub busybox: &'a [u8],
    /// The names it answers to.
    pub applets: &'a [String],
    /// Files of the caller; later ones replace earlier ones.
    pub files: &'a [GuestFile],
    /// The shell script that is the guest's purpose.
    pub script: &'a str,
    /// Modules that are loaded before the script, in order.
    pub modules: &'a [String],
    /// The script runs in the system of the first disk, not in the archive's.
    pub root: bool,
    /// Guest paths whose contents are sent back afterwards.
    pub collect: &'a [String],
    /// The word that starts every line of ours on the result channel.
    pub mark: &'a str,
}

/// The archive, not compressed: unpacking costs a slow guest more than reading.
pub fn build(contents: &Contents<'_>) -> Result<Vec<u8>, Failure> {
    let mut archive = Archive::default();
    for folder in ["dev", "proc", "sys", "tmp", "run", "root", "etc", "bin"] {
        archive.folder(folder)?;
    }
    // The kernel opens /dev/console for init before init can mount devtmpfs.
    archive.device("dev/console", 5, 1)?;
    archive.device("dev/null", 1, 3)?;
    archive.file("bin/busybox", 0o755, contents.busybox)?;
    for applet in contents.applets {
        archive.symlink(&format!("bin/{applet}"), "busybox")?;
    }
    archive.file("ebsec/init", 0o755, init(contents).as_bytes())?;
    archive.file("ebsec/script", 0o755, contents.script.as_bytes())?;
    if contents.root {
        archive.file(RUN.trim_start_matches('/'), 0o755, format!("#!/bin/sh\n{SET_LINE}{}", run(contents)).as_bytes())?;
    }
    archive.symlink("init", "ebsec/init")?;
    for file in contents.files {
        archive.guest_file(file)?;
    }
    archive.finish()
}

/// Where a root of its own finds what it has to run.
pub const RUN: &str = "/ebsec/run";

/// Has the result channel carry every byte as it is, after what was written before is sent.
const SET_LINE: &str = "stty -F /dev/ttyS1 raw -echo 2>/dev/null\n";

/// The first process: what every guest needs, then the script, or another root and its init.
fn init(contents: &Contents<'_>) -> String {
    let mut text = String::from(
        "#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
cd /root
status=0
",
    );
    text.push_str(SET_LINE);
    for module in contents.modules {
        text.push_str(&format!("insmod '{}' >/dev/ttyS1 2>&1 || status=1\n", modules::in_guest(module)));
    }
    match contents.root {
        true => text.push_str(&into_root(contents.files)),
        false => {
            text.push_str(
                "mkdir -p /dev/pts /dev/shm
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
mount -t tracefs tracefs /sys/kernel/tracing
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null
ip link set lo up
",
            );
            text.push_str(&run(contents));
            text.push_str("poweroff -f\n");
        }
    }
    text
}

/// Puts the files and the script into the root on the first disk and starts its init. A guest that lacks a module or a file
/// would test something else, so it ends here.
fn into_root(files: &[GuestFile]) -> String {
    let mut text = String::from("mkdir -p /sysroot && mount -t ext4 -o noatime /dev/vda /sysroot >/dev/ttyS1 2>&1 || status=1\n");
    for file in files {
        let path = file.path.replace('\'', "'\\''");
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        // `-p` keeps the mode.
        text.push_str(&format!("{{ mkdir -p '/sysroot{folder}' && cp -p '{path}' '/sysroot{path}'; }} >/dev/ttyS1 2>&1 || status=1\n"));
    }
    text.push_str(&format!("mkdir -p /sysroot/ebsec && cp /ebsec/script /sysroot/ebsec/script && cp {RUN} /sysroot{RUN} || status=1\n"));
    text.push_str("[ $status = 0 ] || poweroff -f\ncd /\nexec switch_root /sysroot /sbin/init\n");
    text
}

/// Runs the script and sends what came of it. Everything that it prints goes to the second serial line, so that kernel
/// messages on the first cannot tear it.
fn run(contents: &Contents<'_>) -> String {
    let mark = contents.mark;
    // A script whose modules are not there would test something else.
    let mut text = format!("echo '{mark} begin' >/dev/ttyS1\n");
    text.push_str("[ ${status=0} = 0 ] && { /bin/sh /ebsec/script </dev/null >/dev/ttyS1 2>&1; status=$?; }\nexec 3>/dev/ttyS1\n");
    text.push_str(&format!("printf '\\n{mark} exit %d\\n' $status >&3\n"));
    for path in contents.collect {
        let quoted = path.replace('\'', "'\\''");
        text.push_str(&format!(
            "[ -e '{quoted}' ] && {{ cat '{quoted}' >/ebsec/copy; \
             printf '{mark} file %d %s\\n' $(wc -c </ebsec/copy) '{quoted}' >&3; \
             cat /ebsec/copy >&3; }}\n"
        ));
    }
    text.push_str(&format!("printf '{mark} end\\n' >&3\n"));
    text.push_str("exec 3>&-\n");
    // Closing waits until everything is sent only if the script left nothing running that holds the line. Setting does always.
    text.push_str(SET_LINE);
    text
}

/// A newc archive under construction.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    inode: u32,
}

impl Archive {
    fn guest_file(&mut self, file: &GuestFile) -> Result<(), Failure> {
        let path = file.path.trim_start_matches('/');
        if path.is_empty() || path.split('/').any(|part| part == "..") {
            return Err(Failure::new(format!("`{}` is not a file path in a guest", file.path)));
        }
        match &file.source {
            Source::Bytes(bytes) => self.file(path, file.mode, bytes),
            Source::Host(host) => self.file(path, file.mode, &read(host)?),
        }
    }

    fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> Result<(), Failure> {
        self.parents(path)?;
        self.entry(path, REGULAR | (mode & 0o7777), (0, 0), bytes)
    }

    fn symlink(&mut self, path: &str, target: &str) -> Result<(), Failure> {
        self.parents(path)?;
        self.entry(path, SYMLINK | 0o777, (0, 0), target.as_bytes())
    }

    fn device(&mut self, path: &str, major: u32, minor: u32) -> Result<(), Failure> {
        self.parents(path)?;
        self.entry(path, CHARACTER_DEVICE | 0o600, (major, minor), &[])
    }

    fn folder(&mut self, path: &str) -> Result<(), Failure> {
        if !self.folders.insert(path.to_owned()) {
            return Ok(());
        }
        let mode = if path == "tmp" { 0o1777 } else { 0o755 };
        self.entry(path, DIRECTORY | mode, (0, 0), &[])
    }

    fn parents(&mut self, path: &str) -> Result<(), Failure> {
        for (at, _) in path.match_indices('/') {
            self.folder(path.get(..at).unwrap_or_default())?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), bytes: &[u8]) -> Result<(), Failure> {
        let size = u32::try_from(bytes.len()).map_err(|_| Failure::new(format!("`{path}` is too large for a guest")))?;
        self.inode += 1;
        let failed = |error: std::io::Error| Failure::io("pack", Path::new(path), &error);
        let mut writer = cpio::newc::Builder::new(path)
            .ino(self.inode)
            .nlink(1)
            .mode(mode)
            .rdev_major(device.0)
            .rdev_minor(device.1)
            .write(&mut self.bytes, size);
        writer.write_all(bytes).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, Failure> {
        cpio::newc::trailer(&mut self.bytes).map_err(|error| Failure::io("pack", Path::new("trailer"), &error))?;
        Ok(self.bytes)
    }
}

/// A file of the host, with its path in the error.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::io("read", path, &error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn names(archive: Vec<u8>) -> Vec<String> {
        let mut rest = std::io::Cursor::new(archive);
        let mut names = Vec::new();
        loop {
            let reader = cpio::newc::Reader::new(rest).unwrap();
            if reader.entry().is_trailer() {
                return names;
            }
            names.push(reader.entry().name().to_owned());
            rest = reader.finish().unwrap();
        }
    }

    #[test]
    fn parents_come_before_files_and_once() {
        let files = [GuestFile::bytes("/etc/a/b", *b"1"), GuestFile::bytes("/etc/a/c", *b"2")];
        let archive = build(&Contents {
            busybox: b"x",
            applets: &["sh".into()],
            files: &files,
            script: "true",
            modules: &[],
            root: false,
            collect: &[],
            mark: "m",
        })
        .unwrap();
        let names = names(archive);
        let at = |name: &str| names.iter().position(|n| n == name).unwrap();
        assert!(at("etc") < at("etc/a") && at("etc/a") < at("etc/a/b"));
        assert_eq!(names.iter().filter(|n| *n == "etc/a").count(), 1);
        assert!(at("bin/sh") > at("bin"));
    }

    #[test]
    fn a_path_out_of_the_guest_is_refused() {
        let mut archive = Archive::default();
        let bad = GuestFile::bytes("/../x", *b"");
        assert!(archive.guest_file(&bad).is_err());
    }
}
