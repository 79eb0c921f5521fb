; inode_file_setattr(dentry, fa)
.macro inode_file_setattr__object_file
  r1 = *(u64 *)(r6 + 0)
  r2 = 0
.endm
.macro inode_file_setattr__inode_file
  entry_inode 0
.endm
.macro inode_file_setattr__fact_by_stacked_fs
  acts_for_another
.endm
.macro inode_file_setattr__fact_in_a_layer
  in_a_layer
.endm
