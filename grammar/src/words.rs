//! The words of the language: keywords, and the nearest of some words. Never looks at places.

/// Words that cannot be names, sorted.
const KEYWORDS: &[&str] = &[
    "allow", "and", "apply", "as", "audit", "because", "default", "deny", "except", "fn", "for", "has", "import", "in", "kill", "let",
    "mark", "matches", "not", "only", "or", "param", "per", "policy", "scope", "test", "times", "under", "unless", "until", "when",
    "where", "with",
];

/// Words that mean something in one place and are names elsewhere.
const SOFT_KEYWORDS: &[&str] = &["by", "process"];

/// The words that begin a top-level item.
pub(crate) const ITEMS: &[&str] = &["policy", "let", "param", "fn", "mark", "import", "apply", "except", "test"];

/// The actions of a rule.
pub(crate) const ACTIONS: &[&str] = &["deny", "kill", "audit", "allow", "mark"];

/// The words that begin a clause.
pub(crate) const CLAUSES: &[&str] = &["when", "unless", "because", "with", "where", "until"];

/// The comparison operators that are words.
pub(crate) const COMPARISONS: &[&str] = &["in", "under", "matches", "has", "only"];

/// Words that cannot be names: for highlighting, completion and renaming.
#[must_use]
pub fn keywords() -> &'static [&'static str] {
    KEYWORDS
}

/// Words with a meaning in one place that are names elsewhere: `by` in an expectation, `process` in a test.
#[must_use]
pub fn soft_keywords() -> &'static [&'static str] {
    SOFT_KEYWORDS
}

/// Whether `word` is one of [`keywords`].
pub(crate) fn is_keyword(word: &str) -> bool {
    (2..=7).contains(&word.len()) && KEYWORDS.binary_search(&word).is_ok()
}

/// The candidate that `word` was probably meant to be: at most two slips away, one in words under five letters.
pub(crate) fn near<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    if word.len() > 24 {
        return None;
    }
    let word = &word.to_ascii_lowercase();
    let limit = if word.len() < 5 { 1 } else { 2 };
    let scored = candidates.iter().map(|c| (distance(word.as_bytes(), c.as_bytes()), *c));
    scored.filter(|(d, c)| *d <= limit && *d + 1 < c.len()).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// The action that other systems' words for it mean.
pub(crate) fn foreign_action(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "block" | "forbid" | "reject" | "drop" | "refuse" | "enforce" | "override" | "prevent" => "deny",
        "sigkill" | "terminate" | "stop" => "kill",
        "log" | "alert" | "warn" | "report" | "monitor" | "post" | "notify" => "audit",
        "permit" | "accept" | "pass" | "whitelist" => "allow",
        lower => return ACTIONS.iter().find(|a| **a == lower).copied(),
    })
}

/// The clause that a word was meant to begin: a slip, or another language's word for it.
pub(crate) fn clause_meant(word: &str) -> Option<&'static str> {
    near(word, CLAUSES).or_else(|| match word.to_ascii_lowercase().as_str() {
        "if" => Some("when"),
        "except" | "but" => Some("unless"),
        "reason" | "message" | "msg" => Some("because"),
        _ => None,
    })
}

/// The item that a word was meant to begin: a slip, or another language's word for it.
pub(crate) fn item_meant(word: &str) -> Option<&'static str> {
    near(word, ITEMS).or_else(|| match word.to_ascii_lowercase().as_str() {
        "use" | "include" | "require" | "from" | "using" => Some("import"),
        "const" | "var" | "list" | "set" | "static" | "define" => Some("let"),
        "func" | "function" | "def" | "macro" => Some("fn"),
        "rule" | "rules" | "profile" | "group" | "module" | "class" => Some("policy"),
        "exception" | "exclude" | "ignore" => Some("except"),
        "parameter" | "input" | "variable" => Some("param"),
        lower => ITEMS.iter().find(|item| **item == lower).copied(),
    })
}

/// Edits (insert, delete, replace, swap neighbours) from `a` to `b`; both are short.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replace = get(&last, j) + usize::from(x != y);
            let mut best = replace.min(get(&last, j + 1) + 1).min(get(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(get(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

fn get(row: &[usize], at: usize) -> usize {
    row.get(at).copied().unwrap_or(usize::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_and_found() {
        assert!(KEYWORDS.is_sorted());
        assert!(KEYWORDS.iter().all(|k| is_keyword(k)));
        assert!(!is_keyword("process"));
    }

    #[test]
    fn slips_find_their_word() {
        assert_eq!(near("polcy", ITEMS), Some("policy"));
        assert_eq!(near("wehn", CLAUSES), Some("when"));
        assert_eq!(near("file", CLAUSES), None);
    }
}
