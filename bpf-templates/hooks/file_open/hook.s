; file_open(file)
.macro file_open__object_file
  file_object 0
.endm
.macro file_open__inode_file
  file_inode 0
.endm
; O_ACCMODE: 0 reads, 1 writes, 2 and 3 do both (of 3 the kernel's f_mode shows neither, and ioctl is possible with it)
.macro file_open__fact_open_read
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_flags)
  r1 &= 3
  r1 ^= 1
.endm
.macro file_open__fact_open_write
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r1 + file.f_flags)
  r1 &= 3
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
; A file of a stacked file system's private mount: the open of the file above it has raised the events. FMODE_BACKING does
; not tell it: its bit moved in 6.14 and in updates of 6.12, to one that fanotify sets for what it hands to user space.
.macro file_open__fact_by_stacked_fs
  r3 = *(u64 *)(r6 + 0)
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = data control
  r1 = *(u64 *)(r1 + {control_root_mnt})
  if r2 == r1 goto .no
  *(u64 *)(r10 - 8) = r2
  plain_number r1 .no
  call mount_is_private
  if r0 != 1 goto .no
  r1 = 1
  goto .done
.no:
  r1 = 0
.done:
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
