; path_chown(path, …)
.macro path_chown__object_file
  path_object 0
.endm
.macro path_chown__inode_file
  path_inode 0
.endm
