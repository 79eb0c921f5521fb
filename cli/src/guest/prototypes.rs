//! Takes a kernel's types, gives the text of its prototypes file: the LSM hooks
//! with their parameters and the kernel fields that the assembly reads. Says of
//! a committed file whether it is stale.

use super::Failure;
use super::btf::{Btf, Field};
use super::kernels::Kernel;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What to look up in each kernel, of `bpf-templates/kernel-probes.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Functions whose presence is noted.
    functions: Vec<String>,
    /// Fields, as dotted paths, by struct.
    structs: BTreeMap<String, Vec<String>>,
}

impl Wanted {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|e| Failure::new(format!("kernel types: {}", e.message())))
    }
}

/// Every LSM hook that programs can attach to has a function of this name.
const HOOK: &str = "bpf_lsm_";

/// The text of `prototypes/SERIES.toml`.
pub fn text(kernel: &Kernel, wanted: &Wanted) -> Result<String, Failure> {
    let bytes = kernel.btf()?;
    let btf = Btf::parse(&bytes).ok_or_else(|| Failure::new(format!("the types of kernel `{}` cannot be read", kernel.series)))?;
    Ok(write_all(&btf, kernel, wanted))
}

fn write_all(btf: &Btf, kernel: &Kernel, wanted: &Wanted) -> String {
    let mut out = String::from("# Written by `make prototypes` from the kernel's own types; edit kernel-probes.toml instead.\n");
    line(&mut out, format_args!("series = {}", quote(&kernel.series)));
    line(&mut out, format_args!("version = {}", quote(&kernel.version)));
    line(&mut out, format_args!("\n[functions]"));
    for name in &wanted.functions {
        line(&mut out, format_args!("{name} = {}", btf.has_function(name)));
    }
    line(&mut out, format_args!("\n[hooks]"));
    for (hook, id) in btf.functions(HOOK) {
        line(&mut out, format_args!("{hook} = {}", hook_row(btf, id)));
    }
    for (name, fields) in &wanted.structs {
        write_struct(&mut out, btf, name, fields);
    }
    out
}

/// `{ result = "int", parameters = [ … ] }`
fn hook_row(btf: &Btf, id: u32) -> String {
    let Some((result, parameters)) = btf.prototype(id) else {
        return "{}".into();
    };
    let cell = |name: &str, type_id: u32| {
        let text = quote(&btf.type_text(type_id));
        let kind = match (btf.pointer_to(type_id), btf.is_pointer(type_id)) {
            (Some(target), _) => format!("pointer = {}", quote(&target)),
            (None, true) => "pointer = \"\"".into(),
            (None, false) => format!("size = {}", btf.size(type_id).unwrap_or(0)),
        };
        format!("{{ name = {}, type = {text}, {kind} }}", quote(name))
    };
    let cells: Vec<String> = parameters.iter().map(|p| cell(&p.name, p.type_id)).collect();
    let result = quote(&btf.type_text(result));
    format!("{{ result = {result}, parameters = [{}] }}", cells.join(", "))
}

fn write_struct(out: &mut String, btf: &Btf, name: &str, fields: &[String]) {
    line(out, format_args!("\n[structs.{name}]"));
    let Some(id) = btf.composite(name) else {
        line(out, format_args!("exists = false"));
        return;
    };
    line(out, format_args!("exists = true"));
    line(out, format_args!("size = {}", btf.size(id).unwrap_or(0)));
    let found: Vec<(&String, Option<Field>)> = fields.iter().map(|path| (path, btf.field(id, path))).collect();
    let missing = found.iter().filter(|(_, field)| field.is_none());
    let missing: Vec<String> = missing.map(|(path, _)| quote(path)).collect();
    line(out, format_args!("missing = [{}]", missing.join(", ")));
    line(out, format_args!("[structs.{name}.fields]"));
    for (path, field) in found {
        let Some(field) = field else { continue };
        line(out, format_args!("{} = {}", quote(path), field_row(btf, &field)));
    }
}

fn field_row(btf: &Btf, field: &Field) -> String {
    let text = quote(&btf.type_text(field.type_id));
    let offset = field.bit_offset / 8;
    match field.bits {
        0 => {
            let size = btf.size(field.type_id).unwrap_or(0);
            format!("{{ offset = {offset}, size = {size}, type = {text} }}")
        }
        bits => {
            let first = field.bit_offset % 8;
            format!("{{ offset = {offset}, bit = {first}, bits = {bits}, type = {text} }}")
        }
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

/// What must not change unnoticed. Offsets and sizes of structs may move with a
/// point release, as programs take them from the kernel they meet.
#[derive(Deserialize, PartialEq)]
struct Essence {
    functions: BTreeMap<String, bool>,
    hooks: BTreeMap<String, toml::Value>,
    structs: BTreeMap<String, StructEssence>,
}

#[derive(Deserialize, PartialEq)]
struct StructEssence {
    exists: bool,
    #[serde(default)]
    missing: Vec<String>,
}

/// The names that differ between a committed file and a fresh one; empty when
/// the committed one is good.
pub fn stale(committed: &str, fresh: &str) -> Result<Vec<String>, Failure> {
    let parse =
        |text: &str| -> Result<Essence, Failure> { toml::from_str(text).map_err(|e| Failure::new(format!("prototypes: {}", e.message()))) };
    let (old, new) = (parse(committed)?, parse(fresh)?);
    let mut names = differing(&old.functions, &new.functions);
    names.extend(differing(&old.hooks, &new.hooks));
    names.extend(differing(&old.structs, &new.structs));
    Ok(names)
}

fn differing<V: PartialEq>(old: &BTreeMap<String, V>, new: &BTreeMap<String, V>) -> Vec<String> {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| old.get(*name) != new.get(*name));
    names.into_iter().cloned().collect()
}

#[cfg(test)]
#[allow(dead_code, clippy::unwrap_used, clippy::print_stdout, reason = "tests of guests ask the program for its kernels")]
#[path = "../../tests/kernel/skips.rs"]
mod skips;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr)]
mod tests {
    use super::*;
    use crate::guest::kernels::{Cache, SERIES, release_of};
    use ebsec_templates::KernelType;
    use std::path::Path;

    /// A kernel of the cache. One that is not there fails, unless it may be skipped.
    fn cached(series: &str) -> Option<Kernel> {
        match Cache::open().and_then(|cache| cache.kernel(series)) {
            Ok(kernel) => Some(kernel),
            Err(failure) => {
                assert!(skips::is_allowed(series), "kernel {series}: {failure}; to test without it, set EBSEC_SKIP_KERNELS={series}");
                eprintln!("SKIPPED kernel {series}: {failure}");
                None
            }
        }
    }

    /// Committed prototypes are those of the kernels that tests run on.
    #[test]
    #[ignore = "needs kernels in the cache; `make test` runs it"]
    fn committed_prototypes_are_those_of_the_kernels() {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bpf-templates");
        let read = |name: String| std::fs::read_to_string(templates.join(name)).unwrap();
        let wanted = Wanted::parse(&read("kernel-probes.toml".into())).unwrap();
        for series in SERIES {
            let committed = read(format!("prototypes/{series}.toml"));
            let Some(kernel) = cached(series) else { continue };
            let names = stale(&committed, &text(&kernel, &wanted).unwrap()).unwrap();
            if release(&committed) == kernel.release() {
                assert!(names.is_empty(), "{series} changed, run `make prototypes`: {names:?}");
            } else if !names.is_empty() {
                // The mirror moved on to a kernel that nobody has looked at: no fault of this tree.
                eprintln!("{series} is now {}: `make prototypes` would change {names:?}", kernel.release());
            }
        }
    }

    /// Of which release (`7.3`) a committed file is.
    fn release(committed: &str) -> String {
        let file: toml::Table = toml::from_str(committed).unwrap();
        release_of(file.get("version").and_then(|v| v.as_str()).unwrap())
    }

    /// The assembly's own view of kernel structs agrees with the kernels: a
    /// member that is nowhere is a slip, and one of another size would be read
    /// wrongly without a word from any loader.
    #[test]
    #[ignore = "needs kernels in the cache; `make test` runs it"]
    fn the_structs_of_the_assembly_are_those_of_the_kernels() {
        let all = SERIES.iter().filter_map(|series| cached(series));
        let kernels: Vec<(String, Btf)> = all.map(|k| (k.series.clone(), Btf::parse(&k.btf().unwrap()).unwrap())).collect();
        let mut wrong = Vec::new();
        for (name, variants) in members() {
            let (composite, member) = name.split_once('.').unwrap();
            let nameless = kernels.iter().all(|(_, btf)| btf.composite(composite).is_none());
            let (outer, path) = embedding(composite).filter(|_| nameless).unwrap_or((composite.to_owned(), String::new()));
            let find = |btf: &Btf| btf.field(btf.composite(&outer)?, &format!("{path}{member}"));
            let found: Vec<_> = kernels.iter().filter_map(|(series, btf)| Some((series, btf, find(btf)?))).collect();
            if found.is_empty() && kernels.len() == SERIES.len() {
                wrong.push(format!("no default kernel has {name}"));
            }
            for (series, btf, field) in found {
                let known = KNOWN.contains(&(series.as_str(), name.as_str()));
                if !known && !variants.iter().any(|ours| agrees(btf, &field, ours)) {
                    let type_text = btf.type_text(field.type_id);
                    wrong.push(format!("{name} is `{type_text}` on {series}, not {variants:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Differences that the assembly minds: it reads no more than 32 bytes of a
    /// name in its dentry.
    const KNOWN: &[(&str, &str)] = &[("6.1", "dentry.d_iname")];

    /// `struct.member` with its types, more than one where a flavour of the
    /// struct has another.
    fn members() -> BTreeMap<String, Vec<KernelType>> {
        let mut members: BTreeMap<String, Vec<KernelType>> = BTreeMap::new();
        for composite in ebsec_templates::kernel_types().iter() {
            let name = composite.name.split("___").next().unwrap_or_default();
            for member in &composite.members {
                members.entry(format!("{name}.{}", member.name)).or_default().push(member.ty.clone());
            }
        }
        members
    }

    /// Where a type that only we name stands in one that kernels name: `dentry` and `d_u.`.
    fn embedding(inner: &str) -> Option<(String, String)> {
        let holds = |ty: &KernelType| matches!(ty, KernelType::Struct(name) if name == inner);
        ebsec_templates::kernel_types().iter().find_map(|outer| {
            let member = outer.members.iter().find(|m| holds(&m.ty))?;
            Some((outer.name.clone(), format!("{}.", member.name)))
        })
    }

    fn agrees(btf: &Btf, field: &Field, ours: &KernelType) -> bool {
        let size = btf.size(field.type_id);
        match ours {
            KernelType::Int { size: ours, .. } => field.bits == 0 && size == Some(*ours) && !btf.is_pointer(field.type_id),
            KernelType::Ptr(target) if target.is_empty() => btf.is_pointer(field.type_id),
            KernelType::Ptr(target) => btf.pointer_to(field.type_id).as_ref() == Some(target),
            // What is inside is compared on its own.
            KernelType::Struct(_) => size.is_some() && !btf.is_pointer(field.type_id),
            // Fewer elements than the kernel has are no harm.
            KernelType::Array(inner, count) => match inner.as_ref() {
                KernelType::Int { size: one, .. } => size.is_some_and(|size| one * count <= size || size == 0),
                _ => true,
            },
        }
    }

    #[test]
    fn a_new_hook_or_a_lost_field_is_stale_and_a_moved_field_is_not() {
        let file = |hook: &str, offset: u32, missing: &str| {
            format!(
                "version = \"{offset}\"\n[functions]\n[hooks]\n{hook} = {{ result = \"int\" }}\n\
                 [structs.s]\nexists = true\nsize = {offset}\nmissing = [{missing}]\n"
            )
        };
        assert!(stale(&file("a", 1, ""), &file("a", 2, "")).unwrap().is_empty());
        assert_eq!(stale(&file("a", 1, ""), &file("b", 1, "")).unwrap(), ["a", "b"]);
        assert_eq!(stale(&file("a", 1, ""), &file("a", 1, "\"x\"")).unwrap(), ["s"]);
    }
}
