//! Values of constants with their types: what an expression gives, and what a comparison asks. Evaluates nothing.

use super::interval::Intervals;
use super::{Elem, Ty, lang};
use crate::hir::glob::{Part, Pattern};
use crate::hir::{PathLang, Space};

/// A value with its type.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Type of one value of it.
    pub elem: Elem,
    /// How many values.
    pub shape: Shape,
    /// The values.
    pub data: Data,
}

/// How many values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One.
    One,
    /// A range or a prefix.
    Range,
    /// A set.
    Set,
}

/// The value.
#[derive(Clone, Debug)]
pub enum Data {
    /// Truth.
    Bool(bool),
    /// Paths, names, task names.
    Lang(PathLang),
    /// Numbers, addresses, values of enums.
    Numbers(Intervals),
    /// Texts, ATT&CK ids, dates, durations.
    Texts(Vec<String>),
}

impl Constant {
    /// How many elements it has.
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.data {
            Data::Bool(_) => 1,
            Data::Lang(language) => lang::size(language),
            Data::Numbers(all) => all.len(),
            Data::Texts(all) => all.len(),
        }
    }

    /// The type as a declaration would say it.
    #[must_use]
    pub fn ty(&self) -> Ty {
        Ty { elem: self.elem, set: self.shape == Shape::Set }
    }

    /// Whether it has a path or name with wildcards.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        matches!(&self.data, Data::Lang(language) if lang::first_wild(language).is_some())
    }

    /// Some value of a type, with which a function is checked before anyone calls it.
    #[must_use]
    pub fn example(ty: Ty) -> Self {
        let data = match ty.elem {
            Elem::Bool => Data::Bool(true),
            Elem::Path => Data::Lang(PathLang::Patterns(vec![Pattern { text: "/".into(), parts: [Part::Byte(b'/')].into() }])),
            Elem::Name | Elem::Comm => Data::Lang(PathLang::Patterns(vec![Pattern { text: "a".into(), parts: [Part::Byte(b'a')].into() }])),
            Elem::Duration | Elem::Date | Elem::Attack | Elem::Text => Data::Texts(vec![String::new()]),
            _ => Data::Numbers(vec![(1, 1)]),
        };
        Self { elem: ty.elem, shape: if ty.set { Shape::Set } else { Shape::One }, data }
    }
}

/// The space that names of a type live in.
pub(crate) fn space(elem: Elem) -> Space {
    if elem == Elem::Comm { Space::Comm } else { Space::Path }
}
