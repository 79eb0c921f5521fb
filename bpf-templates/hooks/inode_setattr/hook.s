; inode_setattr(dentry, attr), and with the idmap before them since 6.9 (asked by a type of 6.2: between, the verifier refuses)
.macro inode_setattr__object_file
  r1 = exists(mnt_idmap)
  if r1 == 0 goto .old
  r1 = *(u64 *)(r6 + 8)
  goto .have
.old:
  r1 = *(u64 *)(r6 + 0)
.have:
  r2 = 0
.endm
.macro inode_setattr__inode_file
  inode_setattr__object_file
  r1 = *(u64 *)(r1 + dentry.d_inode)
.endm
; ATTR_ATIME or ATTR_MTIME, and none of ATTR_MODE, ATTR_UID, ATTR_GID, ATTR_SIZE
.macro inode_setattr__fact_times
  r1 = exists(mnt_idmap)
  if r1 == 0 goto .old
  r1 = *(u64 *)(r6 + 16)
  w1 = *(u32 *)(r1 + iattr.ia_valid)
  goto .have
.old:
  r1 = *(u64 *)(r6 + 8)
  w1 = *(u32 *)(r1 + iattr.ia_valid)
.have:
  r2 = r1
  r2 &= 15
  if r2 != 0 goto .no
  r1 &= 0x30
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
