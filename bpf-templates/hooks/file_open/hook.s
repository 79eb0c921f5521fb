; file_open(file)
.macro file_open__object_file
  file_object 0
.endm
.macro file_open__inode_file
  file_inode 0
.endm
.macro file_open__fact_open_read
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_mode)
  r1 &= 1
.endm
.macro file_open__fact_open_write
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_mode)
  r1 &= 2
.endm
; FMODE_CREATED
.macro file_open__fact_created
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_mode)
  r1 &= 0x100000
.endm
; O_PATH
.macro file_open__fact_path_only
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_flags)
  r1 &= 0x200000
.endm
; __FMODE_EXEC: user space cannot set it
.macro file_open__fact_by_exec
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_flags)
  r1 &= 0x20
.endm
; FMODE_BACKING, since 6.5
.macro file_open__fact_by_stacked_fs
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_mode)
  r1 &= 0x2000000
.endm
.macro file_open__field_open_read
  file_open__fact_open_read
.endm
.macro file_open__field_open_write
  file_open__fact_open_write
.endm
.macro file_open__field_open_append
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_flags)
  r1 &= 0x400
.endm
.macro file_open__field_open_create
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_flags)
  r1 &= 0x40
.endm
.macro file_open__field_open_truncate
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_flags)
  r1 &= 0x200
.endm
