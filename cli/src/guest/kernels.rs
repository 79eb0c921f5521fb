//! The kernels that guests boot. Takes a series, gives the newest kernel of it
//! that the machine's mirror has, kept in a cache folder. Never installs a
//! package and never touches the machine's package lists.

use super::modules::{self, Modules};
use super::{Failure, machine, mirror, payload};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The series every check runs on.
pub const SERIES: &[&str] = &["6.1", "6.12", "6.18", "7"];

/// The folder of a kernel's modules, beside its image.
const MODULES: &str = "modules";

/// The image as the package has it.
const PACKED: &str = "vmlinuz";
/// The kernel that it holds.
const UNPACKED: &str = "vmlinux";

/// How the folder of a fetch under way is named.
const UNFINISHED: &str = ".new-";

/// One kernel in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// What was asked for, such as `6.12`.
    pub series: String,
    /// The package's version, such as `6.12.117-1~deb12u1`.
    pub version: String,
    folder: PathBuf,
}

impl Kernel {
    /// The release without the point release, such as `7.3`.
    pub fn release(&self) -> String {
        release_of(&self.version)
    }

    /// The image that boots: unpacked where that could be done, which saves each guest a second.
    pub fn image(&self) -> PathBuf {
        let unpacked = self.folder.join(UNPACKED);
        if unpacked.is_file() { unpacked } else { self.folder.join(PACKED) }
    }

    /// The kernel's types, in BTF.
    pub fn btf(&self) -> Result<Vec<u8>, Failure> {
        super::initramfs::read(&self.folder.join("btf"))
    }

    /// The modules that are kept with it.
    pub fn modules(&self) -> Result<Modules, Failure> {
        if !self.has_modules() {
            let failure = Failure::new(format!("kernel `{}` was fetched without its modules", self.series));
            return Err(failure.help(format!("fetch it again with `ebsec kernels --fetch {}`", self.series)));
        }
        Modules::open(&self.folder.join(MODULES))
    }

    /// Earlier versions of this program kept none, or fewer.
    fn has_modules(&self) -> bool {
        Modules::are_in(&self.folder.join(MODULES))
    }
}

/// The folder of kernels: `$EBSEC_CACHE/kernels`, or `~/.cache/ebsec/kernels`.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Makes the folder if it is not there.
    pub fn open() -> Result<Self, Failure> {
        let named = std::env::var_os("EBSEC_CACHE").filter(|v| !v.is_empty());
        let root = match (named, std::env::var_os("HOME")) {
            (Some(named), _) => PathBuf::from(named),
            (None, Some(home)) => PathBuf::from(home).join(".cache/ebsec"),
            (None, None) => {
                return Err(Failure::new("there is no home folder to keep kernels in").help("name a folder in the variable `EBSEC_CACHE`"));
            }
        };
        let folder = root.join("kernels");
        fs::create_dir_all(&folder).map_err(|e| Failure::io("make", &folder, &e))?;
        Ok(Cache { folder })
    }

    /// The kernel of a series, if it is here.
    pub fn kernel(&self, series: &str) -> Result<Kernel, Failure> {
        check_series(series)?;
        let folder = self.folder.join(series);
        let version = fs::read_to_string(folder.join("version")).map_err(|_| {
            Failure::new(format!("no kernel `{series}` has been fetched")).help(format!("fetch it with `ebsec kernels --fetch {series}`"))
        })?;
        Ok(Kernel { series: series.to_owned(), version: version.trim().to_owned(), folder })
    }

    /// Makes sure that the series are here; with `newest`, that they are the
    /// mirror's newest. One result a series: one that cannot be had does not
    /// keep the others away.
    pub fn fetch(&self, series: &[String], newest: bool) -> Vec<Result<Kernel, Failure>> {
        let lock = match self.lock() {
            Ok(lock) => lock,
            Err(failure) => return series.iter().map(|_| Err(failure.clone())).collect(),
        };
        self.remove_remains();
        let mut packages: Option<Result<Packages, Failure>> = None;
        let mut one = |series: &String| {
            let here = self.kernel(series);
            if here.as_ref().is_ok_and(Kernel::has_modules) && !newest {
                return here;
            }
            check_series(series)?;
            let packages = packages.get_or_insert_with(|| Packages::update(&self.folder));
            self.fetch_one(series, packages.as_ref().map_err(Failure::clone)?)
        };
        let results = series.iter().map(&mut one).collect();
        drop(lock);
        results
    }

    fn fetch_one(&self, series: &str, packages: &Packages) -> Result<Kernel, Failure> {
        let mut candidates = packages.of_series(series);
        let Some(best) = candidates.first().cloned() else {
            let mut text = format!("the mirror has no kernel `{series}`");
            if !packages.complaint.is_empty() {
                text.push_str(&format!(": {}", packages.complaint));
            }
            return Err(Failure::new(text));
        };
        if let Ok(kernel) = self.kernel(series)
            && kernel.version == best.version
            && kernel.has_modules()
        {
            return Ok(kernel);
        }
        candidates.retain(|c| c.version == best.version);
        // The first package is the likely one: its failure is the one to tell.
        let mut failure = None;
        for candidate in candidates {
            match self.unpack(series, &candidate, packages) {
                Ok(kernel) => return Ok(kernel),
                Err(why) => failure = failure.or(Some(why)),
            }
        }
        Err(failure.unwrap_or_else(|| Failure::new("no package")))
    }

    /// Fills a new folder and renames it into place, so that a reader sees a
    /// whole kernel or none.
    fn unpack(&self, series: &str, package: &Package, from: &Packages) -> Result<Kernel, Failure> {
        let work = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempdir_in(&self.folder)
            .map_err(|e| Failure::io("make a folder in", &self.folder, &e))?;
        let tree = work.path().join("tree");
        from.download(package, &tree)?;
        let Unpacked { image, modules } = from.complete(package, &tree)?;
        let ready = work.path().join("ready");
        fs::create_dir(&ready).map_err(|e| Failure::io("make", &ready, &e))?;
        modules::keep(&modules, &ready.join(MODULES))?;
        let kept = ready.join(PACKED);
        fs::rename(&image, &kept).map_err(|e| Failure::io("move", &image, &e))?;
        let btf = match unpack_image(&ready)? {
            Some(btf) => btf,
            None => machine::read_btf(&kept)?,
        };
        let write = |name: &str, bytes: &[u8]| {
            let path = ready.join(name);
            fs::write(&path, bytes).map_err(|e| Failure::io("write", &path, &e))
        };
        write("btf", &btf)?;
        write("version", package.version.as_bytes())?;
        let place = self.folder.join(series);
        if place.exists() {
            let old = work.path().join("old");
            fs::rename(&place, &old).map_err(|e| Failure::io("move", &place, &e))?;
        }
        fs::rename(&ready, &place).map_err(|e| Failure::io("make", &place, &e))?;
        self.kernel(series)
    }

    /// Drops what a fetch that was ended left behind; under the lock nobody else
    /// is fetching.
    fn remove_remains(&self) {
        while let Some(remains) = entry(&self.folder, |name| name.starts_with(UNFINISHED)) {
            if fs::remove_dir_all(&remains).is_err() {
                return;
            }
        }
    }

    /// Held while fetching: two fetches at once would do the work twice.
    fn lock(&self) -> Result<File, Failure> {
        let path = self.folder.join(".lock");
        let failed = |e: std::io::Error| Failure::io("lock", &path, &e);
        let file = File::create(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }
}

/// Unpacks the image in a kernel's folder and gives the types that it boots with; nothing, and no unpacked image, if that does not
/// boot here.
fn unpack_image(folder: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let (packed, unpacked) = (folder.join(PACKED), folder.join(UNPACKED));
    let Some(kernel) = payload::unpack(&super::initramfs::read(&packed)?) else { return Ok(None) };
    fs::write(&unpacked, kernel).map_err(|e| Failure::io("write", &unpacked, &e))?;
    if let Ok(btf) = machine::read_btf(&unpacked) {
        return Ok(Some(btf));
    }
    fs::remove_file(&unpacked).map_err(|e| Failure::io("remove", &unpacked, &e))?;
    Ok(None)
}

/// Apt sources, in stanzas, of suites of Debian at the mirror that this machine uses.
pub fn sources<S: AsRef<str>>(suites: &[S]) -> Result<String, Failure> {
    let list = mirror::private_list(&mirror::of_this_machine(), suites);
    list.ok_or_else(|| Failure::new("this machine's apt sources name no Debian archive"))
}

/// `7.3` of `7.3.4-1~bpo13+1`.
pub fn release_of(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// A series is numbers with dots: it becomes a folder's name.
fn check_series(series: &str) -> Result<(), Failure> {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if series.split('.').all(number) {
        return Ok(());
    }
    let help = format!("a series is one of {}", SERIES.join(", "));
    Err(Failure::new(format!("`{series}` is not a kernel series")).help(help))
}

/// One version of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    name: String,
    version: String,
}

impl Package {
    /// The version's numbers in order; enough to compare two of one archive.
    fn numbers(&self) -> Vec<u64> {
        let parts = self.version.split(|c: char| !c.is_ascii_digit());
        parts.filter_map(|part| part.parse().ok()).collect()
    }

    fn is_of(&self, series: &str) -> bool {
        let rest = self.version.strip_prefix(series);
        rest.is_some_and(|rest| rest.starts_with('.'))
    }

    /// Which package of one version holds the image: from 7 on it is
    /// `linux-binary`, before it `linux-image`, where `-unsigned` has no
    /// dependency on the signing run.
    fn order(&self) -> (bool, bool) {
        let binary = self.name.starts_with("linux-binary");
        (!binary, !self.name.contains("unsigned") && !binary)
    }
}

/// What the packages of one kernel were unpacked to.
struct Unpacked {
    image: PathBuf,
    /// The folder that holds `kernel` and `modules.builtin`.
    modules: PathBuf,
}

/// A private apt root that knows the suites with kernels.
struct Packages {
    folder: PathBuf,
    all: Vec<Package>,
    /// What apt said of lists that it could not get.
    complaint: String,
}

impl Packages {
    fn update(cache: &Path) -> Result<Self, Failure> {
        for tool in ["apt-get", "apt-cache", "dpkg"] {
            if machine::find_in_path(tool).is_none() {
                return Err(
                    Failure::new(format!("there is no `{tool}` here")).help("kernels come from a Debian mirror; fetch on a Debian machine")
                );
            }
        }
        let list = sources(mirror::KERNELS)?;
        let folder = cache.join(".apt");
        for part in ["lists/partial", "cache/archives/partial"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).map_err(|e| Failure::io("make", &path, &e))?;
        }
        let sources = folder.join("ebsec.sources");
        fs::write(&sources, list).map_err(|e| Failure::io("write", &sources, &e))?;
        let mut packages = Packages { folder, all: Vec::new(), complaint: String::new() };
        // A suite that is gone must not keep the other series away.
        if let Err(failure) = output(packages.apt("apt-get").args(["update", "-qq", "-o", "APT::Update::Error-Mode=any"])) {
            packages.complaint = failure.message;
        }
        packages.all = packages.list()?;
        Ok(packages)
    }

    fn list(&self) -> Result<Vec<Package>, Failure> {
        const NAMES: &str = "^linux-(image|binary)-(unsigned-)?[0-9]+[.][0-9]+[.].*-cloud-amd64";
        let found = output(self.apt("apt-cache").args(["search", "--names-only", NAMES]))?;
        let names: Vec<&str> = found.lines().filter_map(|l| l.split(' ').next()).collect();
        let names: Vec<&str> = names.into_iter().filter(|n| !n.ends_with("-dbg")).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let table = output(self.apt("apt-cache").arg("madison").args(names))?;
        Ok(table.lines().filter_map(table_row).collect())
    }

    /// The packages of a series, the best first.
    fn of_series(&self, series: &str) -> Vec<Package> {
        let mut found: Vec<Package> = self.all.clone();
        found.retain(|package| package.is_of(series));
        found.sort_by_key(|package| (std::cmp::Reverse(package.numbers()), package.order()));
        found.dedup();
        found
    }

    /// Gets a package and unpacks it over what is in the tree.
    fn download(&self, package: &Package, tree: &Path) -> Result<(), Failure> {
        fs::create_dir_all(tree).map_err(|e| Failure::io("make", tree, &e))?;
        let wanted = format!("{}={}", package.name, package.version);
        let mut apt = self.apt("apt-get");
        output(apt.args(["download", "-qq", &wanted]).current_dir(tree))?;
        let deb = entry(tree, |name| name.ends_with(".deb")).ok_or_else(|| Failure::new(format!("`{}` is not a package", package.name)))?;
        output(Command::new("dpkg").arg("-x").arg(&deb).arg(tree))?;
        // What is not needed goes at once: some packages are large.
        let _ = fs::remove_file(&deb);
        Ok(())
    }

    /// Gets what the image's package lacks of a kernel: from 7 on modules, and the list of what is built in, are in
    /// packages of their own.
    fn complete(&self, package: &Package, tree: &Path) -> Result<Unpacked, Failure> {
        let image = |folder: &Path| entry(folder, |name| name.starts_with("vmlinuz"));
        let modules = || {
            let mut folders = ["lib/modules", "usr/lib/modules"].into_iter();
            folders.find_map(|folder| entry(&tree.join(folder), |_| true))
        };
        let no = |what: &str| Failure::new(format!("the packages of `{}` hold no {what}", package.name));
        let image = image(&tree.join("boot")).or_else(|| image(&modules()?)).ok_or_else(|| no("kernel image"))?;
        let folder = modules().ok_or_else(|| no("modules"))?;
        let release = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (part, holder) in [("kernel", "linux-modules"), ("modules.builtin", "linux-base")] {
            if !folder.join(part).exists() {
                self.download(&Package { name: format!("{holder}-{release}"), version: package.version.clone() }, tree)?;
            }
            if !folder.join(part).exists() {
                return Err(no(&format!("`{part}`")));
            }
        }
        Ok(Unpacked { image, modules: folder })
    }

    fn apt(&self, tool: &str) -> Command {
        let mut command = Command::new(tool);
        let at = |part: &str| self.folder.join(part).display().to_string();
        for (name, value) in [
            ("Dir::Etc::sourcelist", at("ebsec.sources").as_str()),
            ("Dir::Etc::sourceparts", "-"),
            ("Dir::State::lists", at("lists").as_str()),
            ("Dir::State::status", "/dev/null"),
            ("Dir::Cache", at("cache").as_str()),
            ("APT::Architecture", "amd64"),
            ("APT::Architectures", "amd64"),
            ("APT::Sandbox::User", "root"),
            ("Acquire::Languages", "none"),
            ("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false"),
        ] {
            command.arg("-o").arg(format!("{name}={value}"));
        }
        command.env("LC_ALL", "C");
        command
    }
}

/// ` NAME | VERSION | SOURCE`
fn table_row(line: &str) -> Option<Package> {
    let mut cells = line.split('|').map(str::trim);
    Some(Package { name: cells.next().filter(|name| !name.is_empty())?.to_owned(), version: cells.next()?.to_owned() })
}

/// The first entry of a folder whose name is wanted.
fn entry(folder: &Path, wanted: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let mut found: Vec<PathBuf> = entries.filter(|entry| wanted(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect();
    found.sort();
    found.into_iter().next()
}

/// What a tool printed; its complaint if it failed.
fn output(command: &mut Command) -> Result<String, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|e| Failure::new(format!("cannot run `{name}`: {e}")))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let error = said.lines().find(|line| line.starts_with("E:"));
    let why = error.or(said.lines().next()).unwrap_or("it gave no reason");
    Err(Failure::new(format!("`{name}` failed: {why}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn packages(rows: &str) -> Packages {
        Packages { folder: PathBuf::new(), all: rows.lines().filter_map(table_row).collect(), complaint: String::new() }
    }

    #[test]
    fn the_newest_of_a_series_is_found() {
        let rows = "\
 linux-image-6.1.0-47-cloud-amd64-unsigned | 6.1.99-1 | x
 linux-image-6.1.0-50-cloud-amd64-unsigned | 6.1.176-1 | x
 linux-image-6.1.0-50-cloud-amd64 | 6.1.176-1 | x
 linux-image-6.12.90+deb12-cloud-amd64-unsigned | 6.12.90-1~bpo12+1 | x
 linux-image-6.12.90+deb12.1-cloud-amd64-unsigned | 6.12.90-2~bpo12+1 | x
 linux-image-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | x
 linux-binary-unsigned-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | x
 linux-binary-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | x
";
        let first = |series: &str| packages(rows).of_series(series)[0].clone();
        assert_eq!(first("6.1").name, "linux-image-6.1.0-50-cloud-amd64-unsigned");
        assert_eq!(first("6.12").version, "6.12.90-2~bpo12+1");
        assert!(first("7").name.starts_with("linux-binary"));
        assert!(packages(rows).of_series("6.18").is_empty());
    }

    #[test]
    fn a_series_is_never_a_path() {
        for bad in ["..", "", "6.", "6/1", "../6.1", "6.1-rc1"] {
            assert!(check_series(bad).is_err(), "{bad}");
        }
        assert!(SERIES.iter().all(|series| check_series(series).is_ok()));
    }
}
