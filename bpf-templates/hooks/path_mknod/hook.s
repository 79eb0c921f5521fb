; path_mknod(dir, dentry, …)
.macro path_mknod__object_new
  entry_object 0 1
.endm
.macro path_mknod__inode_new
  no_inode
.endm
