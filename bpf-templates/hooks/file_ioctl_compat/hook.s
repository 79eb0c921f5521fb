; file_ioctl_compat(file, cmd, arg)
.macro file_ioctl_compat__object_file
  file_object 0
.endm
.macro file_ioctl_compat__inode_file
  file_inode 0
.endm
.macro file_ioctl_compat__fact_changes_file
  changes_file
.endm
; What a stacked file system asks of a file in its layers, to change flags for the file above.
.macro file_ioctl_compat__fact_by_stacked_fs
  acts_for_another
.endm
