//! The part of `ebsec inspect` that auditors read: what each policy is about, what it lets through, what it refuses or
//! reports. Takes what the artifact says of its policies, gives text. What an artifact says is foreign: each line of it goes
//! through [`text::line`].

use super::ROWS;
use ebsec_artifact::{Action, Allow, Clauses, Exception, Manifest, Mode, Policies, Policy, Rule, Severity};
use ebsec_compiler::diag::text;
use std::fmt::Write as _;

/// Lines of one condition or value, unless all are asked for.
const LINES: usize = 16;
/// Column of what is said of a rule.
const SAID: usize = 12;

/// A rule or default with its entries in the manifest.
type Written<'a> = (&'a Clauses, &'a Rule, &'a [Rule]);

/// What the policies say; at most so many policies and rules of each, unless `all` is asked for.
pub(super) fn describe(out: &mut String, policies: &Policies, manifest: &Manifest, all: bool, width: usize) {
    let mut page = Page { out, width, rows: if all { usize::MAX } else { ROWS }, lines: if all { usize::MAX } else { LINES } };
    page.summary(policies, manifest);
    for policy in policies.policies.iter().take(page.rows) {
        page.policy(policy, policies, manifest);
    }
    page.more(0, policies.policies.len(), "policies");
    page.definitions(policies);
}

/// The rules of a policy as written.
fn written<'a>(policy: &'a Policy, manifest: &'a Manifest) -> Vec<Written<'a>> {
    let entries = |clauses: &Clauses| {
        let first = clauses.first as usize;
        manifest.rules.get(first..first.saturating_add(clauses.events as usize))
    };
    policy.rules.iter().filter_map(|c| entries(c).and_then(|all| Some((c, all.first()?, all)))).collect()
}

struct Page<'a> {
    out: &'a mut String,
    /// Most policies, and rules of one.
    rows: usize,
    /// Most lines of one text.
    lines: usize,
    /// Columns of a line that can be broken.
    width: usize,
}

impl Page<'_> {
    fn summary(&mut self, policies: &Policies, manifest: &Manifest) {
        let enforcing = policies.policies.iter().filter(|p| p.mode == Mode::Enforce).count();
        let rules: usize = policies.policies.iter().map(|p| p.rules.len()).sum();
        let allows: usize = policies.policies.iter().map(|p| p.allows.len()).sum();
        let unless = policies.policies.iter().flat_map(|p| &p.rules).filter(|r| !r.unless.is_empty()).count();
        let of = [
            format!("{} ({enforcing} enforcing)", count(policies.policies.len(), "policy", "policies")),
            count(rules, "rule", "rules"),
            format!("let through by {allows} `allow`, {unless} `unless`, {} `except`", policies.exceptions.len()),
        ];
        let tests = match manifest.tests.failed {
            0 => format!("{} passed", count(manifest.tests.passed as usize, "test line", "test lines")),
            failed => format!("{} passed, {failed} failed", count(manifest.tests.passed as usize, "test line", "test lines")),
        };
        let _ = writeln!(self.out, "  {}; {tests}", of.join(", "));
    }

    fn policy(&mut self, policy: &Policy, policies: &Policies, manifest: &Manifest) {
        let mode = if policy.mode == Mode::Enforce { "enforces" } else { "observes, refuses nothing" };
        let _ = writeln!(self.out, "\npolicy {}: {mode}", text::line(&policy.name));
        if !policy.description.is_empty() {
            self.hanging(2, &policy.description);
        }
        let scope = if policy.scope.is_empty() { "every process" } else { &policy.scope };
        self.titled(2, "about", scope);
        for parameter in &policy.parameters {
            self.titled(2, "with", &format!("{} = {}", parameter.name, parameter.text));
        }
        if !policy.tags.is_empty() {
            self.titled(2, "tags", &policy.tags.join(", "));
        }
        let rules = written(policy, manifest);
        self.let_through(policy, &rules, policies);
        let _ = writeln!(self.out, "\n  rules: {}", rules.len());
        for rule in rules.iter().take(self.rows) {
            self.rule(policy, rule);
        }
        self.more(2, rules.len(), "rules");
    }

    /// What an auditor asks first.
    fn let_through(&mut self, policy: &Policy, rules: &[Written<'_>], policies: &Policies) {
        let exceptions: Vec<&Exception> = policies.exceptions.iter().filter(|e| e.policy == policy.name).collect();
        let unless: Vec<&Written<'_>> = rules.iter().filter(|(clauses, ..)| !clauses.unless.is_empty()).collect();
        let total = policy.allows.len() + exceptions.len() + unless.len();
        let _ = writeln!(self.out, "\n  let through: {}", if total == 0 { "nothing".to_owned() } else { total.to_string() });
        let mut room = self.rows;
        for exception in exceptions.iter().take(room) {
            self.exception(exception);
        }
        room = room.saturating_sub(exceptions.len());
        for allow in policy.allows.iter().take(room) {
            self.allow(policy, allow);
        }
        room = room.saturating_sub(policy.allows.len());
        for (clauses, rule, _) in unless.into_iter().take(room) {
            self.titled(4, "unless", label(rule));
            self.said("when", &clauses.unless);
        }
        self.more(2, total, "of them");
    }

    fn exception(&mut self, exception: &Exception) {
        let of = match (exception.label.as_str(), exception.event.as_str()) {
            ("", "") => "all rules".to_owned(),
            ("", event) => format!("default: {event}"),
            (label, _) => label.to_owned(),
        };
        let until = if exception.until.is_empty() { String::new() } else { format!(", until {}", exception.until) };
        self.titled(4, "except", &format!("{of}{until}"));
        self.said("when", &exception.when);
        self.said("because", &exception.because);
        self.said("at", &format!("{}:{}", exception.file, exception.line));
    }

    fn allow(&mut self, policy: &Policy, allow: &Allow) {
        self.titled(4, "allow", &format!("{}: {}", allow.label, allow.events.join(", ")));
        self.said("when", if allow.when.is_empty() { "always" } else { &allow.when });
        self.said("unless", &allow.unless);
        self.said("because", &allow.because);
        self.said("at", &format!("{}:{}", policy.file, allow.line));
    }

    fn rule(&mut self, policy: &Policy, (clauses, rule, entries): &Written<'_>) {
        let events: Vec<&str> = entries.iter().map(|entry| entry.event.as_str()).collect();
        self.titled(4, action(rule.action), &format!("{}: {}", label(rule), events.join(", ")));
        let when = match (&rule.label, clauses.when.as_str()) {
            (None, _) if policy.allows.is_empty() => "always",
            (None, _) => "no `allow` above lets it through",
            (Some(_), "") => "always",
            (Some(_), when) => when,
        };
        self.said("when", when);
        if !clauses.unless.is_empty() {
            self.said("unless", "as above");
        }
        self.said("because", &rule.because);
        let attack = if rule.attack.is_empty() { String::new() } else { format!(", {}", rule.attack.join(" ")) };
        self.said("severity", &format!("{}{attack}", severity(rule.severity)));
        self.said("at", &format!("{}:{}", rule.file, rule.line));
    }

    fn definitions(&mut self, policies: &Policies) {
        if policies.definitions.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "\nnames in conditions: {}", policies.definitions.len());
        for one in policies.definitions.iter().take(self.rows) {
            let kind = if one.parameter { " (a parameter)" } else { "" };
            let _ = writeln!(self.out, "  {}{kind}", text::line(&one.name));
            self.hanging(6, if one.text.is_empty() { "set by each policy that uses it" } else { &one.text });
        }
        self.more(0, policies.definitions.len(), "names");
    }

    fn more(&mut self, indent: usize, total: usize, what: &str) {
        if total > self.rows {
            let _ = writeln!(self.out, "{:indent$}  … {} more {what} (`--all` prints them)", "", total - self.rows);
        }
    }

    /// A word, then what it is about.
    fn titled(&mut self, indent: usize, title: &str, said: &str) {
        let _ = write!(self.out, "{:indent$}{title:<8}", "");
        self.broken(indent + 8, said);
    }

    /// What a rule or exception says, if it says anything.
    fn said(&mut self, title: &str, said: &str) {
        if !said.is_empty() {
            let _ = write!(self.out, "{:SAID$}{title:<10}", "");
            self.broken(SAID + 10, said);
        }
    }

    fn hanging(&mut self, indent: usize, said: &str) {
        let _ = write!(self.out, "{:indent$}", "");
        self.broken(indent, said);
    }

    /// A text from the column at hand on, its further lines below its first.
    fn broken(&mut self, indent: usize, said: &str) {
        let said = text::line(said);
        let lines = wrap(&said, self.width.saturating_sub(indent));
        for (i, line) in lines.iter().take(self.lines).enumerate() {
            let indent = if i == 0 { 0 } else { indent };
            let _ = writeln!(self.out, "{:indent$}{line}", "");
        }
        if lines.len() > self.lines {
            let _ = writeln!(self.out, "{:indent$}… {} more lines (`--all` prints them)", "", lines.len() - self.lines);
        }
    }
}

/// The lines of a text, broken at blanks outside of quotes.
fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    // Start of the line, the last blank in it, and the columns up to each.
    let (mut start, mut blank, mut column, mut after_blank) = (0, None, 0, 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        let breaks = c == ' ' && !quoted;
        if column >= width
            && !breaks
            && let Some(end) = blank.take()
        {
            lines.push(text.get(start..end).unwrap_or_default());
            (start, column) = (end + 1, column - after_blank);
        }
        column += 1;
        if breaks {
            (blank, after_blank) = (Some(at), column);
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    lines.push(text.get(start..).unwrap_or_default());
    lines
}

fn label(rule: &Rule) -> &str {
    rule.label.as_deref().unwrap_or("default")
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Deny => "deny",
        Action::Kill => "kill",
        Action::Audit => "audit",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_in_its_line() {
        let policy = Policy {
            allows: vec![Allow { because: "\u{1b}[2J\nx".into(), events: vec!["exec\n".into()], ..Allow::default() }],
            description: "\u{202e}d\n".into(),
            file: "a\n.ebsec".into(),
            mode: Mode::Observe,
            name: "p\n".into(),
            parameters: vec![],
            rules: vec![],
            scope: "\r".into(),
            tags: vec!["\u{7}".into()],
        };
        let all = Policies { policies: vec![policy], ..Policies::default() };
        let mut out = String::new();
        describe(&mut out, &all, &Manifest::default(), false, 80);
        assert_eq!(out, text::lines(&out), "{out}");
        assert_eq!(out.lines().count(), 14, "{out}");
    }

    #[test]
    fn lines_are_broken_outside_of_quotes() {
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("a \"b c d e\" f", 4), ["a", "\"b c d e\"", "f"]);
        assert_eq!(wrap("\"a\\\" b\" c dd", 4), ["\"a\\\" b\"", "c dd"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("abcdefgh", 4), ["abcdefgh"]);
    }
}
