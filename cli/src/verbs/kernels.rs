//! `ebsec kernels`: takes series, prints which are in the cache, fetches those
//! that are asked for. Never boots one but to read the types it carries.

use super::{Form, told};
use crate::guest::Failure;
use crate::guest::kernels::{self, Cache, Kernel, SERIES};
use crate::guest::prototypes::{self, Wanted};
use crate::output;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Series to list or fetch; all by default.
    #[arg(value_name = "SERIES")]
    series: Vec<String>,
    /// Fetch what is not in the cache.
    #[arg(long)]
    fetch: bool,
    /// Fetch, and look for newer kernels too.
    #[arg(long)]
    newest: bool,
    /// Write each kernel's hook prototypes into this folder, beside whose
    /// parent's `kernel-probes.toml` says which fields to look up.
    #[arg(long, value_name = "FOLDER")]
    prototypes: Option<PathBuf>,
    /// Print apt sources of these suites of Debian at the mirror that this machine uses, and nothing else.
    #[arg(long, value_name = "SUITE", value_delimiter = ',', conflicts_with_all = ["series", "fetch", "newest", "prototypes", "json", "format"])]
    sources: Vec<String>,
    #[command(flatten)]
    form: Form,
}

/// Prints the table; status 1 if a kernel is not there.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if !arguments.sources.is_empty() {
        output::print(&kernels::sources(&arguments.sources)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let cache = Cache::open().map_err(|failure| told(failure, arguments.form.json()))?;
    let mut series = arguments.series.clone();
    if series.is_empty() {
        series = SERIES.iter().map(|s| (*s).to_owned()).collect();
    }
    let found: Vec<Result<Kernel, Failure>> = if arguments.fetch || arguments.newest {
        cache.fetch(&series, arguments.newest)
    } else {
        series.iter().map(|series| cache.kernel(series)).collect()
    };
    output::print(&if arguments.form.json() { json(&series, &found) } else { table(&series, &found) })?;
    if let Some(folder) = &arguments.prototypes {
        write_prototypes(folder, found.iter().flatten())?;
    }
    Ok(ExitCode::from(u8::from(!found.iter().all(Result::is_ok))))
}

fn write_prototypes<'a>(folder: &Path, kernels: impl Iterator<Item = &'a Kernel>) -> Result<(), Failure> {
    let types = folder.join("../kernel-probes.toml");
    let types = fs::read_to_string(&types).map_err(|e| Failure::io("read", &types, &e))?;
    let wanted = Wanted::parse(&types)?;
    fs::create_dir_all(folder).map_err(|e| Failure::io("make", folder, &e))?;
    for kernel in kernels {
        let path = folder.join(format!("{}.toml", kernel.series));
        let text = prototypes::text(kernel, &wanted)?;
        fs::write(&path, text).map_err(|e| Failure::io("write", &path, &e))?;
    }
    Ok(())
}

fn table(series: &[String], kernels: &[Result<Kernel, Failure>]) -> String {
    let row = |(series, kernel): (&String, &Result<Kernel, Failure>)| match kernel {
        Ok(kernel) => format!("{series:6} {}\n", kernel.version),
        Err(failure) => format!("{series:6} missing: {}\n", ebsec_compiler::diag::text::line(&failure.to_string())),
    };
    series.iter().zip(kernels).map(row).collect()
}

fn json(series: &[String], kernels: &[Result<Kernel, Failure>]) -> String {
    let row = |(series, kernel): (&String, &Result<Kernel, Failure>)| match kernel {
        Ok(kernel) => serde_json::json!({
            "series": series,
            "version": kernel.version,
            "image": kernel.image(),
        }),
        Err(failure) => serde_json::json!({ "series": series, "missing": failure.message }),
    };
    let rows: Vec<serde_json::Value> = series.iter().zip(kernels).map(row).collect();
    ebsec_compiler::diag::text::json(&serde_json::json!({ "kernels": rows }))
}
