//! `ebsec explain [NAME]`: prints what there is to know of a name: the page of a finding, or a topic of the language (an event,
//! a field, a type, an operator, a property, a word, a name of `std`). Alone it lists all of them. Knows none itself: the pages
//! are those of `compiler/pages/`, the topics those of `ebsec_compiler::reference`.

use super::Form;
use crate::guest::Failure;
use crate::output;
use ebsec_compiler::diag::{self, codes, page::Page};
use ebsec_compiler::reference::{self, Topic};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// The code of a finding such as E0205 or L0301, the number of an error alone, or a name such as field-unavailable; an event,
    /// a field, a type, an operator, a property or a keyword; a name of the library such as std.credentials.shadow. Without one, all are listed.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    form: Form,
}

/// Prints everything that has the name; status 1 if nothing has it.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let json = arguments.form.json();
    let Some(wanted) = &arguments.name else {
        let width = output::width();
        let listed = || format!("{}Findings\n{}", reference::listed(width), output::wrapped(&table(codes::all()), width));
        output::print(&if json { document(&all()) } else { listed() })?;
        return Ok(ExitCode::SUCCESS);
    };
    let page = codes::page(&full(wanted));
    let topics = reference::find(wanted);
    let parts = reference::parts(wanted);
    if page.is_none() && topics.is_empty() && parts.is_empty() {
        super::could_not(&super::told(unknown(wanted), json));
        return Ok(ExitCode::from(1));
    }
    if json {
        let shown = if topics.is_empty() && page.is_none() { &parts } else { &topics };
        let mut found: Vec<Value> = shown.iter().map(|topic| topic.json()).chain(page.map(whole)).collect();
        output::print(&document(&if found.len() == 1 { found.remove(0) } else { Value::Array(found) }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let styled = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let width = output::width();
    // One that is meant by a part of its name is shown as if it had been named.
    let (whole, listed) = if topics.is_empty() && page.is_none() && parts.len() == 1 { (parts, Vec::new()) } else { (topics, parts) };
    let mut texts: Vec<String> = whole.iter().map(|topic| topic.shown(width)).chain(page.map(|page| page.shown(styled, width))).collect();
    if !listed.is_empty() {
        let title = if texts.is_empty() { format!("`{wanted}` is part of these names") } else { "Also".to_owned() };
        texts.push(format!("{title}:\n{}", reference::table(listed.into_iter(), width)));
    }
    output::print(&texts.join("\n"))?;
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
    let topics = reference::topics().iter().map(|topic| topic.name.as_str());
    let known: Vec<&str> = codes::all().iter().flat_map(|p| [p.code, p.name]).chain(topics).collect();
    let near = diag::nearest(&full(wanted), &known).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let failure = Failure::new(format!("nothing is called `{}`", wanted.escape_default()));
    failure.help(format!("{near}`ebsec explain` lists all names"))
}

/// All codes in aligned columns.
fn table(pages: &[Page]) -> String {
    let name = pages.iter().map(|p| p.name.len()).max().unwrap_or_default();
    let level = pages.iter().map(|p| p.level_name().len()).max().unwrap_or_default();
    pages.iter().map(|p| format!("  {}  {:name$}  {:level$}  {}\n", p.code, p.name, p.level_name(), p.title)).collect()
}

/// Every name, for programs.
fn all() -> Value {
    reference::topics().iter().map(Topic::short).chain(codes::all().iter().map(short)).collect()
}

fn short(page: &Page) -> Value {
    let Page { code, name, title, group, since, fix, configurable, .. } = page;
    let level = page.level_name();
    json!({
        "kind": "finding", "code": code, "name": name, "title": title, "level": level, "configurable": configurable,
        "group": group, "since": since, "fix": fix
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
