//! Two texts of a file in, what changes between them as a unified diff out. Never reads or writes files.

use similar::TextDiff;

/// The diff with three lines around each change, as `patch -p1` and `git apply` take it; empty if nothing changes.
pub fn unified(name: &str, before: &str, after: &str) -> String {
    let name = name.trim_start_matches('/');
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(3).header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn changes_are_shown_with_what_is_around_them() {
        let diff = unified("p.ebsec", "1\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n");
        assert_eq!(diff, "--- a/p.ebsec\n+++ b/p.ebsec\n@@ -2,4 +2,4 @@\n 2\n 3\n 4\n-5\n+five\n");
        assert_eq!(unified("p.ebsec", "1\n", "1\n"), "");
    }
}
