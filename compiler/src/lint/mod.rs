//! Lints: what compiles and is probably not what its author means. Takes the names, trees and folded policy of a package, gives
//! findings, less what a comment allows. Each lint is one file in `rules`, with its page in `compiler/pages/`. Never changes
//! the package, never looks at anything outside of it.

mod context;
mod kept;
mod lifelines;
mod narrow;
mod report;
mod rules;
mod shape;
mod suppress;
mod text;
mod uses;
mod walk;

use crate::config::Config;
use crate::diag::{Findings, Level, MAX_KEPT, codes};
use crate::fold::Origin;
use crate::hir::Package;
use crate::resolve::{Loaded, Names, ROOT};
use crate::source::Sources;
use crate::typed;
use context::{Constant, Context, Folded, Test, TextFile, Written};
use ebsec_grammar::ast;
use ebsec_templates::Catalog;
pub use kept::{Before, Kept};
use report::Report;

/// What the lints look at.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The names of the package.
    pub names: &'a Names<'a>,
    /// Its trees.
    pub loaded: &'a Loaded,
    /// Its texts.
    pub sources: &'a Sources,
    /// Its settings, the levels of lints among them.
    pub config: &'a Config,
    /// Events and fields.
    pub catalog: &'static Catalog,
    /// The package as it is written, with what its names mean.
    pub typed: &'a typed::Package,
    /// The folded policy; without one, since there are errors, only lints of the text run.
    pub package: Option<&'a Package>,
    /// For each rule of each policy of `package`: where each part of its condition came from.
    pub parts: &'a [Vec<Box<[Origin]>>],
    /// The policy with other values of its parameters, each with the tests that are about those.
    pub variants: &'a [Package],
    /// The last run, if the package is one that was edited.
    pub before: Option<Before<'a>>,
    /// The package will be edited: what can be used again is kept.
    pub keep: bool,
}

/// A lint: its code and what it looks at.
#[derive(Clone, Copy)]
struct Lint {
    code: &'static str,
    check: Check,
}

/// What a lint is called for. The walk is made once for all lints.
#[derive(Clone, Copy)]
enum Check {
    /// Each file's text.
    Text(TextCheck),
    /// Each rule and default as written; looks at its part alone.
    Written(WrittenCheck),
    /// Each condition and each part of one, as written; looks at its part alone.
    Condition(ConditionCheck),
    /// Each constant, as a whole; looks at its part alone.
    Constant(ConstantCheck),
    /// Each rule and default in force, by event, folded; for a rule it looks at nothing but that and the name and mode of its
    /// policy.
    Folded(FoldedCheck),
    /// Each test of a field in a folded rule; true if its being true is what loosens the rule.
    Atom(AtomCheck),
    /// The package as a whole.
    Package(PackageCheck),
}

type TextCheck = fn(&TextFile<'_>, &mut Report<'_>);
type WrittenCheck = fn(&Context<'_>, &Written<'_>, &mut Report<'_>);
type ConditionCheck = fn(&Context<'_>, &Test<'_>, &mut Report<'_>);
type ConstantCheck = fn(&Context<'_>, &Constant<'_>, &mut Report<'_>);
type FoldedCheck = fn(&Context<'_>, &Folded<'_>, &mut Report<'_>);
type AtomCheck = fn(&Context<'_>, &Folded<'_>, &crate::hir::Atom, bool, &mut Report<'_>);
type PackageCheck = fn(&Context<'_>, &mut Report<'_>);

/// The code and level of a lint that is on.
type Head = (&'static str, Level);

/// The lints that are on, by what they look at: the walk comes by often.
#[derive(Default)]
struct Active {
    text: Vec<(Head, TextCheck)>,
    written: Vec<(Head, WrittenCheck)>,
    condition: Vec<(Head, ConditionCheck)>,
    constant: Vec<(Head, ConstantCheck)>,
    folded: Vec<(Head, FoldedCheck)>,
    atom: Vec<(Head, AtomCheck)>,
    package: Vec<(Head, PackageCheck)>,
}

impl Active {
    fn add(&mut self, lint: &Lint, level: Level) {
        let head = (lint.code, level);
        match lint.check {
            Check::Text(check) => self.text.push((head, check)),
            Check::Written(check) => self.written.push((head, check)),
            Check::Condition(check) => self.condition.push((head, check)),
            Check::Constant(check) => self.constant.push((head, check)),
            Check::Folded(check) => self.folded.push((head, check)),
            Check::Atom(check) => self.atom.push((head, check)),
            Check::Package(check) => self.package.push((head, check)),
        }
    }
}

/// Runs every lint that is on. Gives what can be used again, if that is wanted and possible.
pub fn run(input: Input<'_>, findings: &mut Findings) -> Option<Kept> {
    let mut report = Report::new(input);
    let mut on = Active::default();
    for lint in rules::ALL {
        if let Some(level) = report.level(lint.code) {
            on.add(lint, level);
        }
    }
    let mut kept = Kept { files: text::run(&input, &on, &mut report), ..Kept::default() };
    let context = input.package.and_then(|package| Context::new(input, package));
    if let Some(context) = &context {
        walk::run(context, &on, &mut report, input.keep.then_some(&mut kept));
        kept.lifelines = context.lifelines.take();
        kept.related = context.related.get().cloned().unwrap_or_default();
    }
    let whole = context.is_some_and(|context| context.may_compare(0)) && report.count() < MAX_KEPT;
    let complete = input.package.is_some();
    let found = suppress::apply(&input, &mut report, complete);
    findings.extend(found);
    (0..report.left_out()).for_each(|_| findings.count());
    Some(kept).filter(|_| input.keep && whole)
}

/// The codes of all lints.
#[must_use]
pub fn all() -> Vec<&'static str> {
    let of_comments = [codes::UNUSED_SUPPRESSION, codes::UNKNOWN_SUPPRESSION, codes::SUPPRESSION_WITHOUT_REASON];
    rules::ALL.iter().map(|lint| lint.code).chain(of_comments).collect()
}

/// The text of a literal string.
fn string(literal: &ast::Literal) -> Option<&str> {
    match literal {
        ast::Literal::Str(text) => Some(text),
        _ => None,
    }
}

/// Whether an index is that of a file of the package that is built.
fn is_own(names: &Names<'_>, file: usize) -> bool {
    names.files.get(file).is_some_and(|f| f.module == ROOT)
}
