//! Takes types, gives the `.BTF` section: interned types and strings, numbered in the order of arrival, so equal input
//! gives equal bytes. Never interprets a type; what the kernel demands of one is the caller's business.

use super::ObjectError;
use rustc_hash::FxHashMap;

/// Magic number of `.BTF` and `.BTF.ext`.
pub(super) const MAGIC: u16 = 0xeb9f;

/// Number of a type; 0 is `void`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TypeId(pub u32);

/// `void`.
pub(super) const VOID: TypeId = TypeId(0);

/// Whether the verifier checks a function apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Linkage {
    /// Followed at each call.
    Static = 0,
    /// Checked once.
    Global = 1,
}

/// A type. Numbers in it are bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Type {
    /// An integer.
    Int { name: &'static str, size: u32, signed: bool },
    /// A pointer.
    Ptr(TypeId),
    /// An array; `index` is an integer type.
    Array { element: TypeId, index: TypeId, count: u32 },
    /// A struct or union; members are (name, type, offset). The name may be empty.
    Struct { name: String, is_union: bool, size: u32, members: Vec<(String, TypeId, u32)> },
    /// A function's signature.
    Proto { result: TypeId, params: Vec<(String, TypeId)> },
    /// A function.
    Func { name: String, proto: TypeId, linkage: Linkage },
    /// A global variable.
    Var { name: String, ty: TypeId },
    /// A section of variables: (variable, offset, size).
    Section { name: String, size: u32, vars: Vec<(TypeId, u32, u32)> },
}

/// The types and strings of one object.
pub(super) struct Btf {
    types: Vec<Option<Type>>,
    ids: FxHashMap<Type, TypeId>,
    strings: Vec<u8>,
    offsets: FxHashMap<String, u32>,
}

impl Btf {
    pub(super) fn new() -> Self {
        Self { types: Vec::new(), ids: FxHashMap::default(), strings: vec![0], offsets: FxHashMap::default() }
    }

    /// The number of a type, a new one if none is equal.
    pub(super) fn add(&mut self, ty: Type) -> TypeId {
        if let Some(id) = self.ids.get(&ty) {
            return *id;
        }
        let id = self.reserve();
        self.fill(id, ty);
        id
    }

    /// A number for a type that is filled in later, so that types may point at each other.
    pub(super) fn reserve(&mut self) -> TypeId {
        self.types.push(None);
        TypeId(self.types.len() as u32)
    }

    /// Gives a reserved number its type.
    pub(super) fn fill(&mut self, id: TypeId, ty: Type) {
        if let Some(slot) = (id.0 as usize).checked_sub(1).and_then(|i| self.types.get_mut(i)) {
            *slot = Some(ty.clone());
            self.ids.insert(ty, id);
        }
    }

    /// Offset of a string in the string section; NUL bytes cannot be said and become spaces.
    pub(super) fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        if let Some(at) = self.offsets.get(text) {
            return *at;
        }
        let at = self.strings.len();
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.iter_mut().skip(at).filter(|b| **b == 0).for_each(|b| *b = b' ');
        self.strings.push(0);
        let at = at as u32;
        self.offsets.insert(text.to_owned(), at);
        at
    }

    /// `int`.
    pub(super) fn int(&mut self) -> TypeId {
        self.add(Type::Int { name: "int", size: 4, signed: true })
    }

    /// An integer of 1, 2, 4 or 8 bytes, under its C name.
    pub(super) fn integer(&mut self, size: u32, signed: bool) -> TypeId {
        let name = match (size, signed) {
            (1, false) => "unsigned char",
            (1, true) => "signed char",
            (2, false) => "unsigned short",
            (2, true) => "short",
            (4, false) => "unsigned int",
            (4, true) => "int",
            (_, false) => "unsigned long long",
            (_, true) => "long long",
        };
        self.add(Type::Int { name, size, signed })
    }

    /// An array.
    pub(super) fn array(&mut self, element: TypeId, count: u32) -> TypeId {
        let index = self.int();
        self.add(Type::Array { element, index, count })
    }

    /// The section.
    pub(super) fn encode(mut self) -> Result<Vec<u8>, ObjectError> {
        let types = std::mem::take(&mut self.types);
        let mut words = Vec::new();
        for ty in &types {
            let ty = ty.as_ref().ok_or_else(|| ObjectError::new("a type number was reserved and never filled"))?;
            self.words(ty, &mut words)?;
        }
        // The kernel numbers string offsets with 24 bits.
        if self.strings.len() >= 1 << 24 {
            return Err(ObjectError::new("the debug strings exceed 16 MiB"));
        }
        let length = words.len() as u32 * 4;
        let mut out = header(&[24, 0, length, length, self.strings.len() as u32]);
        out.reserve(length as usize + self.strings.len());
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.strings);
        Ok(out)
    }

    fn words(&mut self, ty: &Type, out: &mut Vec<u32>) -> Result<(), ObjectError> {
        let info = |kind: u32, count: usize| match u16::try_from(count) {
            Ok(count) => Ok((kind << 24) | u32::from(count)),
            Err(_) => Err(ObjectError::new("a type has more than 65535 members")),
        };
        match ty {
            Type::Int { name, size, signed } => {
                out.extend([self.string(name), info(1, 0)?, *size, (u32::from(*signed) << 24) | (size * 8)]);
            }
            Type::Ptr(to) => out.extend([0, info(2, 0)?, to.0]),
            Type::Array { element, index, count } => out.extend([0, info(3, 0)?, 0, element.0, index.0, *count]),
            Type::Struct { name, is_union, size, members } => {
                out.extend([self.string(name), info(if *is_union { 5 } else { 4 }, members.len())?, *size]);
                for (name, ty, offset) in members {
                    out.extend([self.string(name), ty.0, offset * 8]);
                }
            }
            Type::Proto { result, params } => {
                out.extend([0, info(13, params.len())?, result.0]);
                for (name, ty) in params {
                    out.extend([self.string(name), ty.0]);
                }
            }
            Type::Func { name, proto, linkage } => out.extend([self.string(name), info(12, *linkage as usize)?, proto.0]),
            Type::Var { name, ty } => out.extend([self.string(name), info(14, 0)?, ty.0, 1]),
            Type::Section { name, size, vars } => {
                out.extend([self.string(name), info(15, vars.len())?, *size]);
                out.extend(vars.iter().flat_map(|(var, offset, size)| [var.0, *offset, *size]));
            }
        }
        Ok(())
    }
}

/// Magic, version and flags, then the words of a header.
pub(super) fn header(words: &[u32]) -> Vec<u8> {
    let mut out = MAGIC.to_le_bytes().to_vec();
    out.extend([1, 0]);
    out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
    out
}
