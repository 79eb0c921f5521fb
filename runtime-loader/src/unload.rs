//! `unload`: takes the loaded policy out of the kernel: dormant first, then the links, then everything else. Also
//! removes what loaders left that died.

use crate::error::{Error, Result};
use crate::pins;
use crate::sys::Kernel;
use ebsec_artifact::schema::Control;
use std::path::Path;

/// Detaches the policy; its name.
pub fn unload<K: Kernel>(kernel: &mut K) -> Result<String> {
    let _lock = pins::lock(kernel)?;
    pins::sweep(kernel)?;
    let Some(dir) = pins::loaded(kernel)? else {
        return Err(Error::refused("no policy is loaded", ""));
    };
    // A policy may guard its own pins: it must be dormant before they are removed. Should the cell be out of reach,
    // removing them tells the failure.
    if let Ok(map) = kernel.open_pin(&pins::map_pin(&dir, "control")) {
        let (key, mut bytes) = (0u32.to_le_bytes(), [0; Control::SIZE]);
        if let Ok(true) = kernel.map_lookup(&map, &key, &mut bytes)
            && let Some(mut control) = Control::read(&bytes)
        {
            control.mode = 0;
            kernel.map_update(&map, &key, &control.write()).map_err(|e| Error::system("writing the control cell", &e))?;
        }
    }
    pins::remove_tree(kernel, &dir).map_err(|e| Error::system(format!("removing `{}`", dir.display()), &e))?;
    let name = dir.file_name().unwrap_or_default();
    let state = Path::new(pins::STATE).join(name);
    pins::remove_tree(kernel, &state).map_err(|e| Error::system(format!("removing `{}`", state.display()), &e))?;
    Ok(name.to_string_lossy().into_owned())
}
