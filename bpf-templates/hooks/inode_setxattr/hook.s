; inode_setxattr(idmap, dentry, …)
.macro inode_setxattr__object_file
  named_object inode_setxattr
.endm
.macro inode_setxattr__inode_file
  named_inode inode_setxattr
.endm
.macro inode_setxattr__fact_by_stacked_fs
  acts_for_another
.endm
.macro inode_setxattr__fact_in_a_layer
  in_a_layer
.endm
