//! The syntax of the language, made from the grammar itself (`ebsec.pest`): its rules without what recovers from mistakes and
//! without what recognises the spelling of other languages. Reads the small part of pest's notation that the grammar uses.

use ebsec_grammar::GRAMMAR;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The rules that are shown, by section.
const SECTIONS: &[(&str, &[&str])] = &[
    ("Items", &["item", "import", "let_", "param", "fn_", "arg_decl", "type_", "apply", "except", "policy", "test", "mark"]),
    ("Members of a policy", &["member", "default", "scope", "rule", "prop", "action", "simple", "events", "clause"]),
    ("Conditions", &["cond", "unary", "group", "index", "call", "arg", "op"]),
    ("Constants", &["value", "term", "set", "set_op", "upto", "record", "pair", "window"]),
    ("Tests", &["test_line", "process", "step", "target", "expect", "verdict"]),
];

/// What is said of the rules that are made of characters.
const WORDS: &[(&str, &str)] = &[
    ("name", "letters, digits and `_`, first a letter or `_`; at most 128 bytes"),
    ("key", "a name: the label of a rule, a property, a setting"),
    ("qname", "names with dots between them, such as `std.programs.shells`"),
    ("event", "an [event](events.md)"),
    ("text", "characters in double quotes; `\\\"`, `\\\\`, `\\n` and `\\t` are escapes"),
    ("string", "as `text`: a path, a pattern or a name"),
    ("word", "a number (`443`, `0o755`, `0x1f`), an address or a prefix, a date, a duration, an ATT&CK id, or a name"),
    ("endpoint6", "an IPv6 address in brackets with a port, `[fd00::7]:443`"),
];

/// Where a mistake is taken in, to be reported: no part of the language.
const MISTAKES: &[&str] =
    &["bad_item", "bad_member", "bad_test_line", "nested", "colonless", "labelless", "dangling_comma", "quoted", "next_item", "next_key"];

/// Rules that also take the spelling of other languages, and what is right.
const RIGHT: &[(&str, &[&str])] = &[("pair_eq", &["="]), ("arrow", &["=>"]), ("logic", &["and", "or"]), ("not", &["not"])];

/// An expression of the grammar.
#[derive(Clone, Debug, PartialEq)]
enum Expr {
    /// Nothing.
    Empty,
    /// What no right text has.
    Never,
    /// Text, without its quotes.
    Text(String),
    /// Another rule.
    Rule(String),
    /// One after the other.
    All(Vec<Expr>),
    /// One of them.
    Any(Vec<Expr>),
    /// With `?`, `*` or `+` after it.
    Times(Box<Expr>, char),
}

/// The page of the syntax, as Markdown.
pub(super) fn page() -> String {
    let rules = rules();
    let mut out = String::from(INTRODUCTION);
    for (title, names) in SECTIONS {
        let _ = write!(out, "\n## {title}\n\n```text\n");
        let width = names.iter().map(|name| shown(name).len()).max().unwrap_or_default();
        for name in *names {
            let expr = rules.get(*name).map_or(Expr::Never, |expr| simple(expr, &rules));
            let _ = writeln!(out, "{:width$} = {}", shown(name), written(&expr, 0));
        }
        out.push_str("```\n");
    }
    out.push_str("\n## Words\n\n| rule | is |\n|---|---|\n");
    WORDS.iter().for_each(|(name, what)| _ = writeln!(out, "| `{name}` | {what} |"));
    let words: Vec<&str> = ebsec_grammar::keywords().to_vec();
    let _ = write!(out, "\nThese words cannot be names: {}.\n", crate::diag::list(&words));
    out
}

const INTRODUCTION: &str = "# Syntax

In quotes is what is written as it is. `a b` is a and then b, `a | b` one of them, `a?` may be missing, `a*` may be missing or repeated, `a+` may be repeated. Between words there may be blanks, line breaks and comments, which begin with `//` and end with the line. `///` before an item or a member is its documentation, `//!` at the beginning of a file is the file's.

What cannot be seen here: a clause comes at most once, in a rule in the order `when`, `unless`, `because`, `with`, in an exception `when`, `because`, `until`, in an `apply` `where`, `with`; `and` and `or` are not mixed without parentheses; [properties and words](properties.md) and [types and operators](types-and-operators.md) say what goes with what.
";

fn shown(name: &str) -> &str {
    name.trim_end_matches('_')
}

/// An expression without mistakes, and with the rules that are one word in their places.
fn simple(expr: &Expr, rules: &BTreeMap<String, Expr>) -> Expr {
    match expr {
        Expr::Rule(name) => rule(name, rules),
        Expr::All(parts) => {
            let mut all = Vec::new();
            for part in parts.iter().map(|part| simple(part, rules)) {
                match part {
                    Expr::Never => return Expr::Never,
                    Expr::Empty => {}
                    Expr::All(inner) => all.extend(inner),
                    part => all.push(part),
                }
            }
            one_of(all, Expr::Empty, Expr::All)
        }
        Expr::Any(parts) => {
            let parts = parts.iter().map(|part| simple(part, rules)).filter(|part| !matches!(part, Expr::Never | Expr::Empty));
            one_of(parts.collect(), Expr::Never, Expr::Any)
        }
        Expr::Times(inner, sign) => match simple(inner, rules) {
            Expr::Never | Expr::Empty => Expr::Empty,
            // A brace or arrow that is missing is a mistake.
            Expr::Text(text) if *sign == '?' && (text == "}" || text == "=>") => Expr::Text(text),
            inner => Expr::Times(Box::new(inner), *sign),
        },
        other => other.clone(),
    }
}

fn one_of(mut parts: Vec<Expr>, none: Expr, several: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.len() {
        0 => none,
        1 => parts.remove(0),
        _ => several(parts),
    }
}

fn rule(name: &str, rules: &BTreeMap<String, Expr>) -> Expr {
    if MISTAKES.contains(&name) {
        return Expr::Never;
    }
    // Documentation and comments stand anywhere, and a word's end is no text.
    if matches!(name, "doc" | "b" | "ws") {
        return Expr::Empty;
    }
    if let Some((_, words)) = RIGHT.iter().find(|(rule, _)| *rule == name) {
        return one_of(words.iter().map(|word| Expr::Text((*word).to_owned())).collect(), Expr::Never, Expr::Any);
    }
    let is_shown = SECTIONS.iter().any(|(_, names)| names.contains(&name)) || WORDS.iter().any(|(word, _)| *word == name);
    match rules.get(name) {
        Some(expr) if !is_shown => simple(expr, rules),
        _ => Expr::Rule(name.to_owned()),
    }
}

/// An expression as it is shown; `within` is 1 in a sequence and 2 before a sign.
fn written(expr: &Expr, within: u8) -> String {
    let bracketed = |text: String, level: u8| if within >= level { format!("({text})") } else { text };
    match expr {
        Expr::Empty | Expr::Never => String::new(),
        Expr::Text(text) => format!("\"{text}\""),
        Expr::Rule(name) => shown(name).to_owned(),
        Expr::All(parts) => bracketed(parts.iter().map(|part| written(part, 1)).collect::<Vec<_>>().join(" "), 2),
        // What other languages write is taken and reported.
        Expr::Any(parts) => {
            let parts = parts.iter().filter(|part| **part != Expr::Text("=".to_owned()));
            bracketed(parts.map(|part| written(part, 0)).collect::<Vec<_>>().join(" | "), 1)
        }
        Expr::Times(inner, sign) => format!("{}{sign}", written(inner, 2)),
    }
}

/// The rules of the grammar by name.
fn rules() -> BTreeMap<String, Expr> {
    let tokens = tokens(GRAMMAR);
    let mut parser = Parser { tokens: &tokens };
    let mut rules = BTreeMap::new();
    while let Some((name, rest)) = parser.tokens.split_first() {
        parser.tokens = rest;
        // `=`, perhaps a sign for how blanks are taken, and the brace.
        while parser.next().is_some_and(|token| token != "{") {}
        let expr = parser.any();
        parser.next();
        rules.insert(name.clone(), expr);
    }
    rules
}

/// Names, texts with their opening quote, and signs; comments are left out.
fn tokens(grammar: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut chars = grammar.chars().peekable();
    while let Some(c) = chars.next() {
        let mut token = c.to_string();
        match c {
            c if c.is_whitespace() => continue,
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|c| *c == '\n');
                continue;
            }
            '"' | '\'' => {
                while let Some(inner) = chars.next().filter(|inner| *inner != c) {
                    token.push(inner);
                    token.extend((inner == '\\').then(|| chars.next()).flatten());
                }
            }
            c if c.is_alphanumeric() || c == '_' => {
                while let Some(more) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    token.push(more);
                }
            }
            _ => {}
        }
        out.push(token);
    }
    out
}

struct Parser<'t> {
    tokens: &'t [String],
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = self.tokens.first().is_some_and(|token| token == sign);
        if found {
            self.next();
        }
        found
    }

    fn any(&mut self) -> Expr {
        self.takes("|");
        let mut parts = vec![self.all()];
        while self.takes("|") {
            parts.push(self.all());
        }
        one_of(parts, Expr::Never, Expr::Any)
    }

    fn all(&mut self) -> Expr {
        let mut parts = vec![self.times()];
        while self.takes("~") {
            parts.push(self.times());
        }
        one_of(parts, Expr::Empty, Expr::All)
    }

    /// One term. What is only looked at is no text.
    fn times(&mut self) -> Expr {
        if self.takes("!") || self.takes("&") {
            self.times();
            return Expr::Empty;
        }
        let mut expr = match self.next() {
            Some("(") => {
                let inner = self.any();
                self.takes(")");
                inner
            }
            Some(token) if token.starts_with(['"', '\'']) => Expr::Text(token.get(1..).unwrap_or_default().to_owned()),
            Some(token) => Expr::Rule(token.to_owned()),
            None => Expr::Never,
        };
        // A range of characters, `'a'..'z'`.
        if self.takes(".") {
            self.takes(".");
            self.next();
            expr = Expr::Rule("character".to_owned());
        }
        while let Some(sign) = ["?", "*", "+"].into_iter().find(|sign| self.takes(sign)) {
            expr = Expr::Times(Box::new(expr), sign.chars().next().unwrap_or('?'));
        }
        expr
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use std::collections::BTreeSet;

    fn names(expr: &Expr, out: &mut BTreeSet<String>) {
        match expr {
            Expr::Rule(name) => _ = out.insert(name.clone()),
            Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| names(part, out)),
            Expr::Times(inner, _) => names(inner, out),
            _ => {}
        }
    }

    #[test]
    fn every_rule_that_is_named_is_shown() {
        let rules = rules();
        let mut used = BTreeSet::new();
        for name in SECTIONS.iter().flat_map(|(_, names)| *names) {
            let expr = simple(&rules[*name], &rules);
            assert!(!matches!(expr, Expr::Never | Expr::Empty), "{name} is nothing");
            names(&expr, &mut used);
        }
        let shown: Vec<&str> = SECTIONS.iter().flat_map(|(_, names)| *names).copied().chain(WORDS.iter().map(|(name, _)| *name)).collect();
        let missing: Vec<&String> = used.iter().filter(|name| !shown.contains(&name.as_str())).collect();
        assert!(missing.is_empty(), "not shown: {missing:?}");
        let unused: Vec<&&str> = shown
            .iter()
            .filter(|name| **name != "item" && !["member", "test_line"].contains(*name))
            .filter(|name| !used.contains(**name))
            .collect();
        assert!(unused.is_empty(), "shown and named nowhere: {unused:?}");
    }

    #[test]
    fn rules_are_read_as_pest_reads_them() {
        let tokens = tokens("a = @{ !\"x\" ~ (\"b\" | c)* ~ 'a'..'z' } // d = { e }\n");
        let mut parser = Parser { tokens: &tokens };
        assert_eq!(parser.next(), Some("a"));
        while parser.next().is_some_and(|token| token != "{") {}
        assert_eq!(written(&simple(&parser.any(), &BTreeMap::new()), 0), "(\"b\" | c)* character");
    }
}
