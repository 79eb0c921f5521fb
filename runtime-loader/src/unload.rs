//! `unload`: takes the loaded policy out of the kernel: dormant first, then the links, then everything else. Also
//! removes what loaders left that died.

use crate::error::{Error, Result};
use crate::loaded::find;
use crate::pins;
use crate::policy::map_name;
use crate::sys::Kernel;
use ebsec_artifact::MapRole;
use ebsec_artifact::schema::Control;
use std::path::Path;

/// Detaches the policy; its name.
pub fn unload<K: Kernel>(kernel: &mut K) -> Result<String> {
    let _lock = pins::lock(kernel)?;
    pins::sweep(kernel)?;
    let Some(dir) = pins::loaded(kernel)? else {
        return Err(Error::refused("no policy is loaded", "`ebsec-load status` tells what is"));
    };
    // A policy may guard its own pins: it must be dormant before they are removed. Should that fail, as when the pins
    // are damaged, removing them is tried all the same.
    let _ = switch_off(kernel);
    pins::remove_tree(kernel, &dir).map_err(|e| Error::system(format!("removing `{}`", dir.display()), &e))?;
    let name = dir.file_name().unwrap_or_default();
    let state = Path::new(pins::STATE).join(name);
    pins::remove_tree(kernel, &state).map_err(|e| Error::system(format!("removing `{}`", state.display()), &e))?;
    Ok(name.to_string_lossy().into_owned())
}

fn switch_off<K: Kernel>(kernel: &mut K) -> Result<()> {
    let found = find(kernel)?;
    let artifact = found.artifact()?;
    let map = found.map(kernel, map_name(&artifact.manifest, MapRole::Control)?)?;
    let mut bytes = found.data(kernel, &artifact, MapRole::Control)?;
    if let Some(mut control) = Control::read(&bytes) {
        control.mode = 0;
        bytes.splice(..Control::SIZE, control.write());
        let error = |e| Error::system("writing the control cell", &e);
        kernel.map_update(&map, &0u32.to_le_bytes(), &bytes).map_err(error)?;
    }
    Ok(())
}
