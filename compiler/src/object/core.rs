//! Takes the kernel types that field accesses name, gives their local types in the BTF and the access strings by which
//! a loader finds the running kernel's offsets. Never says what a kernel's real offset is.

use super::ObjectError;
use super::btf::{Btf, Type, TypeId, VOID};
use crate::bpf::asm::{CorePath, CoreWhat, RelocKind};
use ebsec_templates::{KernelType, KernelTypes};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// A relocation of `.BTF.ext`, without its place.
#[derive(Clone)]
pub(super) struct Access {
    /// Local type that the access starts from.
    pub ty: TypeId,
    /// `0:1:2`.
    pub spec: Rc<str>,
    /// `enum bpf_core_relo_kind`.
    pub kind: u32,
    /// What the instruction must hold: the local answer. A loader compares before it patches.
    pub local: u32,
}

/// The kernel types of one object.
pub(super) struct CoreTypes<'a> {
    types: &'a KernelTypes,
    ids: BTreeMap<&'a str, TypeId>,
    /// those that were asked for before
    known: FxHashMap<(Arc<CorePath>, CoreWhat), Access>,
}

impl<'a> CoreTypes<'a> {
    /// Declares the types that the relocations start from, and what these embed.
    pub(super) fn declare<'r>(
        btf: &mut Btf,
        types: &'a KernelTypes,
        relocs: impl Iterator<Item = &'r RelocKind>,
    ) -> Result<Self, ObjectError> {
        let mut ids = BTreeMap::new();
        for reloc in relocs {
            if let RelocKind::Core { path, .. } = reloc {
                require(types, &mut ids, &path.root)?;
            }
        }
        for id in ids.values_mut() {
            *id = btf.reserve();
        }
        let this = Self { types, ids, known: FxHashMap::default() };
        for (name, id) in &this.ids {
            if let Some(ty) = this.structure(btf, name) {
                btf.fill(*id, ty);
            }
        }
        Ok(this)
    }

    /// The relocation that asks `what` of `path`.
    pub(super) fn access(&mut self, path: &Arc<CorePath>, what: CoreWhat) -> Result<Access, ObjectError> {
        let key = (Arc::clone(path), what);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let access = self.find(path, what)?;
        self.known.insert(key, access.clone());
        Ok(access)
    }

    fn find(&self, path: &CorePath, what: CoreWhat) -> Result<Access, ObjectError> {
        let found = self.types.resolve(&path.to_string()).map_err(ObjectError::new)?;
        let ty = *self.ids.get(found.root.as_str()).ok_or_else(|| ObjectError::new(format!("`{path}` was not declared")))?;
        let of_type = matches!(what, CoreWhat::TypeSize | CoreWhat::TypeExists | CoreWhat::TypeId);
        if of_type != found.steps.is_empty() {
            let kind = if of_type { "a type" } else { "a field" };
            return Err(ObjectError::new(format!("`{path}` is not {kind}")));
        }
        let (kind, local) = match what {
            CoreWhat::Offset => (0, found.offset),
            CoreWhat::Size => (1, found.size),
            CoreWhat::Exists => (2, 1),
            CoreWhat::TypeId => (7, ty.0),
            CoreWhat::TypeExists => (8, 1),
            CoreWhat::TypeSize => (9, found.size),
        };
        let spec = found.steps.iter().fold("0".to_owned(), |spec, step| format!("{spec}:{step}"));
        Ok(Access { ty, spec: spec.into(), kind, local })
    }

    fn structure(&self, btf: &mut Btf, name: &str) -> Option<Type> {
        let s = self.types.get(name)?;
        let members = s.members.iter().map(|m| (m.name.clone(), self.ty(btf, &m.ty), m.offset)).collect();
        Some(Type::Struct { name: s.name.clone(), is_union: s.is_union, size: s.size, members })
    }

    fn ty(&self, btf: &mut Btf, ty: &KernelType) -> TypeId {
        let id = |name: &str| self.ids.get(name).copied().unwrap_or(VOID);
        match ty {
            KernelType::Int { size, signed } => btf.integer(*size, *signed),
            // A struct that no access starts from is not declared: the pointer is then to anything.
            KernelType::Ptr(to) => btf.add(Type::Ptr(id(to))),
            KernelType::Struct(name) => id(name),
            KernelType::Array(element, count) => {
                let element = self.ty(btf, element);
                btf.array(element, *count)
            }
        }
    }
}

fn require<'a>(types: &'a KernelTypes, ids: &mut BTreeMap<&'a str, TypeId>, name: &str) -> Result<(), ObjectError> {
    if ids.contains_key(name) {
        return Ok(());
    }
    let s = types.get(name).ok_or_else(|| ObjectError::new(format!("no kernel struct is named `{name}`")))?;
    ids.insert(&s.name, VOID);
    for member in &s.members {
        let mut ty = &member.ty;
        while let KernelType::Array(inner, _) = ty {
            ty = inner;
        }
        if let KernelType::Struct(inner) = ty {
            require(types, ids, inner)?;
        }
    }
    Ok(())
}
