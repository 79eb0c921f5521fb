; file_ioctl(file, cmd, arg)
.macro file_ioctl__object_file
  file_object 0
.endm
.macro file_ioctl__inode_file
  file_inode 0
.endm
.macro file_ioctl__fact_changes_file
  changes_file
.endm
