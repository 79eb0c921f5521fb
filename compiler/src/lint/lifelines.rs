//! The operations without which a host does not boot and nobody logs in: the file `std/lifelines.tsv`, and the programs that a
//! package adds. Gives them as operations for the reference interpreter, and tells quickly which rules have to do with none.

use super::narrow::has;
use crate::hir::{Cond, FileAttributes, Object, Operation, Package, PathLang, PathSetId, PathValue, Program, Rule, Subject, Test, glob};
use crate::source::Loc;
use ebsec_templates::{Catalog, EventId};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = include_str!("../../../std/lifelines.tsv");

/// What starts all programs.
const INIT: &str = "/usr/lib/systemd/systemd";

/// One operation.
pub(super) struct Line {
    /// Who needs it.
    pub purpose: String,
    /// What does it, without one the kernel.
    pub program: Option<String>,
    event: String,
    path: String,
    pub operation: Operation,
}

/// All of them.
pub(super) struct Lifelines<'c> {
    pub all: Vec<Line>,
    catalog: &'c Catalog,
    /// Paths of objects, sorted.
    paths: Vec<Vec<u8>>,
    /// Paths of programs, sorted.
    programs: Vec<Vec<u8>>,
    events: BTreeSet<EventId>,
    /// Answers by path set and whether it is about programs.
    known: RefCell<FxHashMap<(PathSetId, bool), bool>>,
}

impl Line {
    /// ``` `/usr/bin/login` reads `/etc/shadow` ```
    pub fn shown(&self) -> String {
        let verb = match self.event.as_str() {
            "exec" => "starts",
            "file.run" => "runs code of",
            "file.read" => "reads",
            _ => "writes",
        };
        let program = self.program.as_ref().map_or("the kernel".to_owned(), |program| format!("`{program}`"));
        format!("{program} {verb} `{}`", self.path)
    }
}

impl<'c> Lifelines<'c> {
    /// Those of the table, and the start of each further program.
    pub fn new(catalog: &'c Catalog, programs: &[(String, Loc)]) -> Self {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
        let mut all: Vec<Line> = rows.filter_map(|row| line(catalog, &row.split('\t').collect::<Vec<_>>())).collect();
        for (program, _) in programs {
            let purpose = format!("`{program}` of ebsec.toml");
            all.extend(line(catalog, &[&purpose, INIT, "-", "0", "exec", program]));
            all.extend(line(catalog, &[&purpose, program, INIT, "0", "file.read", program]));
        }
        let mut lines = Self { all, catalog, paths: Vec::new(), programs: Vec::new(), events: BTreeSet::new(), known: RefCell::default() };
        for line in &lines.all {
            lines.paths.push(line.path.clone().into_bytes());
            lines.programs.extend(line.program.clone().map(String::into_bytes));
            lines.events.extend(crate::hir::eval::elementary_events(catalog, &line.operation).iter().map(|(event, _)| *event));
        }
        for paths in [&mut lines.paths, &mut lines.programs] {
            paths.sort_unstable();
            paths.dedup();
        }
        lines
    }

    /// False if the rule certainly matches none of them. Cheap, so that a policy of many rules about other files costs nothing.
    pub fn may_match(&self, package: &Package, rule: &Rule) -> bool {
        self.events.contains(&rule.event) && self.may_hold(package, &rule.cond)
    }

    fn may_hold(&self, package: &Package, cond: &Cond) -> bool {
        match cond {
            Cond::Const(value) => *value,
            Cond::Not(_) => true,
            Cond::And(all) => all.iter().all(|c| self.may_hold(package, c)),
            Cond::Or(all) => all.iter().any(|c| self.may_hold(package, c)),
            Cond::Atom(atom) => {
                let Test::InPaths(set) = &atom.test else { return true };
                let paths = match self.catalog[atom.field].name.as_str() {
                    "file.path" | "file.host_path" => &self.paths,
                    "process.exe" => &self.programs,
                    _ => return true,
                };
                let key = (*set, std::ptr::eq(paths, &self.programs));
                *self
                    .known
                    .borrow_mut()
                    .entry(key)
                    .or_insert_with(|| package.path_sets.get(set.0 as usize).is_none_or(|set| any_in(&set.lang, paths)))
            }
        }
    }
}

/// Largest set whose patterns are looked at.
const MAX_PATTERNS: usize = 4096;

/// Whether one of the paths, which are sorted, is in a set.
fn any_in(lang: &PathLang, paths: &[Vec<u8>]) -> bool {
    match lang {
        // Worth no look at each: the interpreter will tell.
        PathLang::Patterns(all) if all.len() > MAX_PATTERNS => true,
        PathLang::Patterns(all) => all.iter().any(|pattern| {
            let prefix = pattern.parts.iter().map_while(|part| if let glob::Part::Byte(byte) = part { Some(byte) } else { None });
            let from = paths.get(paths.partition_point(|path| path.iter().lt(prefix.clone()))..).unwrap_or_default();
            let length = prefix.clone().count();
            let begins = |path: &&Vec<u8>| path.len() >= length && path.iter().take(length).eq(prefix.clone());
            let exact = length == pattern.parts.len();
            let mut near = from.iter().take_while(begins);
            near.any(|path| if exact { path.len() == length } else { glob::matches(pattern, path, crate::hir::Space::Path) })
        }),
        PathLang::Union(all) => all.iter().any(|lang| any_in(lang, paths)),
        PathLang::Minus(..) => paths.iter().any(|path| has(lang, path)),
    }
}

/// The operation of a row; none if the catalogue has no such event.
fn line(catalog: &Catalog, row: &[&str]) -> Option<Line> {
    let [purpose, program, lineage, uid, event, path] = row else { return None };
    let known = catalog.events.iter().position(|e| e.name == *event)?;
    let id = EventId(known as u16);
    let program = (*program != "-").then(|| (*program).to_owned());
    let subject = subject(program.as_deref(), lineage, uid.parse().ok()?);
    let known = PathValue::Known(path.as_bytes().to_vec());
    let mode = if matches!(*event, "exec" | "file.run") { 0o755 } else { 0o644 };
    let file = Some(FileAttributes { mode, owner: 0, memfd: false });
    let object = Object { path: known.clone(), host_paths: vec![known], file, ..Object::default() };
    let hook = &catalog[catalog[id].usual];
    let raise = hook.raises.iter().filter(|raise| raise.event == id).min_by_key(|raise| raise.when.len())?;
    let needed = raise.when.iter().filter(|(_, wanted)| *wanted);
    let loud = hook.silent_when.iter().filter(|(_, silent)| !*silent);
    let facts = needed.chain(loud).map(|(fact, _)| fact.clone()).collect();
    let objects = (0..hook.objects.len().max(1)).map(|index| (index == raise.object).then(|| object.clone())).collect();
    let operation = Operation { hook: catalog[id].usual, subject, objects, facts, values: BTreeMap::new(), names: BTreeMap::new() };
    Some(Line { purpose: (*purpose).to_owned(), program, event: (*event).to_owned(), path: (*path).to_owned(), operation })
}

/// A process of the host, by whom it was started.
fn subject(program: Option<&str>, lineage: &str, uid: u32) -> Subject {
    let known = |path: &str| Program::new(PathValue::Known(path.as_bytes().to_vec()), true);
    let before: Vec<&str> = lineage.split(',').filter(|path| *path != "-").collect();
    let exe = program.map_or(Program { trusted: true, ..Program::default() }, known);
    let parent = before.last().map_or(Program { trusted: true, ..Program::default() }, |path| known(path));
    let comm = program.and_then(|path| path.rsplit('/').next()).unwrap_or_default().bytes().take(15).collect();
    let mut line: Vec<Program> = program.into_iter().chain(before.iter().copied()).map(known).collect();
    line.dedup();
    Subject { exe, parent, lineage: line, comm, uid, gid: uid, euid: uid, container: false, container_trusted: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebsec_templates::catalog;

    #[test]
    fn each_row_is_an_operation_that_raises_its_event() {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        let lines = Lifelines::new(catalog(), &[("/opt/agent".to_owned(), Loc::default())]);
        assert_eq!(lines.all.len(), rows + 2);
        for line in &lines.all {
            let events = crate::hir::eval::elementary_events(catalog(), &line.operation);
            assert!(events.iter().any(|(id, _)| catalog()[*id].name == line.event), "{}", line.shown());
        }
    }

    #[test]
    fn paths_are_found_by_what_patterns_begin_with() {
        let paths: Vec<Vec<u8>> = ["/etc/passwd", "/etc/shadow", "/usr/bin/ls"].iter().map(|p| p.as_bytes().to_vec()).collect();
        let set = |text: &str| PathLang::Patterns(glob::parse(text, glob::Kind::Path).into_iter().collect());
        for (text, found) in [("/etc/shadow", true), ("/etc/shado", false), ("/etc/**", true), ("/**/ls", true), ("/srv/**", false)] {
            assert_eq!(any_in(&set(text), &paths), found, "{text}");
        }
    }
}
