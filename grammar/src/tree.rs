//! Runs the pest grammar and flattens what it gives: nodes in source order, each knowing where its
//! subtree ends. The only module that names pest or its `Rule`; others say [`Kind`].

use std::num::NonZeroUsize;
use std::sync::Once;

use pest::error::{ErrorVariant, InputLocation};
use pest::{Parser, Token};

use crate::ast::Span;

/// The generated parser; the rules need no documentation of their own.
#[allow(missing_docs)]
mod generated {
    #[derive(pest_derive::Parser)]
    #[grammar = "ebsec.pest"]
    pub struct Ebsec;
}
use generated::Ebsec;

/// What a node is: the grammar's own names.
pub(crate) type Kind = generated::Rule;

/// Counted parser steps for one text. Dense correct text costs up to 34 steps a byte, ordinary text 4; the largest
/// file is 8 MiB. The limit is the process's own (pest has no other), so it is set once and for all.
const CALL_LIMIT: usize = 40 * crate::MAX_BYTES;

/// A node of the flat tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// Index one past the last node of its subtree.
    pub end: u32,
}

/// Why a text is not what it should be.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something else was expected at this byte.
    Expected { at: usize, kinds: Vec<Kind> },
    /// The parser's own limit of work or stack was reached.
    Limit,
}

/// Parses `text` as `kind`; the nodes replace those in `nodes`.
pub(crate) fn parse(kind: Kind, text: &str, nodes: &mut Vec<Node>) -> Result<(), Failure> {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| pest::set_call_limit(NonZeroUsize::new(CALL_LIMIT)));
    nodes.clear();
    match Ebsec::parse(kind, text) {
        Ok(pairs) => {
            flatten(pairs, text, nodes);
            Ok(())
        }
        Err(error) => Err(match error.variant {
            ErrorVariant::ParsingError { positives, .. } => {
                let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
                Failure::Expected { at, kinds: positives }
            }
            ErrorVariant::CustomError { .. } => Failure::Limit,
        }),
    }
}

fn flatten(pairs: pest::iterators::Pairs<'_, Kind>, text: &str, nodes: &mut Vec<Node>) {
    let mut open: Vec<usize> = Vec::with_capacity(64);
    let mut closed = 0; // where the node that ended last ended
    for token in pairs.tokens() {
        match token {
            Token::Start { rule: kind, pos } => {
                let start = index(pos.pos());
                open.push(nodes.len());
                nodes.push(Node { kind, span: Span { start, end: start }, end: 0 });
            }
            Token::End { pos, .. } => {
                let count = nodes.len();
                let Some(at) = open.pop() else { continue };
                if let Some(node) = nodes.get_mut(at) {
                    // A rule that ends with something optional ends after the blanks before it: its last child knows.
                    node.span.end = match node.kind {
                        _ if at + 1 < count => closed,
                        Kind::bad_item | Kind::bad_member | Kind::bad_test_line => {
                            let whole = text.get(..pos.pos()).map_or(pos.pos(), |t| t.trim_end_matches(is_blank).len());
                            index(whole).max(node.span.start)
                        }
                        _ => index(pos.pos()),
                    };
                    node.end = index(count);
                    closed = node.span.end;
                }
            }
        }
    }
}

/// What the grammar takes for a blank: other white space is a mistake, and has a place.
pub(crate) fn is_blank(c: char) -> bool {
    ('\t'..=' ').contains(&c)
}

/// Files are at most 8 MiB, so every place fits.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
