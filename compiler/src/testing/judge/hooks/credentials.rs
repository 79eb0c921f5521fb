//! Takes an operation, gives the task and the opened file the credentials with which it happens: the task's own, a stacked file
//! system's mounter's, a FUSE server's, or others' for a reason that has to mean nothing. Lays out no objects.

use super::Builder;
use ebsec_templates::catalog;

/// Of `task_struct.flags`.
const PF_IO_WORKER: u64 = 0x10;

impl Builder<'_> {
    /// Whose credentials the task acts with: a stacked file system's mounter's, where it is at work; else its own, or for
    /// another reason others'.
    pub(super) fn acts(&mut self) -> Result<(), String> {
        let passed_on = self.passed_on();
        let (task, world) = (self.subject.task, &mut self.stage.world);
        let stacked = self.operation.facts.iter().any(|f| f == "by_stacked_fs");
        let known = catalog()[self.operation.hook].facts.iter().any(|f| f == "by_stacked_fs");
        let by_open = catalog()[self.operation.hook].name == "file_open";
        if passed_on {
            let server = world.credentials(task, true)?;
            return world.kernel.set(self.file, "file.f_cred", server);
        }
        let variant = self.variant >> 3 & 7;
        match (stacked, variant) {
            (true, _) => world.act_for_another(task, true, 0)?,
            (false, 0) if known => world.act_for_another(task, false, 0)?,
            (false, 1) if known => world.act_for_another(task, true, PF_IO_WORKER)?,
            (false, 2) if known && by_open => world.act_for_another(task, true, 0)?,
            _ => {}
        }
        if known && by_open {
            // opened with what the task acts with, or with what belongs to a namespace of a user's own
            let opener =
                if !stacked && variant == 3 { world.credentials(task, false)? } else { world.kernel.get(task, "task_struct.cred")? };
            world.kernel.set(self.file, "file.f_cred", opener)?;
        }
        Ok(())
    }

    /// FUSE opens the file to which it passes reads and writes on: by its own mount, with its server's credentials.
    pub(super) fn passed_on(&self) -> bool {
        let by_open = catalog()[self.operation.hook].name == "file_open";
        let since = self.stage.world.kernel.has("backing_file.user_path");
        by_open && since && self.holds("by_stacked_fs") && self.variant >> 7 & 3 == 0
    }
}
