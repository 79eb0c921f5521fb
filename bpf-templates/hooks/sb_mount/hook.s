; sb_mount(dev_name, path, type, flags, data)
.macro sb_mount__object_over
  path_object 1
.endm
.macro sb_mount__inode_over
  path_inode 1
.endm
