//! Random policies as source text: over all events and fields, with every operator, constants by name, defaults with
//! allow-lists, `unless`, exceptions, scopes, both modes. What is written is what the language allows; a text that the
//! check refuses all the same is a finding of its own.

use super::paths;
use super::random::Random;
use ebsec_templates::{Catalog, EventId, FieldId, FieldOf, FieldType, ObjectKind, catalog};
use std::fmt::Write;

/// A policy's text in parts, so that a disagreement can be made smaller, and what operations should come near to.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Lines before the policies.
    pub head: Vec<String>,
    /// Policies: the head with its properties, and the rules.
    pub policies: Vec<(String, Vec<String>)>,
    /// Exceptions: the policy and rule that each needs, and the text.
    pub exceptions: Vec<(String, String)>,
    /// What operations come near to.
    pub hints: Hints,
}

/// What a policy asks about.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Patterns of files.
    pub files: Vec<String>,
    /// Patterns of programs.
    pub programs: Vec<String>,
    /// Patterns of task names.
    pub comms: Vec<String>,
    /// Events that have rules.
    pub events: Vec<EventId>,
}

impl Draft {
    /// The source text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for line in &self.head {
            let _ = writeln!(out, "{line}");
        }
        for (head, rules) in &self.policies {
            let _ = writeln!(out, "{head}");
            for rule in rules {
                let _ = writeln!(out, "    {rule}");
            }
            out.push_str("}\n");
        }
        for (needs, text) in &self.exceptions {
            if self.policies.iter().any(|(_, rules)| rules.iter().any(|r| r.starts_with(needs.as_str()))) {
                let _ = writeln!(out, "{text}");
            }
        }
        out
    }

    /// Every text with one part less.
    #[must_use]
    pub fn smaller(&self) -> Vec<Draft> {
        let mut all = Vec::new();
        for (p, (_, rules)) in self.policies.iter().enumerate() {
            let mut less = self.clone();
            less.policies.remove(p);
            all.push(less);
            for r in 0..rules.len() {
                let mut less = self.clone();
                if let Some((_, rules)) = less.policies.get_mut(p) {
                    rules.remove(r);
                }
                all.push(less);
            }
        }
        for e in 0..self.exceptions.len() {
            let mut less = self.clone();
            less.exceptions.remove(e);
            all.push(less);
        }
        all
    }
}

/// A random package.
#[must_use]
pub fn draft(random: &mut Random) -> Draft {
    let mut writer = Writer { random, catalog: catalog(), draft: Draft::default(), sets: 0 };
    writer.constants();
    let policies = 1 + writer.random.below(4);
    for p in 0..policies {
        writer.policy(p);
    }
    writer.draft
}

struct Writer<'r> {
    random: &'r mut Random,
    catalog: &'static Catalog,
    draft: Draft,
    sets: usize,
}

/// One event, or two with the same kind of object.
struct Events {
    text: String,
    fields: Vec<FieldId>,
    ids: Vec<EventId>,
}

impl Writer<'_> {
    fn constants(&mut self) {
        self.sets = self.random.below(3);
        for i in 0..self.sets {
            let list = self.patterns(true);
            self.draft.head.push(format!("let set{i}: set<path> = {list}"));
        }
    }

    fn events(&mut self, many: bool) -> Events {
        let intents: Vec<usize> =
            (0..self.catalog.events.len()).filter(|i| self.catalog.events.get(*i).is_some_and(|e| !e.is_hook)).collect();
        let pick = |random: &mut Random| {
            let id = if random.chance(60) { random.pick(&intents) } else { random.below(self.catalog.events.len()) };
            EventId(id as u16)
        };
        let first = pick(self.random);
        let mut ids = vec![first];
        if many && self.random.chance(30) {
            let second = pick(self.random);
            if second != first && self.catalog[second].object == self.catalog[first].object {
                ids.push(second);
            }
        }
        let mut fields = self.catalog[first].fields.clone();
        fields.retain(|f| ids.iter().all(|id| self.catalog[*id].fields.contains(f)));
        let text = ids.iter().map(|id| self.catalog[*id].name.as_str()).collect::<Vec<_>>().join(", ");
        self.draft.hints.events.extend(&ids);
        Events { text, fields, ids }
    }

    fn policy(&mut self, p: usize) {
        let mode = if self.random.chance(80) { "enforce" } else { "observe" };
        let mut head = format!("policy p{p} {{\n    mode = {mode}");
        if self.random.chance(35) {
            let subject: Vec<FieldId> = self.fields(|f| self.catalog[f].of == FieldOf::Subject);
            let cond = self.cond(&subject, 1);
            let _ = write!(head, "\n    scope = {cond}");
        }
        let mut rules = Vec::new();
        let mut defaults: Vec<EventId> = Vec::new();
        for r in 0..1 + self.random.below(4) {
            if self.random.chance(30) {
                self.default(p, r, &mut rules, &mut defaults);
            } else {
                self.rule(p, r, &mut rules);
            }
        }
        self.draft.policies.push((head, rules));
    }

    fn fields(&self, which: impl Fn(FieldId) -> bool) -> Vec<FieldId> {
        (0..self.catalog.fields.len()).map(|i| FieldId(i as u16)).filter(|f| which(*f)).collect()
    }

    fn rule(&mut self, p: usize, r: usize, rules: &mut Vec<String>) {
        let events = self.events(true);
        let action = self.random.word(&["deny", "deny", "kill", "audit"]);
        let label = format!("r{r}");
        let mut text = format!("{label}: {action} {}", events.text);
        if self.random.chance(92) {
            let _ = write!(text, " when {}", self.cond(&events.fields, 2));
        }
        if self.random.chance(40) {
            let _ = write!(text, " unless {}", self.cond(&events.fields, 1));
        }
        if action != "audit" && self.random.chance(30) {
            let errno = self.random.word(&["EACCES", "ENOENT", "EPERM"]);
            let _ = write!(text, " with {{ errno = {errno} }}");
        }
        rules.push(text);
        if self.random.chance(15) {
            let cond = self.cond(&events.fields, 1);
            self.draft.exceptions.push((format!("{label}:"), format!("except p{p}.{label} when {cond} because \"random\"")));
        }
    }

    fn default(&mut self, p: usize, r: usize, rules: &mut Vec<String>, defaults: &mut Vec<EventId>) {
        let events = self.events(false);
        let Some(event) = events.ids.first().copied().filter(|e| !defaults.contains(e)) else { return };
        defaults.push(event);
        let action = self.random.word(&["deny", "deny", "kill", "audit"]);
        rules.push(format!("default {action} {}", events.text));
        for a in 0..self.random.below(3) {
            let cond = self.cond(&events.fields, 1);
            rules.push(format!("a{r}_{a}: allow {} when {cond}", events.text));
        }
        if self.random.chance(15) {
            let cond = self.cond(&events.fields, 1);
            let needs = format!("default {action} {}", events.text);
            self.draft.exceptions.push((needs, format!("except p{p} default {} when {cond} because \"random\"", events.text)));
        }
    }

    fn cond(&mut self, fields: &[FieldId], depth: usize) -> String {
        if depth == 0 || self.random.chance(45) {
            return self.atom(fields);
        }
        match self.random.below(6) {
            0 => format!("not ({})", self.cond(fields, depth - 1)),
            joined => {
                let word = if joined < 4 { " and " } else { " or " };
                let parts: Vec<String> = (0..2 + self.random.below(2)).map(|_| format!("({})", self.cond(fields, depth - 1))).collect();
                parts.join(word)
            }
        }
    }

    /// One test of a field; paths more often than their number among the fields.
    fn atom(&mut self, fields: &[FieldId]) -> String {
        let wanted = match self.random.below(10) {
            0..3 => Some("file.path"),
            3 => Some("process.exe"),
            4 => Some("process.lineage.exe"),
            5 => Some("remote.ip"),
            _ => None,
        };
        let wanted = wanted.and_then(|w| self.catalog.field(w)).filter(|f| fields.contains(f));
        let id = wanted.unwrap_or_else(|| fields.get(self.random.below(fields.len())).copied().unwrap_or(FieldId(0)));
        let field = &self.catalog[id];
        let name = field.name.clone();
        let text = match &field.ty {
            FieldType::Path => self.path_atom(&name, field.many),
            FieldType::Comm => self.comm_atom(&name),
            FieldType::Name => self.name_atom(&name),
            FieldType::Bool => name,
            FieldType::Ip => format!("{name} {}", self.addresses()),
            FieldType::Port => format!("{name} {}", self.numbers(&[0, 22, 53, 80, 443, 8080, 65535])),
            FieldType::Uid | FieldType::Gid => format!("{name} {}", self.numbers(&[0, 1, 33, 1000, 65534, 4_294_967_295])),
            FieldType::Mode => {
                let modes = ["0o644", "0o600", "0o4755", "0o1777", "0o2755", "0", "0o7777"];
                let mode = self.random.word(&modes);
                let op = self.random.word(&["==", "!=", "has"]);
                let mode = if op == "has" && mode == "0" { "0o4000" } else { mode };
                if self.random.chance(20) {
                    format!("{name} in [{mode}, {}]", self.random.word(&modes))
                } else {
                    format!("{name} {op} {mode}")
                }
            }
            FieldType::Enum(kind) => self.enum_atom(&name, kind),
        };
        if self.random.chance(15) { format!("not ({text})") } else { text }
    }

    fn hint(&mut self, field: &str, pattern: &str) {
        let hints = if field.starts_with("process.") { &mut self.draft.hints.programs } else { &mut self.draft.hints.files };
        hints.push(pattern.to_owned());
    }

    fn path_atom(&mut self, name: &str, many: bool) -> String {
        match self.random.below(20) {
            0 => return format!("{name}.unresolved"),
            1 if name == "file.path" => return format!("{name}.deleted"),
            2 => {
                let value = paths::plain_name(self.random);
                self.hint(name, &format!("/**/{value}"));
                return format!("{name}.name == \"{value}\"");
            }
            3 => {
                let value = paths::name(self.random);
                self.hint(name, &format!("/a/{value}"));
                return format!("{name}.name in [\"{value}\", \"{}\"]", paths::plain_name(self.random));
            }
            4 => {
                let value = paths::path(self.random, 3);
                self.hint(name, &format!("{value}/*"));
                return format!("{name}.dir == \"{value}\"");
            }
            5 => {
                let value = paths::extension(self.random);
                self.hint(name, &format!("/srv/*.{value}"));
                return format!("{name}.ext in [\"{value}\"]");
            }
            6 if self.sets > 0 => {
                let set = self.random.below(self.sets);
                return format!("{name} in set{set}");
            }
            7 if self.sets > 0 => {
                let less = self.patterns(true);
                return format!("{name} in set0 - {less}");
            }
            _ => {}
        }
        let bound = match name {
            "file.host_path" => 40,
            _ if name.starts_with("process.") => 25,
            _ => 8,
        };
        let path = if self.random.chance(bound) { self.bound() } else { paths::path(self.random, 3) };
        match self.random.below(6) {
            0 => {
                self.hint(name, &path);
                format!("{name} == \"{path}\"")
            }
            1 if !many => {
                self.hint(name, &path);
                format!("{name} != \"{path}\"")
            }
            2 => {
                self.hint(name, &format!("{path}/**"));
                self.hint(name, &path);
                format!("{name} under \"{path}\"")
            }
            3 => {
                let pattern = paths::pattern(self.random);
                self.hint(name, &pattern);
                format!("{name} matches \"{pattern}\"")
            }
            _ => {
                let list = self.patterns(!name.starts_with("process."));
                format!("{name} in {list}")
            }
        }
    }

    /// A folder that a bind shows twice: rules may name one of its paths, and not the other.
    fn bound(&mut self) -> String {
        let binds = super::scenery().binds;
        let folders: Vec<&str> = binds.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect();
        self.random.word(&folders).to_owned()
    }

    fn patterns(&mut self, of_files: bool) -> String {
        let list: Vec<String> = (0..1 + self.random.below(4)).map(|_| paths::pattern(self.random)).collect();
        for pattern in &list {
            self.hint(if of_files { "file" } else { "process." }, pattern);
        }
        if of_files && self.random.chance(30) {
            self.draft.hints.programs.extend(list.iter().cloned());
        }
        let quoted: Vec<String> = list.iter().map(|p| format!("\"{p}\"")).collect();
        format!("[{}]", quoted.join(", "))
    }

    fn comm_atom(&mut self, name: &str) -> String {
        let plain = paths::comm(self.random, false);
        let glob = paths::comm(self.random, true);
        self.draft.hints.comms.extend([plain.clone(), glob.clone()]);
        match self.random.below(4) {
            0 => format!("{name} == \"{plain}\""),
            1 => format!("{name} != \"{plain}\""),
            2 => format!("{name} matches \"{glob}\""),
            _ => format!("{name} in [\"{plain}\", \"{glob}\"]"),
        }
    }

    fn name_atom(&mut self, name: &str) -> String {
        let (one, other) = (paths::file_system(self.random), paths::file_system(self.random));
        match self.random.below(5) {
            0 => format!("{name} != \"{one}\""),
            1 => format!("{name} matches \"{}*\"", one.get(..2).unwrap_or(one)),
            2 => format!("{name} in [\"{one}\", \"{other}\", \"*fs\"]"),
            _ => format!("{name} == \"{one}\""),
        }
    }

    fn numbers(&mut self, pool: &[u64]) -> String {
        let one = self.random.pick(pool);
        match self.random.below(7) {
            0 => format!("!= {one}"),
            1 => format!("in [{one}, {}]", self.random.pick(pool)),
            2 => {
                let (a, b) = (one, self.random.pick(pool));
                format!("in [{}..{}]", a.min(b), a.max(b))
            }
            3 => format!("{} {one}", if one == 0 { ">" } else { "<" }),
            4 => format!(">= {one}"),
            _ => format!("== {one}"),
        }
    }

    fn addresses(&mut self) -> String {
        const CIDRS: &[&str] = &[
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.2.3/32",
            "0.0.0.0/0",
            "fd00::/8",
            "::/0",
            "fd00:1::/32",
            "::1/128",
            "127.0.0.0/8",
            "192.168.0.0/16",
            "128.0.0.0/1",
        ];
        const ONES: &[&str] =
            &["10.1.2.3", "8.8.8.8", "::1", "fd00::7", "::ffff:10.1.2.4", "0.0.0.0", "127.0.0.1", "127.0.0.6", "255.255.255.255", "::"];
        match self.random.below(5) {
            0 => format!("== {}", self.random.word(ONES)),
            1 => format!("!= {}", self.random.word(ONES)),
            2 => "in [10.1.2.1..10.1.2.9, fd00::1..fd00::9]".to_owned(),
            3 => format!("in [{}, {}]", self.random.word(CIDRS), self.random.word(ONES)),
            _ => format!("in [{}, {}]", self.random.word(CIDRS), self.random.word(CIDRS)),
        }
    }

    fn enum_atom(&mut self, name: &str, kind: &str) -> String {
        let words: Vec<&str> = self.catalog.enums.get(kind).map(|e| e.keys().map(String::as_str).collect()).unwrap_or_default();
        let (a, b) = (self.random.word(&words), self.random.word(&words));
        match self.random.below(3) {
            0 => format!("{name} == {a}"),
            1 => format!("{name} != {a}"),
            _ => format!("{name} in [{a}, {b}]"),
        }
    }
}

/// Whether an event is about a path.
#[must_use]
pub fn about_path(event: EventId) -> bool {
    catalog()[event].object == ObjectKind::Path
}
