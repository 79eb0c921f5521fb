; inode_set_acl(idmap, dentry, …)
.macro inode_set_acl__object_file
  named_object inode_set_acl
.endm
.macro inode_set_acl__inode_file
  named_inode inode_set_acl
.endm
.macro inode_set_acl__fact_by_stacked_fs
  acts_for_another
.endm
.macro inode_set_acl__fact_in_a_layer
  in_a_layer
.endm
