//! `ebsec explain [CODE|NAME|EVENT|FIELD]`: prints the page of a finding's code, what there is to know of an event or a
//! field, or the list of codes. Knows no code itself.

mod catalogue;

use super::Form;
use crate::guest::Failure;
use crate::output;
use ebsec_compiler::diag::{self, codes, page::Page};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// A code such as E0205 or L0301, the number of an error alone, or a name such as field-unavailable; an event such as file.read, or a field such as
    /// process.exe. Without one, all codes are listed.
    #[arg(value_name = "CODE|NAME|EVENT|FIELD")]
    code: Option<String>,
    #[command(flatten)]
    form: Form,
}

/// Prints the page; status 1 if there is none.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Some(wanted) = &arguments.code else {
        output::print(&if arguments.form.json() { document(&codes::all().iter().map(short).collect()) } else { table(codes::all()) })?;
        return Ok(ExitCode::SUCCESS);
    };
    if let Some(entry) = catalogue::find(wanted) {
        output::print(&if arguments.form.json() { document(&entry.json()) } else { entry.shown() })?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(page) = codes::page(&full(wanted)) else {
        super::could_not(&super::told(unknown(wanted), arguments.form.json()));
        return Ok(ExitCode::from(1));
    };
    let styled = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    output::print(&if arguments.form.json() { document(&whole(page)) } else { page.shown(styled) })?;
    Ok(ExitCode::SUCCESS)
}

/// `E0306` of `306` and `e306`, `L0301` of `l301`; other texts as they are.
fn full(text: &str) -> String {
    let (letter, digits) = match text.strip_prefix(['l', 'L']) {
        Some(digits) => ('L', digits),
        None => ('E', text.strip_prefix(['e', 'E']).unwrap_or(text)),
    };
    match !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        true => format!("{letter}{digits:0>4}"),
        false => text.to_owned(),
    }
}

fn unknown(wanted: &str) -> Failure {
    let known: Vec<&str> = codes::all().iter().flat_map(|p| [p.code, p.name]).chain(catalogue::names()).collect();
    let near = diag::nearest(&full(wanted), &known).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let failure = Failure::new(format!("there is no code, name, event or field `{}`", wanted.escape_default()));
    failure.help(format!("{near}`ebsec explain` lists all codes"))
}

/// All codes in aligned columns.
fn table(pages: &[Page]) -> String {
    let name = pages.iter().map(|p| p.name.len()).max().unwrap_or_default();
    let level = pages.iter().map(|p| p.level_name().len()).max().unwrap_or_default();
    pages.iter().map(|p| format!("{}  {:name$}  {:level$}  {}\n", p.code, p.name, p.level_name(), p.title)).collect()
}

fn short(page: &Page) -> Value {
    let Page { code, name, title, group, since, fix, configurable, .. } = page;
    let level = page.level_name();
    json!({
        "code": code, "name": name, "title": title, "level": level, "configurable": configurable, "group": group,
        "since": since, "fix": fix
    })
}

fn whole(page: &Page) -> Value {
    let mut value = short(page);
    if let Some(object) = value.as_object_mut() {
        object.insert("text".to_owned(), page.text.into());
    }
    value
}

fn document(value: &Value) -> String {
    format!("{value:#}\n")
}
