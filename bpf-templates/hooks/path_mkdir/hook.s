; path_mkdir(dir, dentry, …)
.macro path_mkdir__object_new
  entry_object 0 1
.endm
.macro path_mkdir__inode_new
  no_inode
.endm
