//! The table of aliases: each way by which a file can be reached, against each operation and each shape of a rule. Takes a
//! folder on a file system of its own and a command that turns the policy on, prints the tables.
//!
//! A cell is one operation on one object by one alias, in a child of its own. It is done without the policy first: what does
//! not work there is no alias (`-`). With the policy it is done on an object that the rule is about and on one beside it,
//! which nothing may change.

mod impostors;
mod names;
mod operations;
mod shapes;
mod ways;

use crate::privileges;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An ordinary user, who owns everything here.
const USER: u32 = 1000;
/// Where aliases mount what is to have another name; everyone may.
const MOUNTED: &str = "/mnt/folder";
/// The same for a single file.
const MOUNTED_FILE: &str = "/mnt/file";

/// What one cell is about.
pub struct Object {
    /// The folder, with what is in it, that the rule is about.
    folder: PathBuf,
    /// The name in it.
    target: &'static str,
    /// A folder of the same file system that no rule is about.
    other: PathBuf,
    /// The file system's mount, which all of these lie below.
    base: PathBuf,
    /// A process in another mount namespace of root's, where the file system is at `MOUNTED` too.
    elsewhere: i32,
    /// Opened before the policy was on.
    held: Option<OwnedFd>,
}

impl Object {
    fn file(&self) -> PathBuf {
        self.folder.join(self.target)
    }

    /// What these become where the file system is found at another place.
    fn seen_at(&self, place: &Path) -> Reached {
        let moved = |path: &Path| place.join(path.strip_prefix(&self.base).unwrap_or(path));
        Reached { other: moved(&self.other), ..Reached::folder(self, moved(&self.folder)) }
    }
}

/// Where an alias led.
pub struct Reached {
    file: PathBuf,
    /// None where only the file has a second name.
    folder: Option<PathBuf>,
    other: PathBuf,
    /// The last name is not the file's own, but of a link to it.
    link: bool,
    by: By,
}

/// How operations are asked for.
pub enum By {
    Call,
    Ring,
    Descriptor(OwnedFd),
}

impl Reached {
    fn folder(object: &Object, folder: PathBuf) -> Self {
        Reached { file: folder.join(object.target), folder: Some(folder), other: object.other.clone(), link: false, by: By::Call }
    }

    fn file(object: &Object, file: PathBuf) -> Self {
        Reached { file, folder: None, other: object.other.clone(), link: false, by: By::Call }
    }
}

/// One row.
pub struct Alias {
    name: &'static str,
    way: fn(&Object) -> io::Result<Reached>,
    /// The file has a second name since before.
    linked: bool,
    /// The number of the note that says why a rule cannot hold here.
    note: usize,
    /// The columns that it is about; all if there are none.
    only: &'static [&'static str],
}

/// One column.
pub struct Column {
    name: &'static str,
    /// The name of the file that it is about; a socket is made where it is `socket`, a folder where it is `folder`.
    target: &'static str,
    /// Where the object lies below the file system's mount, and the one beside it.
    guarded: &'static str,
    free: &'static str,
    /// The name there, where it matters.
    free_target: Option<&'static str>,
    /// Each row has an object of its own.
    alone: bool,
    /// The program that does it; this one if there is none.
    program: Option<&'static str>,
    run: fn(&Reached) -> io::Result<()>,
}

/// One table.
pub struct Table {
    title: &'static str,
    columns: &'static [Column],
    rows: &'static [Alias],
}

/// Which notes were needed.
type Notes = [bool; NOTES.len()];

/// Why a cell is allowed though a rule is about the file.
const NOTES: &[&str] = &[
    "root mounted it under that name, in a namespace of root's: the file has that path; `file.host_path` keeps the host's",
    "another name of the same file, since before the policy; to make one is to read and to change the name that is there",
    "a rule about running alone lets the file be renamed and linked: refuse `file.write` there too",
    "the folder above the rule's path was renamed, which the rule says nothing of",
    "opened before the policy was on: what is left are operations on the descriptor that ask no hook",
    "an overlay of root's is a file system of its own: its file is judged by its path there",
    "the name cannot be told: refused wherever a path decides, for the object beside it too",
    "the device below the file system has a path of its own",
    "what is made in an overlay lies in its upper layer, which is another folder",
    "it is the program that the rule lets through",
];

/// Prints the tables of a folder once the command has turned the policy on.
pub fn aliases(words: &[String]) -> Result<bool, String> {
    let [base, program, arguments @ ..] = words else { return Err("aliases takes a folder and a command".into()) };
    run(Path::new(base), || Command::new(program).args(arguments).status().map(drop)).map_err(|error| error.to_string())?;
    Ok(true)
}

const TABLES: &[Table] =
    &[operations::READS, operations::CHANGES, operations::NAMES, operations::RUNS, shapes::OBJECTS, shapes::SUBJECTS, names::ODD];

/// Every column, with the rows of its table.
fn columns() -> impl Iterator<Item = (&'static Column, &'static [Alias])> {
    TABLES.iter().flat_map(|table| table.columns.iter().map(|column| (column, table.rows)))
}

fn run(base: &Path, turn_on: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let elsewhere = ways::other_namespace(base)?;
    let make = |time: Time| -> io::Result<Vec<Vec<Made>>> {
        let column =
            |(column, rows): (&Column, &[Alias])| rows.iter().map(|alias| Made::new(base, column, alias, elsewhere, time)).collect();
        columns().map(column).collect()
    };
    let programs = impostors::make(base)?;
    let programs_before = programs.results();
    let made = make(Time::Before)?;
    let before: Vec<Vec<String>> = made.iter().zip(columns()).map(|(made, column)| results(made, column, |m| Some(&m.free))).collect();
    let made = make(Time::After)?;
    turn_on()?;
    let mut notes = Notes::default();
    let (mut before, mut made) = (before.iter(), made.iter());
    for table in TABLES {
        let cells: Vec<Vec<String>> = (table.columns.iter().zip(&mut before).zip(&mut made))
            .map(|((column, before), made)| {
                let on = |of| results(made, (column, table.rows), of);
                let (guarded, free) = (on(|m| m.guarded.as_ref()), on(|m| Some(&m.free)));
                let rows = table.rows.iter().zip(before).zip(guarded.iter().zip(&free));
                rows.map(|((alias, before), (guarded, free))| cell(alias.note, before, guarded, free, &mut notes)).collect()
            })
            .collect();
        let heads: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        print(table.title, &heads, table.rows.iter().map(|alias| alias.name), &cells);
    }
    programs.tell(&programs_before, &mut notes)?;
    println!("== what a rule does not hold, and why");
    for ((number, note), _) in NOTES.iter().enumerate().zip(notes).filter(|(_, needed)| *needed) {
        println!("{}: {note}", number + 1);
    }
    privileges::end(elsewhere)
}

/// Does one cell as the program that this is, ends with the error's number.
pub fn one(words: &[String]) -> Result<i32, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [row, column, folder, target, other, base, elsewhere] = words.as_slice() else { return Err("alias takes a cell".into()) };
    let (column, rows) = columns().find(|(found, _)| found.name == *column).ok_or("no such column")?;
    let alias = rows.iter().find(|alias| alias.name == *row).ok_or("no such row")?;
    let elsewhere = elsewhere.parse().map_err(|_| "no such process")?;
    let target = if *target == column.target { column.target } else { column.free_target.unwrap_or_default() };
    let object = Object { folder: folder.into(), target, other: other.into(), base: base.into(), elsewhere, held: None };
    let done = (alias.way)(&object).and_then(|reached| (column.run)(&reached));
    Ok(done.map_or_else(|error| error.raw_os_error().unwrap_or(libc::EIO), |()| 0))
}

/// Has one cell done by another program.
fn by_program(program: &str, alias: &Alias, column: &Column, object: &Object) -> io::Error {
    let (folder, other, base) = (object.folder.as_os_str(), object.other.as_os_str(), object.base.as_os_str());
    let mut command = Command::new(program);
    command.args(["alias", alias.name, column.name]).arg(folder).arg(object.target).args([other, base]).arg(object.elsewhere.to_string());
    std::os::unix::process::CommandExt::exec(&mut command)
}

/// What is tried without the policy is used up by it.
#[derive(Clone, Copy, PartialEq)]
enum Time {
    Before,
    After,
}

/// The two objects of a cell.
struct Made {
    free: Object,
    /// There only for what is tried with the policy.
    guarded: Option<Object>,
    _listening: Vec<UnixListener>,
}

impl Made {
    fn new(base: &Path, column: &Column, alias: &Alias, elsewhere: i32, time: Time) -> io::Result<Self> {
        let mut listening = Vec::new();
        let mut object = |place: &str, target: &'static str| -> io::Result<Object> {
            let row = alias.name.replace([' ', '/', ',', ':'], "-");
            let place = if time == Time::Before { format!("before/{place}") } else { place.to_owned() };
            let folder = if column.alone { base.join(&place).join(column.name).join(&row) } else { base.join(&place) };
            let other = base.join("other").join(&place).join(column.name).join(&row);
            let mut object = Object { folder, target, other, base: base.to_owned(), elsewhere, held: None };
            make(&object, alias.linked || !column.alone, &mut listening)?;
            if alias.name == ways::SINCE_BEFORE {
                object.held = operations::hold(&object, column)?;
            }
            Ok(object)
        };
        let free = object(column.free, column.free_target.unwrap_or(column.target))?;
        // without a policy there is nothing to compare
        let guarded = if time == Time::Before { None } else { Some(object(column.guarded, column.target)?) };
        Ok(Made { guarded, free, _listening: listening })
    }
}

fn make(object: &Object, links: bool, listening: &mut Vec<UnixListener>) -> io::Result<()> {
    let file = object.file();
    fs::create_dir_all(&object.folder)?;
    fs::create_dir_all(&object.other)?;
    if !file.exists() {
        match object.target {
            "socket" => listening.push(UnixListener::bind(&file)?),
            "folder" => fs::create_dir(&file)?,
            "tool" => fs::copy(std::env::current_exe()?, &file).map(drop)?,
            _ => fs::write(&file, crate::attack::PROGRAM)?,
        }
    }
    fs::write(object.other.join("free"), crate::attack::PROGRAM)?;
    if object.target != "folder" && links {
        fs::hard_link(&file, object.other.join("hard"))?;
    }
    let everything = [&object.folder, &file, &object.other, &object.other.join("free")];
    everything.into_iter().try_for_each(|path| privileges::give(path, USER))
}

/// Runs a column's cells, each in a child.
fn results(made: &[Made], (column, rows): (&Column, &[Alias]), of: fn(&Made) -> Option<&Object>) -> Vec<String> {
    let mut all = Vec::new();
    for (alias, made) in rows.iter().zip(made) {
        let Some(object) = of(made) else { continue };
        if !alias.only.is_empty() && !alias.only.contains(&column.name) {
            all.push("-".to_owned());
            continue;
        }
        let before = ways::identity(&object.file());
        all.push(crate::attack::tried(|| match column.program {
            Some(program) => Err(by_program(program, alias, column, object)),
            None => (column.run)(&(alias.way)(object)?),
        }));
        if !column.alone {
            ways::put_back(object, before);
        }
    }
    all
}

/// What a cell says of the results without the policy, with it, and with it beside what it is about.
fn cell(note: usize, before: &str, guarded: &str, free: &str, notes: &mut Notes) -> String {
    let told = match (before, guarded, free) {
        ("ok", "EPERM", "ok") => return "refused".into(),
        ("ok", "ok", "ok") => "allowed".to_owned(),
        ("ok", "EPERM", "EPERM") => "undecided".to_owned(),
        ("ok", ..) => format!("{guarded}/{free}"),
        _ => return "-".into(),
    };
    match note.checked_sub(1).and_then(|index| notes.get_mut(index)) {
        Some(needed) => {
            *needed = true;
            format!("{told} {note}")
        }
        // nothing explains this
        None => format!("{told}!"),
    }
}

fn print(title: &str, heads: &[&str], rows: impl Iterator<Item = &'static str>, cells: &[Vec<String>]) {
    println!("== {title}");
    let line = |words: &[&str]| words.iter().map(|word| format!(" {word:<12}")).collect::<String>();
    println!("{:<38}{}", "", line(heads).trim_end());
    for (row, name) in rows.enumerate() {
        let words: Vec<&str> = cells.iter().filter_map(|column| column.get(row)).map(String::as_str).collect();
        // an alias that is about none of these columns
        if words.iter().any(|word| *word != "-") {
            println!("{name:<38}{}", line(&words).trim_end());
        }
    }
}
