//! A policy in force: what it says of itself, with what its `apply` changes, and its rules.

use super::Folder;
use super::join::{Joined, Origin, all_of};
use crate::diag::{Finding, codes};
use crate::hir::{self, Cond, Mode, Severity};
use crate::source::Loc;
use crate::typed::tree::{Apply, Member, Policy, PropertyValue, Typed};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What a policy says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Properties {
    pub description: String,
    pub severity: Option<Severity>,
    pub mode: Option<Mode>,
    pub attack: Vec<String>,
    pub tags: Vec<String>,
    /// `scope`, and `where` of its `apply`.
    pub scope: Option<Joined>,
}

impl Folder<'_> {
    pub(super) fn policy(&mut self, policy: &mut Policy, applies: &[Typed<Apply>]) -> (hir::Policy, Vec<Box<[Origin]>>) {
        let mut properties = self.properties(&policy.members);
        if let Some((index, one)) = policy.apply.and_then(|index| Some((index, applies.get(index)?))) {
            let filter = self.filters.get(index).cloned().flatten();
            applied(&mut properties, &one.tree, filter);
        }
        let super::WithOrigins { rules, origins } = self.members(policy.id, &mut policy.members, &properties);
        let def = self.names.policy(policy.id);
        let policy = hir::Policy {
            name: def.map_or_else(String::new, |def| def.name.clone()),
            mode: properties.mode.unwrap_or(Mode::Observe),
            rules,
            description: properties.description,
            tags: properties.tags,
            loc: def.map_or_else(Loc::default, |def| Loc::new(def.part, def.written.span)),
        };
        (policy, origins)
    }

    fn properties(&mut self, members: &[Arc<Typed<Member>>]) -> Properties {
        let mut properties = Properties::default();
        let mut seen: FxHashMap<&str, Loc> = FxHashMap::default();
        for member in members {
            let (key, loc) = match &member.tree {
                Member::Property(property) => (&*property.key.node, property.key.loc),
                Member::Scope(scope) => ("scope", scope.loc),
                _ => continue,
            };
            if let Some(first) = seen.insert(key, loc) {
                let message = format!("`{key}` is given twice");
                self.push(Finding::error(codes::DUPLICATE_KEY, loc, message).related(first, "first here").help("keep one of them"));
            }
            match &member.tree {
                Member::Scope(typed) => {
                    let scope = self.lower(typed);
                    self.require_subject(&scope, "`scope`");
                    properties.scope = Some(Joined::new(scope, Origin::Scope));
                }
                Member::Property(property) => property_value(&mut properties, &property.value),
                _ => {}
            }
        }
        properties
    }
}

fn property_value(properties: &mut Properties, value: &PropertyValue) {
    match value {
        PropertyValue::Description(text) => properties.description = text.clone().unwrap_or_default(),
        PropertyValue::Severity(severity) => properties.severity = *severity,
        PropertyValue::Mode(mode) => properties.mode = *mode,
        PropertyValue::Attack(ids) => properties.attack.clone_from(ids),
        PropertyValue::Tags(tags) => properties.tags.clone_from(tags),
        PropertyValue::Unknown => {}
    }
}

/// What an `apply` changes.
fn applied(properties: &mut Properties, one: &Apply, filter: Option<Cond>) {
    properties.mode = one.mode.or(properties.mode);
    properties.severity = one.severity.or(properties.severity);
    let filter = filter.map(|filter| Joined::new(filter, Origin::Where));
    let scope = [properties.scope.take(), filter].into_iter().flatten().collect();
    properties.scope = Some(all_of(scope));
}
