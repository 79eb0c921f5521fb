; move_mount(from_path, to_path)
.macro move_mount__object_over
  path_object 1
.endm
.macro move_mount__inode_over
  path_inode 1
.endm
.macro move_mount__fact_confined
  path_confined 1
.endm
