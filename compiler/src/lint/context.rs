//! What lints may look at, and the views that the walk hands to them. Holds no finding.

use super::kept::{Answers, Before, Same};
use super::shape::{self, Related};
use super::uses::{self, Uses};
use super::{Input, is_own, narrow};
use crate::config::Config;
use crate::fmt::Extent;
use crate::fold;
use crate::hir::{self, Action, Cond, Mode};
use crate::resolve::{Names, PolicyDef};
use crate::source::{Loc, PartId, Sources, Span};
use crate::typed::Package;
use ebsec_grammar::ast::{self, ItemKind};
use ebsec_templates::Catalog;
use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

/// A package without errors.
pub(super) struct Context<'a> {
    pub names: &'a Names<'a>,
    pub sources: &'a Sources,
    pub typed: &'a Package,
    pub config: &'a Config,
    pub catalog: &'static Catalog,
    pub package: &'a hir::Package,
    /// All unit tests, whatever values of parameters they are about.
    pub tests: Vec<&'a hir::TestCase>,
    /// For each policy of `package` where it comes from.
    pub origins: Vec<Origin<'a>>,
    /// For each rule of each policy of `package` where each part of its condition comes from.
    parts: &'a [Vec<Box<[fold::Origin]>>],
    /// For each path set of `package` whether every path is in it.
    pub whole: Vec<bool>,
    uses: OnceCell<Uses<'a>>,
    /// The rules that others of their policy cover, policy by policy.
    pub related: OnceCell<Vec<shape::OfPolicy>>,
    images: OnceCell<Vec<bool>>,
    shared: OnceCell<Vec<bool>>,
    /// Comparisons of patterns that are still made; nothing if there were too many.
    work: Cell<Option<usize>>,
    /// Which rules and sets are those of the last package.
    pub same: Same,
    /// What is known of sets and lifelines.
    pub lifelines: RefCell<Vec<Answers>>,
    pub before: Option<Before<'a>>,
}

/// Most comparisons of patterns in a package: what sets of paths have in common is looked at only so far.
const MAX_WORK: usize = 1 << 23;

/// Files that each image of a container has: who sets one up writes them.
const OF_IMAGES: &[&[u8]] = &[b"/etc/passwd", b"/etc/hosts", b"/usr/bin/q7", b"/usr/lib/q7", b"/usr/sbin/q7"];

/// Files in folders that everybody writes.
const SHARED: &[&[u8]] = &[b"/tmp/q7", b"/var/tmp/q7", b"/dev/shm/q7"];

/// Where a policy in force comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub def: &'a PolicyDef<'a>,
    /// Its name, or the name in the `apply`.
    pub loc: Loc,
    pub applied: bool,
    /// The `with` of the `apply`.
    pub with: Option<&'a ast::Record>,
}

/// A file of the package.
pub(super) struct TextFile<'a> {
    pub file: crate::source::FileId,
    pub text: &'a str,
    pub tree: &'a Arc<ebsec_grammar::Tree>,
    /// How far an earlier text of the file was formatted.
    pub before: Option<&'a Extent>,
    /// How far the file is, once someone asked.
    pub extent: OnceCell<Extent>,
}

/// A rule or default as written.
pub(super) struct Written<'a> {
    pub part: PartId,
    pub member: &'a ast::Member,
}

/// A condition as written, or a part of one.
pub(super) struct Test<'a> {
    pub part: PartId,
    pub cond: &'a ast::Cond,
}

/// Where a constant stands.
#[derive(Clone, Copy)]
pub(super) enum Role<'a> {
    /// `operand op CONSTANT`, with the operator and all of it.
    Compared(&'a ast::Operand, &'a ast::Spanned<ast::Op>),
    /// `let` and `param`.
    Defined,
    /// A value of a test's process, by its key; the process may be in a container.
    Process { key: &'a str, container: bool },
    /// The object of an operation of a test.
    Object,
    /// Anywhere else.
    Other,
}

/// A constant as written.
pub(super) struct Constant<'a> {
    pub part: PartId,
    pub role: Role<'a>,
    /// All of it.
    pub span: Span,
    /// It is one literal alone.
    pub alone: bool,
    /// It adds to a difference, so that elements may come again on purpose.
    pub adds_again: bool,
    /// Its literals, each with its place.
    pub literals: &'a [(Span, &'a ast::Literal)],
}

/// A rule or default for one event.
pub(super) struct Folded<'a> {
    pub policy: &'a hir::Policy,
    pub origin: Origin<'a>,
    pub rule: &'a hir::Rule,
    /// Where each part of an outermost `And` of its condition comes from, or the condition as a whole.
    parts: &'a [fold::Origin],
}

impl<'a> Context<'a> {
    /// None if policies cannot be matched with what is written, which never is so without errors.
    pub fn new(input: Input<'a>, package: &'a hir::Package) -> Option<Self> {
        let Input { names, sources, typed, config, catalog, parts, variants, before, .. } = input;
        let origins = origins(names, sources);
        let same = |(origin, policy): (&Origin<'_>, &hir::Policy)| origin.def.name == policy.name;
        if origins.len() != package.policies.len() || !origins.iter().zip(&package.policies).all(same) {
            return None;
        }
        let tests = package.tests.iter().chain(variants.iter().flat_map(|variant| &variant.tests)).collect();
        let same = Same::new(before.as_ref(), package);
        let lifelines = RefCell::new(same.answers(before.as_ref(), package.path_sets.len()));
        let whole = package.path_sets.iter().map(narrow::is_whole).collect();
        Some(Self {
            names,
            sources,
            typed,
            config,
            catalog,
            package,
            tests,
            origins,
            parts,
            whole,
            uses: OnceCell::new(),
            related: OnceCell::new(),
            images: OnceCell::new(),
            shared: OnceCell::new(),
            work: Cell::new(Some(MAX_WORK)),
            same,
            lifelines,
            before,
        })
    }

    /// Each rule and default in force, by event.
    pub fn rules(&self) -> impl Iterator<Item = Folded<'a>> {
        (0..self.origins.len()).flat_map(|policy| self.rules_of(policy))
    }

    /// Those of one policy.
    pub fn rules_of(&self, policy: usize) -> impl Iterator<Item = Folded<'a>> {
        let all = self.package.policies.get(policy).zip(self.origins.get(policy).copied()).zip(self.parts.get(policy));
        all.into_iter().flat_map(|((policy, origin), parts)| {
            policy.rules.iter().zip(parts).map(move |(rule, parts)| Folded { policy, origin, rule, parts })
        })
    }

    /// For each path set of `package` whether it has paths that every image of a container has.
    pub fn images(&self) -> &[bool] {
        self.images.get_or_init(|| self.with_one_of(OF_IMAGES))
    }

    /// For each path set of `package` whether it has paths of folders that everybody writes.
    pub fn shared(&self) -> &[bool] {
        self.shared.get_or_init(|| self.with_one_of(SHARED))
    }

    fn with_one_of(&self, paths: &[&[u8]]) -> Vec<bool> {
        self.package.path_sets.iter().map(|set| paths.iter().any(|path| narrow::has(&set.lang, path))).collect()
    }

    /// Whether so many comparisons may still be made; counts them.
    pub fn may_compare(&self, count: usize) -> bool {
        let left = self.work.get().and_then(|left| left.checked_sub(count));
        self.work.set(left);
        left.is_some()
    }

    /// The rules that others of their policy cover.
    pub fn related(&self) -> impl Iterator<Item = Related<'a>> {
        let related = self.related.get_or_init(|| shape::related(self));
        let package = self.package;
        package.policies.iter().zip(related).flat_map(|(policy, found)| {
            let rule = |at: &usize| policy.rules.get(*at);
            found
                .iter()
                .filter_map(move |(wider, own, relation)| Some(Related { wider: rule(wider)?, rule: rule(own)?, relation: *relation }))
        })
    }

    /// What the package uses, found at the first time.
    pub fn uses(&self) -> &Uses<'a> {
        self.uses.get_or_init(|| uses::of(self))
    }

    pub fn event(&self, rule: &hir::Rule) -> &'static str {
        &self.catalog[rule.event].name
    }
}

/// The policies in force, in the order of the folded policy.
fn origins<'a>(names: &'a Names<'a>, sources: &Sources) -> Vec<Origin<'a>> {
    let own = names.policies.iter().filter(|p| is_own(names, p.file));
    let origin = |def: &'a PolicyDef<'a>| Origin { def, loc: Loc::new(def.part, def.written.span), applied: false, with: None };
    let mut all: Vec<(usize, Origin<'a>)> = own.map(|def| (def.file, origin(def))).collect();
    for other in names.others.iter().filter(|o| is_own(names, o.file)) {
        let ItemKind::Apply { target, with, .. } = &other.item.kind else { continue };
        let crate::resolve::Found::Here(id) = names.find_policy(other.file, &target.node) else { continue };
        let Some(def) = names.policy(id) else { continue };
        let loc = Loc::new(other.part, target.span);
        all.push((other.file, Origin { def, loc, applied: true, with: with.as_ref() }));
    }
    all.sort_by_key(|(file, origin)| (*file, sources.place(origin.loc)));
    all.into_iter().map(|(_, origin)| origin).collect()
}

impl Folded<'_> {
    /// Whether it can refuse.
    pub fn refuses(&self) -> bool {
        self.policy.mode == Mode::Enforce && self.rule.action != Action::Audit
    }

    /// The parts of its condition that must all hold, each with where it comes from.
    pub fn parts(&self) -> impl Iterator<Item = (&Cond, fold::Origin)> {
        let all = match &self.rule.cond {
            Cond::And(all) if all.len() == self.parts.len() => all.as_slice(),
            one => std::slice::from_ref(one),
        };
        all.iter().zip(self.parts.iter().copied())
    }

    /// Where findings about the rule stand: an applied policy's rules are where it is applied.
    pub fn loc(&self) -> Loc {
        if self.origin.applied { self.origin.loc } else { self.rule.loc }
    }

    /// `web.shell`, `the default of \`web\``.
    pub fn name(&self) -> String {
        match &self.rule.label {
            Some(label) => format!("`{}.{label}`", self.policy.name),
            None => format!("the default of `{}`", self.policy.name),
        }
    }
}
