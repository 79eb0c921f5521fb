//! Takes lines of `ebsec-load events --json`, gives reports in order of time. A line that says that reports were lost is an error: a
//! recording with holes proves nothing.

use serde_json::Value;

/// One report, as far as it matters here.
#[derive(Debug)]
pub struct Report {
    /// Nanoseconds since the guest booted.
    pub time: u64,
    pub event: String,
    pub pid: u64,
    pub uid: u64,
    /// Absent for the kernel itself.
    pub exe: Option<String>,
    /// The process that forked this one and its program then.
    pub parent: Option<(u64, Option<String>)>,
    /// Files that the event is about, those of them that have a whole path.
    pub paths: Vec<String>,
    /// In a container: none of the host's business.
    pub container: bool,
}

/// All reports of a recording.
pub fn read(text: &str) -> Result<Vec<Report>, String> {
    let mut reports = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("report {}: {what}", number + 1);
        let value: Value = serde_json::from_str(line).map_err(|e| wrong(&e.to_string()))?;
        if let Some(lost) = value.get("lost") {
            return Err(wrong(&format!("{lost} reports were lost before it; record again with a larger ring")));
        }
        reports.push(report(&value).ok_or_else(|| wrong("not what `ebsec-load events --json` prints"))?);
    }
    reports.sort_by_key(|report| report.time);
    Ok(reports)
}

fn report(value: &Value) -> Option<Report> {
    let process = value.get("process")?;
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let event = text(value, "event")?;
    let parent = process.get("parent").and_then(|parent| Some((parent.get("pid")?.as_u64()?, text(parent, "exe"))));
    let also = value.get("also").and_then(Value::as_array).into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned));
    // What is read of a file that moves is its old name.
    let target = text(value, "target").filter(|_| event != "file.read");
    let mut paths: Vec<String> = text(value, "path").into_iter().chain(target).chain(also).collect();
    paths.retain(|path| path.starts_with('/'));
    Some(Report {
        time: value.get("boot_ns")?.as_u64()?,
        event,
        pid: process.get("pid")?.as_u64()?,
        uid: process.get("uid")?.as_u64()?,
        exe: text(process, "exe"),
        parent,
        paths,
        container: process.get("container")?.as_bool()?,
    })
}
