//! Takes the bytes of a kernel's BTF, gives its functions, structs and fields.
//! Reads what prototypes need and no more; broken input gives `None`, never a
//! panic.

use std::collections::HashMap;

const INT: u8 = 1;
const POINTER: u8 = 2;
const ARRAY: u8 = 3;
const STRUCT: u8 = 4;
const UNION: u8 = 5;
const ENUM: u8 = 6;
const FORWARD: u8 = 7;
const TYPEDEF: u8 = 8;
const VOLATILE: u8 = 9;
const CONST: u8 = 10;
const RESTRICT: u8 = 11;
const FUNCTION: u8 = 12;
const PROTOTYPE: u8 = 13;
const VARIABLE: u8 = 14;
const SECTION: u8 = 15;
const FLOAT: u8 = 16;
const DECLARATION_TAG: u8 = 17;
const TYPE_TAG: u8 = 18;
const ENUM64: u8 = 19;

/// Deeper nesting than C code has; ends loops in broken input.
const DEPTH: u32 = 32;

/// The types of one kernel.
pub struct Btf {
    /// Type number `id` is at `id - 1`; number 0 is `void`.
    types: Vec<Type>,
    strings: Vec<u8>,
    names: HashMap<(u8, String), u32>,
}

struct Type {
    name: u32,
    kind: u8,
    flag: bool,
    /// A size or a type's number, by kind.
    size_or_type: u32,
    extra: Vec<u32>,
}

/// One parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the kernel's source.
    pub name: String,
    /// Its type.
    pub type_id: u32,
}

/// Where a field is in its struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// From the start of the struct, in bits.
    pub bit_offset: u32,
    /// Bits of a bit field; 0 for any other field.
    pub bits: u32,
    /// Its type.
    pub type_id: u32,
}

impl Btf {
    /// Reads the bytes of `/sys/kernel/btf/vmlinux`.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        const MAGIC: u32 = 0xeb9f;
        if word(bytes, 0)? & 0xffff != MAGIC {
            return None;
        }
        let header = word(bytes, 4)?;
        let part = |offset: u32, size: u32| {
            let start = usize::try_from(header.checked_add(offset)?).ok()?;
            bytes.get(start..start.checked_add(usize::try_from(size).ok()?)?)
        };
        let types = read_types(part(word(bytes, 8)?, word(bytes, 12)?)?)?;
        let strings = part(word(bytes, 16)?, word(bytes, 20)?)?.to_vec();
        let mut btf = Btf { types, strings, names: HashMap::new() };
        btf.names = btf.index();
        Some(btf)
    }

    /// The first type of each name; later ones of the same name are variants
    /// that the kernel's own lookups skip too.
    fn index(&self) -> HashMap<(u8, String), u32> {
        let mut names = HashMap::new();
        for (id, kind) in (1..).zip(&self.types) {
            if kind.name != 0 {
                names.entry((kind.kind, self.text(kind.name))).or_insert(id);
            }
        }
        names
    }

    fn text(&self, at: u32) -> String {
        let rest = usize::try_from(at).ok().and_then(|at| self.strings.get(at..));
        let rest = rest.unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == 0).unwrap_or(0);
        String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned()
    }

    fn get(&self, id: u32) -> Option<&Type> {
        self.types.get(usize::try_from(id.checked_sub(1)?).ok()?)
    }

    /// Functions whose name starts with `prefix`, sorted, without the prefix.
    pub fn functions(&self, prefix: &str) -> Vec<(String, u32)> {
        let mut found: Vec<(String, u32)> = self
            .names
            .iter()
            .filter(|((kind, _), _)| *kind == FUNCTION)
            .filter_map(|((_, name), id)| Some((name.strip_prefix(prefix)?.to_owned(), *id)))
            .collect();
        found.sort();
        found
    }

    /// Whether a function of this name has type information.
    pub fn has_function(&self, name: &str) -> bool {
        self.names.contains_key(&(FUNCTION, name.to_owned()))
    }

    /// Result type and parameters of a function.
    pub fn prototype(&self, function: u32) -> Option<(u32, Vec<Parameter>)> {
        let prototype = self.get(self.get(function)?.size_or_type)?;
        if prototype.kind != PROTOTYPE {
            return None;
        }
        let parameter = |pair: &[u32]| match pair {
            [name, type_id] => Some(Parameter { name: self.text(*name), type_id: *type_id }),
            _ => None,
        };
        let parameters = prototype.extra.chunks(2).filter_map(parameter).collect();
        Some((prototype.size_or_type, parameters))
    }

    /// A struct or union by name, its own or that of a typedef.
    pub fn composite(&self, name: &str) -> Option<u32> {
        let id = |kind| self.names.get(&(kind, name.to_owned())).copied();
        id(STRUCT).or_else(|| id(UNION)).or_else(|| id(TYPEDEF).map(|named| self.plain(named)))
    }

    /// A field by its dotted path, through embedded structs and nameless ones.
    pub fn field(&self, composite: u32, path: &str) -> Option<Field> {
        let mut found = Field { bit_offset: 0, bits: 0, type_id: composite };
        for name in path.split('.') {
            let next = self.member(self.plain(found.type_id), name, DEPTH)?;
            found = Field { bit_offset: found.bit_offset.checked_add(next.bit_offset)?, ..next };
        }
        Some(found)
    }

    fn member(&self, composite: u32, name: &str, depth: u32) -> Option<Field> {
        let outer = self.get(composite)?;
        if depth == 0 || !matches!(outer.kind, STRUCT | UNION) {
            return None;
        }
        for member in outer.extra.chunks(3) {
            let [name_at, type_id, offset] = *member else {
                continue;
            };
            let (bits, bit_offset) = match outer.flag {
                true => (offset >> 24, offset & 0x00ff_ffff),
                false => (0, offset),
            };
            if name_at != 0 && self.text(name_at) == name {
                return Some(Field { bit_offset, bits, type_id });
            }
            if name_at == 0
                && let Some(inner) = self.member(self.plain(type_id), name, depth - 1)
            {
                return Some(Field { bit_offset: bit_offset.checked_add(inner.bit_offset)?, ..inner });
            }
        }
        None
    }

    /// The type without names and qualifiers.
    fn plain(&self, mut id: u32) -> u32 {
        for _ in 0..DEPTH {
            match self.get(id) {
                Some(t) if is_modifier(t.kind) || t.kind == TYPEDEF => id = t.size_or_type,
                _ => break,
            }
        }
        id
    }

    /// Size in bytes.
    pub fn size(&self, id: u32) -> Option<u32> {
        self.size_within(id, DEPTH)
    }

    fn size_within(&self, id: u32, depth: u32) -> Option<u32> {
        let plain = self.get(self.plain(id))?;
        match plain.kind {
            INT | STRUCT | UNION | ENUM | ENUM64 | FLOAT => Some(plain.size_or_type),
            POINTER => Some(8),
            ARRAY if depth > 0 => {
                let [element, _, count] = *plain.extra.first_chunk()?;
                self.size_within(element, depth - 1)?.checked_mul(count)
            }
            _ => None,
        }
    }

    /// What a pointer leads to, without names and qualifiers: a struct's name,
    /// or `None` if it is no pointer to a named struct.
    pub fn pointer_to(&self, id: u32) -> Option<String> {
        let pointer = self.get(self.plain(id)).filter(|t| t.kind == POINTER)?;
        let target = self.get(self.plain(pointer.size_or_type))?;
        let named = matches!(target.kind, STRUCT | UNION | FORWARD) && target.name != 0;
        named.then(|| self.text(target.name))
    }

    /// Whether this is a pointer.
    pub fn is_pointer(&self, id: u32) -> bool {
        self.get(self.plain(id)).is_some_and(|t| t.kind == POINTER)
    }

    /// The type as C writes it, without a name in the middle.
    pub fn type_text(&self, id: u32) -> String {
        self.text_within(id, DEPTH)
    }

    fn text_within(&self, id: u32, depth: u32) -> String {
        let Some(this) = self.get(id) else {
            return "void".into();
        };
        if depth == 0 {
            return "?".into();
        }
        let inner = |id| self.text_within(id, depth - 1);
        let named = |word: &str| match this.name {
            0 => format!("{word} {{…}}"),
            name => format!("{word} {}", self.text(name)),
        };
        match this.kind {
            STRUCT => named("struct"),
            UNION => named("union"),
            ENUM | ENUM64 => named("enum"),
            FORWARD => named(if this.flag { "union" } else { "struct" }),
            CONST => format!("const {}", inner(this.size_or_type)),
            VOLATILE => format!("volatile {}", inner(this.size_or_type)),
            RESTRICT | TYPE_TAG => inner(this.size_or_type),
            POINTER => self.pointer_text(this.size_or_type, depth),
            ARRAY => match this.extra.first_chunk() {
                Some([element, _, count]) => format!("{}[{count}]", inner(*element)),
                None => "?".into(),
            },
            PROTOTYPE => "function".into(),
            _ => self.text(this.name),
        }
    }

    fn pointer_text(&self, target: u32, depth: u32) -> String {
        let text = self.text_within(target, depth - 1);
        match text.ends_with('*') {
            true => format!("{text}*"),
            false => format!("{text} *"),
        }
    }
}

fn is_modifier(kind: u8) -> bool {
    matches!(kind, CONST | VOLATILE | RESTRICT | TYPE_TAG)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn read_types(bytes: &[u8]) -> Option<Vec<Type>> {
    let mut types = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let info = word(bytes, at + 4)?;
        let kind = u8::try_from(info >> 24 & 0x1f).ok()?;
        let count = usize::try_from(info & 0xffff).ok()?;
        let words = match kind {
            INT | VARIABLE | DECLARATION_TAG => 1,
            ARRAY => 3,
            STRUCT | UNION | SECTION | ENUM64 => 3 * count,
            ENUM | PROTOTYPE => 2 * count,
            POINTER | FORWARD | TYPEDEF | VOLATILE | CONST | RESTRICT | FUNCTION | FLOAT | TYPE_TAG => 0,
            _ => return None,
        };
        let extra = (0..words).map(|index| word(bytes, at + 12 + 4 * index)).collect::<Option<Vec<u32>>>()?;
        types.push(Type { name: word(bytes, at)?, kind, flag: info >> 31 == 1, size_or_type: word(bytes, at + 8)?, extra });
        at += 12 + 4 * words;
    }
    Some(types)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// `struct s { struct { int a; }; struct s *b; }` and
    /// `int f(const struct s *x)`.
    fn example() -> Vec<u8> {
        let strings = b"\0int\0s\0a\0b\0f\0x\0";
        let types: &[&[u32]] = &[
            &[1, 1 << 24, 4, 32],                      // 1 int
            &[0, 4 << 24 | 1, 4, 7, 1, 0],             // 2 struct { a }
            &[5, 4 << 24 | 2, 16, 0, 2, 32, 9, 4, 64], // 3 struct s
            &[0, 2 << 24, 3],                          // 4 struct s *
            &[0, 10 << 24, 3],                         // 5 const struct s
            &[0, 2 << 24, 5],                          // 6 const struct s *
            &[0, 13 << 24 | 1, 1, 13, 6],              // 7 int (x)
            &[11, 12 << 24, 7],                        // 8 f
        ];
        let types: Vec<u8> = types.iter().flat_map(|words| words.iter().flat_map(|word| word.to_le_bytes())).collect();
        let size = u32::try_from(types.len()).unwrap();
        let length = u32::try_from(strings.len()).unwrap();
        let mut bytes = Vec::new();
        for word in [0x0001_eb9f, 24, 0, size, size, length] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(&types);
        bytes.extend_from_slice(strings);
        bytes
    }

    #[test]
    fn fields_of_nameless_structs_belong_to_the_outer_one() {
        let btf = Btf::parse(&example()).unwrap();
        let s = btf.composite("s").unwrap();
        assert_eq!(btf.size(s), Some(16));
        assert_eq!(btf.field(s, "a").unwrap().bit_offset, 32);
        let b = btf.field(s, "b").unwrap();
        assert_eq!((b.bit_offset, btf.pointer_to(b.type_id)), (64, Some("s".into())));
        assert_eq!(btf.field(s, "c"), None);
        assert_eq!(btf.field(s, "b.a"), None);
    }

    #[test]
    fn a_prototype_names_its_parameters() {
        let btf = Btf::parse(&example()).unwrap();
        let (result, parameters) = btf.prototype(8).unwrap();
        assert_eq!(btf.type_text(result), "int");
        let x = parameters.first().unwrap();
        assert_eq!((x.name.as_str(), btf.type_text(x.type_id)), ("x", "const struct s *".into()));
        assert_eq!(btf.functions("f").len(), 1);
    }

    #[test]
    fn no_damage_makes_it_panic() {
        let whole = example();
        for cut in 0..whole.len() {
            let _ = Btf::parse(whole.get(..cut).unwrap());
        }
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            *damaged.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
            let Some(btf) = Btf::parse(&damaged) else { continue };
            for id in 0..10 {
                let _ = (btf.prototype(id), btf.type_text(id), btf.size(id));
                let _ = (btf.field(id, "a"), btf.field(id, "b.b.a"), btf.pointer_to(id));
            }
        }
    }
}
