//! The loaded policy, found again through its pins and the copy of its artifact, whose digest is checked anew. Reads
//! the kernel; changes nothing. `status`, `events` and `rules` begin here.

use crate::error::{Error, Result};
use crate::pins;
use crate::policy;
use crate::sys::Kernel;
use ebsec_artifact::schema::{Control, Record, Stats};
use ebsec_artifact::{Artifact, MAX_LENGTH, MapRole};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Files of the loader itself are read up to here.
pub const MAX_STATE: u64 = 1 << 20;

/// Where a loaded policy is, and its artifact's bytes, to be opened by [`policy::check`].
#[derive(Debug)]
pub struct Found {
    /// The policy's pins.
    pub pins: PathBuf,
    /// The folder of what is remembered of it.
    pub state: PathBuf,
    /// The copy of its artifact.
    pub bytes: Vec<u8>,
    /// What was attached, and when.
    pub attached: Value,
    /// Whether the canary was refused everywhere.
    pub proved: bool,
}

/// Finds the loaded policy; an error if there is none.
pub fn find<K: Kernel>(kernel: &mut K) -> Result<Found> {
    let Some(pins) = pins::loaded(kernel)? else {
        // a load that came to its end since the look above hides nothing
        if !pins::load_under_way(kernel)? && pins::loaded(kernel)?.is_none() {
            pins::none_hidden(kernel)?;
        }
        return Err(Error::refused("no policy is loaded", "load one: `ebsec-load load FILE`"));
    };
    let state = Path::new(pins::STATE).join(pins.file_name().unwrap_or_default());
    let read = |name: &str, limit: u64| {
        let path = state.join(name);
        kernel.read_file(&path, limit).map_err(|e| {
            Error::refused(
                format!("`{}` cannot be read: {e}", path.display()),
                "run as root; or detach the policy by `ebsec-load unload` and load it again",
            )
        })
    };
    let bytes = read(pins::ARTIFACT, MAX_LENGTH as u64)?;
    let attached = serde_json::from_slice(&read(pins::ATTACHED, MAX_STATE)?).unwrap_or_default();
    let proved = read(pins::PROVED, MAX_STATE).is_ok();
    Ok(Found { pins, state, bytes, attached, proved })
}

impl Found {
    /// The artifact, checked again.
    pub fn artifact(&self) -> Result<Artifact<'_>> {
        policy::check(&self.bytes)
    }

    /// A pinned map.
    pub fn map<K: Kernel>(&self, kernel: &mut K, name: &str) -> Result<K::Fd> {
        let path = pins::map_pin(&self.pins, name);
        kernel.open_pin(&path).map_err(|e| {
            Error::refused(
                format!("the pin `{}` cannot be opened: {e}", path.display()),
                "run as root; or detach the policy by `ebsec-load unload` and load it again",
            )
        })
    }

    /// Contents of the data section that has this part.
    pub fn data<K: Kernel>(&self, kernel: &mut K, artifact: &Artifact<'_>, role: MapRole) -> Result<Vec<u8>> {
        let name = policy::map_name(&artifact.manifest, role)?;
        let map = self.map(kernel, name)?;
        let read = |e| Error::system(format!("reading the map `{name}`"), &e);
        let mut bytes = vec![0; kernel.map_value_size(&map).map_err(read)?];
        kernel.map_lookup(&map, &0u32.to_le_bytes(), &mut bytes).map_err(read)?;
        Ok(bytes)
    }

    /// The control cell.
    pub fn control<K: Kernel>(&self, kernel: &mut K, artifact: &Artifact<'_>) -> Result<Option<Control>> {
        Ok(Control::read(&self.data(kernel, artifact, MapRole::Control)?))
    }

    /// The counters of the whole artifact.
    pub fn stats<K: Kernel>(&self, kernel: &mut K, artifact: &Artifact<'_>) -> Result<Stats> {
        let stats = Stats::read(&self.data(kernel, artifact, MapRole::Stats)?);
        stats.ok_or_else(|| policy::invalid("its counters are too few"))
    }

    /// How many process records there are, in the table and beside it.
    pub fn records<K: Kernel>(&self, kernel: &mut K, artifact: &Artifact<'_>) -> Result<u64> {
        let table = self.data(kernel, artifact, MapRole::Records)?;
        let slots = table.len() / (8 + Record::SIZE);
        let owned = table.chunks_exact(8).take(slots).filter(|owner| owner.iter().any(|b| *b != 0)).count();
        let map = self.map(kernel, policy::map_name(&artifact.manifest, MapRole::Tasks)?)?;
        let others = kernel.map_count(&map, 8).map_err(|e| Error::system("counting the process records", &e))?;
        Ok(owned as u64 + others)
    }
}
