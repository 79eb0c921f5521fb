; file_truncate(file)
.macro file_truncate__object_file
  file_object 0
.endm
.macro file_truncate__inode_file
  file_inode 0
.endm
