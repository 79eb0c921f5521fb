//! Takes a hook's contract and its chains, gives the text of its program: prologue, facts, what is raised, epilogue.

use super::chain::{Emitter, Half};
use crate::decide::{Chain, Flag, Plan, Source};
use ebsec_templates::{Hook, ObjectKind, Raise};
use std::collections::BTreeMap;

/// The chains of all events that a hook raises, sorted by event.
pub(crate) fn chains_of<'p>(plan: &'p Plan, hook: &Hook) -> Vec<&'p Chain> {
    plan.chains.iter().filter(|c| hook.raises.iter().any(|r| r.event == c.event)).collect()
}

/// Whether a hook has work to do before and beside any policy.
pub(crate) fn has_before(hook: &Hook) -> bool {
    has_macro(hook, "before")
}

pub(super) fn has_macro(hook: &Hook, name: &str) -> bool {
    let wanted = format!(".macro {}__{name}\n", hook.name);
    ebsec_templates::hook_assembly(&hook.name).is_some_and(|(_, text)| text.contains(&wanted))
}

/// The whole program.
pub(crate) fn emit(gen_: &mut Emitter<'_>, chains: &[&Chain]) -> String {
    let hook = gen_.hook;
    let mask = chains.iter().fold(0u64, |m, c| m | 1 << c.slot);
    let mut body = String::new();
    if has_before(hook) {
        body.push_str(&format!("  {}__before\n", hook.name));
    }
    if chains.is_empty() {
        return format!(".func ebsec_{0} prog lsm/{0}\n  r6 = r1\n{body}  goto allow\nallow:\n  r0 = 0\n  exit\n", hook.name);
    }
    let decisions = raises(gen_, chains);
    let silent = silent(hook);
    let uses = |macro_name: &str| i64::from(decisions.contains(macro_name));
    let names = hook.pair.map(|(old, new)| {
        let (old, new) = (gen_.object_macro("object", old), gen_.object_macro("object", new));
        format!(".macro {}_names\n  plain_pair {old} {new}\n.endm\n", hook.name)
    });
    let mut out = names.unwrap_or_default();
    out += &format!(
        ".set MASK {mask:#x}\n.set USE_EXE {}\n.set USE_PARENT {}\n.func ebsec_{hook} prog lsm/{hook}\n",
        uses("class_process_exe\n"),
        uses("class_process_parent_exe\n"),
        hook = hook.name
    );
    out.push_str("  r6 = r1\n");
    out.push_str(&body);
    out.push_str("  prologue\n");
    out.push_str(&silent);
    if hook.object == ObjectKind::Path && !has_before(hook) {
        out.push_str("  *(u64 *)(r10 - 88) = -1\n");
    }
    if hook.object == ObjectKind::Net {
        // kept for the facts of all that is raised
        out.push_str(&format!("  {}__peer\n  *(u64 *)(r10 - 200) = r1\n", hook.name));
    }
    out.push_str(&decisions);
    out.push_str("  goto finish\n  epilogue\n");
    out.push_str(&gen_.further());
    out.push_str(&step(gen_));
    out
}

/// Name of the function that numbers the operation that a call of the hook is a step of.
pub(super) fn step_name(hook: &Hook) -> String {
    format!("ebsec_{}_step", hook.name)
}

/// That function: which hooks' operations the call may go on with, and whether only for its object, by the contract.
fn step(gen_: &mut Emitter<'_>) -> String {
    let hook = gen_.hook;
    let mut out = format!(".func {} static 1\n  r6 = r1\n  r9 = 0\n  r7 = 0\n  *(u64 *)(r10 - 24) = 0\n", step_name(hook));
    for follows in &hook.follows {
        let adds = format!("  r1 = {:#x} ll\n  r9 |= r1\n  r7 |= {}\n", follows.hooks, if follows.same_object { 1 } else { 2 });
        out.push_str(&where_facts(gen_, &follows.when, &adds));
    }
    if hook.object == ObjectKind::Path && hook.objects.first().is_some_and(|o| o.path_when.is_none()) {
        let object = gen_.object_macro("object", 0);
        out.push_str(&format!("  {object}\n  *(u64 *)(r10 - 8) = r1\n  plain_number r1 allow\n  *(u64 *)(r10 - 24) = r1\nallow:\n"));
    }
    let own = gen_.catalog.hook(&hook.name).map_or(0, |id| 1u64 << (id.0 & 63));
    out.push_str(&format!("  r1 = {own:#x} ll\n  r2 = r9\n  r4 = r7\n  r3 = *(u64 *)(r10 - 24)\n  call operation_step\n  exit\n"));
    out
}

/// Ends the program where a fact says that nothing is raised.
fn silent(hook: &Hook) -> String {
    let mut out = String::new();
    for (fact, holds) in &hook.silent_when {
        let jump = if *holds { "!=" } else { "==" };
        out.push_str(&format!("  {}\n  if r1 {jump} 0 goto allow\n", fact_macro(hook, fact)));
    }
    out
}

/// The call that leaves a fact in r1.
pub(super) fn fact_macro(hook: &Hook, fact: &str) -> String {
    if hook.object == ObjectKind::Net && fact == "internet" {
        return "r1 = *(u64 *)(r10 - 200)".to_owned();
    }
    format!("{}__fact_{}", hook.name, fact.replace('.', "_"))
}

/// Every elementary event: what needs no path is decided first, once; then for each place, whose paths are walked at one
/// place of the program (the verifier follows the walk once), the rest, once for each class that its paths have.
fn raises(gen_: &mut Emitter<'_>, chains: &[&Chain]) -> String {
    let mut cheap = String::new();
    let mut places: BTreeMap<usize, Vec<(&Raise, &Chain, usize)>> = BTreeMap::new();
    for raise in &gen_.hook.raises {
        for chain in chains.iter().filter(|c| c.event == raise.event) {
            match chain.layers.iter().position(|l| needs_path(&l.source)) {
                Some(first) => places.entry(gen_.place(raise.object)).or_default().push((raise, chain, first)),
                None => {
                    let body = gen_.chain(chain, raise.object);
                    cheap.push_str(&guarded(gen_, raise, &body));
                }
            }
        }
    }
    for (place, waiting) in places {
        for group in waiting.chunks(STATE_SLOTS) {
            cheap.push_str(&at_place(gen_, place, group));
        }
    }
    cheap
}

/// The chains that wait for the paths of a place: their first halves, the walk, and their second halves.
fn at_place(gen_: &mut Emitter<'_>, place: usize, waiting: &[(&Raise, &Chain, usize)]) -> String {
    let mut out = String::new();
    for (slot, (raise, chain, first)) in waiting.iter().enumerate() {
        let begin = gen_.first_half(chain, raise.object, *first, slot);
        let begin = guarded(gen_, raise, &begin);
        out.push_str(&gen_.saved(&begin, slot));
    }
    let halves: Vec<Half<'_>> =
        waiting.iter().enumerate().map(|(slot, (raise, chain, first))| Half { chain, object: raise.object, first: *first, slot }).collect();
    out.push_str(&gen_.walk(place, &halves));
    out
}

/// Chains of a program that can be decided half before a walk: a slot of the stack for each.
const STATE_SLOTS: usize = 28;

fn needs_path(source: &Source) -> bool {
    match source {
        Source::ObjectClass(_) => true,
        Source::Flags(flags) => flags.iter().any(|f| matches!(f, Flag::Deleted(_))),
        _ => false,
    }
}

/// The text, jumped over unless the facts of the raise hold.
fn guarded(gen_: &mut Emitter<'_>, raise: &Raise, body: &str) -> String {
    where_facts(gen_, &raise.when, body)
}

/// The text, jumped over unless the facts are as they should be.
fn where_facts(gen_: &mut Emitter<'_>, facts: &[(String, bool)], body: &str) -> String {
    if facts.is_empty() {
        return body.to_owned();
    }
    let skip = gen_.label();
    let mut out = String::new();
    for (fact, holds) in facts {
        let jump = if *holds { "==" } else { "!=" };
        out.push_str(&format!("  {}\n  if r1 {jump} 0 goto {skip}\n", fact_macro(gen_.hook, fact)));
    }
    out.push_str(body);
    out.push_str(&format!("{skip}:\n"));
    out
}
