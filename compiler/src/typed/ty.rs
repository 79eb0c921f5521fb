//! Types of constants and fields: their names, what they hold, how they are compared. Evaluates nothing.

use crate::resolve::Part;
use ebsec_grammar::ast::Op;
use ebsec_templates::{Catalog, FieldType};

/// Type of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Elem {
    /// Truth.
    Bool,
    /// Whole number.
    Int,
    /// Absolute path or pattern.
    Path,
    /// Last segment of a path or a name of the kernel's own, or a pattern of it.
    Name,
    /// Task name.
    Comm,
    /// Address.
    Ip,
    /// Address prefix.
    Cidr,
    /// Where an address, a range or a prefix may stand; never the type of a value.
    Address,
    /// 0 to 65535.
    Port,
    /// User id.
    Uid,
    /// Group id.
    Gid,
    /// Permission bits.
    Mode,
    /// Permission bits or their names, after `has`; never the type of a declaration.
    ModeBits,
    /// Value of an enum of the catalog.
    Enum(&'static str),
    /// Span of time.
    Duration,
    /// Day.
    Date,
    /// ATT&CK technique.
    Attack,
    /// Free text.
    Text,
}

/// Type of a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ty {
    /// Of one value.
    pub elem: Elem,
    /// `set<…>`.
    pub set: bool,
}

/// Names of the types that a declaration may have.
const NAMED: &[(&str, Elem)] = &[
    ("bool", Elem::Bool),
    ("int", Elem::Int),
    ("path", Elem::Path),
    ("name", Elem::Name),
    ("comm", Elem::Comm),
    ("ip", Elem::Ip),
    ("cidr", Elem::Cidr),
    ("port", Elem::Port),
    ("uid", Elem::Uid),
    ("gid", Elem::Gid),
    ("mode", Elem::Mode),
    ("duration", Elem::Duration),
    ("date", Elem::Date),
    ("attack", Elem::Attack),
];

impl Elem {
    /// The type of a name in a declaration.
    #[must_use]
    pub fn named(name: &str, catalog: &'static Catalog) -> Option<Self> {
        if let Some((_, elem)) = NAMED.iter().find(|(n, _)| *n == name) {
            return Some(*elem);
        }
        catalog.enums.get_key_value(name).map(|(key, _)| Self::Enum(key))
    }

    /// Every name that [`Self::named`] knows, and `set`.
    pub fn names(catalog: &'static Catalog) -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(n, _)| *n).chain(catalog.enums.keys().map(String::as_str)).chain(["set"])
    }

    /// The type that a field's constants have.
    #[must_use]
    pub fn of_field(ty: &'static FieldType) -> Self {
        match ty {
            FieldType::Path => Self::Path,
            FieldType::Comm => Self::Comm,
            FieldType::Name => Self::Name,
            FieldType::Bool => Self::Bool,
            FieldType::Ip => Self::Address,
            FieldType::Port => Self::Port,
            FieldType::Uid => Self::Uid,
            FieldType::Gid => Self::Gid,
            FieldType::Mode => Self::Mode,
            FieldType::Enum(name) => Self::Enum(name),
        }
    }

    /// As messages say it.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Bool => "`true` or `false`",
            Self::Int => "a number",
            Self::Path => "a path",
            Self::Name => "a name",
            Self::Comm => "a task name",
            Self::Ip => "an address",
            Self::Cidr => "an address prefix",
            Self::Address => "an address or prefix",
            Self::Port => "a port",
            Self::Uid => "a user id",
            Self::Gid => "a group id",
            Self::Mode => "permission bits",
            Self::ModeBits => "`setuid`, `setgid`, `sticky` or permission bits",
            Self::Enum(_) => "a named value",
            Self::Duration => "a duration",
            Self::Date => "a date",
            Self::Attack => "an ATT&CK id",
            Self::Text => "a text in quotes",
        }
    }

    /// As a declaration says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enum(name) => name,
            Self::Address => "ip",
            Self::ModeBits => "mode",
            Self::Text => "text",
            other => NAMED.iter().find(|(_, e)| *e == other).map_or("", |(n, _)| n),
        }
    }

    /// Whether a value of type `have` may stand where `self` is wanted.
    #[must_use]
    pub fn takes(self, have: Self) -> bool {
        self == have || (self == Self::Address && matches!(have, Self::Ip | Self::Cidr)) || (self == Self::ModeBits && have == Self::Mode)
    }

    /// The largest number of a numeric type.
    #[must_use]
    pub fn max(self) -> u64 {
        match self {
            Self::Port => 65_535,
            Self::Uid | Self::Gid => u64::from(u32::MAX),
            Self::Mode | Self::ModeBits => 0o7777,
            _ => u64::MAX,
        }
    }
}

impl std::fmt::Display for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.set { write!(f, "set<{}>", self.elem.name()) } else { f.write_str(self.elem.name()) }
    }
}

/// The comparisons of a field of this type, or of a part of it; none if it is a condition by itself.
#[must_use]
pub fn operators(ty: &FieldType, part: Option<Part>) -> &'static [Op] {
    match (ty, part) {
        (FieldType::Bool, None) | (_, Some(Part::Unresolved | Part::Deleted)) => &[],
        (FieldType::Path, None | Some(Part::Dir)) => &[Op::Eq, Op::Ne, Op::In, Op::Under, Op::Matches],
        (FieldType::Path | FieldType::Comm | FieldType::Name, _) => &[Op::Eq, Op::Ne, Op::In, Op::Matches],
        (FieldType::Ip | FieldType::Enum(_), _) => &[Op::Eq, Op::Ne, Op::In],
        (FieldType::Mode, _) => &[Op::Eq, Op::Ne, Op::In, Op::Has],
        _ => &[Op::Eq, Op::Ne, Op::In, Op::Lt, Op::Le, Op::Gt, Op::Ge],
    }
}

/// An operator as written.
#[must_use]
pub fn op_text(op: Op) -> &'static str {
    match op {
        Op::Eq => "==",
        Op::Ne => "!=",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
        Op::In => "in",
        Op::Under => "under",
        Op::Matches => "matches",
        Op::Has => "has",
        Op::Only => "only",
    }
}
