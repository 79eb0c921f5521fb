; path_chmod(path, …)
.macro path_chmod__object_file
  path_object 0
.endm
.macro path_chmod__inode_file
  path_inode 0
.endm
