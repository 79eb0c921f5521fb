; inode_removexattr(idmap, dentry, …)
.macro inode_removexattr__object_file
  named_object inode_removexattr
.endm
.macro inode_removexattr__inode_file
  named_inode inode_removexattr
.endm
.macro inode_removexattr__fact_by_stacked_fs
  acts_for_another
.endm
.macro inode_removexattr__fact_in_a_layer
  in_a_layer
.endm
