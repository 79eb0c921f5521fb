; inode_remove_acl(idmap, dentry, …)
.macro inode_remove_acl__object_file
  r1 = *(u64 *)(r6 + 8)
  r2 = 0
.endm
.macro inode_remove_acl__inode_file
  entry_inode 1
.endm
.macro inode_remove_acl__fact_by_stacked_fs
  acts_for_another
.endm
.macro inode_remove_acl__fact_in_a_layer
  in_a_layer
.endm
