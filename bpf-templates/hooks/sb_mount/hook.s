; sb_mount(dev_name, path, type, flags, data)
.macro sb_mount__object_over
  path_object 1
.endm
.macro sb_mount__inode_over
  path_inode 1
.endm
; The mount that stands there changes, and none is put over it: MS_REMOUNT, or without MS_BIND one of MS_SHARED, MS_PRIVATE, MS_SLAVE,
; MS_UNBINDABLE, as path_mount asks (fs/namespace.c).
.macro sb_mount__fact_in_place
  r2 = *(u64 *)(r6 + 24)
  r1 = r2
  r1 &= 0x20
  if r1 != 0 goto .done
  r1 = r2
  r1 &= 0x1000
  r1 ^= 0x1000
  if r1 == 0 goto .done
  r1 = r2
  r1 &= 0x1e0000
.done:
.endm
.macro sb_mount__fact_confined
  path_confined 1
.endm
