//! Steps about sockets: their addresses, and what follows from them.

use super::Cases;
use super::step::{Draft, last, operation_fields};
use crate::diag::{Finding, codes};
use crate::hir::Remote;
use crate::source::Loc;
use crate::typed::Site;
use ebsec_grammar::ast;
use ebsec_templates::{FieldId, FieldType, ObjectKind};
use std::net::SocketAddr;

/// Keys of a step about its address.
pub(super) const KEYS: &[&str] = &["unresolved"];

impl Cases<'_, '_> {
    pub(super) fn endpoint(&mut self, draft: &mut Draft<'_>, endpoint: &ast::Spanned<String>, at: Site) {
        let loc = Loc::new(at.part, endpoint.span);
        match endpoint.node.parse::<SocketAddr>() {
            Ok(_) if !shows_address(draft) => {
                draft.wrong = true;
                let message = format!("`{}` shows no address", self.catalog()[draft.event].name);
                let help = "write `{ unresolved = true }` for an option that can hold a source route";
                self.values.push(Finding::error(codes::TYPE_MISMATCH, loc, message).help(help));
            }
            Ok(at) => {
                draft.object.remote = Some(Remote { named: Some(at.ip().to_canonical()), port: Some(at.port()), source: None });
            }
            Err(_) => {
                draft.wrong = true;
                let message = format!("`{}` is not an address with a port", endpoint.node);
                self.error(codes::BAD_ADDRESS, loc, message);
            }
        }
    }

    /// Keys about the address; false if it is none of them.
    pub(super) fn net_key(&mut self, draft: &mut Draft<'_>, key: &str, value: &ast::Value, at: Site) -> bool {
        let known = draft.hook.object == ObjectKind::Net && KEYS.contains(&key);
        if known {
            draft.untold = self.truth(value, at);
        }
        known
    }

    /// What follows from the address, and that there is one where it must be.
    pub(super) fn complete_net(&mut self, draft: &mut Draft<'_>, loc: Loc) {
        let catalog = self.catalog();
        if draft.untold && !shows_address(draft) {
            draft.object.remote = Some(Remote::default());
        }
        if let Some(remote) = &mut draft.object.remote {
            let family = if remote.named.is_none_or(|a| a.is_ipv4()) { "inet" } else { "inet6" };
            if draft.untold {
                remote.named = None;
            }
            // The address decides the facts that the contract asks for.
            let facts = draft.hook.raises.iter().flat_map(|r| &r.when).filter(|(_, wanted)| *wanted).map(|(fact, _)| fact.clone());
            draft.facts.extend(facts);
            self.usual_value(draft, "family", family);
            self.usual_value(draft, "protocol", "tcp");
            let protocol = self.field_value(draft, "protocol");
            for (name, kind) in [("tcp", "stream"), ("udp", "dgram")] {
                if protocol.is_some() && protocol == self.enum_value("protocol", name) {
                    self.usual_value(draft, "type", kind);
                }
            }
        } else if draft.untold || !catalog[draft.event].is_hook {
            let message = format!("`{}` needs an address with a port", catalog[draft.event].name);
            self.values.push(
                Finding::error(codes::TYPE_MISMATCH, loc, message).help("write it after the event: `web net.egress 10.0.0.1:443 => …`"),
            );
        }
    }

    fn enum_value(&self, kind: &str, name: &str) -> Option<u64> {
        self.catalog().enums.get(kind)?.get(name).copied()
    }

    fn field_value(&self, draft: &Draft<'_>, key: &str) -> Option<u64> {
        let id = operation_fields(self.catalog(), draft.hook).find(|(_, name)| *name == key)?.0;
        draft.values.get(&id).copied()
    }

    fn usual_value(&self, draft: &mut Draft<'_>, key: &str, name: &str) {
        let catalog = self.catalog();
        let field = |id: &FieldId| last(&catalog[*id].name) == key;
        let Some(id) = operation_fields(catalog, draft.hook).map(|(id, _)| id).find(field) else { return };
        if let FieldType::Enum(kind) = &catalog[id].ty
            && let Some(number) = self.enum_value(kind, name)
        {
            draft.values.entry(id).or_insert(number);
        }
    }
}

/// Whether the hook shows the address that its contract is about.
fn shows_address(draft: &Draft<'_>) -> bool {
    draft.hook.objects.first().is_some_and(|o| o.shown)
}
