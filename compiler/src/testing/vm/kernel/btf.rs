//! Takes laid-out types, gives them as BTF bytes, as a kernel shows its own. Never reads BTF.

use super::Function;
use super::types::{Composite, Ty, Types};
use std::collections::BTreeMap;

const INT: u32 = 1;
const PTR: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const FWD: u32 = 7;
const TYPEDEF: u32 = 8;
const FUNC: u32 = 12;
const PROTO: u32 = 13;

/// The BTF of all types and functions: a function's name and what its arguments point to, nothing for a number.
pub fn encode(types: &Types, functions: &[Function]) -> Vec<u8> {
    let mut w = Writer { types, records: Vec::new(), strings: vec![0], known: BTreeMap::new(), bodies: Vec::new() };
    // Structs first: their numbers are known before anything refers to them.
    for c in &types.composites {
        let name = w.string(&c.name);
        let kind = if c.union { UNION } else { STRUCT };
        w.record(name, kind, c.members.len() as u32, c.size, Vec::new());
    }
    let bodies: Vec<Vec<u32>> = types.composites.iter().map(|c| w.members(c)).collect();
    w.bodies = bodies;
    for function in functions {
        w.function(function);
    }
    w.bytes()
}

struct Writer<'a> {
    types: &'a Types,
    records: Vec<(u32, u32, u32, Vec<u32>)>,
    strings: Vec<u8>,
    known: BTreeMap<String, u32>,
    /// the members of the first records
    bodies: Vec<Vec<u32>>,
}

impl Writer<'_> {
    fn string(&mut self, s: &str) -> u32 {
        if s.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(s.bytes().chain([0]));
        at
    }

    /// Appends a type; gives its number.
    fn record(&mut self, name: u32, kind: u32, count: u32, size_or_type: u32, extra: Vec<u32>) -> u32 {
        self.records.push((name, kind << 24 | count, size_or_type, extra));
        self.records.len() as u32
    }

    fn members(&mut self, c: &Composite) -> Vec<u32> {
        c.members
            .iter()
            .flat_map(|m| {
                let (name, ty) = (self.string(&m.name), self.ty(&m.ty));
                [name, ty, m.offset * 8]
            })
            .collect()
    }

    fn function(&mut self, function: &Function) {
        let number = Ty::Int { name: "u64", size: 8, signed: false };
        let mut params = Vec::new();
        for argument in &function.arguments {
            let composite = argument.as_deref().and_then(|name| self.types.number(name));
            let ty = composite.map_or_else(|| number.clone(), |n| Ty::Ptr(Box::new(Ty::Composite(n as usize - 1))));
            params.extend([0, self.ty(&ty)]);
        }
        let result = self.ty(&number);
        let proto = self.record(0, PROTO, function.arguments.len() as u32, result, params);
        let name = self.string(&function.name);
        self.record(name, FUNC, 1, proto, Vec::new());
    }

    /// The number of a type; each is written once.
    fn ty(&mut self, ty: &Ty) -> u32 {
        if let Ty::Composite(i) = ty {
            return *i as u32 + 1;
        }
        if *ty == Ty::Void {
            return 0;
        }
        let key = format!("{ty:?}");
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = match ty {
            Ty::Int { name, size, signed } => {
                let name = self.string(name);
                self.record(name, INT, 0, *size, vec![(u32::from(*signed) << 24) | (size * 8)])
            }
            Ty::Ptr(inner) => {
                let inner = self.ty(inner);
                self.record(0, PTR, 0, inner, Vec::new())
            }
            Ty::Array(elem, n) => {
                let index = self.ty(&Ty::Int { name: "u32", size: 4, signed: false });
                let elem = self.ty(elem);
                self.record(0, ARRAY, 0, 0, vec![elem, index, *n])
            }
            Ty::Opaque(name) => {
                let name = self.string(name);
                self.record(name, FWD, 0, 0, Vec::new())
            }
            Ty::Alias(alias) => {
                let inner = self.types.aliases.iter().find(|a| a.0 == *alias).map_or(Ty::Void, |a| a.1.clone());
                let inner = self.ty(&inner);
                let name = self.string(alias);
                self.record(name, TYPEDEF, 0, inner, Vec::new())
            }
            Ty::Composite(_) | Ty::Void => 0,
        };
        self.known.insert(key, id);
        id
    }

    fn bytes(&self) -> Vec<u8> {
        let mut types: Vec<u32> = Vec::new();
        for (i, (name, info, size, extra)) in self.records.iter().enumerate() {
            types.extend([*name, *info, *size]);
            types.extend(self.bodies.get(i).unwrap_or(extra));
        }
        let (types_len, strings_len) = (types.len() as u32 * 4, self.strings.len() as u32);
        let mut out = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, types_len, types_len, strings_len].iter().chain(&types) {
            out.extend(word.to_le_bytes());
        }
        out.extend(&self.strings);
        out
    }
}
