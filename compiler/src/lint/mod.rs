//! Lints: what compiles and is probably not what its author means. Takes the names, trees and typed policy of a package, gives
//! findings, less what a comment allows. Each lint is one file in `rules`, with its page in `compiler/pages/`. Never changes
//! the package, never looks at anything outside of it.

mod context;
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
use crate::diag::{Findings, codes};
use crate::hir::Package;
use crate::resolve::{Loaded, Names, ROOT};
use crate::source::Sources;
use context::{Constant, Context, Folded, Test, TextFile, Written};
use ebsec_grammar::ast;
use ebsec_templates::Catalog;
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
    /// The typed policy; without one, since there are errors, only lints of the text run.
    pub package: Option<&'a Package>,
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
    Text(fn(&TextFile<'_>, &mut Report<'_>)),
    /// Each rule and default as written.
    Written(fn(&Context<'_>, &Written<'_>, &mut Report<'_>)),
    /// Each condition and each part of one, as written.
    Condition(fn(&Context<'_>, &Test<'_>, &mut Report<'_>)),
    /// Each constant, as a whole.
    Constant(fn(&Context<'_>, &Constant<'_>, &mut Report<'_>)),
    /// Each rule and default in force, by event, folded.
    Folded(fn(&Context<'_>, &Folded<'_>, &mut Report<'_>)),
    /// Each test of a field in a folded rule; true if its being true is what loosens the rule.
    Atom(fn(&Context<'_>, &Folded<'_>, &crate::hir::Atom, bool, &mut Report<'_>)),
    /// The package as a whole.
    Package(fn(&Context<'_>, &mut Report<'_>)),
}

/// Runs every lint that is on.
pub fn run(input: Input<'_>, findings: &mut Findings) {
    let mut report = Report::new(input);
    let on: Vec<Lint> = rules::ALL.iter().filter(|lint| report.is_on(lint.code)).copied().collect();
    text::run(&input, &on, &mut report);
    if let Some(context) = input.package.and_then(|package| Context::new(input, package)) {
        walk::run(&context, &on, &mut report);
    }
    let complete = input.package.is_some();
    findings.extend(suppress::apply(&input, report, complete));
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
