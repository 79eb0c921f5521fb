//! Takes a hook's contract and its chains, gives the text of its program: prologue, facts, what is raised, epilogue.

use super::chain::Emitter;
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

fn has_macro(hook: &Hook, name: &str) -> bool {
    let wanted = format!(".macro {}__{name}", hook.name);
    ebsec_templates::hook_assembly(&hook.name)
        .is_some_and(|(_, text)| text.lines().any(|l| l.split_whitespace().eq(wanted.split_whitespace())))
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
    let decisions = if gen_.each_mount() { each_mount(gen_, chains) } else { raises(gen_, chains) };
    let silent = silent(hook);
    let uses = |macro_name: &str| i64::from(decisions.contains(macro_name));
    let mut out = format!(
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
        out.push_str("  *(u64 *)(r10 - 88) = -1\n  *(u64 *)(r10 - 96) = -1\n");
    }
    if hook.object == ObjectKind::Net {
        // kept for the facts of all that is raised
        out.push_str(&format!("  {}__peer\n  *(u64 *)(r10 - 200) = r1\n", hook.name));
    }
    out.push_str(&decisions);
    out.push_str("  goto finish\n  epilogue\n");
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

/// Every elementary event once, in the order of the contract: what needs no path is decided first; then each path that
/// an undecided chain needs is walked, at one place of the program (the verifier follows the walk once); then the rest.
fn raises(gen_: &mut Emitter<'_>, chains: &[&Chain]) -> String {
    let mut cheap = String::new();
    let mut walks: BTreeMap<usize, Vec<Option<usize>>> = BTreeMap::new();
    let mut rest = String::new();
    let mut slots = 0;
    for raise in &gen_.hook.raises {
        for chain in chains.iter().filter(|c| c.event == raise.event) {
            let first = if gen_.each_mount() { None } else { chain.layers.iter().position(|l| needs_path(&l.source)) };
            let Some(first) = first else {
                let body = gen_.chain(chain, raise.object);
                cheap.push_str(&guarded(gen_, raise, &body));
                continue;
            };
            let slot = (slots < STATE_SLOTS).then_some(slots);
            slots += 1;
            walks.entry(gen_.place(raise.object)).or_default().push(slot);
            let (begin, end) = gen_.chain_in_two(chain, raise.object, first, slot);
            if slot.is_some() {
                let begin = guarded(gen_, raise, &begin);
                cheap.push_str(&gen_.saved(&begin, slot));
                rest.push_str(&end);
            } else {
                let whole = format!("{begin}{end}");
                rest.push_str(&guarded(gen_, raise, &whole));
            }
        }
    }
    for (place, waiting) in walks {
        cheap.push_str(&gen_.walk(place, &waiting));
    }
    cheap + &rest
}

/// Chains of a program that can be decided half before the walk.
const STATE_SLOTS: usize = 7;

fn needs_path(source: &Source) -> bool {
    match source {
        Source::ObjectClass(_) => true,
        Source::Flags(flags) => flags.iter().any(|f| matches!(f, Flag::Deleted(_))),
        _ => false,
    }
}

/// The text, jumped over unless the facts of the raise hold.
fn guarded(gen_: &mut Emitter<'_>, raise: &Raise, body: &str) -> String {
    if raise.when.is_empty() {
        return body.to_owned();
    }
    let skip = gen_.label();
    let mut out = String::new();
    for (fact, holds) in &raise.when {
        let jump = if *holds { "==" } else { "!=" };
        out.push_str(&format!("  {}\n  if r1 {jump} 0 goto {skip}\n", fact_macro(gen_.hook, fact)));
    }
    out.push_str(body);
    out.push_str(&format!("{skip}:\n"));
    out
}

/// For a hook without a mount: the events once for each mount of the caller's namespace that shows the file; a file that
/// none shows, or that too many could show, is decided as a failed path.
fn each_mount(gen_: &mut Emitter<'_>, chains: &[&Chain]) -> String {
    let hook = gen_.hook.name.clone();
    let body = raises(gen_, chains);
    let object = gen_.hook.objects.first().map_or("file", |o| o.name.as_str()).to_owned();
    format!("  {hook}__dentry_{object}\n  mounts_begin\nmounts_next:\n  mounts_turn\n{body}  mounts_end\n")
}
