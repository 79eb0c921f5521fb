//! The operations without which a host does not boot and nobody logs in: the file `std/lifelines.tsv`, and the programs that a
//! package adds. Gives them as operations for the reference interpreter, and tells quickly which rules have to do with none.

use super::kept::Answers;
use super::narrow::has;
use crate::hir::eval::elementary_events;
use crate::hir::{Cond, FileAttributes, Object, Operation, Package, PathLang, PathValue, Program, Rule, Subject, Test, glob};
use crate::source::Loc;
use ebsec_templates::{Catalog, EventId};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = include_str!("../../../std/lifelines.tsv");

/// What starts all programs.
const INIT: &str = "/usr/lib/systemd/systemd";

/// One operation, as its row has it.
pub(super) struct Line<'c> {
    /// Who needs it.
    pub purpose: Cow<'c, str>,
    /// What does it, without one the kernel.
    pub program: Option<&'c str>,
    parent: &'c str,
    lineage: &'c str,
    uid: &'c str,
    event: EventId,
    name: &'c str,
    pub path: &'c str,
}

/// All of them.
pub(super) struct Lifelines<'c> {
    pub all: Vec<Line<'c>>,
    catalog: &'c Catalog,
    /// Paths of objects, sorted.
    paths: Vec<&'c [u8]>,
    /// Paths of programs, sorted.
    programs: Vec<&'c [u8]>,
    /// What an operation raises, by the event of its row.
    raised: BTreeMap<EventId, Vec<EventId>>,
    /// Answers by path set, about objects and about programs.
    known: &'c RefCell<Vec<Answers>>,
}

impl<'c> Line<'c> {
    /// None if it is not a row of this many columns, or the catalogue has no such event.
    fn read(catalog: &Catalog, purpose: Cow<'c, str>, row: [&'c str; 6]) -> Option<Self> {
        let [program, parent, lineage, uid, name, path] = row;
        let program = (program != "-").then_some(program);
        Some(Line { purpose, program, parent, lineage, uid, event: catalog.event(name)?, name, path })
    }

    /// ``` `/usr/bin/login` reads `/etc/shadow` ```
    pub fn shown(&self) -> String {
        let verb = match self.name {
            "exec" => "starts",
            "file.run" => "runs code of",
            "file.read" => "reads",
            _ => "writes",
        };
        let program = self.program.map_or("the kernel".to_owned(), |program| format!("`{program}`"));
        format!("{program} {verb} `{}`", self.path)
    }

    /// For the interpreter.
    pub fn operation(&self, catalog: &Catalog) -> Option<Operation> {
        let known = PathValue::Known(self.path.as_bytes().to_vec());
        let mode = if matches!(self.name, "exec" | "file.run") { 0o755 } else { 0o644 };
        let file = Some(FileAttributes { mode, owner: 0, memfd: false });
        let object = Object { path: known.clone(), host_paths: vec![known], file, ..Object::default() };
        let usual = catalog[self.event].usual;
        let hook = &catalog[usual];
        let raise = hook.raises.iter().filter(|raise| raise.event == self.event).min_by_key(|raise| raise.when.len())?;
        let needed = raise.when.iter().filter(|(_, wanted)| *wanted);
        let loud = hook.silent_when.iter().filter(|(_, silent)| !*silent);
        let facts = needed.chain(loud).map(|(fact, _)| fact.clone()).collect();
        let objects = (0..hook.objects.len().max(1)).map(|index| (index == raise.object).then(|| object.clone())).collect();
        Some(Operation { hook: usual, subject: self.subject()?, objects, facts, values: BTreeMap::new(), names: BTreeMap::new() })
    }

    /// A process of the host, by whom it was started.
    fn subject(&self) -> Option<Subject> {
        let known = |path: &str| match path {
            "-" => Program { trusted: true, ..Program::default() },
            path => Program::new(PathValue::Known(path.as_bytes().to_vec()), true),
        };
        let (uid, euid) = self.uid.split_once('/').unwrap_or((self.uid, self.uid));
        let uid = uid.parse().ok()?;
        let comm = self.program.and_then(|path| path.rsplit('/').next()).unwrap_or_default().bytes().take(15).collect();
        let before = self.lineage.split(',').filter(|path| *path != "-");
        let mut line: Vec<Program> = self.program.into_iter().chain(before).map(known).collect();
        line.dedup();
        Some(Subject {
            exe: known(self.program.unwrap_or("-")),
            parent: known(self.parent),
            lineage: line,
            comm,
            uid,
            gid: uid,
            euid: euid.parse().ok()?,
            container: false,
            container_trusted: false,
        })
    }
}

impl<'c> Lifelines<'c> {
    /// Those of the table, and the start of each further program.
    pub fn new(catalog: &'c Catalog, programs: &'c [(String, Loc)], known: &'c RefCell<Vec<Answers>>) -> Self {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
        let mut all: Vec<Line<'c>> = rows.filter_map(|row| table_row(catalog, row)).collect();
        for (program, _) in programs {
            let purpose = || Cow::Owned(format!("`{program}` of ebsec.toml"));
            all.extend(Line::read(catalog, purpose(), [INIT, "-", "-", "0", "exec", program]));
            all.extend(Line::read(catalog, purpose(), [program, INIT, INIT, "0", "file.read", program]));
        }
        let mut paths: Vec<&[u8]> = all.iter().map(|line| line.path.as_bytes()).collect();
        let mut programs: Vec<&[u8]> = all.iter().filter_map(|line| line.program.map(str::as_bytes)).collect();
        for paths in [&mut paths, &mut programs] {
            paths.sort_unstable();
            paths.dedup();
        }
        let mut raised = BTreeMap::new();
        for line in &all {
            raised.entry(line.event).or_insert_with(|| {
                let raised = line.operation(catalog).map(|operation| elementary_events(catalog, &operation)).unwrap_or_default();
                raised.into_iter().map(|(event, _)| event).collect()
            });
        }
        Self { all, catalog, paths, programs, raised, known }
    }

    /// Whether an operation is about one of these events.
    pub fn raises(&self, line: &Line<'_>, events: &BTreeSet<EventId>) -> bool {
        self.raised.get(&line.event).is_some_and(|raised| raised.iter().any(|event| events.contains(event)))
    }

    /// False if the rule certainly matches none of them. Cheap, so that a policy of many rules about other files costs nothing.
    pub fn may_match(&self, package: &Package, rule: &Rule) -> bool {
        self.raised.values().any(|raised| raised.contains(&rule.event)) && self.may_hold(package, &rule.cond)
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
                let which = usize::from(std::ptr::eq(paths, &self.programs));
                let ask = || package.path_sets.get(set.0 as usize).is_none_or(|set| any_in(&set.lang, paths));
                match self.known.borrow_mut().get_mut(set.0 as usize).and_then(|known| known.get_mut(which)) {
                    Some(known) => *known.get_or_insert_with(ask),
                    None => ask(),
                }
            }
        }
    }
}

/// Largest set whose patterns are looked at.
const MAX_PATTERNS: usize = 4096;

/// Whether one of the paths, which are sorted, is in a set.
fn any_in(lang: &PathLang, paths: &[&[u8]]) -> bool {
    match lang {
        // Worth no look at each: the interpreter will tell.
        PathLang::Patterns(all) if all.len() > MAX_PATTERNS => true,
        PathLang::Patterns(all) => all.iter().any(|pattern| {
            let mut prefix = Vec::with_capacity(pattern.parts.len());
            prefix.extend(pattern.parts.iter().map_while(|part| if let glob::Part::Byte(byte) = part { Some(*byte) } else { None }));
            let from = paths.get(paths.partition_point(|path| *path < prefix.as_slice())..).unwrap_or_default();
            let exact = prefix.len() == pattern.parts.len();
            let mut near = from.iter().take_while(|path| path.starts_with(&prefix));
            near.any(|path| if exact { path.len() == prefix.len() } else { glob::matches(pattern, path, crate::hir::Space::Path) })
        }),
        PathLang::Union(all) => all.iter().any(|lang| any_in(lang, paths)),
        PathLang::Minus(..) => paths.iter().any(|path| has(lang, path)),
    }
}

/// A row of the table.
fn table_row(catalog: &Catalog, row: &'static str) -> Option<Line<'static>> {
    let (purpose, rest) = row.split_once('\t')?;
    let mut columns = rest.split('\t');
    let mut row = [""; 6];
    for column in &mut row {
        *column = columns.next()?;
    }
    columns.next().is_none().then(|| Line::read(catalog, Cow::Borrowed(purpose), row)).flatten()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ebsec_templates::catalog;

    #[test]
    fn each_row_is_an_operation_that_raises_its_event() {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        let programs = [("/opt/agent".to_owned(), Loc::default())];
        let known = RefCell::default();
        let lines = Lifelines::new(catalog(), &programs, &known);
        assert_eq!(lines.all.len(), rows + 2);
        for line in &lines.all {
            let events = elementary_events(catalog(), &line.operation(catalog()).unwrap());
            assert!(events.iter().any(|(id, _)| *id == line.event), "{}", line.shown());
        }
    }

    #[test]
    fn paths_are_found_by_what_patterns_begin_with() {
        let paths: Vec<&[u8]> = ["/etc/passwd", "/etc/shadow", "/usr/bin/ls"].iter().map(|p| p.as_bytes()).collect();
        let set = |text: &str| PathLang::Patterns(glob::parse(text, glob::Kind::Path).into_iter().collect());
        for (text, found) in [("/etc/shadow", true), ("/etc/shado", false), ("/etc/**", true), ("/**/ls", true), ("/srv/**", false)] {
            assert_eq!(any_in(&set(text), &paths), found, "{text}");
        }
    }
}
