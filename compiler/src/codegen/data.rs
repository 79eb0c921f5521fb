//! Takes the plan's tables, gives the bytes of the data sections and the maps beside them.

use crate::decide::Plan;
use std::collections::BTreeMap;

/// A symbol of a data section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSymbol {
    /// ELF section; `.rodata.*` is frozen, `.data.*` and `.bss` (zeros that the file leaves out) are not.
    pub section: &'static str,
    /// Symbol.
    pub symbol: &'static str,
    /// Initial contents.
    pub bytes: Vec<u8>,
    /// Zeros that follow them.
    pub zeros: usize,
}

/// Kind of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the kernel's names")]
pub enum MapKind {
    Hash,
    RingBuf,
    LpmTrie,
    PerCpuArray,
}

/// A map that is not a data section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapSpec {
    /// Name.
    pub name: &'static str,
    /// Kind.
    pub kind: MapKind,
    /// Bytes of a key, 0 for a ring.
    pub key_size: u32,
    /// Bytes of a value, 0 for a ring.
    pub value_size: u32,
    /// Entries, or bytes of a ring.
    pub max_entries: u32,
    /// Without preallocation (BPF_F_NO_PREALLOC).
    pub no_prealloc: bool,
    /// Read-only for programs, frozen after filling.
    pub frozen: bool,
    /// Initial contents: key, value.
    pub entries: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Walks of a path that one processor can have begun at once, each interrupted by the next; see `asm/walk.s`.
const WALK_SCRATCHES: u32 = 8;
/// Tasks that can be alive at once; a fork beyond is refused while a policy is on.
const MAX_TASKS: u32 = 1 << 18;
/// Mounts of file systems in namespaces that are remembered; see `asm/remember.s`.
const REMEMBERED: usize = 64;
/// Bytes of the ring of reports.
const RING_BYTES: u32 = 1 << 22;
/// Slots of the table of records that programs address directly; a power of two.
pub(crate) const TASK_SLOTS: usize = 1 << 14;

/// Names of programs that are kept for reports; a power of two. So many processes with programs of their own have theirs.
pub(crate) const IMAGES: usize = 1 << 13;
/// Room behind the names that the writing of one may touch, as verifiers see it.
const IMAGES_SLACK: usize = 1280;

/// The chains' tables, packed into one section; equal tables are kept once.
#[derive(Default)]
pub(crate) struct Tables {
    bytes: Vec<u8>,
    known: BTreeMap<Vec<u8>, usize>,
}

/// A table's place.
pub(crate) struct Placed {
    /// Offset in the symbol `tables`.
    pub offset: usize,
    /// Logarithm of the bytes of an entry: 1, 2 or 3.
    pub shift: u32,
}

impl Tables {
    /// Places a table of small numbers, as 16 bits where they fit.
    pub(crate) fn small(&mut self, table: &[u32]) -> Placed {
        if table.iter().all(|&x| x <= 0xffff) {
            let bytes = table.iter().flat_map(|&x| (x as u16).to_le_bytes()).collect();
            Placed { offset: self.place(bytes), shift: 1 }
        } else {
            let bytes = table.iter().flat_map(|x| x.to_le_bytes()).collect();
            Placed { offset: self.place(bytes), shift: 2 }
        }
    }

    /// Places a table of 64-bit numbers.
    pub(crate) fn wide(&mut self, table: &[u64]) -> Placed {
        Placed { offset: self.place(le64(table)), shift: 3 }
    }

    fn place(&mut self, mut bytes: Vec<u8>) -> usize {
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        if let Some(&offset) = self.known.get(&bytes) {
            return offset;
        }
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&bytes);
        self.known.insert(bytes, offset);
        offset
    }
}

fn le64(list: &[u64]) -> Vec<u8> {
    list.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn le32(list: &[u32]) -> Vec<u8> {
    list.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// All data sections.
pub(crate) fn symbols(plan: &Plan, tables: Tables) -> Vec<DataSymbol> {
    let schema = ebsec_templates::schema();
    let size_of = |name: &str| schema.structs.iter().find(|s| s.name == name).map_or(8, |s| s.size as usize);
    let zeros = |name| vec![0; size_of(name)];
    let steps = plan.paths.steps.iter().flat_map(|s| {
        let mut entry = [0; 16];
        let words = s.word.to_le_bytes().into_iter().chain(s.base.to_le_bytes()).chain(s.next.to_le_bytes());
        entry.iter_mut().zip(words).for_each(|(to, from)| *to = from);
        entry
    });
    let lines = |list: &[[u64; 4]]| list.iter().flat_map(|l| le64(l)).collect();
    let outcomes = plan.outcomes.iter().enumerate().flat_map(|(i, o)| outcome_word(i, o).to_le_bytes()).collect();
    let mut chain_tables = tables.bytes;
    if chain_tables.is_empty() {
        chain_tables = vec![0; 8];
    }
    let symbol = |section, symbol, bytes| DataSymbol { section, symbol, bytes, zeros: 0 };
    let zeroed = |symbol, zeros| DataSymbol { section: ".bss", symbol, bytes: Vec::new(), zeros };
    vec![
        symbol(".data.control", "control", zeros("control")),
        zeroed("owners", TASK_SLOTS * 8),
        zeroed("records", TASK_SLOTS * size_of("record")),
        zeroed("mounts", REMEMBERED * size_of("mounts")),
        zeroed("image_users", IMAGES * 8),
        zeroed("images", IMAGES * size_of("image") + IMAGES_SLACK),
        symbol(".data.counters", "counters", vec![0; plan.outcomes.len() * 8]),
        symbol(".data.stats", "stats", zeros("stats")),
        symbol(".rodata.bytes", "bytes", le64(&plan.paths.bytes)),
        symbol(".rodata.steps", "steps", steps.collect()),
        symbol(".rodata.tables", "tables", chain_tables),
        symbol(".rodata.outcomes", "outcomes", outcomes),
        symbol(".rodata.line_any", "line_any", lines(&plan.subject.line_any)),
        symbol(".rodata.line_trusted", "line_trusted", lines(&plan.subject.line_trusted)),
        symbol(".rodata.line_events", "line_events", le64(&plan.subject.line_events)),
        symbol(".rodata.exe_mask", "exe_mask", le64(&plan.subject.exe_mask)),
        symbol(".rodata.parent_mask", "parent_mask", le64(&plan.subject.parent_mask)),
        symbol(".rodata.programs", "programs", le32(&plan.subject.joins.number)),
        symbol(".rodata.joins", "joins", le32(&plan.subject.joins.table)),
        symbol(".rodata.joined", "joined", le32(&plan.subject.joins.class)),
    ]
}

/// errno, bit 16 kill, bit 17 report. The canary's outcome refuses and is not reported.
fn outcome_word(index: usize, outcome: &crate::decide::Outcome) -> u32 {
    if index == crate::decide::CANARY as usize {
        return 1;
    }
    u32::from(outcome.errno.unwrap_or(0)) | u32::from(outcome.kill) << 16 | u32::from(!outcome.items.is_empty()) << 17
}

/// The maps beside the data sections.
pub(crate) fn maps(plan: &Plan) -> Vec<MapSpec> {
    let schema = ebsec_templates::schema();
    let size_of = |name: &str| schema.structs.iter().find(|s| s.name == name).map_or(8, |s| s.size);
    let record = size_of("record");
    let prefixes = plan.prefixes.entries.iter().map(|e| {
        let key = e.length.to_le_bytes().into_iter().chain(e.address).collect();
        (key, e.class.to_le_bytes().to_vec())
    });
    let mut maps = vec![
        MapSpec {
            name: "tasks",
            kind: MapKind::Hash,
            key_size: 8,
            value_size: record,
            max_entries: MAX_TASKS,
            no_prealloc: true,
            frozen: false,
            entries: Vec::new(),
        },
        MapSpec {
            name: "events",
            kind: MapKind::RingBuf,
            key_size: 0,
            value_size: 0,
            max_entries: RING_BYTES,
            no_prealloc: false,
            frozen: false,
            entries: Vec::new(),
        },
    ];
    maps.push(MapSpec {
        name: "scratch",
        kind: MapKind::PerCpuArray,
        key_size: 4,
        value_size: size_of("walk"),
        max_entries: WALK_SCRATCHES,
        no_prealloc: false,
        frozen: false,
        entries: Vec::new(),
    });
    maps.push(MapSpec {
        name: "prefixes",
        kind: MapKind::LpmTrie,
        key_size: 20,
        value_size: 4,
        max_entries: (plan.prefixes.entries.len() as u32).max(1),
        no_prealloc: true,
        frozen: true,
        entries: prefixes.collect(),
    });
    maps
}
