//! Artifacts against their reader: what was written is read, and whatever else is refused with a reason.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use ebsec_artifact::{
    Action, Allow, ArtifactError, Clauses, Exception, FORMAT, MAX_LENGTH, Manifest, ManifestMap, ManifestProgram, MapContents, MapRole,
    Mode, Outcome, OutcomeRule, POLICIES_FORMAT, Policies, Policy, Rule, Severity, Truth, VerifiedKernel, encode_tables, open, read_tables,
    schema, seal, set_manifest,
};
use proptest::prelude::*;

fn manifest() -> Manifest {
    let rule = Rule {
        action: Action::Deny,
        attack: vec!["T1003".into()],
        because: "secrets \"stay\" here\u{1}".into(),
        event: "file.read".into(),
        file: "web.ebsec".into(),
        label: Some("shadow".into()),
        line: 3,
        mode: Mode::Enforce,
        policy: "web".into(),
        severity: Severity::High,
    };
    let outcome = |id, event: &str, errno, rules| Outcome { errno, event: event.into(), id, kill: false, rules };
    Manifest {
        format: FORMAT,
        schema: schema::SCHEMA_HASH.into(),
        package: "web".into(),
        version: "1.2.0".into(),
        compiler: "ebsec 0.1.0".into(),
        kernels: vec!["6.1".into(), "6.12".into()],
        rules: vec![rule],
        outcomes: vec![
            outcome(0, "", 0, vec![]),
            outcome(1, "", 0, vec![]),
            outcome(2, "file.read", 13, vec![OutcomeRule { rule: 0, truth: Truth::Failed }]),
        ],
        programs: vec![ManifestProgram {
            name: "file_open".into(),
            section: "lsm/file_open".into(),
            enforcing: true,
            ..Default::default()
        }],
        maps: vec![ManifestMap { digest: None, frozen: false, max_entries: 1, name: "control".into(), role: MapRole::Control }],
        slots: vec!["file.read".into()],
        ..Manifest::default()
    }
}

fn tables() -> Vec<u8> {
    let entries = vec![(vec![1, 2], vec![3, 4, 5]), (vec![6, 7], vec![8, 9, 10])];
    encode_tables(&[MapContents { name: "prefixes".into(), key_size: 2, value_size: 3, entries }]).unwrap()
}

/// The least ELF file with these sections.
fn elf(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut names = vec![0];
    let mut data: Vec<u8> = Vec::new();
    let mut table = vec![0; 64];
    let mut entry = |names: &mut Vec<u8>, name: &str, bytes: &[u8], offset: usize| {
        let start = names.len() as u32;
        names.extend(name.as_bytes());
        names.push(0);
        let mut row = [0; 64];
        row[..4].copy_from_slice(&start.to_le_bytes());
        row[4] = 1;
        row[24..32].copy_from_slice(&(offset as u64).to_le_bytes());
        row[32..40].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        table.extend(row);
    };
    for (name, bytes) in sections {
        entry(&mut names, name, bytes, 64 + data.len());
        data.extend(*bytes);
    }
    let at = 64 + data.len();
    let mut all = names.clone();
    all.extend(b".shstrtab\0");
    entry(&mut names, ".shstrtab", &all, at);
    data.extend(&all);
    let mut out = vec![0; 64];
    out[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    (out[16], out[18], out[58], out[60], out[62]) = (1, 247, 64, sections.len() as u8 + 2, sections.len() as u8 + 1);
    out[40..48].copy_from_slice(&((64 + data.len()) as u64).to_le_bytes());
    out.extend(data);
    out.extend(table);
    out
}

fn artifact() -> Vec<u8> {
    let (manifest, functions) = (manifest().encode().unwrap(), b"walk 3 bpf_rdonly_cast id\n");
    seal(elf(&[(".ebsec.manifest", &manifest), (".ebsec.tables", &tables()), (".ebsec.functions", functions), ("license", b"GPL\0")]))
}

#[test]
fn what_was_written_is_read() {
    let bytes = artifact();
    let artifact = open(&bytes).unwrap();
    assert_eq!(artifact.manifest, manifest());
    let table = artifact.tables.get("prefixes").unwrap();
    assert_eq!(table.count(), 2);
    assert_eq!(table.entries().nth(1), Some((&[6, 7][..], &[8, 9, 10][..])));
    assert_eq!(artifact.section("license"), Some(&b"GPL\0"[..]));
    assert_eq!(artifact.section("nothing"), None);
    assert_eq!((artifact.functions.len(), artifact.functions[0].slot), (1, 3));
    let rules: Vec<_> = artifact.manifest.rules_of(2).map(|(rule, truth)| (rule.policy.as_str(), truth)).collect();
    assert_eq!(rules, [("web", Truth::Failed)]);
}

#[test]
fn keys_are_sorted_and_numbers_whole() {
    fn check(value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                assert!(map.keys().is_sorted(), "{:?}", map.keys().collect::<Vec<_>>());
                map.values().for_each(check);
            }
            serde_json::Value::Array(list) => list.iter().for_each(check),
            serde_json::Value::Number(n) => assert!(n.is_u64()),
            _ => {}
        }
    }
    let mut manifest = manifest();
    manifest.verified.push(VerifiedKernel { programs: vec![Default::default()], ..Default::default() });
    manifest.sources.push(Default::default());
    manifest.budget.programs.push(Default::default());
    check(&serde_json::from_slice(&manifest.encode().unwrap()).unwrap());
}

#[test]
fn the_manifest_can_be_replaced_again_and_again() {
    let first = artifact();
    let mut manifest = manifest();
    manifest.verified.push(VerifiedKernel { release: "6.1.0-40-cloud-amd64".into(), series: "6.1".into(), programs: vec![] });
    let second = set_manifest(&first, &manifest).unwrap();
    assert_eq!(open(&second).unwrap().manifest, manifest);
    assert_eq!(open(&second).unwrap().tables, open(&first).unwrap().tables);
    assert_eq!(open(&second).unwrap().section("license"), Some(&b"GPL\0"[..]));
    assert_eq!(set_manifest(&second, &manifest).unwrap(), second);
    manifest.verified.clear();
    let third = set_manifest(&second, &manifest).unwrap();
    assert_eq!(open(&third).unwrap().manifest, manifest);
    assert!(third.len() < second.len());
    assert_ne!(open(&third).unwrap().digest, open(&second).unwrap().digest);
}

fn policies() -> Policies {
    let allow = Allow { events: vec!["exec".into()], label: "helper".into(), line: 2, ..Allow::default() };
    let rule = Clauses { events: 1, first: 0, unless: "process.container".into(), when: String::new() };
    let policy = Policy {
        allows: vec![allow],
        description: String::new(),
        file: "web.ebsec".into(),
        mode: Mode::Enforce,
        name: "web".into(),
        parameters: vec![],
        rules: vec![rule],
        scope: String::new(),
        tags: vec!["pci".into()],
    };
    let exception = Exception { because: "tests".into(), policy: "web".into(), line: 9, ..Exception::default() };
    Policies { definitions: vec![], exceptions: vec![exception], format: POLICIES_FORMAT, policies: vec![policy] }
}

fn with_policies(contents: &[&[u8]]) -> Vec<u8> {
    let (manifest, tables) = (manifest().encode().unwrap(), tables());
    let mut sections: Vec<(&str, &[u8])> =
        vec![(".ebsec.manifest", &manifest), (".ebsec.tables", &tables), (".ebsec.functions", b""), ("license", b"GPL\0")];
    sections.extend(contents.iter().map(|bytes| (".ebsec.policies", *bytes)));
    seal(elf(&sections))
}

#[test]
fn what_policies_say_is_read_and_optional() {
    let bytes = with_policies(&[&policies().encode().unwrap()]);
    assert_eq!(open(&bytes).unwrap().policies().unwrap(), Some(policies()));
    assert_eq!(open(&with_policies(&[])).unwrap().policies().unwrap(), None);
    // Recording a verdict moves the manifest and leaves them.
    let recorded = set_manifest(&bytes, &Manifest { version: "1.2.1".into(), ..manifest() }).unwrap();
    assert_eq!(open(&recorded).unwrap().policies().unwrap(), Some(policies()));
}

#[test]
fn what_policies_say_is_about_the_rules_of_the_manifest() {
    let error = |contents: &[&[u8]]| {
        let bytes = with_policies(contents);
        // The rest of the artifact is as good as without it.
        open(&bytes).unwrap().policies().unwrap_err().to_string()
    };
    let with = |change: &dyn Fn(&mut Policies)| {
        let mut all = policies();
        change(&mut all);
        error(&[&all.encode().unwrap()]).split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(with(&|p| p.format = 2), "they have the format 2, which this version cannot read");
    assert_eq!(with(&|p| p.policies[0].rules[0].first = 1), "their rules are not in order");
    assert_eq!(with(&|p| p.policies[0].rules[0].events = 0), "their rules are not in order");
    assert_eq!(with(&|p| p.policies[0].rules[0].events = u32::MAX), "their rules are not those of the manifest");
    assert_eq!(with(&|p| p.policies.clear()), "their rules are not those of the manifest");
    let good = policies().encode().unwrap();
    assert_eq!(error(&[&good, &good]), "the section `.ebsec.policies` is there twice");
    assert_eq!(error(&[&[&good[..], b" "].concat()]), "what its policies say cannot be read: they are not in canonical form");
    assert!(error(&[b"{\"format\":1,\"x\":0}"]).contains("unknown field `x`"));
}

#[test]
fn each_refusal_has_its_reason() {
    let manifest = manifest().encode().unwrap();
    let tables = tables();
    let error = |sections: &[(&str, &[u8])]| open(&seal(elf(sections))).unwrap_err().to_string();
    let with = |change: &dyn Fn(&mut Manifest)| {
        let mut m = self::manifest();
        change(&mut m);
        open(&seal(elf(&[(".ebsec.manifest", &m.encode().unwrap()), (".ebsec.tables", &tables), (".ebsec.functions", b"")]))).unwrap_err()
    };
    assert_eq!(open(&[]).unwrap_err().to_string(), "the file is not an ebsec artifact");
    assert_eq!(open(&seal(b"policy p { }".to_vec())).unwrap_err(), ArtifactError::NotArtifact);
    assert_eq!(open(b"\x7fELF").unwrap_err().to_string(), "the file has only 4 bytes");
    assert_eq!(open(&[&b"\x7fELF"[..], &[0; 99]].concat()).unwrap_err(), ArtifactError::Digest);
    assert_eq!(open(&vec![0; MAX_LENGTH + 1]).unwrap_err(), ArtifactError::TooLong(MAX_LENGTH + 1));
    assert_eq!(
        open(&seal([&b"\x7fELF"[..], &[0; 99]].concat())).unwrap_err().to_string(),
        "the file is no eBPF object: it does not begin like one"
    );
    assert_eq!(error(&[]), "the section `.ebsec.manifest` is missing");
    assert_eq!(error(&[(".ebsec.manifest", &manifest)]), "the section `.ebsec.tables` is missing");
    assert_eq!(
        error(&[(".ebsec.manifest", &manifest), (".ebsec.manifest", &manifest), (".ebsec.tables", &tables)]),
        "the section `.ebsec.manifest` is there twice"
    );
    let mut spaced = manifest.clone();
    spaced.push(b' ');
    assert_eq!(
        error(&[(".ebsec.manifest", &spaced), (".ebsec.tables", &tables)]),
        "the manifest cannot be read: it is not in canonical form"
    );
    assert_eq!(
        error(&[(".ebsec.manifest", &manifest), (".ebsec.tables", b"EBT2\0\0\0\0")]),
        "the initial map contents cannot be read: they do not begin as they must"
    );
    assert_eq!(error(&[(".ebsec.manifest", &manifest), (".ebsec.tables", &tables)]), "the section `.ebsec.functions` is missing");
    assert_eq!(
        error(&[(".ebsec.manifest", &manifest), (".ebsec.tables", &tables), (".ebsec.functions", b"walk")]),
        "what it asks about the kernel's functions cannot be read: a line is none of them"
    );
    assert_eq!(with(&|m| m.format = 2), ArtifactError::Format(2));
    assert_eq!(with(&|m| m.schema = "other".into()), ArtifactError::Schema("other".into()));
    assert!(with(&|m| m.outcomes[2].rules[0].rule = 9).to_string().contains("names a rule that is not there"));
    assert!(with(&|m| m.outcomes[2].id = 9).to_string().contains("not numbered in order"));
    assert!(with(&|m| m.slots = vec![String::new(); 65]).to_string().contains("more than 64 events"));
}

#[test]
fn tables_are_read_within_their_caps() {
    let reason = |bytes: &[u8]| read_tables(bytes).unwrap_err().to_string();
    let good = tables();
    for length in 0..good.len() {
        assert!(reason(&good[..length]).starts_with("the initial map contents cannot be read: "));
    }
    let mut long = good.clone();
    long.push(0);
    assert!(reason(&long).ends_with("something follows the last one"));
    let number = |at: usize, value: u32| {
        let mut bytes = good.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        reason(&bytes)
    };
    assert!(number(4, 65).ends_with("a number is too large"));
    assert!(number(8, 65).ends_with("a number is too large"));
    assert!(number(12, 0).ends_with("a length is zero"));
    assert!(number(20, u32::MAX).ends_with("they are cut off"));
    let map = MapContents { name: "a".into(), key_size: 1, value_size: 1, entries: vec![(vec![1], vec![2, 3])] };
    assert!(encode_tables(&[map]).is_err());
    let map = |name: &str| MapContents { name: name.into(), key_size: 1, value_size: 1, entries: vec![] };
    assert!(encode_tables(&[map("a"), map("a")]).is_err());
    assert!(encode_tables(&[map("a/b")]).is_err());
}

#[test]
fn every_cut_and_ten_thousand_flips_are_refused() {
    let good = artifact();
    for length in 0..good.len() {
        assert!(open(&good[..length]).is_err());
    }
    // A fixed generator: a failure can be had again.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..10_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let bit = seed as usize % (good.len() * 8);
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let wanted = if bit / 8 < 4 { ArtifactError::NotArtifact } else { ArtifactError::Digest };
        assert_eq!(open(&bytes).unwrap_err(), wanted);
    }
}

#[test]
fn what_an_error_quotes_moves_no_terminal() {
    let mut object = artifact();
    object.truncate(object.len() - 32);
    let key = b"\"line_bits\"";
    let at = object.windows(key.len()).position(|w| w == key).unwrap();
    object[at + 2] = b'\\';
    assert!(open(&seal(object)).unwrap_err().to_string().contains(r"unknown field `l\ne_bits`"));
    let error = ArtifactError::Manifest("unknown field `l\u{1b}[2J\ne`".into());
    assert_eq!(error.to_string(), r"the manifest cannot be read: unknown field `l\u{1b}[2J\ne`");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Somebody who can compute a digest still gets no panic, and whatever is accepted reads to its end.
    #[test]
    fn a_resealed_mutation_never_panics(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in prop::option::of(any::<prop::sample::Index>())) {
        let good = artifact();
        let mut object = good[..good.len() - 32].to_vec();
        for (at, value) in flips {
            let at = at.index(object.len());
            object[at] = value;
        }
        if let Some(cut) = cut {
            object.truncate(cut.index(object.len()));
        }
        let bytes = seal(object);
        match open(&bytes) {
            Ok(artifact) => {
                artifact.sections().count();
                artifact.tables.tables.iter().flat_map(|t| t.entries()).count();
                let _ = set_manifest(&bytes, &manifest());
            }
            Err(error) => {
                let text = error.to_string();
                prop_assert!(text.starts_with(char::is_lowercase) && !text.contains(char::is_control), "{:?}", text);
            }
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(open(&bytes).is_err());
        prop_assert!(open(&seal(bytes.clone())).is_err());
        let mut begun = b"\x7fELF\x02\x01\x01".to_vec();
        begun.extend(&bytes);
        prop_assert!(open(&seal(begun)).is_err());
        let _ = read_tables(&bytes);
    }
}
