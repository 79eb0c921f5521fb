//! Takes reports with their programs, gives the rows that are kept: those of protected programs, one for each purpose, program, user,
//! event and class of paths. Which programs are protected and for what is in a file.

use crate::general;
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};

/// One operation of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Place of the purpose in the file of programs.
    purpose: usize,
    name: String,
    program: String,
    event: String,
    path: String,
    uid: u64,
    parent: String,
    lineage: Vec<String>,
    by_pattern: bool,
}

/// Programs that act with root's rights whoever starts them. Reports give the real user alone.
const SET_USER: &[&str] = &["/usr/bin/su", "/usr/bin/sudo", "/usr/bin/passwd"];

impl Row {
    /// Its effective user.
    fn rights(&self) -> u64 {
        if SET_USER.contains(&self.program.as_str()) { 0 } else { self.uid }
    }

    /// As `std/lifelines.tsv` has it.
    pub fn text(&self) -> String {
        let lineage = if self.lineage.is_empty() { "-".to_owned() } else { self.lineage.join(",") };
        let uid = if self.uid != 0 && self.rights() == 0 { format!("{}/0", self.uid) } else { self.uid.to_string() };
        [&self.name, &self.program, &self.parent, &lineage, &uid, &self.event, &self.path].map(String::as_str).join("\t")
    }
}

/// The file of programs: columns purpose, program, and one that is in its line, or `-`.
#[derive(Debug)]
pub struct Programs {
    all: Vec<(String, String, String)>,
    purposes: Vec<String>,
}

impl Programs {
    /// Reads it.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut programs = Self { all: Vec::new(), purposes: Vec::new() };
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [purpose, program, after] = columns.as_slice() else { return Err(format!("not three columns: `{line}`")) };
            programs.all.push(((*purpose).to_owned(), (*program).to_owned(), (*after).to_owned()));
            if !programs.purposes.iter().any(|known| known == purpose) {
                programs.purposes.push((*purpose).to_owned());
            }
        }
        Ok(programs)
    }

    /// The rows of a report; none if its program is not protected. `line` holds its programs, itself the last.
    pub fn rows(&self, report: &Report, line: &[String]) -> Vec<Row> {
        let program = report.exe.clone().unwrap_or_else(|| "-".to_owned());
        let (itself, before) = line.split_last().map_or((&program, line), |(last, before)| (last, before));
        let fits = |pattern: &str, program: &str| match pattern.strip_suffix('*') {
            Some(start) => program.starts_with(start),
            None => program == pattern,
        };
        let found = self
            .all
            .iter()
            .find(|(_, pattern, after)| fits(pattern, itself) && (after == "-" || before.iter().any(|program| fits(after, program))));
        let on_any_host = itself == "-" || general::path(itself).is_some();
        let wanted = found.filter(|(name, ..)| name != "-" && !report.container && on_any_host);
        let Some((name, pattern, _)) = wanted else { return Vec::new() };
        let purpose = self.purposes.iter().position(|known| known == name).unwrap_or_default();
        let row = |path: &String| {
            let path = general::path(path)?;
            Some(Row {
                purpose,
                name: name.clone(),
                program: itself.clone(),
                event: report.event.clone(),
                path,
                uid: report.uid,
                parent: report.parent.as_ref().and_then(|(_, exe)| exe.clone()).unwrap_or_else(|| "-".to_owned()),
                lineage: before.to_vec(),
                by_pattern: pattern.ends_with('*'),
            })
        };
        report.paths.iter().filter_map(row).collect()
    }
}

/// One row of each kind, in order: the first by its path, of those with one path that of the shortest line. What executes a file also
/// runs it. A program that is protected by a pattern has only the rows that no other has for the same purpose.
pub fn few(mut rows: Vec<Row>) -> Vec<Row> {
    let order = |row: &Row| (row.by_pattern, row.path.clone(), row.lineage.len());
    rows.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.cmp(b)));
    let executed: BTreeSet<(String, String)> =
        rows.iter().filter(|row| row.event == "exec").map(|row| (row.program.clone(), row.path.clone())).collect();
    let mut kept: BTreeMap<(usize, String, String, bool, String), Row> = BTreeMap::new();
    let mut shared = BTreeSet::new();
    for row in rows {
        if row.event == "file.run" && executed.contains(&(row.program.clone(), row.path.clone())) {
            continue;
        }
        let class = general::class(&row.path);
        if !shared.insert((row.purpose, row.event.clone(), class.clone())) && row.by_pattern {
            continue;
        }
        kept.entry((row.purpose, row.program.clone(), row.event.clone(), row.rights() == 0, class)).or_insert(row);
    }
    let mut rows: Vec<Row> = kept.into_values().collect();
    rows.sort();
    rows
}

/// How many rows each program has.
pub fn counts(rows: &[Row]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(format!("{}: {}", row.name, row.program)).or_default() += 1;
    }
    counts
}
