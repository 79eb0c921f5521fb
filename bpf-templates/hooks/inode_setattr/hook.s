; inode_setattr(dentry, attr), and with the idmap before them since 6.9
.macro inode_setattr__object_file
  named_object inode_setattr
.endm
.macro inode_setattr__inode_file
  named_inode inode_setattr
.endm
; ATTR_ATIME or ATTR_MTIME, and none of ATTR_MODE, ATTR_UID, ATTR_GID, ATTR_SIZE: of these the hooks tell that show a path, which only
; system calls ask. Where a thread of the kernel changes them with the credentials of others (nfsd) this hook alone does, but for
; what a write takes away (ATTR_FORCE).
.macro inode_setattr__fact_no_other_hook
  r1 = *(u64 *)(r6 + argument(bpf_lsm_inode_setattr, iattr))
  w1 = *(u32 *)(r1 + iattr.ia_valid)
  r2 = r1
  r2 &= 15
  if r2 != 0 goto .others
  r1 &= 0x30
  goto .done
.others:
  r1 &= 0x200
  if r1 != 0 goto .no
  current_task
  r1 = *(u64 *)(r0 + task_struct.cred)
  r2 = *(u64 *)(r0 + task_struct.real_cred)
  if r1 == r2 goto .no
  w1 = *(u32 *)(r0 + task_struct.flags)
  r1 &= {PF_KTHREAD}
  goto .done
.no:
  r1 = 0
.done:
.endm
.macro inode_setattr__fact_by_stacked_fs
  acts_for_another
.endm
.macro inode_setattr__fact_in_a_layer
  in_a_layer
.endm
