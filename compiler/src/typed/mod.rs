//! Names and trees in, the typed package out: conditions, values, types and members as they are written, each part by
//! itself. Constants are evaluated; nothing is folded. Every mistake of every part is reported.

pub(crate) mod advice;
mod apply;
mod call;
mod cond;
mod constant;
pub(crate) mod cost;
mod date;
mod define;
pub(crate) mod interval;
mod kept;
pub(crate) mod lang;
mod literal;
mod member;
mod operator;
mod outside;
mod policy;
pub mod tree;
mod ty;
mod unknown;
mod value;
mod values;

pub use constant::{Constant, Data, Shape};
pub use cost::Spent;
pub use date::Date;
pub use kept::Kept;
pub(crate) use member::action;
pub use outside::{Given, Settings};
pub use tree::{Package, Typed};
pub use ty::{Elem, Ty, op_text, operators};
pub(crate) use unknown::tail;
pub use values::{Site, Values};

use crate::diag::{Finding, codes};
use crate::resolve::{DefId, DefKind, Index, Names, Part, Target, Use};
use crate::source::{Loc, PartId, Sources};
use ebsec_templates::FieldId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::Cell;
use std::sync::Arc;
use tree::{At, Cond};

/// Most definitions within each other.
const MAX_NESTING: usize = 128;
/// Most tests in one condition.
const MAX_ATOMS: usize = 65_536;

/// The names that a tree sees.
#[derive(Clone, Copy)]
pub(crate) struct Env<'e> {
    /// Index into [`Names::files`]; past its end no name is seen.
    pub file: usize,
    /// The part that holds the tree, for places.
    pub id: PartId,
    /// Arguments of the function at hand.
    pub args: &'e [(&'e str, Bound)],
}

/// What is bound to an argument of a function.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    /// A constant.
    Constant(Arc<Constant>),
    /// A condition with its number of tests.
    Cond(Arc<Cond>, usize),
    /// Its value was wrong; that has been said.
    Wrong,
}

/// Which test a named constant was used for: values of parameters, constant, field, part, operator.
type TestKey = (u32, DefId, FieldId, Option<Part>, u8);

/// What is collected while a part is typed.
#[derive(Debug, Default)]
pub struct Frame {
    part: PartId,
    /// Where its names begin among [`Typer::uses`].
    uses: usize,
    findings: Vec<Finding>,
}

/// Types parts, one after the other. What it keeps of earlier ones are values of definitions, and what all of them cost; after
/// an edit also what was typed before.
pub struct Typer<'a> {
    pub(crate) names: &'a Names<'a>,
    pub(crate) sources: &'a Sources,
    pub(crate) index: &'a Index,
    today: Date,
    /// Target kernels: (series as written, major, minor).
    kernels: Vec<(String, u16, u16)>,
    /// What is collected of the part at hand.
    frame: Frame,
    /// Names of the part at hand, after those of the parts that it is typed for.
    uses: Vec<Use>,
    /// How many more findings are kept.
    room: usize,
    /// How many were not kept.
    left_out: usize,
    defs: tree::Defs,
    bodies: kept::Bodies,
    tests: kept::Tests,
    /// What was typed before and still holds.
    reuse: kept::Reuse<'a>,
    /// What was found depends on the order in which parts were typed.
    is_ordered: Cell<bool>,
    /// Definitions that are being evaluated, outermost first.
    open: Vec<DefId>,
    /// Definitions of a cycle that has been reported.
    cyclic: FxHashSet<DefId>,
    /// 0, or the number of the `apply` whose parameters hold.
    instance: u32,
    overrides: FxHashMap<DefId, Option<Arc<Constant>>>,
    given: FxHashMap<DefId, &'a Given>,
    /// Tests in the condition at hand.
    atoms: usize,
    /// Calls of functions in it.
    calls: usize,
    spent: Spent,
    /// How many names may still be compared with misspelt ones.
    searched: Cell<usize>,
}

impl Env<'_> {
    /// The names that a part of a file sees.
    pub(crate) fn of(file: usize, part: PartId) -> Env<'static> {
        Env { file, id: part, args: &[] }
    }

    /// The same names for a tree in another part.
    pub(crate) fn at(self, part: PartId) -> Self {
        Self { id: part, ..self }
    }
}

impl<'a> Typer<'a> {
    /// Nothing is typed yet; `room` is the number of findings that are kept.
    #[must_use]
    pub fn new(names: &'a Names<'a>, sources: &'a Sources, index: &'a Index, settings: &Settings<'_>, room: usize) -> Self {
        Self {
            names,
            sources,
            index,
            today: settings.today,
            kernels: settings.package.kernels.iter().map(|k| series(k)).collect(),
            frame: Frame::default(),
            uses: Vec::new(),
            room,
            left_out: 0,
            defs: FxHashMap::default(),
            bodies: FxHashMap::default(),
            tests: FxHashMap::default(),
            reuse: kept::Reuse::default(),
            is_ordered: Cell::new(false),
            open: Vec::new(),
            cyclic: FxHashSet::default(),
            instance: 0,
            overrides: FxHashMap::default(),
            given: FxHashMap::default(),
            atoms: 0,
            calls: 0,
            spent: Spent::default(),
            searched: Cell::new(cost::MAX_SEARCHED),
        }
    }

    /// Types all definitions, `apply`, `except` and the policies in force. The definitions are given by [`Self::finish`].
    pub fn package(&mut self, given: &'a [Given]) -> Package {
        let mut package = Package { outside: self.outside(given), ..Package::default() };
        self.definitions();
        package.applies = self.applies();
        self.keep_applied(&package.applies);
        package.excepts = self.excepts();
        package.policies = self.policies(&package.applies);
        package
    }

    /// Types one part: what is found on the way belongs to it.
    pub(crate) fn part<T>(&mut self, part: PartId, make: impl FnOnce(&mut Self) -> T) -> Typed<T> {
        let outer = self.begin(part);
        let tree = make(self);
        self.end(outer, tree)
    }

    fn begin(&mut self, part: PartId) -> Frame {
        std::mem::replace(&mut self.frame, Frame { part, uses: self.uses.len(), findings: Vec::new() })
    }

    fn end<T>(&mut self, outer: Frame, tree: T) -> Typed<T> {
        let Frame { part, uses, findings } = std::mem::replace(&mut self.frame, outer);
        if let Some(own) = self.uses.get_mut(uses..) {
            own.sort_by_key(|one| one.loc);
        }
        let mut own: Vec<Use> = self.uses.drain(uses.min(self.uses.len())..).collect();
        own.dedup();
        Typed { part, tree, uses: own.into(), findings: findings.into() }
    }

    /// Notes what a name means, if it is in the current part: what a call makes of a function is in the function's part.
    pub(crate) fn note(&mut self, loc: Loc, target: Target) {
        if self.frame.part == loc.part {
            self.uses.push(Use { loc, target });
        }
    }

    pub(crate) fn error(&mut self, code: &'static str, loc: Loc, message: impl Into<String>) {
        self.push(Finding::error(code, loc, message));
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        match self.room.checked_sub(1) {
            Some(room) => {
                self.room = room;
                self.frame.findings.push(finding);
            }
            None => self.left_out += 1,
        }
    }

    /// Whether no further finding is kept; it is counted then, and its text is not made.
    pub(crate) fn uncounted(&mut self) -> bool {
        let full = self.room == 0;
        self.left_out += usize::from(full);
        full
    }

    pub(crate) fn unsupported(&mut self, loc: Loc, what: &str) {
        self.error(codes::UNSUPPORTED, loc, format!("{what} is not supported yet"));
    }

    fn unsupported_many(&mut self, loc: Loc, what: &str) {
        self.error(codes::UNSUPPORTED, loc, format!("{what} are not supported yet"));
    }

    /// Whether a definition could not be read.
    fn is_broken(&self, id: DefId) -> bool {
        self.names.def(id).is_some_and(|d| matches!(d.kind, DefKind::Broken))
    }

    /// What everything cost so far.
    #[must_use]
    pub fn spent(&self) -> &Spent {
        &self.spent
    }

    /// How many more findings are kept.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room
    }

    /// Takes room for findings of other stages.
    pub fn take_room(&mut self, count: usize) {
        self.room = self.room.saturating_sub(count);
    }

    /// All definitions that were typed, and how many findings were not kept.
    #[must_use]
    pub fn finish(self) -> (tree::Defs, usize) {
        (self.defs, self.left_out)
    }
}

/// `6.1` as numbers; a bare `7` is its first release.
fn series(text: &str) -> (String, u16, u16) {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    (text.to_owned(), major.parse().unwrap_or(0), minor.parse().unwrap_or(0))
}
