#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! The objects of a world are joined as a kernel's.

use super::*;

const INTERNAL: u64 = (-22i64).cast_unsigned();

/// The path of a place, as a walk from leaf to root finds it.
fn path_of(w: &World, at: Location) -> String {
    let k = &w.kernel;
    let (mut dentry, mut mount, mut out) = (at.dentry, at.mount.addr, String::new());
    loop {
        if dentry == k.get(mount, "mount.mnt.mnt_root").unwrap() {
            let parent = k.get(mount, "mount.mnt_parent").unwrap();
            if parent == mount {
                return if out.is_empty() { "/".into() } else { out };
            }
            dentry = k.get(mount, "mount.mnt_mountpoint").unwrap();
            mount = parent;
            continue;
        }
        let (name, len) = (k.get(dentry, "dentry.d_name.name").unwrap(), k.get(dentry, "dentry.d_name.len").unwrap());
        out = format!("/{}{out}", String::from_utf8_lossy(k.mem.bytes(name, len).unwrap()));
        dentry = k.get(dentry, "dentry.d_parent").unwrap();
    }
}

#[test]
fn paths_lead_through_mounts_both_ways() {
    for flavour in Flavour::ALL {
        let mut w = World::new(flavour, 11).unwrap();
        w.mount(w.host, "/srv/data").unwrap();
        w.bind(w.host, "/srv/data/in", "/mnt").unwrap();
        let long = format!("/etc/{}/x", "n".repeat(60));
        for path in ["/", "/etc/passwd", "/srv/data/a/b", "/srv/data", "/mnt/q", &long] {
            let at = w.locate(w.host, path).unwrap();
            assert_eq!(path_of(&w, at), path);
            assert_eq!(w.locate(w.host, path).unwrap(), at);
        }
        let (bound, real) = (w.locate(w.host, "/mnt/q").unwrap(), w.locate(w.host, "/srv/data/in/q").unwrap());
        assert_eq!(bound.dentry, real.dentry);
        assert_ne!(bound.mount, real.mount);
    }
}

/// The mounts of a tree, left to right.
fn in_order(k: &Kernel, node: u64, found: &mut Vec<u64>) {
    if node == 0 {
        return;
    }
    let mount = node - k.offset("mount.mnt_node").unwrap();
    in_order(k, k.get(mount, "mount.mnt_node.rb_left").unwrap(), found);
    found.push(mount);
    in_order(k, k.get(mount, "mount.mnt_node.rb_right").unwrap(), found);
}

#[test]
fn a_namespace_lists_its_mounts() {
    for flavour in Flavour::ALL {
        let mut w = World::new(flavour, 4).unwrap();
        let mounts: Vec<u64> = (0..9).map(|i| w.bind(w.host, "/a", &format!("/b{i}")).unwrap().addr).collect();
        let k = &w.kernel;
        let mut found = Vec::new();
        if k.has("mount.mnt_node") {
            in_order(k, k.get(w.host.addr, "mnt_namespace.mounts.rb_node").unwrap(), &mut found);
        } else {
            let head = w.host.addr + k.offset("mnt_namespace.list").unwrap();
            let mut at = k.get(w.host.addr, "mnt_namespace.list.next").unwrap();
            while at != head {
                let mount = at - k.offset("mount.mnt_list").unwrap();
                found.push(mount);
                at = k.get(mount, "mount.mnt_list.next").unwrap();
            }
        }
        // the empty one below the root and the root stand before them
        assert_eq!(found.get(1), Some(&w.host.root.addr));
        assert_eq!(found.get(2..), Some(&mounts[..]));
    }
}

#[test]
fn files_tasks_and_sockets_hold_what_they_were_given() {
    let mut w = World::new(Flavour::New, 2).unwrap();
    let exe = w.open("/usr/bin/cat", FileSpec { mode: S_IFREG | 0o4755, uid: 7, ..FileSpec::default() }).unwrap();
    let user_ns = w.user_namespace().unwrap();
    let ns = w.namespace(user_ns).unwrap();
    let task =
        w.task(&TaskSpec { uid: 1000, exe, comm: "a name that is too long".into(), namespace: Some(ns), ..TaskSpec::default() }).unwrap();
    w.enter(task.clone());
    let k = &w.kernel;
    assert_eq!(&k.env.task.comm, b"a name that is \0");
    let mm = k.get(task.addr, "task_struct.mm").unwrap();
    assert_eq!(k.get(mm, "mm_struct.exe_file").unwrap(), exe);
    let inode = k.get(exe, "file.f_inode").unwrap();
    assert_eq!((k.get(inode, "inode.i_mode").unwrap(), k.get(inode, "inode.i_uid.val").unwrap()), (0o104_755, 7));
    let nsproxy = k.get(task.addr, "task_struct.nsproxy").unwrap();
    let mnt_ns = k.get(nsproxy, "nsproxy.mnt_ns").unwrap();
    assert_eq!((mnt_ns, k.get(mnt_ns, "mnt_namespace.user_ns").unwrap()), (ns.addr, user_ns));
    let (addr, len) = w.sockaddr("10.1.2.3".parse().unwrap(), 443);
    assert_eq!((len, w.kernel.mem.bytes(addr, 8).unwrap()), (16, &[2, 0, 1, 187, 10, 1, 2, 3][..]));
    let socket = w.socket(2, 1, 6).unwrap();
    assert_eq!(w.kernel.get(w.kernel.get(socket, "socket.sk").unwrap(), "sock.__sk_common.skc_family").unwrap(), 2);
    let pipe = w.internal("memfd:x", super::TMPFS).unwrap();
    assert_eq!(w.kernel.get(pipe.mount.addr, "mount.mnt_ns").unwrap(), INTERNAL);
}

#[test]
fn every_field_of_the_templates_exists_in_a_flavour() {
    let kernels = Flavour::ALL.map(|f| Kernel::new(f, 0).unwrap());
    let has = |path: &str| kernels.iter().any(|k| k.has(path));
    for s in ebsec_templates::kernel_types().iter().filter(|s| !s.name.contains("___")) {
        let missing: Vec<_> = s.members.iter().map(|m| format!("{}.{}", s.name, m.name)).filter(|p| !has(p)).collect();
        assert!(missing.is_empty(), "compiler/src/testing/vm/kernel/types.txt lacks {missing:?}");
    }
}
