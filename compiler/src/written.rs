//! Names, trees and the folded policy in; out comes what the policies in force say, as text for people who audit an artifact.
//! Everything was checked before: nothing is reported here, and no verdict depends on it.

mod print;

use crate::hir;
use crate::resolve::{DefId, Found, Names, Other, PolicyDef, PolicyId, ROOT};
use crate::source::{LineIndex, Loc, PartId, Sources};
use crate::typed::Given;
use ebsec_artifact::{Allow, Clauses, Definition, Exception, Mode, POLICIES_FORMAT, Policies, Policy};
use ebsec_grammar::ast::{self, ItemKind, MemberKind, PairValue};
use print::Printer;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// What the policies of a package say; `given` are the values of its parameters, of which the last one counts.
#[must_use]
pub fn policies(names: &Names<'_>, sources: &Sources, given: &[Given], package: &hir::Package) -> Policies {
    let lines = sources.files.iter().map(|f| LineIndex::new(&f.text)).collect();
    let mut writer = Writer { names, sources, lines, printer: Printer::new(names), next: 0 };
    let by_place = names.policies.iter().enumerate();
    let by_place: FxHashMap<Loc, PolicyId> = by_place.map(|(i, def)| (Loc::new(def.part, def.written.span), PolicyId(i as u32))).collect();
    let mut applied = writer.applied();
    let mut policies = Vec::with_capacity(package.policies.len());
    for policy in &package.policies {
        let Some((id, def)) = by_place.get(&policy.loc).and_then(|id| Some((*id, names.policy(*id)?))) else { continue };
        let by = if def.module == ROOT { None } else { applied.get_mut(&id).and_then(VecDeque::pop_front) };
        policies.push(writer.policy(policy, def, by));
    }
    let exceptions = writer.exceptions();
    let definitions = writer.definitions(given);
    Policies { definitions, exceptions, format: POLICIES_FORMAT, policies }
}

struct Writer<'n, 'a> {
    names: &'n Names<'a>,
    sources: &'n Sources,
    /// Lines of the files, in the order of the sources.
    lines: Vec<LineIndex>,
    printer: Printer<'n, 'a>,
    /// The entry of [`ebsec_artifact::Manifest::rules`] that the next rule begins with.
    next: u32,
}

impl<'n, 'a> Writer<'n, 'a> {
    /// The `apply` items of each policy in the order in which they make policies.
    fn applied(&self) -> FxHashMap<PolicyId, VecDeque<&'n Other<'a>>> {
        let mut all: Vec<(usize, Loc, PolicyId, &Other<'a>)> = Vec::new();
        for other in &self.names.others {
            let ItemKind::Apply { target, .. } = &other.item.kind else { continue };
            if let Found::Here(id) = self.names.find_policy(other.file, &target.node) {
                all.push((other.file, Loc::new(other.part, target.span), id, other));
            }
        }
        all.sort_by_key(|(file, loc, ..)| (*file, *loc));
        let mut by_policy: FxHashMap<PolicyId, VecDeque<&Other<'a>>> = FxHashMap::default();
        for (.., id, other) in all {
            by_policy.entry(id).or_default().push_back(other);
        }
        by_policy
    }

    fn policy(&mut self, policy: &hir::Policy, def: &PolicyDef<'a>, by: Option<&'n Other<'a>>) -> Policy {
        let mut scopes = Vec::new();
        for (_, member) in &def.members {
            if let MemberKind::Scope(scope) = &member.kind {
                scopes.push((def.file, scope));
            }
        }
        let mut parameters = Vec::new();
        if let Some(Other { file, item: ast::Item { kind: ItemKind::Apply { filter, with, .. }, .. }, .. }) = by {
            scopes.extend(filter.iter().map(|filter| (*file, filter)));
            parameters = with.iter().flat_map(|with| self.parameters(with, *file)).collect();
        }
        let (allows, rules) = self.members(policy, def);
        Policy {
            allows,
            description: policy.description.clone(),
            file: self.place(Loc::new(def.part, def.written.span)).0,
            mode: if policy.mode == hir::Mode::Enforce { Mode::Enforce } else { Mode::Observe },
            name: policy.name.clone(),
            parameters,
            rules,
            scope: self.printer.all(&scopes),
            tags: policy.tags.clone(),
        }
    }

    /// The values that an `apply` sets, apart from its own keys.
    fn parameters(&mut self, with: &ast::Record, file: usize) -> Vec<Definition> {
        let mut all = Vec::new();
        for (key, value) in &with.pairs {
            if let PairValue::Value(value) = value
                && !matches!(key.node.as_str(), "mode" | "severity")
            {
                all.push(Definition { name: key.node.clone(), parameter: true, text: self.printer.value(file, value) });
            }
        }
        all
    }

    fn members(&mut self, policy: &hir::Policy, def: &PolicyDef<'a>) -> (Vec<Allow>, Vec<Clauses>) {
        let (mut allows, mut clauses) = (Vec::new(), Vec::new());
        let mut rest = policy.rules.as_slice();
        for (part, member) in &def.members {
            let (when, unless) = match &member.kind {
                MemberKind::Rule(rule) if rule.action.node == ast::Action::Allow => {
                    allows.push(self.allow(rule, def.file, *part));
                    continue;
                }
                MemberKind::Rule(rule) => (rule.when.as_ref(), rule.unless.as_ref()),
                MemberKind::Default { .. } => (None, None),
                _ => continue,
            };
            // Each member is a part of its own: its entries are those with a place in it.
            let entries = rest.iter().take_while(|rule| rule.loc.part == *part).count();
            rest = rest.get(entries..).unwrap_or_default();
            if entries > 0 {
                let [when, unless] = [when, unless.map(AsRef::as_ref)].map(|c| self.printer.optional(def.file, c));
                clauses.push(Clauses { events: entries as u32, first: self.next, unless, when });
                self.next += entries as u32;
            }
        }
        (allows, clauses)
    }

    fn allow(&mut self, rule: &ast::Rule, file: usize, part: PartId) -> Allow {
        Allow {
            because: rule.because.as_ref().map(|b| b.node.clone()).unwrap_or_default(),
            events: rule.events.iter().map(|event| event.node.clone()).collect(),
            label: rule.label.node.clone(),
            line: self.place(Loc::new(part, rule.label.span)).1,
            unless: self.printer.optional(file, rule.unless.as_deref()),
            when: self.printer.optional(file, rule.when.as_ref()),
        }
    }

    fn exceptions(&mut self) -> Vec<Exception> {
        let mut all = Vec::new();
        for other in &self.names.others {
            let ItemKind::Except { target, default, when, because, until } = &other.item.kind else { continue };
            let Some((policy, label)) = self.target(other.file, &target.node) else { continue };
            let (file, line) = self.place(Loc::new(other.part, target.span));
            all.push(Exception {
                because: because.node.clone(),
                event: default.as_ref().map(|event| event.node.clone()).unwrap_or_default(),
                file,
                label,
                line,
                policy,
                until: until.as_ref().map(|day| day.node.clone()).unwrap_or_default(),
                when: self.printer.cond(other.file, when),
            });
        }
        all
    }

    /// The policy that an `except` is about, and the label of its rule.
    fn target(&self, file: usize, name: &str) -> Option<(String, String)> {
        let find = |name: &str| match self.names.find_policy(file, name) {
            Found::Here(id) => self.names.policy(id).map(|def| def.name.clone()),
            _ => None,
        };
        find(name).map(|policy| (policy, String::new())).or_else(|| {
            let (before, label) = name.rsplit_once('.')?;
            Some((find(before)?, label.to_owned()))
        })
    }

    /// Everything that was named so far, and what that names in turn.
    fn definitions(&mut self, given: &[Given]) -> Vec<Definition> {
        let values: FxHashMap<&str, &Given> = given.iter().map(|one| (one.name.as_str(), one)).collect();
        let mut all = Vec::new();
        while let Some(id) = self.printer.named() {
            all.extend(self.definition(id, &values));
        }
        all.sort_unstable_by(|a: &Definition, b| a.name.cmp(&b.name));
        all
    }

    fn definition(&mut self, id: DefId, given: &FxHashMap<&str, &Given>) -> Option<Definition> {
        use crate::resolve::DefKind;
        let def = self.names.def(id)?;
        let name = self.printer.full_name(id);
        Some(match def.kind {
            DefKind::Let(_, value) => Definition { name, parameter: false, text: self.printer.value(def.file, value) },
            DefKind::Param(_, default) => {
                let given = given.get(def.name.node.as_str()).filter(|_| def.module == ROOT);
                let text = match (given, default) {
                    // Past the end of the files no name is seen.
                    (Some(given), _) => self.printer.value(given.file.unwrap_or(usize::MAX), &given.value),
                    (None, Some(value)) => self.printer.value(def.file, value),
                    (None, None) => String::new(),
                };
                Definition { name, parameter: true, text }
            }
            DefKind::Fn(args, body) => {
                let names: Vec<&str> = args.iter().map(|(name, _)| name.node.as_str()).collect();
                let name = format!("{name}({})", names.join(", "));
                Definition { name, parameter: false, text: self.printer.body(def.file, &names, body) }
            }
            DefKind::Mark | DefKind::Broken => return None,
        })
    }

    /// File and line, from 1.
    fn place(&self, loc: Loc) -> (String, u32) {
        let at = self.sources.place(loc);
        let index = at.file.0 as usize;
        let Some((file, lines)) = self.sources.files.get(index).zip(self.lines.get(index)) else { return (String::new(), 1) };
        (file.path.clone(), lines.position(&file.text, at.span.start).line)
    }
}
