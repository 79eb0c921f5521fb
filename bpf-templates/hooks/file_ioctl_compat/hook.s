; file_ioctl_compat(file, cmd, arg)
.macro file_ioctl_compat__object_file
  file_object 0
.endm
.macro file_ioctl_compat__inode_file
  file_inode 0
.endm
; FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS, FS_IOC_FSSETXATTR
.macro file_ioctl_compat__fact_sets_flags
  w1 = *(u32 *)(r6 + 8)
  if w1 == 0x40086602 goto .yes
  if w1 == 0x40046602 goto .yes
  if w1 == 0x401c5820 goto .yes
  r1 = 0
  goto .done
.yes:
  r1 = 1
.done:
.endm
