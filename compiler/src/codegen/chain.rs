//! Takes a chain of tables, gives the text that walks it for one object of a hook.

use super::Lines;
use super::data::{Placed, Tables};
use crate::decide::{Chain, Flag, Layer, Source};
use crate::hir::{Cond, Package, Rule};
use ebsec_templates::{Catalog, FastWalk, FieldId, FieldOf, Hook, HookObject, ObjectKind};
use std::fmt::Write;

/// What the text of one program is generated with.
pub(crate) struct Emitter<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) hook: &'a Hook,
    package: &'a Package,
    tables: &'a mut Tables,
    lines: &'a mut dyn LineNumbers,
    labels: u32,
    /// Functions beside the program: the second halves, once more for each further class of a place.
    further: String,
    /// The register that the program's stack is reached by.
    frame: &'static str,
    /// The walk has left the object's plain addresses.
    plain: bool,
}

/// A chain that waits for the paths of its object.
pub(crate) struct Half<'p> {
    /// The chain.
    pub chain: &'p Chain,
    /// Index of the object.
    pub object: usize,
    /// The first layer that asks the path.
    pub first: usize,
    /// Where the state is meanwhile.
    pub slot: usize,
}

/// Numbers for `.loc`.
pub(crate) trait LineNumbers {
    /// See [`Lines::number`].
    fn number(&mut self, loc: crate::source::Loc) -> Option<usize>;
}

impl LineNumbers for Lines<'_> {
    fn number(&mut self, loc: crate::source::Loc) -> Option<usize> {
        Lines::number(self, loc)
    }
}

impl<'a> Emitter<'a> {
    pub(crate) fn new(
        catalog: &'a Catalog,
        package: &'a Package,
        hook: &'a Hook,
        tables: &'a mut Tables,
        lines: &'a mut dyn LineNumbers,
    ) -> Self {
        Emitter { catalog, hook, package, tables, lines, labels: 0, further: String::new(), frame: "r10", plain: false }
    }

    /// A label that the program has not used.
    pub(crate) fn label(&mut self) -> String {
        self.labels += 1;
        format!("L{}", self.labels)
    }

    fn object(&self, index: usize) -> Option<&'a HookObject> {
        self.hook.objects.get(index)
    }

    /// Walks a chain for an object; falls through where nothing matched.
    pub(crate) fn chain(&mut self, chain: &Chain, object: usize) -> String {
        let none = self.label();
        let mut out = String::new();
        self.mark(&mut out, chain, None);
        out.push_str("  r9 = *(u64 *)(r10 - 24)\n");
        self.layers(&mut out, chain, &chain.layers, object, &none);
        self.outcome(&mut out, chain, object, &none);
        out
    }

    /// A chain up to its first layer that asks the path; leaves the state in the slot.
    pub(crate) fn first_half(&mut self, chain: &Chain, object: usize, first: usize, slot: usize) -> String {
        let before = chain.layers.get(..first).unwrap_or_default();
        let early = self.label();
        let mut out = String::new();
        self.mark(&mut out, chain, None);
        out.push_str("  r9 = *(u64 *)(r10 - 24)\n");
        self.layers(&mut out, chain, before, object, &early);
        let _ = writeln!(out, "  forget r9 r8\n  *(u32 *)(r10 - {}) = r9\n{early}:\n.loc off", self.state_slot(slot));
        out
    }

    /// The first half of a chain with its slot: dead unless the half says otherwise.
    pub(crate) fn saved(&self, begin: &str, slot: usize) -> String {
        format!("  r9 = 0\n  forget r9 r8\n  *(u32 *)(r10 - {}) = r9\n{begin}", self.state_slot(slot))
    }

    /// The rest of a chain, from the state in its slot on.
    fn second_half(&mut self, half: &Half<'_>) -> String {
        let none = self.label();
        let mut out = String::new();
        self.mark(&mut out, half.chain, None);
        let _ = writeln!(out, "  w9 = *(u32 *)({} - {})\n  if r9 == 0 goto {none}", self.frame, self.state_slot(half.slot));
        let after = half.chain.layers.get(half.first..).unwrap_or_default();
        self.layers(&mut out, half.chain, after, half.object, &none);
        self.outcome(&mut out, half.chain, half.object, &none);
        out
    }

    /// Walks the paths of a place if one of the chains that wait for them is alive, and decides these chains: here for the
    /// first class, in a function of its own for each further one.
    pub(crate) fn walk(&mut self, place: usize, waiting: &[Half<'_>]) -> String {
        let skip = self.label();
        let mut out = String::from("  r1 = 0\n");
        for half in waiting {
            let _ = writeln!(out, "  w2 = *(u32 *)(r10 - {})\n  r1 |= r2", self.state_slot(half.slot));
        }
        let _ = writeln!(out, "  if r1 == 0 goto {skip}");
        let pathless = self.label();
        if let Some(fact) = self.object(place).and_then(|o| o.path_when.as_ref()) {
            let named = self.label();
            for slot in [88, 96, 104, 112] {
                let _ = writeln!(out, "  *(u64 *)(r10 - {slot}) = 0");
            }
            let _ =
                writeln!(out, "  {}\n  if r1 != 0 goto {named}\n  goto {pathless}\n{named}:", super::program::fact_macro(self.hook, fact));
        }
        let object = self.object_macro("object", place);
        let host = waiting.iter().any(|h| self.asks_host(h.chain));
        let own_walk = self.object(place).map(|o| format!("walk_{}", o.name)).filter(|name| super::program::has_macro(self.hook, name));
        let walk = match (self.object(place), &own_walk) {
            (_, Some(name)) => format!("{}__{name}", self.hook.name),
            (Some(o), _) if o.by_its_mount => format!("walk_by_its_mount {object}"),
            (Some(o), _) => match self.hook.fast {
                Some(FastWalk::Inline) => format!("walk_hot {object}"),
                Some(FastWalk::Called) if self.hook.executes => format!("walk_object {object} path_of_program 8"),
                Some(FastWalk::Called) if o.each_mount => format!("walk_object {object} path_mountless 0"),
                Some(FastWalk::Called) => format!("walk_object {object} path_called 0"),
                None => format!("walk_rare {object}"),
            },
            (None, _) => format!("walk_rare {object}"),
        };
        let by_its_mount = self.object(place).is_some_and(|o| o.by_its_mount);
        // what a program's path is asked for, and what a hook walks in a way of its own, is walked slowly
        let fast = self.hook.fast.is_some() && own_walk.is_none() && !by_its_mount && !self.hook.executes;
        let host_walk = if fast { format!("walk_for_host_fast {object}") } else { format!("walk_for_host {}", self.how()) };
        let host_walk = match self.object(place).and_then(|o| o.host_unless.as_ref()) {
            None => host_walk,
            Some(fact) => {
                let unseen = self.label();
                format!("{}\n  r0 = 0\n  if r1 != 0 goto {unseen}\n  {host_walk}\n{unseen}:", super::program::fact_macro(self.hook, fact))
            }
        };
        let walked = self.label();
        if own_walk.is_none() && !self.walked_before(place) && !waiting.iter().any(|h| asks_path(self.catalog, h.chain)) {
            // the host's paths alone: a report names the file by the mount that gave their class, if the caller has one
            self.plain = true;
            let plain = if by_its_mount { "plain_name" } else { "plain_object" };
            let _ = writeln!(
                out,
                "  {object}\n  {plain}\n  {host_walk}\n  *(u64 *)(r10 - 96) = r0\n  single_of_several\n  *(u64 *)(r10 - 88) = r0"
            );
        } else {
            self.plain = own_walk.is_some() || self.hook.fast != Some(FastWalk::Inline) && !self.walked_before(place);
            if self.walked_before(place) {
                let _ = writeln!(out, "  r1 = *(u64 *)(r10 - 88)\n  if r1 != -1 goto {walked}");
            }
            let _ = writeln!(out, "  {walk}\n  *(u64 *)(r10 - 88) = r0\n{walked}:");
            if host {
                if !self.plain {
                    let _ = writeln!(out, "  {object}\n  plain_object");
                }
                let _ = writeln!(out, "  {host_walk}\n  *(u64 *)(r10 - 96) = r0");
            }
        }
        let _ = writeln!(out, "{pathless}:");
        let single = self.label();
        let halves: String = waiting.iter().map(|h| self.second_half(h)).collect();
        out.push_str(&halves);
        let name = format!("ebsec_{}_further_{}", self.hook.name, self.label());
        let more = if host { "several_classes" } else { "several_paths" };
        let _ = writeln!(out, "  {more} {single}\n{}  several_turns {name}\n{single}:\n{skip}:", self.begin());
        let further = self.further_function(&name, waiting, host);
        self.further.push_str(&further);
        self.plain = false;
        out
    }

    /// A turn for each further class.
    fn further_function(&mut self, name: &str, waiting: &[Half<'_>], host: bool) -> String {
        self.frame = "r7";
        let halves: String = waiting.iter().map(|h| self.second_half(h)).collect();
        self.frame = "r10";
        let next = if host { "next_classes" } else { "next_path" };
        format!(".func {name} static 2\n  {next}\n{halves}  further_end\n")
    }

    /// What `path_find` is told: whether sets that are asked of programs count.
    fn how(&self) -> u8 {
        if self.hook.executes { 8 } else { 0 }
    }

    /// The functions beside the program.
    pub(crate) fn further(&mut self) -> String {
        std::mem::take(&mut self.further)
    }

    /// Whether the hook has walked the path of the place before any policy is asked.
    fn walked_before(&self, place: usize) -> bool {
        place == 0 && super::program::has_before(self.hook)
    }

    fn asks_host(&self, chain: &Chain) -> bool {
        chain.layers.iter().any(|l| matches!(l.source, Source::ObjectClass(f) if self.catalog[f].host))
    }

    fn layers(&mut self, out: &mut String, chain: &Chain, layers: &[Layer], object: usize, none: &str) {
        for layer in layers {
            self.mark(out, chain, source_field(&layer.source));
            self.layer(out, layer, object);
            let _ = writeln!(out, "  if r9 == 0 goto {none}");
        }
    }

    /// Acts on the outcome of state r9.
    fn outcome(&mut self, out: &mut String, chain: &Chain, object: usize, none: &str) {
        self.mark(out, chain, None);
        let placed = self.tables.small(&chain.finals);
        out.push_str("  r1 = r9\n");
        lookup(out, "r1", "r9", &placed, chain.finals.len());
        let _ = writeln!(out, "  if r9 == 0 goto {none}");
        let frame = self.frame;
        let kind = match self.hook.object {
            ObjectKind::Nothing => 0,
            ObjectKind::Path => 1,
            ObjectKind::Net => 2,
        };
        if kind == 1 && frame == "r10" && !self.plain {
            let _ = writeln!(out, "  {}\n  plain_object", self.object_macro("object", object));
        }
        if frame == "r10" {
            out.push_str(&self.begin());
        }
        let take = format!("  r1 = r9\n  take_outcome {kind} {frame} {} {}", u8::from(self.hook.pair.is_some()), self.how());
        // what was walked before is another object's: the report of this one is not named by its class
        let others = kind == 1 && frame == "r10" && !self.plain && super::program::has_before(self.hook) && self.place(object) != 0;
        if others {
            let _ = writeln!(out, "  r1 = *(u64 *)(r10 - 88)\n  *(u64 *)(r10 - 96) = r1\n  *(u64 *)(r10 - 88) = -1");
        }
        let _ = writeln!(out, "{take}");
        if others {
            let _ = writeln!(out, "  r1 = *(u64 *)(r10 - 96)\n  *(u64 *)(r10 - 88) = r1");
        }
        let _ = writeln!(out, "{none}:\n.loc off");
    }

    /// Distance of a waiting chain's state.
    fn state_slot(&self, slot: usize) -> usize {
        4 * slot + if self.hook.pair.is_some() { 148 } else { 132 }
    }

    /// What comes before the first report, in the program itself: the operation's number, and its two names.
    fn begin(&self) -> String {
        let names = if self.hook.pair.is_some() { format!("{}_names", self.hook.name) } else { "no_names".to_owned() };
        format!("  operation_begin {} {names}\n", super::program::step_name(self.hook))
    }

    /// Index of the object whose path an object has.
    pub(crate) fn place(&self, object: usize) -> usize {
        self.object(object).map_or(object, |o| o.path_of)
    }

    pub(super) fn object_macro(&self, what: &str, object: usize) -> String {
        let name = self.object(object).map_or("file", |o| o.name.as_str());
        format!("{}__{what}_{name}", self.hook.name)
    }

    /// Names the first rule of the chain that asks the field, or the first of all, as the source of what follows.
    fn mark(&mut self, out: &mut String, chain: &Chain, field: Option<FieldId>) {
        let rules = self.package.policies.iter().flat_map(|p| &p.rules).filter(|r| r.event == chain.event);
        let asked = rules.clone().find(|r| field.is_none_or(|f| asks(&r.cond, f)));
        let Some(rule) = asked.or_else(|| rules.clone().next()) else { return };
        let loc = field.and_then(|f| first_loc(rule, f)).unwrap_or(rule.loc);
        if let Some(number) = self.lines.number(loc) {
            let _ = writeln!(out, ".loc {number}");
        }
    }

    fn layer(&mut self, out: &mut String, layer: &Layer, object: usize) {
        self.source(out, &layer.source, object);
        if let Some(columns) = &layer.columns {
            let placed = self.tables.small(columns);
            lookup(out, "r1", "r1", &placed, columns.len());
        }
        out.push_str("  r2 = r9\n");
        if layer.ncols != 1 {
            let _ = writeln!(out, "  r2 *= {}", layer.ncols);
        }
        out.push_str("  r2 += r1\n");
        let placed = self.tables.small(&layer.table);
        lookup(out, "r2", "r9", &placed, layer.table.len());
    }

    /// Leaves the layer's small number in r1.
    fn source(&mut self, out: &mut String, source: &Source, object: usize) {
        match source {
            Source::ObjectClass(field) => {
                let slot = if self.catalog[*field].host { 96 } else { 88 };
                let _ = writeln!(out, "  w1 = *(u32 *)({} - {slot})", self.frame);
            }
            Source::SubjectClass(field) => {
                let _ = writeln!(out, "  class_{}", self.field_name(*field));
            }
            Source::NameClass(field) => {
                let _ = writeln!(out, "  {}", self.field_macro("class", *field, ""));
            }
            Source::Line { window } => {
                let _ = writeln!(out, "  r1 = *(u64 *)(r10 - {})", 48 + 8 * (window / 16));
                let shift = window % 16 * 4;
                if shift != 0 {
                    let _ = writeln!(out, "  r1 >>= {shift}");
                }
                out.push_str("  r1 &= 15\n");
            }
            Source::Flags(flags) => self.flags(out, flags, object),
            Source::Number(field, intervals) => {
                self.value(out, *field, object);
                // padding must compare as greater than any number without wrapping round
                let starts: Vec<u64> = intervals.starts.iter().map(|&s| s.min(1 << 62)).collect();
                let placed = self.tables.wide(&starts);
                interval(out, &placed, starts.len());
            }
            Source::Mode(_) => {
                let _ = writeln!(out, "  {}\n  inode_mode", self.object_macro("inode", object));
            }
            Source::Prefix(_) => out.push_str("  class_of_peer\n"),
        }
    }

    fn field_name(&self, field: FieldId) -> String {
        self.catalog[field].name.replace('.', "_")
    }

    /// Leaves a number or boolean in r1.
    fn value(&mut self, out: &mut String, field: FieldId, object: usize) {
        if let Some(attribute) = self.file_attribute(field) {
            if attribute == "memfd" {
                let contract = self.object(object);
                let exists = contract.is_some_and(|o| o.exists);
                let none = self.label();
                if let Some(fact) = contract.and_then(|o| o.path_when.as_ref()) {
                    let _ = writeln!(out, "  {}\n  if r1 == 0 goto {none}", super::program::fact_macro(self.hook, fact));
                }
                if !exists {
                    out.push_str("  r1 = 0\n");
                } else {
                    let _ = writeln!(out, "  {}\n  dentry_memfd {}", self.object_macro("object", object), u8::from(self.hook.maps));
                }
                let _ = writeln!(out, "{none}:");
            } else {
                let _ = writeln!(out, "  {}\n  inode_{attribute}", self.object_macro("inode", object));
            }
            return;
        }
        let _ = writeln!(out, "  {}", self.field_macro("field", field, ""));
    }

    /// The macro that gives a field: the hook's own, or the common one.
    fn field_macro(&self, what: &str, field: FieldId, more: &str) -> String {
        let common = format!("{what}_{}{more}", self.field_name(field));
        let own = format!("{}__{common}", self.hook.name);
        let line = format!(".macro {own}\n");
        if ebsec_templates::hook_assembly(&self.hook.name).is_some_and(|(_, text)| text.contains(&line)) { own } else { common }
    }

    /// `owner` of `file.owner`: attributes of the object's inode.
    fn file_attribute(&self, field: FieldId) -> Option<&'a str> {
        let field = &self.catalog[field];
        if field.of != FieldOf::Object || self.hook.object != ObjectKind::Path {
            return None;
        }
        field.name.strip_prefix("file.")
    }

    fn flags(&mut self, out: &mut String, flags: &[Flag], object: usize) {
        // walking a path uses the scratch at 8 and 16, so the flags gather in a slot of their own
        let frame = self.frame;
        let _ = writeln!(out, "  *(u64 *)({frame} - 120) = 0");
        for (i, flag) in flags.iter().enumerate() {
            match flag {
                Flag::Field(field) => self.value(out, *field, object),
                Flag::Trusted(field) => {
                    let _ = writeln!(out, "  {}", self.field_macro("field", *field, "_trusted"));
                }
                Flag::Deleted(_) => {
                    let _ = writeln!(out, "  r1 = *(u64 *)({} - 88)\n  deleted_of", self.frame);
                }
            }
            out.push_str("  flag_of_number\n");
            if i != 0 {
                let _ = writeln!(out, "  r1 <<= {i}");
            }
            let _ = writeln!(out, "  r2 = *(u64 *)({frame} - 120)\n  r1 |= r2\n  *(u64 *)({frame} - 120) = r1");
        }
        let _ = writeln!(out, "  r1 &= {}", (1u32 << flags.len()) - 1);
    }
}

/// `to = table[index]` with the index checked; both are registers.
fn lookup(out: &mut String, index: &str, to: &str, placed: &Placed, length: usize) {
    let _ = writeln!(out, "  if {index} >= {length} goto bad");
    let _ = writeln!(out, "  {index} <<= {}", placed.shift);
    let _ = writeln!(out, "  r3 = data tables + {}", placed.offset);
    let _ = writeln!(out, "  r3 += {index}");
    let number = &to[1..];
    if placed.shift == 1 {
        let _ = writeln!(out, "  w{number} = *(u16 *)(r3 + 0)");
    } else {
        let _ = writeln!(out, "  w{number} = *(u32 *)(r3 + 0)");
    }
}

/// r1 = index of the interval of r1, without branches: halving steps, each a comparison by subtraction.
fn interval(out: &mut String, placed: &Placed, length: usize) {
    out.push_str("  r2 = 0\n");
    let mut step = length / 2;
    while step > 0 {
        let _ = writeln!(out, "  r3 = data tables + {}", placed.offset + step * 8);
        out.push_str("  r4 = r2\n  r4 <<= 3\n  r3 += r4\n  r3 = *(u64 *)(r3 + 0)\n");
        out.push_str("  r4 = r1\n  r4 -= r3\n  r4 >>= 63\n  r4 ^= 1\n");
        let _ = writeln!(out, "  r4 <<= {}\n  r2 += r4", step.trailing_zeros());
        step /= 2;
    }
    out.push_str("  r1 = r2\n");
}

/// Whether a chain asks the caller's paths of its object.
fn asks_path(catalog: &Catalog, chain: &Chain) -> bool {
    chain.layers.iter().any(|l| match &l.source {
        Source::ObjectClass(field) => !catalog[*field].host,
        Source::Flags(flags) => flags.iter().any(|f| matches!(f, Flag::Deleted(_))),
        _ => false,
    })
}

fn source_field(source: &Source) -> Option<FieldId> {
    match source {
        Source::ObjectClass(f)
        | Source::SubjectClass(f)
        | Source::NameClass(f)
        | Source::Number(f, _)
        | Source::Mode(f)
        | Source::Prefix(f) => Some(*f),
        Source::Flags(flags) => flags.first().map(|f| match f {
            Flag::Field(f) | Flag::Trusted(f) | Flag::Deleted(f) => *f,
        }),
        Source::Line { .. } => None,
    }
}

fn asks(cond: &Cond, field: FieldId) -> bool {
    find(cond, field).is_some()
}

fn first_loc(rule: &Rule, field: FieldId) -> Option<crate::source::Loc> {
    find(&rule.cond, field)
}

fn find(cond: &Cond, field: FieldId) -> Option<crate::source::Loc> {
    match cond {
        Cond::Const(_) => None,
        Cond::Atom(atom) => (atom.field == field).then_some(atom.loc),
        Cond::Not(inner) => find(inner, field),
        Cond::And(list) | Cond::Or(list) => list.iter().find_map(|c| find(c, field)),
    }
}
