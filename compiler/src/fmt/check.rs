//! Reads a formatted text again. Takes it and what it was made of; says what is not the same in both, if anything: the syntax
//! trees without their places, the comments, and the words. The formatter moves blanks, the commas at the end of sets and
//! records, and imports.

use ebsec_grammar::ast::{File, ItemKind};
use ebsec_grammar::{MAX_BYTES, TokenKind, Tree, tokens};

/// What was lost or changed on the way, in a few words.
pub(super) fn difference(before: &Tree, after: &Tree) -> Option<&'static str> {
    if after.text().len() > MAX_BYTES {
        return Some("the result has more bytes than are read of a file");
    }
    if !after.errors().is_empty() {
        return Some("the result does not parse");
    }
    if comments(before.text()) != comments(after.text()) {
        return Some("comments differ");
    }
    let ((words, imports), (new_words, new_imports)) = (words(before), words(after));
    if words != new_words || imports != new_imports {
        return Some("words differ");
    }
    (tree(before) != tree(after)).then_some("the meaning differs")
}

/// The texts of all comments that are no documentation.
fn comments(text: &str) -> Vec<&str> {
    let comments = tokens(text).filter(|token| token.kind == TokenKind::Comment);
    comments.map(|token| text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default().trim_end()).collect()
}

/// The words and signs of a file but commas; those of imports apart and sorted, since imports move.
fn words(tree: &Tree) -> (Vec<&str>, Vec<Vec<&str>>) {
    let (mut words, mut imports) = (Vec::new(), Vec::new());
    let places = tree.items();
    let mut imported = places.iter().filter(|entry| matches!(entry.item.kind, ItemKind::Import { .. }));
    let mut import = imported.next().map(|entry| tree.absolute(entry.part, entry.item.span));
    let text = tree.text();
    let mut own: Vec<&str> = Vec::new();
    for token in tokens(text).filter(|token| !token.kind.is_trivia()) {
        let word = text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default().trim_end();
        if import.is_some_and(|place| place.end <= token.span.start) {
            imports.push(std::mem::take(&mut own));
            import = imported.next().map(|entry| tree.absolute(entry.part, entry.item.span));
        }
        match import {
            Some(place) if place.start <= token.span.start => own.push(word),
            _ if word == "," => {}
            _ => words.push(word),
        }
    }
    imports.push(own);
    imports.retain(|import| !import.is_empty());
    imports.sort_unstable();
    (words, imports)
}

/// The syntax tree without places, its imports first and sorted, and no blanks at the ends of documentation.
fn tree(tree: &Tree) -> File {
    let mut file = tree.whole().without_places();
    let trim = |doc: &mut Option<String>| {
        if let Some(doc) = doc {
            *doc = doc.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        }
    };
    for item in &mut file.items {
        trim(&mut item.doc);
        if let ItemKind::Policy(policy) = &mut item.kind {
            policy.members.iter_mut().for_each(|member| trim(&mut member.doc));
        }
    }
    file.items.sort_by_cached_key(|item| match &item.kind {
        ItemKind::Import { path, alias } => Some((path.node.clone(), alias.as_ref().map(|alias| alias.node.clone()))),
        _ => None,
    });
    // `None` sorts first: the imports are last, in the order of their names.
    file
}
