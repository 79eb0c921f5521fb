; path_unlink(dir, dentry)
.macro path_unlink__object_file
  entry_object 0 1
.endm
.macro path_unlink__inode_file
  entry_inode 1
.endm
