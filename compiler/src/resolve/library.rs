//! The modules of the standard library, embedded. Gives text by module name, nothing else.

/// Modules: (name, path as shown, text), sorted by name.
pub const MODULES: &[(&str, &str, &str)] = &[
    ("std.credentials", "std/credentials.ebsec", include_str!("../../../std/credentials.ebsec")),
    ("std.paths", "std/paths.ebsec", include_str!("../../../std/paths.ebsec")),
    ("std.programs", "std/programs.ebsec", include_str!("../../../std/programs.ebsec")),
];

/// Path and text of a module.
pub(super) fn text(name: &str) -> Option<(&'static str, &'static str)> {
    MODULES.iter().find(|(n, _, _)| *n == name).map(|(_, path, text)| (*path, *text))
}

/// Names of all modules.
pub fn module_names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _, _)| *name)
}
