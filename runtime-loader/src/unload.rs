//! `unload`: takes the loaded policy out of the kernel: dormant first, then the links, then everything else. Also
//! removes what loaders left that died.

use crate::error::{Error, Result};
use crate::pins;
use crate::sys::Kernel;
use ebsec_artifact::schema::Control;
use std::path::Path;

/// Detaches the policy; its name.
pub fn unload<K: Kernel>(kernel: &mut K) -> Result<String> {
    // A policy may guard its own pins, even against being listed: it must be dormant before anything else. Should that
    // fail, as when the pins are damaged, removing them is tried all the same.
    let _ = switch_off(kernel);
    let _lock = pins::lock(kernel)?;
    pins::sweep(kernel)?;
    let Some(dir) = pins::loaded(kernel)? else {
        pins::none_hidden(kernel)?;
        return Err(Error::refused("no policy is loaded", "there is nothing to unload"));
    };
    pins::remove_tree(kernel, &dir).map_err(|e| Error::system(format!("removing `{}`", dir.display()), &e))?;
    let control = Path::new(pins::CONTROL);
    kernel.remove_file(control).map_err(|e| Error::system(format!("removing `{}`", control.display()), &e))?;
    let name = dir.file_name().unwrap_or_default();
    let state = Path::new(pins::STATE).join(name);
    pins::remove_tree(kernel, &state).map_err(|e| Error::system(format!("removing `{}`", state.display()), &e))?;
    Ok(name.to_string_lossy().into_owned())
}

fn switch_off<K: Kernel>(kernel: &mut K) -> Result<()> {
    let error = |e| Error::system("writing the control cell", &e);
    let map = kernel.open_pin(Path::new(pins::CONTROL)).map_err(error)?;
    let (key, mut bytes) = (0u32.to_le_bytes(), vec![0; kernel.map_value_size(&map).map_err(error)?]);
    kernel.map_lookup(&map, &key, &mut bytes).map_err(error)?;
    if let Some(mut control) = Control::read(&bytes) {
        control.mode = 0;
        bytes.splice(..Control::SIZE, control.write());
        kernel.map_update(&map, &key, &bytes).map_err(error)?;
    }
    Ok(())
}
