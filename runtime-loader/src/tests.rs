//! The order of a load, what every failure leaves behind, and hostile artifacts, against the fake kernel.

use crate::fixture::{self, artifact};
use crate::sys::Kernel;
use crate::sys::fake::Fake;
use crate::{events, load, policy, rules, stage, status, unload, verify};

const HOOKS: [&str; 4] = ["file_open", "path_unlink", "socket_connect", "bprm_check_security"];

fn try_load(kernel: &mut Fake, bytes: &[u8]) -> crate::error::Result<load::Loaded> {
    let artifact = policy::check(bytes)?;
    load::load(kernel, &artifact, None)
}

#[test]
fn a_load_attaches_proves_and_stays() {
    let (mut kernel, bytes) = (Fake::new(&HOOKS), artifact(&HOOKS));
    let loaded = try_load(&mut kernel, &bytes).unwrap();
    assert_eq!(loaded.proved.len(), HOOKS.len());
    assert!(loaded.notes.len() == 1 && loaded.notes[0].contains("6.12.3-test"), "{:?}", loaded.notes);
    assert_eq!(kernel.state.borrow().broken, [""; 0]);
    assert_eq!(kernel.state.borrow().running().len(), HOOKS.len());
    let status = status::status(&mut kernel).unwrap();
    assert_eq!(status.mode(), "enforcing");
    assert_eq!(status.json()["tables"]["intact"], 2);
    assert!(rules::rules(&mut kernel, false).unwrap().contains("base.shadow"));
    let mut out = Vec::new();
    events::events(&mut kernel, events::Options { follow: false, json: true, max: None }, &mut out).unwrap();
    assert!(out.is_empty());
    let again = try_load(&mut kernel, &bytes).unwrap_err();
    assert!(again.help.contains("unload"));
    assert_eq!(kernel.state.borrow().running().len(), HOOKS.len());
    // The artifact's copy may be gone: that is no reason to leave the policy on.
    kernel.remove_file(std::path::Path::new("/run/ebsec/fixture/artifact.bpf.o")).unwrap();
    assert!(status::status(&mut kernel).is_err());
    assert_eq!(unload::unload(&mut kernel).unwrap(), "fixture");
    assert_eq!(kernel.state.borrow().leftovers(), [""; 0]);
}

#[test]
fn everything_is_loaded_and_frozen_before_anything_is_attached() {
    let (mut kernel, bytes) = (Fake::new(&HOOKS), artifact(&HOOKS));
    try_load(&mut kernel, &bytes).unwrap();
    let state = kernel.state.borrow();
    let at = |what: &str| state.steps.iter().enumerate().filter(|(_, s)| s.starts_with(what)).map(|(i, _)| i).collect::<Vec<_>>();
    let first_attach = at("attach ")[0];
    assert!(at("prog_load ").iter().chain(&at("map_freeze ")).chain(&at("map_create ")).all(|i| *i < first_attach));
    let last_pin = *at("pin ").last().unwrap();
    assert!(at("run_iterator ").iter().all(|i| (first_attach..last_pin).contains(i)));
    assert!(state.steps[last_pin].contains("/link_"), "links are pinned last");
    // Three writes after the pins: on, canary in, canary out, the last two around the counters; then the note of the proof.
    let after = state.steps[last_pin + 1..].iter().map(|s| s.split(' ').next().unwrap()).collect::<Vec<_>>();
    let (change, read) = (["map_lookup", "map_update"], ["map_lookup"]);
    let expected = [&["rename"][..], &change, &change, &read, &read, &change, &["write_file"]].concat();
    assert_eq!(after, expected);
    assert_eq!(state.broken, [""; 0]);
}

#[test]
fn processes_are_recorded_until_nobody_new_is_found() {
    let passes = |newcomers| {
        let (mut kernel, bytes) = (Fake::new(&HOOKS), artifact(&HOOKS));
        kernel.newcomers = newcomers;
        try_load(&mut kernel, &bytes).unwrap();
        let state = kernel.state.borrow();
        state.steps.iter().filter(|s| s.starts_with("run_iterator ")).count()
    };
    assert_eq!(passes(9) - passes(1), 8);
    assert!(passes(1) > 2, "a child that was being forked is in no list the first time");
    assert!(passes(255) < 100, "a host where there is always somebody new gets its policy");
}

#[test]
fn a_failure_at_any_step_leaves_nothing() {
    let bytes = artifact(&HOOKS);
    let mut kernel = Fake::new(&HOOKS);
    try_load(&mut kernel, &bytes).unwrap();
    let steps = kernel.state.borrow().steps.clone();
    for (k, step) in steps.iter().enumerate() {
        let mut kernel = Fake::new(&HOOKS);
        kernel.state.borrow_mut().fail_at = Some(k);
        let result = try_load(&mut kernel, &bytes);
        if step.contains("/proved") {
            assert_eq!(result.unwrap().notes.len(), 2, "the proof's note is no reason to fail");
            continue;
        }
        let error = result.err().unwrap_or_else(|| panic!("step {k} ({step}) failed and the load did not"));
        assert!(!error.message.is_empty() && error.status() == 1);
        let state = kernel.state.borrow();
        assert_eq!(state.leftovers(), [""; 0], "after step {k} ({step})");
        assert_eq!(state.broken, [""; 0], "after step {k} ({step})");
    }
    assert!(steps.len() > 50, "{}", steps.len());
}

#[test]
fn a_hook_that_lets_the_canary_through_ends_the_load() {
    let (mut kernel, bytes) = (Fake::new(&HOOKS), artifact(&HOOKS));
    kernel.state.borrow_mut().deaf.insert("socket_connect".to_owned());
    let error = try_load(&mut kernel, &bytes).unwrap_err();
    assert!(error.message.contains("1 of 4 hooks"), "{error}");
    assert!(error.detail[0].starts_with("socket_connect"));
    assert_eq!(kernel.state.borrow().leftovers(), [""; 0]);
}

#[test]
fn a_canary_that_others_refuse_proves_nothing() {
    let (mut kernel, bytes) = (Fake::new(&HOOKS), artifact(&HOOKS));
    kernel.state.borrow_mut().others = true;
    let error = try_load(&mut kernel, &bytes).unwrap_err();
    assert!(error.message.contains("4 operations of the canary were refused, but only 0"), "{error}");
    assert_eq!(kernel.state.borrow().leftovers(), [""; 0]);
}

#[test]
fn a_refused_program_is_told_by_check_and_stops_load() {
    let (mut kernel, bytes) = (Fake::new(&HOOKS), artifact(&HOOKS));
    kernel.state.borrow_mut().refuse.insert("ebsec_path_unlink".to_owned());
    let report = verify::check(&mut kernel, &policy::check(&bytes).unwrap(), &mut |_| {}).unwrap();
    assert!(!report.accepted());
    assert!(report.text().contains("R0 is bad"));
    assert_eq!(report.json()["programs"].as_array().unwrap().len(), HOOKS.len() + 1);
    let error = try_load(&mut kernel, &bytes).unwrap_err();
    assert!(error.message.contains("`ebsec_path_unlink`: R0 is bad"), "{error}");
    assert_eq!(kernel.state.borrow().leftovers(), [""; 0]);
}

#[test]
fn a_lockdown_that_forbids_reading_is_told_in_words() {
    let bytes = artifact(&HOOKS);
    let with_cast = [&HOOKS[..], &[fixture::CAST]].concat();
    for (hooks, confidential, hidden, refused) in [
        (&HOOKS[..], true, false, true),
        (&HOOKS[..], false, true, true),
        (&HOOKS[..], false, false, false),
        (&with_cast[..], true, false, false),
    ] {
        let mut kernel = Fake::new(hooks);
        (kernel.confidential, kernel.hidden_lockdown) = (confidential, hidden);
        if hidden {
            kernel.state.borrow_mut().refuse.insert("ebsec_path_unlink".to_owned());
        }
        match try_load(&mut kernel, &bytes) {
            Ok(_) => assert!(!refused),
            Err(error) => {
                assert!(refused && error.message.contains("lockdown") && error.message.contains("bpf_rdonly_cast"), "{error}");
                assert!(error.help.contains("6.2"), "{error}");
                assert_eq!(kernel.state.borrow().leftovers(), [""; 0]);
            }
        }
    }
}

/// Kernels show the dentry of `inode_setattr` first (6.1 to 6.8) or after the idmap (6.9): their own types say where.
#[test]
fn arguments_are_where_the_kernels_types_say() {
    let bytes = fixture::asking(&["inode_setattr"], "ebsec_inode_setattr 0 bpf_lsm_inode_setattr argument dentry\n");
    let artifact = policy::check(&bytes).unwrap();
    let cases: [(&[&str], Option<u8>); 5] = [
        (&["dentry", "iattr"], Some(0)),
        (&["mnt_idmap", "dentry", "iattr"], Some(8)),
        (&["user_namespace", "iattr", "dentry"], Some(16)),
        (&["dentry", "dentry"], None),
        (&["mnt_idmap"], None),
    ];
    for (shown, offset) in cases {
        let mut kernel = Fake::new(&["inode_setattr"]);
        kernel.btf = fixture::kernel_btf_showing(&["inode_setattr"], shown);
        match (stage::stage(&mut kernel, &artifact, None), offset) {
            (Ok(staged), Some(offset)) => assert_eq!(staged.programs[0].1.instructions[..4], [0x79, 0x16, offset, 0]),
            (Err(error), None) => assert!(error.message.contains("`bpf_lsm_inode_setattr`"), "{error}"),
            (staged, _) => panic!("{shown:?}: {:?}", staged.err()),
        }
    }
}

#[test]
fn hooks_are_skipped_only_on_kernels_before_them() {
    let bytes = artifact(&["file_open", "file_truncate"]);
    let mut kernel = Fake::new(&["file_open"]);
    let error = try_load(&mut kernel, &bytes).unwrap_err();
    assert!(error.message.contains("`file_truncate`"), "{error}");
    kernel.release = "6.1.0-test".to_owned();
    let loaded = try_load(&mut kernel, &bytes).unwrap();
    assert_eq!(loaded.skipped[0].0.hook, "file_truncate");
    assert_eq!(loaded.proved, ["file_open"]);
}

#[test]
fn a_host_that_lacks_something_is_told_what() {
    let bytes = artifact(&HOOKS);
    let refused = |change: fn(&mut Fake)| {
        let mut kernel = Fake::new(&HOOKS);
        change(&mut kernel);
        let error = try_load(&mut kernel, &bytes).unwrap_err();
        assert!(!error.help.is_empty());
        assert_eq!(kernel.state.borrow().leftovers(), [""; 0]);
        error.message
    };
    assert!(refused(|k| k.modules = Some(vec!["apparmor".to_owned()])).contains("`bpf`"));
    assert!(refused(|k| k.bpffs = false).contains("/sys/fs/bpf"));
    assert!(refused(|k| k.own_bpffs = true).contains("process 1 has another"));
    assert!(refused(|k| k.container = true).contains("process 1"));
    assert!(refused(|k| k.btf = Vec::new()).contains("type information"));
}

#[test]
fn a_policy_whose_pins_are_out_of_sight_is_seen() {
    let (mut kernel, bytes) = (Fake::new(&HOOKS), artifact(&HOOKS));
    try_load(&mut kernel, &bytes).unwrap();
    let pins = std::mem::take(&mut kernel.state.borrow_mut().pins);
    let dirs = kernel.state.borrow().dirs.clone();
    kernel.state.borrow_mut().dirs.retain(|d| !d.starts_with("/sys/fs/bpf/ebsec"));
    let hidden = |error: crate::error::Error| assert!(error.message.contains("whose pins are not in /sys/fs/bpf"), "{}", error.message);
    hidden(crate::loaded::find(&mut kernel).unwrap_err());
    hidden(try_load(&mut kernel, &bytes).unwrap_err());
    hidden(unload::unload(&mut kernel).unwrap_err());
    kernel.state.borrow_mut().pins = pins;
    kernel.state.borrow_mut().dirs = dirs;
    assert!(crate::loaded::find(&mut kernel).is_ok());
    unload::unload(&mut kernel).unwrap();
    assert_eq!(kernel.state.borrow().leftovers(), [""; 0]);
}

#[test]
fn what_a_dead_loader_left_is_swept() {
    let (mut kernel, bytes) = (Fake::new(&HOOKS), artifact(&HOOKS));
    let dir = std::path::Path::new("/sys/fs/bpf/ebsec/staging");
    kernel.make_dir(std::path::Path::new("/sys/fs/bpf/ebsec")).unwrap();
    kernel.make_dir(dir).unwrap();
    let fd = kernel.btf_load(&[]).unwrap();
    kernel.pin(&fd, &dir.join("link_x")).unwrap();
    drop(fd);
    try_load(&mut kernel, &bytes).unwrap();
    unload::unload(&mut kernel).unwrap();
    assert_eq!(kernel.state.borrow().leftovers(), [""; 0]);
}

/// Small, fast, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        match self.below(8) {
            0 => bytes.truncate(self.below(bytes.len())),
            1 => bytes.insert(self.below(bytes.len()), 0x5a),
            2 => {
                let at = self.below(bytes.len() - 8);
                bytes[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
            }
            _ => {
                let at = self.below(bytes.len());
                bytes[at] ^= 1 << self.below(8);
            }
        }
    }
}

#[test]
fn ten_thousand_damaged_artifacts_are_refused() {
    let good = artifact(&HOOKS);
    let mut random = Random(1);
    for _ in 0..10_000 {
        let mut bytes = good.clone();
        while bytes == good {
            random.mutate(&mut bytes);
        }
        let mut kernel = Fake::new(&[]);
        assert!(try_load(&mut kernel, &bytes).is_err());
        assert!(kernel.state.borrow().steps.is_empty(), "the kernel was asked about a damaged artifact");
    }
}

/// Damage that a hostile author covers by a right digest: it may load or not, but it never panics, keeps the order,
/// and leaves nothing where it fails.
#[test]
fn hostile_artifacts_with_a_right_digest_do_no_harm() {
    let good = artifact(&HOOKS);
    let mut random = Random(2);
    let btf = Fake::new(&HOOKS).btf;
    for _ in 0..3_000 {
        let mut bytes = good[..good.len() - ebsec_artifact::DIGEST_LENGTH].to_vec();
        random.mutate(&mut bytes);
        let mut kernel = Fake::new(&[]);
        kernel.btf.clone_from(&btf);
        let result = try_load(&mut kernel, &ebsec_artifact::seal(bytes));
        let state = kernel.state.borrow();
        assert_eq!(state.broken, [""; 0]);
        if result.is_err() {
            assert_eq!(state.leftovers(), [""; 0]);
        }
    }
}

/// Stages an artifact against a kernel's types: `EBSEC_ARTIFACT=FILE EBSEC_BTF=FILE cargo test stages_a_given -- --nocapture`.
#[test]
fn stages_a_given_artifact() {
    let file = |name: &str| std::env::var_os(name).map(|path| std::fs::read(path).unwrap());
    let (Some(bytes), Some(btf)) = (file("EBSEC_ARTIFACT"), file("EBSEC_BTF")) else { return };
    let mut kernel = Fake::new(&[]);
    kernel.btf = btf;
    let start = std::time::Instant::now();
    let report = verify::check(&mut kernel, &policy::check(&bytes).unwrap(), &mut |_| {}).unwrap();
    println!("{}{:?}", report.text(), start.elapsed());
}
