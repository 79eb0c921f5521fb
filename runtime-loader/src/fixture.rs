//! An artifact for tests, without the compiler: for each hook a program that refuses the canary and counts it, an
//! iterator that counts tasks, the maps of every artifact, a table and a read-only section.

use ebsec_artifact::{
    Action, Manifest, ManifestMap, ManifestProgram, MapContents, MapRole, Mode, Outcome, OutcomeRule, Rule, Severity, Truth, encode_tables,
    schema, seal,
};
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf};
use std::collections::BTreeMap;

/// Name, kind, bytes of a key and a value, entries.
const MAPS: [(&str, u32, u32, u32, u32); 3] =
    [("tasks", 1, 8, schema::Record::SIZE as u32, 64), ("events", 27, 0, 0, 1 << 16), ("prefixes", 11, 20, 4, 16)];

/// Data sections, their parts and sizes.
const SECTIONS: [(&str, MapRole, usize); 5] = [
    (".data.control", MapRole::Control, schema::Control::SIZE),
    (".data.records", MapRole::Records, 576),
    (".data.counters", MapRole::Counters, 24),
    (".data.stats", MapRole::Stats, schema::Stats::SIZE),
    (".rodata.table", MapRole::Table, 64),
];

#[derive(Default)]
struct Btf {
    types: Vec<u8>,
    strings: Vec<u8>,
    count: u32,
}

impl Btf {
    fn text(&mut self, text: &str) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        let at = self.strings.len() as u32;
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at
    }

    fn add(&mut self, name: &str, kind: u32, count: u32, size: u32, more: &[u32]) -> u32 {
        let name = if name.is_empty() { 0 } else { self.text(name) };
        let words = [name, kind << 24 | count, size];
        self.types.extend(words.iter().chain(more).flat_map(|w| w.to_le_bytes()));
        self.count += 1;
        self.count
    }

    fn bytes(&self) -> Vec<u8> {
        let (types, strings) = (self.types.len() as u32, self.strings.len() as u32);
        let mut out = vec![0x9f, 0xeb, 1, 0];
        out.extend([24, 0, types, types, strings].iter().flat_map(|w: &u32| w.to_le_bytes()));
        out.extend(&self.types);
        out.extend(&self.strings);
        out
    }
}

/// Types of the maps and functions; ids of the functions.
fn types(functions: &[String]) -> (Btf, Vec<u32>) {
    let mut btf = Btf::default();
    btf.text("x");
    let int = btf.add("int", 1, 0, 4, &[1 << 24 | 32]);
    let mut vars = Vec::new();
    for (name, kind, key, value, entries) in MAPS {
        let mut members = Vec::new();
        let flags = u32::from(kind == 11);
        for (i, (field, number)) in
            [("type", kind), ("key_size", key), ("value_size", value), ("max_entries", entries), ("map_flags", flags)].iter().enumerate()
        {
            let array = btf.add("", 3, 0, 0, &[int, int, *number]);
            let pointer = btf.add("", 2, 0, array, &[]);
            members.extend([btf.text(field), pointer, i as u32 * 64]);
        }
        let map = btf.add("", 4, 5, 40, &members);
        vars.extend([btf.add(name, 14, 0, map, &[1]), vars.len() as u32 / 3 * 40, 40]);
    }
    btf.add(".maps", 15, MAPS.len() as u32, MAPS.len() as u32 * 40, &vars);
    let context = btf.add("", 2, 0, int, &[]);
    let parameter = btf.text("ctx");
    let proto = btf.add("", 13, 1, int, &[parameter, context]);
    let ids = functions.iter().map(|f| btf.add(f, 12, 1, proto, &[])).collect();
    (btf, ids)
}

/// Code with places where a map's address goes.
#[derive(Default)]
struct Code {
    bytes: Vec<u8>,
    maps: Vec<(u64, &'static str)>,
}

impl Code {
    fn op(&mut self, code: u8, dst: u8, src: u8, off: i16, imm: i32) -> &mut Self {
        let (o, i) = (off.to_le_bytes(), imm.to_le_bytes());
        self.bytes.extend([code, dst | src << 4, o[0], o[1], i[0], i[1], i[2], i[3]]);
        self
    }

    fn map(&mut self, register: u8, map: &'static str) -> &mut Self {
        self.maps.push((self.bytes.len() as u64, map));
        self.op(0x18, register, 0, 0, 0).op(0, 0, 0, 0, 0)
    }
}

/// Refuses the canary while the mode is on, counts it and sends a report.
fn refuse() -> Code {
    let mut code = Code::default();
    code.map(7, ".data.control").op(0x85, 0, 0, 0, 14).op(0x77, 0, 0, 0, 32);
    code.op(0x61, 1, 7, schema::Control::CANARY as i16, 0).op(0x61, 2, 7, schema::Control::MODE as i16, 0);
    code.op(0x55, 2, 0, 19, 1).op(0x15, 1, 0, 18, 0).op(0x5d, 0, 1, 17, 0);
    code.map(1, ".data.counters").op(0xb7, 2, 0, 0, 1).op(0xdb, 1, 2, 8, 0);
    code.map(1, "events").op(0xb7, 2, 0, 0, schema::Report::SIZE as i32).op(0xb7, 3, 0, 0, 0).op(0x85, 0, 0, 0, 131);
    code.op(0x15, 0, 0, 5, 0).op(0x62, 0, 0, 8, 1).op(0x62, 0, 0, 12, 1);
    code.op(0xbf, 1, 0, 0, 0).op(0xb7, 2, 0, 0, 0).op(0x85, 0, 0, 0, 132);
    code.op(0xb7, 0, 0, 0, -1).op(0x95, 0, 0, 0, 0);
    code.op(0xb7, 0, 0, 0, 0).op(0x95, 0, 0, 0, 0);
    code
}

/// Counts a task as recorded, and says that process 1 was seen.
fn seed() -> Code {
    let mut code = Code::default();
    code.map(1, ".data.stats").op(0xb7, 2, 0, 0, 1).op(0xdb, 1, 2, schema::Stats::SEEDED as i16, 0);
    code.map(1, ".data.control").op(0x7b, 1, 2, schema::Control::ROOT_MNT as i16, 0);
    code.op(0xb7, 0, 0, 0, 0).op(0x95, 0, 0, 0, 0);
    code
}

fn first_kernel(hook: &str) -> &'static str {
    match hook {
        "file_truncate" | "inode_set_acl" | "inode_remove_acl" => "6.2",
        "file_ioctl_compat" => "6.8",
        "inode_file_setattr" => "6.17",
        _ => "5.7",
    }
}

/// Its manifest.
pub fn manifest(hooks: &[&str]) -> Manifest {
    let program = |hook: &&str| ManifestProgram {
        enforcing: true,
        events: vec!["file.write".to_owned()],
        first_kernel: first_kernel(hook).to_owned(),
        hook: (*hook).to_owned(),
        name: format!("ebsec_{hook}"),
        section: format!("lsm/{hook}"),
    };
    let mut programs: Vec<_> = hooks.iter().map(program).collect();
    let seed = ManifestProgram {
        name: "ebsec_seed".to_owned(),
        section: "iter/task".to_owned(),
        hook: "task".to_owned(),
        ..ManifestProgram::default()
    };
    programs.push(seed);
    let map = |name: &str, max_entries, role| ManifestMap {
        digest: None,
        frozen: matches!(role, MapRole::Prefixes | MapRole::Table),
        max_entries,
        name: name.to_owned(),
        role,
    };
    let roles = [MapRole::Tasks, MapRole::Events, MapRole::Prefixes];
    let maps = MAPS.iter().zip(roles).map(|(m, role)| map(m.0, m.4, role));
    let rule = Rule {
        action: Action::Deny,
        attack: Vec::new(),
        because: String::new(),
        event: "file.write".to_owned(),
        file: "base.ebsec".to_owned(),
        label: Some("shadow".to_owned()),
        line: 7,
        mode: Mode::Enforce,
        policy: "base".to_owned(),
        severity: Severity::High,
    };
    let outcome = |id: u32, errno, rules| Outcome { errno, id, rules, ..Outcome::default() };
    let rules = vec![OutcomeRule { rule: 0, truth: Truth::True }];
    Manifest {
        format: ebsec_artifact::FORMAT,
        package: "fixture".to_owned(),
        version: "1.2.3".to_owned(),
        schema: schema::SCHEMA_HASH.to_owned(),
        maps: maps.chain(SECTIONS.iter().map(|s| map(s.0, 1, s.1))).collect(),
        outcomes: vec![outcome(0, 0, vec![]), outcome(1, 1, vec![]), outcome(2, 13, rules)],
        rules: vec![rule],
        programs,
        ..Manifest::default()
    }
}

struct Builder {
    object: Object<'static>,
    symbols: BTreeMap<String, SymbolId>,
}

impl Builder {
    fn section(&mut self, name: &str, kind: SectionKind, data: &[u8]) -> SectionId {
        let id = self.object.add_section(Vec::new(), name.into(), kind);
        self.object.append_section_data(id, data, 8);
        id
    }

    fn symbol(&mut self, name: &str, section: SectionId, size: u64, kind: SymbolKind) {
        let value = if MAPS.iter().any(|m| m.0 == name) { self.symbols.len() as u64 * size } else { 0 };
        let symbol = Symbol {
            name: name.into(),
            value,
            size,
            kind,
            scope: SymbolScope::Dynamic,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        };
        let id = self.object.add_symbol(symbol);
        self.symbols.insert(name.to_owned(), id);
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

/// The artifact's bytes, with one enforcing program for each hook.
pub fn artifact(hooks: &[&str]) -> Vec<u8> {
    let manifest = manifest(hooks);
    let names: Vec<String> = manifest.programs.iter().map(|p| p.name.clone()).collect();
    let (mut btf, ids) = types(&names);
    let object = Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little);
    let mut build = Builder { object, symbols: BTreeMap::new() };
    let maps = build.section(".maps", SectionKind::Data, &[0; MAPS.len() * 40]);
    for (name, ..) in MAPS {
        build.symbol(name, maps, 40, SymbolKind::Data);
    }
    for (name, role, size) in SECTIONS {
        let table = role == MapRole::Table;
        let kind = if table { SectionKind::ReadOnlyData } else { SectionKind::Data };
        let section = build.section(name, kind, &vec![u8::from(table); size]);
        build.symbol(name, section, size as u64, SymbolKind::Data);
    }
    let (mut functions, mut lines) = (words(&[8]), words(&[16]));
    let (file, line) = (btf.text("base.ebsec"), btf.text("deny file.write where file.path == \"/etc/shadow\""));
    for (program, id) in manifest.programs.iter().zip(&ids) {
        let code = if program.section == "iter/task" { seed() } else { refuse() };
        let section = build.section(&program.section, SectionKind::Text, &code.bytes);
        build.symbol(&program.name, section, code.bytes.len() as u64, SymbolKind::Text);
        for (offset, map) in code.maps {
            let flags = RelocationFlags::Elf { r_type: elf::R_BPF_64_64 };
            let symbol = build.symbols[map];
            build.object.add_relocation(section, Relocation { offset, symbol, addend: 0, flags }).unwrap();
        }
        let name = btf.text(&program.section);
        functions.extend(words(&[name, 1, 0, *id]));
        lines.extend(words(&[name, 1, 0, file, line, 7 << 10 | 1]));
    }
    build.section("license", SectionKind::Data, b"GPL\0");
    build.section(".BTF", SectionKind::Other, &btf.bytes());
    let (f, l) = (functions.len() as u32, lines.len() as u32);
    let ext = [vec![0x9f, 0xeb, 1, 0], words(&[32, 0, f, f, l, f + l, 0]), functions, lines].concat();
    build.section(".BTF.ext", SectionKind::Other, &ext);
    let contents = MapContents { name: "prefixes".to_owned(), key_size: 20, value_size: 4, entries: vec![(vec![0; 20], vec![2, 0, 0, 0])] };
    build.section(ebsec_artifact::TABLES_SECTION, SectionKind::Other, &encode_tables(&[contents]).unwrap());
    build.section(ebsec_artifact::MANIFEST_SECTION, SectionKind::Other, &manifest.encode().unwrap());
    seal(build.object.write().unwrap())
}

#[test]
fn it_is_an_artifact() {
    let hooks: Vec<&str> = crate::sys::ops::OPERATIONS.iter().map(|o| o.hook).collect();
    let bytes = artifact(&hooks);
    ebsec_artifact::open(&bytes).unwrap();
    // For trying the loader in a guest: `EBSEC_FIXTURE=FILE cargo test it_is_an_artifact`.
    if let Ok(path) = std::env::var("EBSEC_FIXTURE") {
        std::fs::write(path, bytes).unwrap();
    }
}

/// Types of a kernel with these hooks and the iterator over tasks.
pub fn kernel_btf(hooks: &[&str]) -> Vec<u8> {
    let mut btf = Btf::default();
    let int = btf.add("int", 1, 0, 4, &[1 << 24 | 32]);
    let proto = btf.add("", 13, 0, int, &[]);
    btf.add("bpf_iter_task", 12, 1, proto, &[]);
    for hook in hooks {
        btf.add(&format!("bpf_lsm_{hook}"), 12, 1, proto, &[]);
    }
    btf.bytes()
}
