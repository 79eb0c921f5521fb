//! What events cost, in a guest where a nanosecond is an instruction. One guest measures the bare kernel, a program that
//! does nothing and our policies, one after the other; a second one AppArmor.

use super::{Bench, Row, compile, rules};
use crate::guest::{Ending, Failure, GuestFile, GuestSpec, machine};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// Medians by label.
pub type Figures = BTreeMap<String, f64>;

const PREPARE: &str = "\
mkdir -p /bench /etc/a/b/c
mkdir -p $(dirname LONG)
for file in SHORT LONG /bench/text; do echo no program >$file; done
chmod 755 /bench/text
cp /bin/guest-tools SUBJECT
cp /bin/guest-tools /bin/other
/bin/other prepare /bench/place
# label, then the program and what it measures
m() { label=$1; shift; echo \"$label $(\"$@\" 2>&1)\"; }
opens() {
    m $1.short SUBJECT bench --settle 20 open SHORT
    m $1.long SUBJECT bench --settle 20 open LONG
}
execs() {
    m $1.exec SUBJECT bench --settle 20 exec /bench/place/exec
    m $1.failing SUBJECT bench --settle 20 failing-exec /bench/text
}
# label, then what the programs in the kernel cost by themselves meanwhile
c() { label=$1; shift; guest-tools costs \"$@\" | sed \"s/^/$label.cost./\"; }
# that the rules really are in force: label, a path that only they refuse
denied() { echo x >$2; SUBJECT expect denied $2 && echo \"$1.denied med 1\"; }
";

/// Bare, empty and ours in one guest, AppArmor in another.
pub fn measure(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let ours = boot(bench, &our_script(bench), "", our_files(bench)?)?;
    let theirs = match &bench.apparmor {
        Some(apparmor) => boot(bench, &their_script(bench), "lsm=lockdown,capability,landlock,apparmor", their_files(bench, apparmor)?)?,
        None => Figures::new(),
    };
    rows(bench, &ours, &theirs)
}

fn our_script(bench: &Bench) -> String {
    let mut script = format!("{}opens bare\nexecs bare\n", PREPARE);
    script.push_str("m empty.short guest-tools empty file_open SUBJECT bench --settle 20 open SHORT\n");
    script.push_str("m empty.long guest-tools empty file_open SUBJECT bench --settle 20 open LONG\n");
    script.push_str(
        "guest-tools empty bprm_check_security guest-tools costs SUBJECT bench failing-exec /bench/text | sed s/^/empty.cost./\n",
    );
    let load = |name: &str| format!("ebsec-load load /bench/{name}.bpf.o >/load.txt 2>&1 || {{ cat /load.txt; exit 1; }}\n");
    for count in bench.sizes() {
        let _ = write!(script, "{}opens {count}\ndenied {count} {}\n", load(&count.to_string()), rules::denied(*count));
        let _ = writeln!(script, "m {count}.unrelated /bin/other bench --settle 20 open SHORT");
        script.push_str("ebsec-load unload >/load.txt 2>&1 || cat /load.txt\n");
    }
    let _ = write!(script, "{}execs exec\nm exec.short SUBJECT bench --settle 20 open SHORT\n", load("exec"));
    // Failing, so that the check runs far more often than the other hooks of an exec; then whole.
    script.push_str("c check SUBJECT bench failing-exec /bench/text\nc whole SUBJECT bench exec /bench/place/exec\n");
    script.push_str("ebsec-load unload >/load.txt\n");
    script.push_str("m again.short SUBJECT bench --settle 20 open SHORT\n");
    script
}

fn our_files(bench: &Bench) -> Result<Vec<GuestFile>, Failure> {
    let mut files = vec![GuestFile::host("/bin/ebsec-load", &bench.loader)];
    let mut texts: Vec<(String, String)> = bench.sizes().iter().map(|count| (count.to_string(), rules::files(*count))).collect();
    texts.push(("exec".to_owned(), rules::exec()));
    for (name, text) in texts {
        let artifact = bench.path(&format!("{name}.bpf.o"));
        if !artifact.is_file() {
            compile::build(&bench.write(&format!("{name}.ebsec"), &text)?, &artifact)?;
        }
        files.push(GuestFile::host(format!("/bench/{name}.bpf.o"), artifact));
    }
    Ok(files)
}

fn their_script(bench: &Bench) -> String {
    let mut script = format!("{}mount -t securityfs none /sys/kernel/security 2>/dev/null\nopens unconfined\n", PREPARE);
    for count in bench.sizes() {
        // A profile has to arrive in one piece.
        let _ = write!(
            script,
            "dd if=/bench/{count}.aa of=/sys/kernel/security/apparmor/.replace bs=64M count=1 2>/load.txt || {{ cat /load.txt; exit 0; }}\n\
             denied {count} {} || exit 0\nopens {count}\nexecs {count}\n",
            rules::denied(*count)
        );
    }
    script
}

fn their_files(bench: &Bench, apparmor: &compile::AppArmor) -> Result<Vec<GuestFile>, Failure> {
    let mut files = Vec::new();
    for count in bench.sizes() {
        let out = bench.path(&format!("{count}.aa"));
        let profile = bench.write(&format!("{count}.profile"), &rules::profile(*count))?;
        let done = apparmor.command(&profile, &out).output().map_err(|e| Failure::new(format!("cannot run apparmor_parser: {e}")))?;
        if !done.status.success() {
            return Err(Failure::new(format!("apparmor_parser failed: {}", String::from_utf8_lossy(&done.stderr).trim())));
        }
        files.push(GuestFile::host(format!("/bench/{count}.aa"), out));
    }
    Ok(files)
}

pub fn boot(bench: &Bench, script: &str, append: &str, mut files: Vec<GuestFile>) -> Result<Figures, Failure> {
    let script = script.replace("SUBJECT", rules::SUBJECT).replace("SHORT", rules::SHORT).replace("LONG", rules::LONG);
    files.push(GuestFile::host("/bin/guest-tools", &bench.tools));
    let mut spec = GuestSpec::new(bench.kernel.image(), script);
    spec.files = files;
    spec.append = append.to_owned();
    spec.icount = true;
    spec.memory_mib = 2048;
    spec.timeout = Duration::from_secs(1800);
    let result = machine::run(&spec)?;
    if result.ending != Ending::Exited(0) {
        return Err(Failure::new(format!("the guest ended without its figures ({:?}): {}", result.ending, result.output.trim())));
    }
    let (figures, rest): (Vec<_>, Vec<_>) =
        result.output.lines().map(|line| (figure(line), line)).partition(|(figure, _)| figure.is_some());
    for (_, line) in rest {
        eprintln!("note: the guest says: {}", ebsec_compiler::diag::text::line(line));
    }
    Ok(figures.into_iter().filter_map(|(figure, _)| figure).collect())
}

/// `LABEL … med N`
fn figure(line: &str) -> Option<(String, f64)> {
    let (label, rest) = line.split_once(' ')?;
    let (_, median) = rest.rsplit_once("med ")?;
    Some((label.to_owned(), median.trim().parse().ok()?))
}

fn rows(bench: &Bench, ours: &Figures, theirs: &Figures) -> Result<Vec<Row>, Failure> {
    let get = |label: String| ours.get(&label).copied().ok_or_else(|| Failure::new(format!("the guest gave no figure `{label}`")));
    let (short, long) = (get("bare.short".into())?, get("bare.long".into())?);
    let (exec, failing) = (get("bare.exec".into())?, get("bare.failing".into())?);
    let other = |label: String, bare: f64| theirs.get(&label).map(|v| v - bare);
    let mut rows = vec![
        Row::new("open and close, 20 characters, bare kernel (whole)", short, "instructions"),
        Row::new("the same at the end of the run (drift)", get("again.short".into())? - short, "instructions"),
        Row::new("open, one empty program", get("empty.short".into())? - short, "instructions")
            .against(other("unconfined.short".into(), short)),
    ];
    let ten = get("10.short".into())? - short;
    for count in bench.sizes() {
        get(format!("{count}.denied"))?;
        let (s, l) = (get(format!("{count}.short"))? - short, get(format!("{count}.long"))? - long);
        let unrelated = get(format!("{count}.unrelated"))? - short;
        let allowed = if *count == 10 { 960.0 } else { 1.03 * ten };
        rows.push(
            Row::new(format!("open, {count} rules"), s, "instructions").at_most(allowed).against(other(format!("{count}.short"), short)),
        );
        let what = format!("open, {count} rules, 93 characters in 8 components");
        rows.push(Row::new(what, l, "instructions").at_most(1_600.0).against(other(format!("{count}.long"), long)));
        rows.push(Row::new(format!("open, {count} rules about others"), unrelated, "instructions").at_most(245.0));
    }
    rows.push(Row::new("open, a policy without rules about files", get("exec.short".into())? - short, "instructions"));
    // The memory that an exec takes costs now this, now that, by hundreds: so the check's own cost, without it, and what
    // leads to any program and back.
    let (nothing, enter) = (get("empty.cost.".into())?, get("empty.short".into())? - short);
    let check = get("check.cost.ebsec_bprm_chec".into())? - nothing + enter;
    rows.push(Row::new("exec check, path and lineage", check, "instructions").at_most(1_300.0));
    for (hook, label) in [("task_alloc", "ebsec_task_allo"), ("bprm_committed_creds", "ebsec_bprm_comm"), ("task_free", "ebsec_task_free")]
    {
        let cost = get(format!("whole.cost.{label}"))? - nothing + enter;
        rows.push(Row::new(format!("{hook}, the record of a process"), cost, "instructions"));
    }
    rows.push(Row::new("exec that fails after its check, bare kernel (whole)", failing, "instructions"));
    let failed = get("exec.failing".into())? - failing;
    rows.push(Row::new("exec that fails after its check (± 500)", failed, "instructions").against(other("10.failing".into(), failing)));
    rows.push(Row::new("vfork, exec and exit, bare kernel (whole)", exec, "instructions"));
    let whole = get("exec.exec".into())? - exec;
    rows.push(Row::new("vfork, exec and exit, path and lineage (± 1000)", whole, "instructions").against(other("10.exec".into(), exec)));
    Ok(rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_of_its_line() {
        assert_eq!(figure("bare.short open min 6500 p25 6501 med 6502").unwrap(), ("bare.short".to_owned(), 6502.0));
        assert_eq!(figure("10.denied med 1").unwrap(), ("10.denied".to_owned(), 1.0));
        assert_eq!(figure("bare.short cannot stay on one processor"), None);
    }
}
