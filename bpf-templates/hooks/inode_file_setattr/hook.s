; inode_file_setattr(dentry, fa)
.macro inode_file_setattr__object_file
  named_object inode_file_setattr
.endm
.macro inode_file_setattr__inode_file
  named_inode inode_file_setattr
.endm
.macro inode_file_setattr__fact_by_stacked_fs
  acts_for_another
.endm
.macro inode_file_setattr__fact_in_a_layer
  in_a_layer
.endm
