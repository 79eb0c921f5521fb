//! Every code a finding can have, with its page. Codes are never used again for something else.

/// A code and what `ebsec explain` says of it.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// `E0204`.
    pub code: &'static str,
    /// A phrase.
    pub title: &'static str,
    /// One paragraph: what it means and the way out.
    pub text: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $title:literal $text:literal)*) => {
        $(#[doc = $title] pub const $name: &str = $code;)*
        /// All pages of the front, sorted by code.
        const PAGES: &[Page] = &[$(Page { code: $code, title: $title, text: $text }),*];
    };
}

codes! {
UNKNOWN_NAME "E0200" "an unknown name"
"A name stands where a constant is wanted, and no `let`, `param`, argument of the function, or value of the enum at hand has it. Names of an imported module are written with the module before them: `prog.shells` after `import std.programs as prog`."
UNKNOWN_MODULE "E0201" "an unknown module, or one that is not imported"
"`import` names a module of the standard library. A module must be imported in each file that uses it; without `as` its names are written in full, `std.programs.shells`."
DUPLICATE "E0202" "two definitions of one name"
"All files of a package share one set of names, and a policy's rules share one set of labels. Two definitions of one name would make it unclear which one a rule or an exception means."
CYCLE "E0203" "a definition that needs itself"
"Constants and functions are replaced by what they stand for, so none may need itself, directly or through others. The message shows the way round."
UNKNOWN_FIELD "E0204" "an unknown field"
"A condition asks for a field that the language does not have. Fields of the process begin with `process.`, those of the file with `file.`, those of the other side of a connection with `remote.`."
FIELD_UNAVAILABLE "E0205" "a field that this event does not have"
"An event has only the fields that every hook behind it can answer. An intent such as `file.write` is raised by many hooks, and a field that one of them lacks cannot be asked, since a condition that is silently false would let that way through. Ask it at the hook's own event (`hook.file_open`), or split the rule."
UNKNOWN_EVENT "E0206" "an unknown event"
"Events are the intents (`exec`, `file.read`, `file.write`, `file.run`, `net.egress`) and the kernel's hooks by their own names, `hook.path_rename`."
UNKNOWN_PROPERTY "E0207" "an unknown property of a policy"
"A policy has `description`, `severity`, `mode`, `attack`, `tags` and `scope`."
UNKNOWN_KEY "E0208" "an unknown key"
"A record `{ … }` has a key that means nothing at this place. An unknown key is never ignored: a typing mistake there would change what a rule does."
DUPLICATE_KEY "E0209" "a key or property that is given twice"
"Each key of a record and each property of a policy is given once."
UNKNOWN_POLICY "E0210" "an unknown policy"
"`apply`, `except` and the expectations of tests name a policy. One of another module is written with the module before it and must be applied before it does anything."
UNKNOWN_RULE "E0211" "an unknown rule"
"The policy exists but has no rule with this label, or no default for this event."
TOO_COMPLEX "E0212" "something that is nested or repeated beyond the limits"
"Definitions may nest 128 deep, a condition may have 65,536 tests after functions are replaced by their bodies, and a set 262,144 elements. What is larger is almost always a mistake, and would make the compiler slow for everyone."
UNKNOWN_FUNCTION "E0213" "an unknown function"
"The call names no `fn` of this package or of an imported module."
WRONG_ARGUMENTS "E0214" "a call with the wrong number of arguments"
"A function is called with as many values as it declares."
NOT_A_VALUE "E0215" "a name that is not what this place wants"
"The name exists but is something else: a function where a constant is wanted, or a constant where a condition is wanted. Only constants of type `bool` stand in a condition by themselves."
UNKNOWN_PROCESS "E0216" "a process that the test does not define"
"Each process of a test is defined by a line `process NAME = { … }` before it acts."
TYPE_MISMATCH "E0300" "a value of another type"
"There is no implicit conversion: a port is compared with ports, a path with paths. Give the constant the type of the field, `let https: port = 443`."
UNKNOWN_TYPE "E0301" "an unknown type"
"Types are `bool int path name comm ip cidr port uid gid mode duration date attack`, the enums of the fields (`family`, `socktype`, `protocol`), and `set<…>` of them."
RELATIVE_PATH "E0302" "a path that is not absolute"
"The kernel's side of a policy knows absolute paths only: they begin with `/`. A name anywhere is `file.path.name == \"x\"`, a part of the tree is `file.path under \"/x\"`."
NOT_NORMALISED "E0303" "a path that no file can have"
"Paths are normalised before they are compared: they have no `//`, no segment `.` or `..`, and no `/` at the end. A policy that names such a path would never match."
TOO_LONG "E0304" "a path, segment or name that is too long to exist"
"A path has at most 4,096 bytes, a segment of it 255, a task name 15. The kernel cuts longer task names, so the comparison could never be true."
BAD_PATTERN "E0305" "a mistake in a pattern"
"Patterns have `*` (part of a segment), `**` (whole segments), `?` (one byte), `[a-z]`, `[!a-z]`, `{a,b}`. A backslash before a character takes it literally; within the quotes it is written twice."
PATTERN_COMPARED "E0306" "a pattern where one exact value is wanted"
"`==` compares with one exact value, and a test names one. Use `matches` for one pattern, `in` for several; a character that stands for itself is written with a backslash before it."
OUT_OF_RANGE "E0307" "a number outside of its type"
"Ports end at 65535, user and group ids at 4294967295, permission bits at 0o7777."
EMPTY_RANGE "E0308" "a range that ends before it begins"
"A range has its smaller end first and holds both ends."
BAD_ADDRESS "E0309" "a text that is no address"
"IPv4 has four numbers from 0 to 255 without leading zeros, IPv6 eight groups or `::`."
HOST_BITS "E0310" "an address prefix with host bits"
"Bits beyond the length of a prefix mean nothing, so one of the two is a mistake: the message shows the prefix with those bits cleared."
BAD_DATE "E0311" "a date that does not exist"
"Dates are written year-month-day."
BAD_ATTACK "E0312" "an ATT&CK id of the wrong shape"
"A technique is `T` and four digits, a sub-technique has a dot and three more: T1552.004."
UNKNOWN_VALUE "E0313" "a value that is none of the few known ones"
"The field, property or key has one of a few named values; the message lists them or the near one."
EMPTY_SET "E0314" "an empty set"
"Nothing is in an empty set, so the test would always be false."
NEGATED_MANY "E0315" "`!=` on a field with many values"
"On `process.lineage.exe`, `==` asks whether one of the programs is this one. `!=` could mean that one of them is another or that none is this one; write `not (… == …)` for the latter."
FIELD_COMPARED "E0316" "a field compared with a field"
"Conditions compare fields with constants only, so that any two policies can be compared exactly. The comparisons that matter are fields of their own, such as `file.owned`."
WRONG_OPERATOR "E0317" "an operator that this field does not have"
"Paths have `== != in under matches`, names and task names `== != in matches`, addresses and enums `== != in`, numbers also `< <= > >=`, permission bits also `has`."
BOOL_COMPARED "E0318" "a boolean field with an operator"
"A boolean field is a condition by itself: `process.container`, `not process.container`."
NOT_BOOL "E0319" "a field that is no condition by itself"
"Only boolean fields, and the parts `.unresolved` and `.deleted` of a path, stand alone. Others are compared with a constant."
ONE_WANTED "E0320" "a set where one value is wanted, or the reverse"
"`==` and the orders compare with one value, `in` with a set, `matches` with one pattern. A set is written `[a, b]`."
NOT_SUBJECT "E0321" "a scope that asks about more than the process"
"`scope` and `where` say which processes a policy is about and are the same for every event, so they use fields of the process only."
NOT_OCTAL "E0322" "permission bits that are not octal"
"Permission bits are written in octal with `0o` before them, as in 0o4755; in decimal they would mean something else than they look like."
UNKNOWN_PART "E0324" "an unknown part of a path"
"A path has `.name` (last segment), `.dir` (what is before it), `.ext` (what follows the last dot of the name), `.unresolved` (it could not be computed) and, for files, `.deleted`."
DENY_AFTER_EXEC "E0400" "a deny after the fact"
"`exec.done` is raised when the new program is in place: there is nothing left to refuse. To refuse, use `exec`."
ALLOW_WITHOUT_DEFAULT "E0401" "an allow without a default"
"`allow` answers the policy's own `default` for the same event and nothing else. Without such a default the rule does nothing. An `allow` for a hook does not answer a default for an intent, nor the reverse."
TWO_DEFAULTS "E0402" "two defaults for one event"
"A policy has at most one default for an event."
EXPIRED "E0403" "an exception that has expired"
"The day after `until` has come. An exception never ends while a policy runs; it ends here, so that someone decides: take it out, or give a new date."
EXCEPTION_OUTSIDE_ROOT "E0404" "an exception in an imported module"
"`except` loosens, so it stands in the package that is built, where its reviewers see it, never in a library."
NO_REASON "E0405" "a missing reason"
"An exception says why it is needed: `because \"…\"` with words in it."
EXCEPTION_FOR_ALLOW "E0406" "an exception for an allow rule"
"An exception keeps a rule from refusing. An `allow` refuses nothing; narrow its condition instead."
APPLY_OWN "E0407" "an apply of one's own policy"
"Policies of the package itself are in force already. `apply` is for policies of imported modules."
NO_EFFECT "E0408" "something that has no effect here"
"It is understood but could never do anything at this place; what has no effect is not accepted, since someone may rely on it."
NO_PARAMETER "E0409" "a parameter without a value"
"A `param` without a default needs a value in `[params]` of ebsec.toml or by `--param NAME=VALUE`."
NOT_APPLIED "E0410" "an imported policy that is not applied"
"Policies of an imported module do nothing until `apply`. Exceptions to them and tests of them would be without meaning."
HOOK_UNAVAILABLE "E0411" "a hook that a target kernel does not have"
"The rule names a hook by itself, and one of the kernels in `kernels` of ebsec.toml is older than the hook: there the rule would do nothing. Use the intent, which closes every way on each kernel, or take the old kernel out of the list."
CONFIG_SYNTAX "E0500" "ebsec.toml is not TOML"
"The file could not be read as TOML; nothing of it was used."
CONFIG_KEY "E0501" "an unknown key in ebsec.toml"
"An unknown key is an error and never ignored."
CONFIG_TYPE "E0502" "a value of the wrong kind in ebsec.toml"
"The key is known but its value has another shape: a text, a list of texts."
UNKNOWN_KERNEL "E0503" "an unknown kernel series"
"`kernels` lists series that ebsec checks against."
KERNEL_LATER "E0504" "a kernel series that is not supported yet"
"The oldest kernels need objects of another shape, which this version does not build."
UNKNOWN_PARAMETER "E0505" "a value for a parameter that does not exist"
"`[params]` and `--param` give values to `param` items of the package."
CONFIG_MISSING "E0506" "a missing key in ebsec.toml"
"A package has a name, `name = \"…\"` under `[package]`, by which reports and artifacts are known."
NO_SOURCES "E0507" "a package without policies"
"The folder of the package has no file that ends in `.ebsec`."
BAD_SOURCE "E0508" "an entry of `sources` that names no file"
"`sources` lists the files of the package, as patterns relative to the folder of ebsec.toml: `web.ebsec`, `policies/**`. An entry that matches no `.ebsec` file is an error and never ignored: a policy would be missing without a word. Files outside of the folder belong to no package."
TEST_FAILED "E0600" "a unit test that fails"
"The operation of this line gets another verdict than the one expected."
BUDGET "E0700" "a policy that exceeds a budget"
"Tables, lineage bits and events are bounded, so that every event keeps its flat cost. The message says which bound, the places which rules need it."
NO_RULES "E0701" "an artifact without rules"
"No policy with a rule is in force, so what is built would refuse and report nothing. Policies of imported modules are in force once they are applied. A package of constants and functions alone can be checked and needs no artifact."
UNSUPPORTED "E0900" "a part of the language that is not built yet"
"The language has this, the compiler does not yet. Nothing is ignored silently, so the policy does not compile."
INTERNAL "E0999" "a mistake of the compiler"
"The parts that the compiler made do not fit together. No artifact is written. Please report it with the policy."
}

/// More findings than are shown: the parser's code, for the findings of a run too.
pub const TOO_MANY: &str = "E0132";

/// Pages of the codes that the parser gives.
const SYNTAX: &[(&str, &str)] = &[
    ("E0100", "The file is larger than any policy; perhaps it is not one."),
    ("E0101", "The parser wanted something else at this place. The rest of the file was still read."),
    ("E0102", "Brackets are nested beyond the limit. Give parts a name with `let` or `fn`."),
    ("E0103", "Characters that cannot be seen could make a policy read differently from what it does. Take them out."),
    ("E0104", "The bracket at the place has no partner, so what it holds is unclear."),
    ("E0105", "This bracket closes nothing."),
    ("E0106", "A string ends on the line on which it begins."),
    ("E0107", "Strings stand in double quotes."),
    ("E0108", "A string knows the escapes that the message lists."),
    ("E0109", "A file has items: `import`, `let`, `param`, `fn`, `mark`, `policy`, `apply`, `except`, `test`."),
    ("E0110", "Rules and properties stand within `policy NAME { … }`."),
    ("E0111", "A rule is `label: action events when …`."),
    ("E0112", "Each rule has a label, which reports, tests and exceptions use."),
    ("E0113", "This word belongs to the language and cannot be a name."),
    ("E0114", "Actions are `deny`, `kill`, `audit`, `allow` and `mark`."),
    ("E0115", "The list of events ends without a comma."),
    ("E0116", "Whether `and` or `or` binds closer is a matter of taste; parentheses say it."),
    ("E0117", "A comparison is `==`; `=` gives a value to a property."),
    ("E0118", "The language has the words `and`, `or`, `not`."),
    ("E0119", "A comparison has two sides. Join two comparisons with `and`."),
    ("E0120", "The clauses of a rule come once each, in the order `when unless because with`."),
    ("E0121", "This clause does not belong to this item, or the item lacks one that it must have."),
    ("E0122", "A line of a test ends in `=>` and the verdict that is expected."),
    ("E0123", "A verdict in a test says whose it is: `deny by policy.rule`, `deny by policy default`."),
    ("E0124", "The text is nearly a number, address, date or duration, but is none."),
    ("E0125", "Paths and other texts stand in double quotes."),
    ("E0126", "A comment with three slashes documents the item after it."),
    ("E0127", "A chain of operators is longer than the parser follows. Put the parts in a set."),
    ("E0128", "Records and properties are written `key = value`."),
    ("E0129", "Elements of a list are separated by commas."),
    ("E0130", "Comments begin with `//`."),
    ("E0131", "A field is compared with a value by an operator."),
    ("E0132", "Only the first findings are shown. Fix them and run again."),
    ("E0133", "Items stand beside policies, not in them. Perhaps the policy's closing brace is missing."),
    (
        "E0134",
        "A name has at most 128 bytes, the name of its module included. Reports and manifests carry names, so a longer one is refused.",
    ),
];

/// All pages of this stage's codes.
#[must_use]
pub fn all() -> &'static [Page] {
    PAGES
}

/// The page of a code, in any case of letters: title and text.
#[must_use]
pub fn page(code: &str) -> Option<(&'static str, &'static str)> {
    if let Some(page) = PAGES.iter().find(|p| p.code.eq_ignore_ascii_case(code)) {
        return Some((page.title, page.text));
    }
    let text = SYNTAX.iter().find(|(c, _)| c.eq_ignore_ascii_case(code)).map(|(_, text)| *text)?;
    let title = ebsec_grammar::codes().iter().find(|(c, _)| c.eq_ignore_ascii_case(code)).map(|(_, title)| *title)?;
    Some((title, text))
}

/// Every code with what it is about, a phrase or a sentence without its full stop; sorted by code.
pub fn titles() -> impl Iterator<Item = (&'static str, &'static str)> {
    let first = |text: &'static str| text.split(". ").next().unwrap_or(text).trim_end_matches('.');
    SYNTAX.iter().map(move |(code, text)| (*code, first(text))).chain(PAGES.iter().map(|p| (p.code, p.title)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_have_pages() {
        assert!(PAGES.windows(2).all(|w| matches!(w, [a, b] if a.code < b.code)));
        assert!(PAGES.iter().all(|p| p.text.len() > 30 && !p.title.ends_with('.')));
        assert!(titles().is_sorted() && titles().all(|(code, title)| page(code).is_some() && !title.is_empty()));
        assert!(page("e0204").is_some() && page("E9999").is_none());
        assert_eq!(page("e0100").map(|(title, _)| title), Some("the file is larger than 8 MiB"));
        assert!(ebsec_grammar::codes().iter().all(|(code, _)| page(code).is_some()));
        assert!(SYNTAX.iter().all(|(code, _)| ebsec_grammar::codes().iter().any(|(c, _)| c == code)));
    }
}
