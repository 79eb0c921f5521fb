#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! The judge knows every hook of the contracts.

use super::*;

#[test]
fn other_names_of_a_file() {
    let scenery = Scenery { mounts: vec![], binds: vec![("/srv/a".into(), "/mnt".into())], taken: vec![("/mnt".into(), "/q".into())] };
    assert_eq!(scenery.aliases("/srv/a/b"), ["/mnt/b"]);
    assert_eq!(scenery.aliases("/mnt"), ["/srv/a"]);
    assert!(scenery.aliases("/srv/ab").is_empty());
    assert_eq!(scenery.outside("/q/b"), ["/mnt/b"]);
    assert!(scenery.outside("/qb").is_empty());
}

#[test]
fn mounts_of_paths() {
    let scenery = Scenery { mounts: vec!["/srv".into(), "/srv/b".into()], binds: vec![("/x".into(), "/mnt".into())], taken: vec![] };
    assert_eq!(["/srv/a", "/srv/b/c", "/srvx", "/mnt", "/x"].map(|p| scenery.mount_of(p)), ["/srv", "/srv/b", "/", "/mnt", "/"]);
}

#[test]
fn every_hook_of_the_contracts_has_arguments() {
    for hook in &catalog().hooks {
        assert!(hooks::is_known(&hook.name), "`{}` is missing in the table of arguments", hook.name);
    }
}

#[test]
fn arguments_are_those_of_the_committed_prototypes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../bpf-templates/prototypes");
    let mut seen = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let kernel: toml::Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let hooks = kernel["hooks"].as_table().unwrap();
        for hook in catalog().hooks.iter().filter(|hook| hooks.contains_key(&hook.name)) {
            let parameters = hooks[&hook.name]["parameters"].as_array().unwrap();
            let text = |p: &'_ toml::Value, key: &str| p.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
            let parameters: Vec<_> = parameters.iter().map(|p| (text(p, "name"), text(p, "pointer"))).collect();
            let parameters: Vec<_> = parameters.iter().map(|(name, target)| (name.as_str(), target.as_str())).collect();
            wrong.extend(hooks::contradictions(&hook.name, &parameters).into_iter().map(|w| format!("{}: {w}", path.display())));
            seen.insert(&hook.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen.len(), catalog().hooks.len(), "a hook is on no default kernel");
}

/// The verdicts of both judges on the steps of a text's tests; `vary` lays each out in that many ways.
fn both(text: &str, vary: u64) -> Vec<(Verdict, Result<Verdict, Trouble>)> {
    both_in(&Scenery::default(), text, vary)
}

fn both_in(scenery: &Scenery, text: &str, vary: u64) -> Vec<(Verdict, Result<Verdict, Trouble>)> {
    use crate::pipeline::{build, check};
    let mut input = crate::pipeline::Input::default();
    input.sources.add("a.ebsec", text);
    let checked = check(input);
    let package = checked.package.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let built = build(&package, &checked.sources, ebsec_artifact::Tests::default()).unwrap();
    let mut all = Vec::new();
    for flavour in Flavour::ALL {
        let stage = Stage::new(flavour, 3, scenery.clone()).unwrap();
        let mut judge = Judge::new(&stage, &built.artifact, &built.plan, &package).unwrap();
        for step in package.tests.iter().flat_map(|t| &t.steps) {
            for variant in 0..vary {
                let interpreter = crate::hir::eval::eval(&package, catalog(), &step.operation);
                for past in [Past::Written, Past::Hooks, Past::Seeded] {
                    let layout = Layout { past, variant: variant.wrapping_mul(0x9e37_79b9_7f4a_7c15) };
                    all.push((interpreter.clone(), judge.run(&step.operation, layout)));
                }
            }
        }
    }
    all
}

#[test]
fn no_prefix_holds_an_absent_address() {
    let text = "policy p {
    mode = enforce
    r: deny hook.socket_connect, hook.socket_sendmsg when remote.ip in [::/0]
}
test \"t\" {
    process p = { exe = \"/bin/x\" }
    p hook.socket_connect { family = unix } => allow
    p hook.socket_sendmsg { family = inet } => allow
    p hook.socket_connect [::1]:80 => deny by p.r
}
";
    let all = both(text, 20);
    assert_eq!(all.len(), 3 * 20 * 3 * Flavour::ALL.len());
    for (interpreter, bytecode) in all {
        assert_eq!(bytecode, Ok(interpreter));
    }
}

#[test]
fn the_unspecified_address_is_what_the_kernel_makes_of_it() {
    use crate::hir::Remote;
    let reach = |named: &str, source: Option<&str>| {
        let parse = |text: &str| text.parse::<std::net::IpAddr>().unwrap().to_canonical();
        Remote { named: Some(parse(named)), port: Some(1), source: source.map(parse) }.address().unwrap().to_string()
    };
    assert_eq!(reach("0.0.0.0", None), "127.0.0.1");
    assert_eq!(reach("::ffff:0.0.0.0", Some("::")), "127.0.0.1");
    assert_eq!(reach("0.0.0.0", Some("10.8.8.8")), "10.8.8.8");
    assert_eq!(reach("0.0.0.0", Some("fd00::1")), "127.0.0.6");
    assert_eq!(reach("::", None), "::1");
    assert_eq!(reach("::", Some("fd00::1")), "::1");
    assert_eq!(reach("::", Some("::ffff:10.8.8.8")), "127.0.0.1");
    assert_eq!(reach("10.1.2.3", Some("10.8.8.8")), "10.1.2.3");
}

#[test]
fn what_cannot_be_told_is_refused_where_the_verdict_depends_on_it() {
    let text = "policy p {
    mode = enforce
    r: deny net.egress when remote.ip in [127.0.0.0/8] and remote.port == 4444
}
policy q {
    mode = enforce
    scope = process.exe == \"/bin/y\"
    default deny net.egress
    a: allow net.egress when remote.ip in [127.0.0.0/8]
}
test \"t\" {
    process p = { exe = \"/bin/x\" }
    process q = { exe = \"/bin/y\" }
    p net.egress 10.0.0.1:4444 { unresolved = true } => deny by p.r
    p net.egress 10.0.0.1:443 { unresolved = true } => allow
    p hook.socket_setsockopt { unresolved = true } => deny by p.r
    p hook.socket_setsockopt { family = inet6 } => allow
    q net.egress 0.0.0.0:443 => allow
    q net.egress [::]:443 => deny by q default
    q hook.socket_setsockopt { unresolved = true } => deny by q default
}
";
    for (i, (interpreter, bytecode)) in both(text, 60).into_iter().enumerate() {
        assert_eq!(bytecode, Ok(interpreter), "{i}");
    }
}

#[test]
fn an_unlinked_file_is_deleted_even_where_its_path_fails() {
    let text = "policy p {
    mode = enforce
    r: deny exec, file.write when file.path.deleted
}
test \"t\" {
    process p = { exe = \"/bin/x\" }
    p exec \"/a\" { deleted = true, unresolved = true } => deny by p.r
    p exec \"/a\" { unresolved = true } => allow
    p hook.inode_setxattr \"/a\" { deleted = true, unresolved = true } => deny by p.r
    p hook.inode_setxattr \"/a\" { unresolved = true } => allow
    p hook.path_chmod \"/a\" { deleted = true } => deny by p.r
}
";
    for (i, (interpreter, bytecode)) in both(text, 30).into_iter().enumerate() {
        assert_eq!(bytecode, Ok(interpreter), "{i}");
    }
}

#[test]
fn a_container_that_anyone_can_make_loosens_nothing() {
    let text = "policy host {
    mode = enforce
    scope = not process.container
    r: deny file.read when file.path == \"/scope\"
}
policy p {
    mode = enforce
    default deny file.run
    tightens: deny file.read when file.path == \"/jail\" and process.container
    loosens:  deny file.read when file.path == \"/kept\" unless process.container
    listed:   allow file.run when process.container
}
policy q {
    mode = enforce
    except_for_it: deny file.read when file.path == \"/except\"
}
except q.except_for_it when process.container because \"x\"
test \"t\" {
    process host = { exe = \"/bin/x\" }
    process real = { exe = \"/bin/x\", container = true }
    process fake = { exe = \"/bin/x\", container = true, trusted = false }
    host file.read \"/scope\" => deny by host.r
    real file.read \"/scope\" => allow
    fake file.read \"/scope\" => deny by host.r
    host file.read \"/jail\" => allow
    real file.read \"/jail\" => deny by p.tightens
    fake file.read \"/jail\" => deny by p.tightens
    host file.read \"/kept\" => deny by p.loosens
    real file.read \"/kept\" => allow
    fake file.read \"/kept\" => deny by p.loosens
    real file.run \"/a\" => allow
    fake file.run \"/a\" => deny by p default
    real file.read \"/except\" => allow
    fake file.read \"/except\" => deny by q.except_for_it
}
";
    expected(text);
    for (i, (interpreter, bytecode)) in both(text, 40).into_iter().enumerate() {
        assert_eq!(bytecode, Ok(interpreter), "{i}");
    }
}

#[test]
fn sockets_have_the_paths_of_files_and_abstract_ones_have_none() {
    let text = "policy p {
    mode = enforce
    r: deny file.write when not (file.path under \"/open\")
    s: deny hook.unix_stream_connect when file.mode == 0o600 and not file.memfd
    t: deny hook.unix_may_send unless file.path.name == \"log\"
}
test \"t\" {
    process p = { exe = \"/bin/x\" }
    p hook.unix_stream_connect \"/run/docker.sock\" => deny by p.r
    p hook.unix_stream_connect \"/open/s\" => allow
    p hook.unix_stream_connect \"/open/s\" { mode = 0o600 } => deny by p.s
    p hook.unix_stream_connect { named = false } => allow
    p hook.unix_stream_connect \"/open/s\" { deleted = true } => allow
    p hook.unix_stream_connect \"/open/s\" { unresolved = true } => deny by p.r
    p hook.unix_may_send \"/open/s\" => deny by p.t
    p hook.unix_may_send \"/open/log\" => allow
    p hook.unix_may_send \"/secret\" { to_peer = true } => allow
    p hook.unix_may_send { named = false } => deny by p.t
    p hook.unix_may_send { named = false, to_peer = true } => allow
}
";
    expected(text);
    for (i, (interpreter, bytecode)) in both(text, 20).into_iter().enumerate() {
        assert_eq!(bytecode, Ok(interpreter), "{i}");
    }
}

#[test]
fn hooks_without_an_object_ask_the_process_and_the_operation() {
    let text = "let stacked: set<name> = [\"overlay\", \"fuse*\"]
policy p {
    mode = enforce
    u: deny hook.userns_create when process.uid == 1000 unless process.exe == \"/usr/bin/bwrap\"
    m: deny hook.sb_kern_mount when mount.fs in stacked
    n: deny hook.sb_kern_mount when mount.fs != \"tmpfs\" and process.uid == 7
}
test \"t\" {
    process user = { exe = \"/bin/x\", uid = 1000 }
    process bwrap = { exe = \"/usr/bin/bwrap\", uid = 1000 }
    process seven = { exe = \"/bin/x\", uid = 7 }
    user hook.userns_create => deny by p.u
    bwrap hook.userns_create => allow
    seven hook.userns_create => allow
    user hook.sb_kern_mount { fs = \"overlay\" } => deny by p.m
    user hook.sb_kern_mount { fs = \"overlayfs\" } => allow
    user hook.sb_kern_mount { fs = \"fuseblk\" } => deny by p.m
    user hook.sb_kern_mount { fs = \"a-type-of-thirty-one-characters\" } => allow
    seven hook.sb_kern_mount { fs = \"tmpfs\" } => allow
    seven hook.sb_kern_mount { fs = \"binfmt_misc\" } => deny by p.n
}
";
    expected(text);
    for (i, (interpreter, bytecode)) in both(text, 5).into_iter().enumerate() {
        assert_eq!(bytecode, Ok(interpreter), "{i}");
    }
}

#[test]
fn a_program_with_a_name_that_rules_know_and_another_is_not_trusted_with_the_first() {
    let text = "policy p {
    mode = enforce
    r: deny file.read when file.path == \"/srv/s\" unless process.exe == \"/opt/a\"
    l: deny file.read when file.path == \"/srv/l\" unless process.lineage.exe == \"/opt/a\"
}
test \"t\" {
    process host = { exe = \"/opt/a\" }
    process two = { exe = \"/opt/a\", trusted = false }
    host file.read \"/srv/s\" => allow
    host file.read \"/srv/l\" => allow
    two file.read \"/srv/s\" => deny by p.r
    two file.read \"/srv/l\" => deny by p.l
}
";
    expected(text);
    // by a mount of nobody's the host's `/opt/a` is `/mnt/a` as well, which the rules of the second text do not tell from it
    let scenery = Scenery { binds: vec![("/opt".into(), "/mnt".into())], ..Scenery::default() };
    for text in [text.to_owned(), text.replace("== \"/opt/a\"", "in [\"/opt/a\", \"/mnt/a\"]")] {
        let mut judged = 0;
        for (i, (interpreter, bytecode)) in both_in(&scenery, &text, 40).into_iter().enumerate() {
            if matches!(bytecode, Err(Trouble::Impossible(_))) {
                continue;
            }
            assert_eq!(bytecode, Ok(interpreter), "{i}");
            judged += 1;
        }
        assert!(judged > 500, "{judged} were laid out");
    }
}

/// Every line of a text's tests has the verdict that it names.
fn expected(text: &str) {
    let mut input = crate::pipeline::Input::default();
    input.sources.add("a.ebsec", text);
    let checked = crate::pipeline::check(input);
    let package = checked.package.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    for (i, step) in package.tests.iter().flat_map(|t| &t.steps).enumerate() {
        let verdict = crate::hir::eval::eval(&package, catalog(), &step.operation);
        let met = crate::hir::eval::satisfies(&package, &verdict, step.expect.as_ref());
        assert!(met, "line {i}: {}", crate::hir::eval::describe(&package, &verdict, crate::hir::eval::Modes::Actual));
    }
}

#[test]
fn what_is_handed_over_is_named() {
    let text = "policy p {
    mode = enforce
    default deny file.read
}
test \"t\" {
    process p = { exe = \"/bin/x\" }
    p hook.bprm_check_security \"/a\" { hands_over = true, target = \"/\" } => deny by p default
    p hook.bprm_check_security \"/a\" { hands_over = true, target = \"/srv\" } => deny by p default
    p hook.bprm_check_security \"/a\" { hands_over = true, target = \"/srv/b\" } => deny by p default
}
";
    expected(text);
    let scenery = Scenery { mounts: vec!["/srv".into()], ..Scenery::default() };
    for (i, (interpreter, bytecode)) in both_in(&scenery, text, 40).into_iter().enumerate() {
        assert_eq!(bytecode, Ok(interpreter), "{i}");
    }
}
