//! Reads one part: its text in, what stands in it and what is wrong with it out. Knows nothing of other parts, so the same
//! text always gives the same.

use std::borrow::Cow;

use crate::ast::{Item, Member, TestLine};
use crate::build::{self, Built};
use crate::error::SyntaxError;
use crate::explain;
use crate::outline::{PartKind, Piece, Within};
use crate::scan::{self, Place};
use crate::tree::{self, Kind, Node};

/// What stands in a part: one item, member or line; several, or none, where the part could not be read as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// Items, also those that stand in a policy by mistake. The head of a policy or test is an item without members or
    /// lines: these stand in the parts that follow.
    pub items: Vec<Item>,
    /// Members of the policy that the part stands in.
    pub members: Vec<Member>,
    /// Lines of the test that the part stands in.
    pub lines: Vec<TestLine>,
    /// Mistakes, with places that count from the start of the part.
    pub errors: Vec<SyntaxError>,
    /// Errors were left out, since the file has too many.
    pub(crate) partial: bool,
}

/// Reads the part of this text. `plain` says that `scan` would find nothing, `room` how many errors are kept; `nodes` is
/// used in between, whatever it holds.
pub(crate) fn read(piece: &Piece, text: &str, plain: bool, room: usize, nodes: &mut Vec<Node>) -> Content {
    let mut errors = Vec::new();
    let depth = usize::from(piece.within != Within::File);
    let place = Place { first: piece.span.start == 0, depth, room };
    let clean = if plain { Cow::Borrowed(text) } else { scan::scan(text, place, &mut errors) };
    let clean = scan::without_comments(clean);
    let partial = errors.len() > room;
    errors.truncate(room);
    let words = !matches!(piece.kind, PartKind::Trivia | PartKind::Close);
    let mut built = if words { words_of(piece, &clean, room - errors.len(), nodes) } else { Built::default() };
    if words && built.items.is_empty() && built.members.is_empty() && built.lines.is_empty() {
        let Built { items, members, lines, .. } = build::unread(text, piece.within);
        built = Built { items, members, lines, ..built };
    }
    if errors.is_empty() {
        errors = built.errors
    } else {
        errors.extend(built.errors)
    }
    let Built { items, members, lines, .. } = built;
    Content { items, members, lines, errors, partial: partial || built.partial }
}

fn words_of(piece: &Piece, text: &str, room: usize, nodes: &mut Vec<Node>) -> Built {
    let (one, all) = match (piece.within, piece.kind) {
        (_, PartKind::Test) if piece.head => (Kind::test_head, Kind::items),
        _ if piece.head => (Kind::policy_head, Kind::items),
        (Within::File, _) => (Kind::only_item, Kind::items),
        (Within::Policy, _) => (Kind::only_member, Kind::members),
        (Within::Test, _) => (Kind::only_test_line, Kind::test_lines),
    };
    if tree::parse(one, text, nodes).is_ok() {
        return build::part(text, nodes, room);
    }
    match tree::parse(all, text, nodes) {
        Ok(()) => build::part(text, nodes, room),
        Err(tree::Failure::Expected { .. }) => build::bad(text, piece.within, room),
        Err(tree::Failure::Limit) => {
            let limit = explain::limit(crate::span(0, text.trim_end().len()));
            let errors = if room > 0 { vec![limit] } else { Vec::new() };
            Built { errors, partial: room == 0, ..build::unread(text, piece.within) }
        }
    }
}
