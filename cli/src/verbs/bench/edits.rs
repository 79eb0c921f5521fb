//! What new findings cost after an edit, of a package of 10,000 rules that is open in an editor. Takes a clock, gives times.

use super::rules;
use ebsec_compiler::fmt;
use ebsec_compiler::pipeline::{Input, Outside, Snapshot};
use ebsec_compiler::source::{FileId, Sources};
use std::fmt::Write;

/// One kind of edit.
pub struct Edit {
    /// What is edited.
    pub what: &'static str,
    /// The best time, in the clock's milliseconds.
    pub best: f64,
    /// The most that it may be.
    pub bar: f64,
}

/// How often each edit is made; the best counts.
const REPEATS: usize = 9;

/// Rules of a policy: as many as one would write.
const MOST: usize = 100;

/// Rules that use the same constant.
const USERS: usize = 1_000;

/// Measures each kind, with every lint.
pub fn measure(clock: impl Fn() -> f64) -> Vec<Edit> {
    let formatted = |text: String| fmt::format(&text).unwrap_or(text);
    let (rules, users) = (formatted(rules::parts(10_000 - USERS, MOST).concat()), formatted(users()));
    let mut sources = Sources::default();
    let files = [sources.add("rules.ebsec", rules.as_str()), sources.add("users.ebsec", users.as_str())];
    let outside = Some(Outside { path: "lints.toml".to_owned(), text: "[lints]\npreview = \"warn\"\n".to_owned() });
    let mut now = Snapshot::new(Input { sources, outside, ..Input::default() });
    let mut edit = |what, bar, (file, text): (FileId, &str), (old, new): (&str, &str)| {
        let texts = [text.replace(old, new), text.to_owned()];
        let mut best = f64::MAX;
        for text in texts.into_iter().cycle().take(2 * REPEATS) {
            let start = clock();
            now = now.edit(file, text);
            best = best.min(clock() - start);
        }
        Edit { what, best, bar }
    };
    let [of_rules, of_users] = files;
    vec![
        edit("an edit inside one rule of 10,000", 30.0, (of_rules, &rules), ("\"/etc/d4504.conf\"", "\"/etc/d4504.conf.new\"")),
        edit("an edit of a `let` that 1,000 of them use", 300.0, (of_users, &users), ("\"/srv/shared\"", "\"/srv/shared.new\"")),
    ]
}

/// Rules that use one constant.
fn users() -> String {
    let mut text = "let shared: set<path> = [\"/srv/shared\", \"/srv/other/**\"]\n\n".to_owned();
    for policy in 0..USERS / MOST {
        let _ =
            writeln!(text, "policy users{policy} {{\n    description = \"measured\"\n    severity    = low\n    mode        = enforce\n");
        for rule in 0..MOST {
            let _ = writeln!(text, "    u{rule}: deny file.read when file.path in shared and file.owner == {rule} because \"measured\"");
        }
        text.push_str("}\n\n");
    }
    text
}
