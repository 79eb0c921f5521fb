; sb_kern_mount(sb)
.macro sb_kern_mount__class_mount_fs
  r1 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r1 + super_block.s_type)
  r3 = *(u64 *)(r1 + file_system_type.name)
  class_of_name
.endm
