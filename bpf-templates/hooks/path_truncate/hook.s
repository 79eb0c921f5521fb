; path_truncate(path, …)
.macro path_truncate__object_file
  path_object 0
.endm
.macro path_truncate__inode_file
  path_inode 0
.endm
