//! What walks cost that show no mount, or that are long, and what the whole library costs: loading it, and unpacking an
//! archive under it. Figures of a program are its own, without what leads to it and back.

use super::guest::{self, Figures};
use super::{Bench, Row, compile, rules};
use crate::guest::{Failure, GuestFile};

const SCRIPT: &str = "\
mkdir -p /etc/a/b/c /mnt /deep
echo x >SHORT
guest-tools deep /deep
ulimit -n 4096
# label, then what the programs in the kernel cost by themselves meanwhile
c() { label=$1; shift; guest-tools costs \"$@\" | sed \"s/^/$label./\"; }
b() { label=$1; shift; c $label guest-tools bench --settle 5 \"$@\"; }
load() { ebsec-load load /bench/$1.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }; }
centiseconds() { read up idle </proc/uptime; echo $(( ${up%.*} * 100 + 1${up#*.} - 100 )); }
walks() {
    b $1.times utimes SHORT
    b $1.attribute attribute SHORT
    b $1.mode mode SHORT
    b $1.deep --deep /deep utimes plain
}
load writes
walks one
number=0
while [ $number -lt 16 ]; do mkdir -p /mnt/$number; mount --bind / /mnt/$number; number=$((number + 1)); done
number=0
while [ $number -lt 500 ]; do mkdir -p /run/$number; mount -t tmpfs none /run/$number; number=$((number + 1)); done
walks many
c crowd.times guest-tools crowd 1000 guest-tools bench --settle 5 utimes SHORT
ebsec-load unload >/load.txt
umount /mnt/* /run/* 2>/load.txt
# unpacking: a folder for each hundred files, ten times
mkdir -p /pack /out
number=0
while [ $number -lt 40 ]; do
    mkdir /pack/$number; file=0
    while [ $file -lt 100 ]; do echo $file >/pack/$number/file-$file.txt; file=$((file + 1)); done
    number=$((number + 1))
done
tar cf /pack.tar -C / pack
unpack() {
    sleep 5; rm -rf /out/*; tar xf /pack.tar -C /out; before=$(centiseconds)
    for turn in 1 2 3 4 5; do tar xf /pack.tar -C /out; done
    echo \"$1.unpack med $(( $(centiseconds) - before ))\"
}
unpack bare
before=$(centiseconds); load std; echo \"std.load med $(( ($(centiseconds) - before) * 10 ))\"
unpack std
";

/// One guest for all of it.
pub fn measure(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let mut files = vec![GuestFile::host("/bin/ebsec-load", &bench.loader)];
    for (name, text) in [("writes", rules::writes()), ("std", rules::library())] {
        let artifact = bench.path(&format!("{name}.bpf.o"));
        compile::build(&bench.write(&format!("{name}.ebsec"), &text)?, &artifact)?;
        files.push(GuestFile::host(format!("/bench/{name}.bpf.o"), artifact));
    }
    rows(&guest::boot(bench, SCRIPT, "", files)?)
}

fn rows(figures: &Figures) -> Result<Vec<Row>, Failure> {
    let get = |label: &str| figures.get(label).copied().ok_or_else(|| Failure::new(format!("the guest gave no figure `{label}`")));
    let row = |what: &str, label: &str, bar: f64| Ok::<_, Failure>(Row::new(what, get(label)?, "instructions").at_most(bar));
    let ratio = get("std.unpack")? / get("bare.unpack")?;
    Ok(vec![
        row("times of a file, inode_setattr", "one.times.ebsec_inode_set", 2_000.0)?,
        row("an attribute of a file, inode_setxattr", "one.attribute.ebsec_inode_set", 2_000.0)?,
        Row::new("mode of a file, path_chmod", get("one.mode.ebsec_path_chmo")?, "instructions"),
        row("times, 16 more mounts of the file system and 500 others", "many.times.ebsec_inode_set", 6_000.0)?,
        row("attribute, 16 more mounts of the file system and 500 others", "many.attribute.ebsec_inode_set", 6_000.0)?,
        row("times, and 1,000 namespaces with as many mounts", "crowd.times.ebsec_inode_set", 6_000.0)?,
        row("times, 2,000 folders deep", "one.deep.ebsec_inode_set", 3e6)?,
        row("times, 2,000 folders deep, 16 more mounts", "many.deep.ebsec_inode_set", 6e6)?,
        Row::new("loading the whole library, millions", get("std.load")?, "instructions").at_most(5_000.0),
        Row::new("unpacking 4,000 files under it, times the bare kernel's", ratio * 100.0, "%").at_most(110.0),
    ])
}
