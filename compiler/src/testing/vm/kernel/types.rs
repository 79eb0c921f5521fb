//! Takes the text of kernel types, gives them laid out in memory with offsets drawn from a seed.
//!
//! Understands the C of `types.txt` and no more. Never copies a real kernel's layout.

use std::collections::BTreeMap;

/// Which generation of kernels is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flavour {
    /// as 6.1: `dentry.d_iname`, lists of mounts, no `mnt_idmap`, no casts
    Old,
    /// as 6.6: idmaps and casts; backing files with the path of the file above
    V6_6,
    /// as 6.7: backing files on private mounts
    V6_7,
    /// as 6.8: trees of mounts
    V6_8,
    /// as 6.18: `dentry.d_shortname.string`, an idmap for `inode_setattr`
    New,
}

impl Flavour {
    /// All of them, the oldest first.
    pub const ALL: [Flavour; 5] = [Flavour::Old, Flavour::V6_6, Flavour::V6_7, Flavour::V6_8, Flavour::New];

    /// By the name that it has in the text of the types.
    fn named(name: &str) -> Option<Flavour> {
        let names = ["6_1", "6_6", "6_7", "6_8", "6_18"];
        Flavour::ALL.into_iter().zip(names).find(|(_, n)| *n == name).map(|(flavour, _)| flavour)
    }
}

/// A type; composites and typedefs are looked up in [`Types`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    /// An integer.
    Int {
        /// its name
        name: &'static str,
        /// bytes
        size: u32,
        /// signed
        signed: bool,
    },
    /// A pointer.
    Ptr(Box<Ty>),
    /// An array.
    Array(Box<Ty>, u32),
    /// A struct or union by index.
    Composite(usize),
    /// A struct that is only pointed at.
    Opaque(String),
    /// A typedef by its name.
    Alias(String),
    /// Nothing.
    Void,
}

/// A member.
#[derive(Clone, Debug)]
pub struct Member {
    /// empty for an anonymous struct or union
    pub name: String,
    /// its type
    pub ty: Ty,
    /// bytes from the start
    pub offset: u32,
}

/// A struct or union.
#[derive(Clone, Debug)]
pub struct Composite {
    /// empty for an anonymous one
    pub name: String,
    /// all members at 0
    pub union: bool,
    /// bytes
    pub size: u32,
    /// alignment in bytes
    pub align: u32,
    /// the members by offset
    pub members: Vec<Member>,
    fixed: bool,
    laid_out: bool,
}

/// All types.
#[derive(Clone, Debug, Default)]
pub struct Types {
    /// structs and unions
    pub composites: Vec<Composite>,
    /// typedefs, in order
    pub aliases: Vec<(String, Ty)>,
    by_name: BTreeMap<String, usize>,
}

/// A place in a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// bytes from the start of the first struct
    pub offset: u32,
    /// bytes
    pub size: u32,
    /// what is there
    pub ty: Ty,
}

const INTS: &[(&str, u32, bool)] = &[
    ("u8", 1, false),
    ("u16", 2, false),
    ("u32", 4, false),
    ("u64", 8, false),
    ("s8", 1, true),
    ("s16", 2, true),
    ("s32", 4, true),
    ("s64", 8, true),
    ("char", 1, true),
];

impl Types {
    /// Reads `text` and lays the types out.
    pub fn parse(text: &str, flavour: Flavour, seed: u64) -> Result<Types, String> {
        let mut types = Types::default();
        let mut parser = Parser { tokens: tokens(text), at: 0, flavour, types: &mut types };
        parser.file()?;
        types.adopt()?;
        let mut random = Random(seed);
        for i in 0..types.composites.len() {
            types.lay_out(i, &mut random, 0)?;
        }
        Ok(types)
    }

    /// A struct or union by its name.
    pub fn get(&self, name: &str) -> Option<&Composite> {
        self.composites.get(*self.by_name.get(name)?)
    }

    /// The number of a struct or union in the kernel's BTF: they are its first types.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).map(|i| *i as u32 + 1)
    }

    /// The highest of these numbers.
    pub fn last(&self) -> u32 {
        self.by_name.len() as u32
    }

    /// Follows `struct.member[1].member`.
    pub fn place(&self, path: &str) -> Result<Place, String> {
        let mut parts = path.split('.');
        let root = parts.next().unwrap_or_default();
        let alias = || self.aliases.iter().any(|a| a.0 == root).then(|| Ty::Alias(root.to_owned()));
        let ty = self.by_name.get(root).map(|i| Ty::Composite(*i)).or_else(alias);
        let mut place = Place { offset: 0, size: 0, ty: ty.ok_or_else(|| format!("the kernel has no struct `{root}`"))? };
        for part in parts {
            let (name, indices) = part.split_once('[').map_or((part, ""), |(n, i)| (n, i));
            let found = match self.resolve(&place.ty) {
                Ty::Composite(c) => self.member(*c, name),
                _ => None,
            };
            let (offset, ty) = found.ok_or_else(|| format!("the kernel has no `{path}`: `{name}` is missing"))?;
            (place.offset, place.ty) = (place.offset + offset, ty);
            for index in indices.split('[').filter(|i| !i.is_empty()) {
                let index: u32 = index.trim_end_matches(']').parse().map_err(|_| format!("`{path}` has a wrong index"))?;
                let Ty::Array(elem, count) = self.resolve(&place.ty).clone() else {
                    return Err(format!("`{name}` in `{path}` is no array"));
                };
                if index >= count {
                    return Err(format!("`{path}` goes beyond {count} elements"));
                }
                (place.offset, place.ty) = (place.offset + index * self.size_align(&elem).0, *elem);
            }
        }
        place.size = self.size_align(&place.ty).0;
        Ok(place)
    }

    /// A type without typedefs around it.
    pub fn resolve<'a>(&'a self, mut ty: &'a Ty) -> &'a Ty {
        while let Ty::Alias(name) = ty {
            match self.aliases.iter().find(|a| a.0 == *name) {
                Some((_, inner)) => ty = inner,
                None => return ty,
            }
        }
        ty
    }

    /// A member's offset and type; anonymous members are looked into.
    fn member(&self, composite: usize, name: &str) -> Option<(u32, Ty)> {
        self.composites.get(composite)?.members.iter().find_map(|m| {
            if m.name == name {
                return Some((m.offset, m.ty.clone()));
            }
            match &m.ty {
                Ty::Composite(inner) if m.name.is_empty() => self.member(*inner, name).map(|(o, t)| (m.offset + o, t)),
                _ => None,
            }
        })
    }

    /// Bytes and alignment of a type.
    pub fn size_align(&self, ty: &Ty) -> (u32, u32) {
        match self.resolve(ty) {
            Ty::Int { size, .. } => (*size, *size),
            Ty::Ptr(_) => (8, 8),
            Ty::Array(elem, n) => {
                let (size, align) = self.size_align(elem);
                (size * n, align)
            }
            Ty::Composite(i) => self.composites.get(*i).map_or((0, 1), |c| (c.size, c.align)),
            _ => (0, 1),
        }
    }

    /// Turns the names of structs that are defined into indices (they may be defined after their use).
    fn adopt(&mut self) -> Result<(), String> {
        fn fix(ty: &mut Ty, names: &BTreeMap<String, usize>, by_value: bool) -> Result<(), String> {
            match ty {
                Ty::Ptr(inner) => fix(inner, names, false),
                Ty::Array(inner, _) => fix(inner, names, by_value),
                Ty::Opaque(name) => match names.get(name) {
                    Some(i) => {
                        *ty = Ty::Composite(*i);
                        Ok(())
                    }
                    None if by_value => Err(format!("the struct `{name}` is used and not defined")),
                    None => Ok(()),
                },
                _ => Ok(()),
            }
        }
        for c in &mut self.composites {
            for m in &mut c.members {
                fix(&mut m.ty, &self.by_name, true)?;
            }
        }
        for (_, ty) in &mut self.aliases {
            fix(ty, &self.by_name, true)?;
        }
        Ok(())
    }

    fn lay_out(&mut self, index: usize, random: &mut Random, depth: usize) -> Result<(), String> {
        let Some(c) = self.composites.get(index) else { return Ok(()) };
        if c.laid_out {
            return Ok(());
        }
        if depth > 16 {
            return Err(format!("the struct `{}` contains itself", c.name));
        }
        let inner: Vec<Ty> = c.members.iter().map(|m| m.ty.clone()).collect();
        for ty in &inner {
            let mut ty = self.resolve(ty).clone();
            while let Ty::Array(elem, _) = ty {
                ty = self.resolve(&elem).clone();
            }
            if let Ty::Composite(i) = ty {
                self.lay_out(i, random, depth + 1)?;
            }
        }
        let sizes: Vec<(u32, u32)> = inner.iter().map(|t| self.size_align(t)).collect();
        if let Some(c) = self.composites.get_mut(index) {
            place_members(c, &sizes, random);
        }
        Ok(())
    }
}

fn place_members(c: &mut Composite, sizes: &[(u32, u32)], random: &mut Random) {
    let moved = !c.fixed && !c.union;
    let mut order: Vec<usize> = (0..c.members.len()).collect();
    if moved {
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i as u64 + 1) as usize);
        }
    }
    let (mut offset, mut size, mut align) = (0u32, 0u32, 1u32);
    for i in order {
        let (Some(m), Some(&(bytes, alignment))) = (c.members.get_mut(i), sizes.get(i)) else { continue };
        if moved {
            offset += random.below(4) as u32 * 8;
        }
        offset = if c.union { 0 } else { offset.next_multiple_of(alignment) };
        m.offset = offset;
        offset += bytes;
        size = size.max(offset);
        align = align.max(alignment);
    }
    let tail = if moved { random.below(3) as u32 * 8 } else { 0 };
    c.members.sort_by_key(|m| m.offset);
    (c.size, c.align, c.laid_out) = ((size + tail).next_multiple_of(align), align, true);
}

/// A small generator of numbers that only have to differ.
pub(super) struct Random(pub u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33).checked_rem(n).unwrap_or(0)
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut word = String::new();
        for c in line.chars().chain([' ']) {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
            if !c.is_whitespace() {
                out.push(c.to_string());
            }
        }
    }
    out
}

struct Parser<'a> {
    tokens: Vec<String>,
    at: usize,
    flavour: Flavour,
    types: &'a mut Types,
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        let t = self.peek(0).to_owned();
        self.at += 1;
        t
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.peek(0) == token;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        let t = self.next();
        if t == token { Ok(()) } else { Err(format!("expected `{token}` after `{}`, found `{t}`", self.before())) }
    }

    fn before(&self) -> String {
        self.tokens.get(self.at.saturating_sub(8)..self.at.saturating_sub(1)).unwrap_or_default().join(" ")
    }

    fn file(&mut self) -> Result<(), String> {
        while self.at < self.tokens.len() {
            if self.eat("typedef") {
                let ty = self.base()?;
                let name = self.next();
                self.types.aliases.push((name, ty));
            } else {
                let (skipped, known) = (!self.is_here()?, self.types.composites.len());
                let fixed = self.eat("fixed");
                let Ty::Composite(i) = self.base()? else { return Err(format!("expected a struct after `{}`", self.before())) };
                if let Some(c) = self.types.composites.get_mut(i) {
                    c.fixed = fixed;
                }
                if skipped {
                    self.types.composites.truncate(known);
                    self.types.by_name.retain(|_, i| *i < known);
                }
            }
            self.expect(";")?;
        }
        Ok(())
    }

    /// Whether what follows exists in this flavour: after any number of `from_FLAVOUR:`, `to_FLAVOUR:`, `old:`, `new:`.
    fn is_here(&mut self) -> Result<bool, String> {
        let mut here = true;
        while self.peek(1) == ":" {
            let word = self.next();
            self.expect(":")?;
            let (from, to) = match word.as_str() {
                "old" => (Some(Flavour::Old), Some(Flavour::V6_8)),
                "new" => (Some(Flavour::New), Some(Flavour::New)),
                _ => match (word.strip_prefix("from_"), word.strip_prefix("to_")) {
                    (Some(name), _) => (Flavour::named(name), Some(Flavour::New)),
                    (_, Some(name)) => (Some(Flavour::Old), Flavour::named(name)),
                    _ => (None, None),
                },
            };
            let range = from.zip(to).ok_or_else(|| format!("there is no flavour `{word}`"))?;
            here &= (range.0..=range.1).contains(&self.flavour);
        }
        Ok(here)
    }

    /// A type without stars and brackets.
    fn base(&mut self) -> Result<Ty, String> {
        while self.eat("const") {}
        let word = self.next();
        if let Some(&(name, size, signed)) = INTS.iter().find(|i| i.0 == word) {
            return Ok(Ty::Int { name, size, signed });
        }
        match word.as_str() {
            "void" => Ok(Ty::Void),
            "struct" | "union" => {
                let name = if self.peek(0) == "{" { String::new() } else { self.next() };
                if self.peek(0) == "{" { self.composite(name, word == "union") } else { Ok(Ty::Opaque(name)) }
            }
            _ if self.types.aliases.iter().any(|a| a.0 == word) => Ok(Ty::Alias(word)),
            _ => Err(format!("`{word}` after `{}` is no type", self.before())),
        }
    }

    fn composite(&mut self, name: String, union: bool) -> Result<Ty, String> {
        let index = self.types.composites.len();
        if !name.is_empty() && self.types.by_name.insert(name.clone(), index).is_some() {
            return Err(format!("the struct `{name}` is defined twice"));
        }
        // Anonymous ones stay as written: what they overlay depends on the order.
        let fixed = name.is_empty();
        self.types.composites.push(Composite { name, union, size: 0, align: 1, members: Vec::new(), fixed, laid_out: false });
        self.expect("{")?;
        while !self.eat("}") {
            let here = self.is_here()?;
            let member = self.member()?;
            if here && let Some(c) = self.types.composites.get_mut(index) {
                c.members.push(member);
            }
        }
        Ok(Ty::Composite(index))
    }

    fn member(&mut self) -> Result<Member, String> {
        let mut ty = self.base()?;
        while self.eat("*") {
            ty = Ty::Ptr(Box::new(ty));
        }
        let name = if self.peek(0) == ";" { String::new() } else { self.next() };
        if self.eat("[") {
            let count = self.next().parse().map_err(|_| format!("`{name}` has no number of elements"))?;
            self.expect("]")?;
            ty = Ty::Array(Box::new(ty), count);
        }
        self.expect(";")?;
        Ok(Member { name, ty, offset: 0 })
    }
}
