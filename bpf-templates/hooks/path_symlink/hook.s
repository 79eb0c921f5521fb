; path_symlink(dir, dentry, …)
.macro path_symlink__object_new
  entry_object 0 1
.endm
.macro path_symlink__inode_new
  no_inode
.endm
