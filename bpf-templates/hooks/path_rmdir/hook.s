; path_rmdir(dir, dentry)
.macro path_rmdir__object_file
  entry_object 0 1
.endm
.macro path_rmdir__inode_file
  entry_inode 1
.endm
