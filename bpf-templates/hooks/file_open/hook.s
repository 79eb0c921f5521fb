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
; __FMODE_EXEC: user space cannot set it, but for mq_open and TIOCGPTPEER, which hand their flags on as they are. What exec
; opens is a regular file (S_IFREG), and no queue (MQUEUE_MAGIC).
.macro file_open__fact_by_exec
  r3 = *(u64 *)(r6 + 0)
  w1 = *(u32 *)(r3 + file.f_flags)
  r1 &= 0x20
  if r1 == 0 goto .done
  distrust r3 file
  r2 = *(u64 *)(r3 + file.f_inode)
  w1 = *(u16 *)(r2 + inode.i_mode)
  r1 &= 0xf000
  r1 ^= 0x8000
  if r1 != 0 goto .other
  r2 = *(u64 *)(r2 + inode.i_sb)
  r2 = *(u64 *)(r2 + super_block.s_magic)
  r1 = 0x19800202
  r1 ^= r2
  goto .done
.other:
  r1 = 0
.done:
.endm
; What a stacked file system opens of its layers for the file above, whose own open raised the events: a file of a private
; mount, by which no user opens anything, opened with the mounter's credentials, by a worker of io_uring too. FMODE_BACKING
; does not tell it: its bit moved in 6.14 and in updates of 6.12, to one that fanotify sets for what it hands to user space.
; Before 6.7 what reads and writes for the file above has that one's path and an inode of another file system; copying up
; and reading a folder open the layer by the private mount on those kernels too.
; FUSE opens the file to which it passes reads and writes on (since 6.9) by its own mount, with the credentials that the server
; had when it named the file, which takes CAP_SYS_ADMIN: no user opens a file with others than the task's.
.macro file_open__fact_by_stacked_fs
  r1 = exists(backing_file.user_path)
  if r1 == 0 goto .old
  task_at_hand
  r2 = *(u64 *)(r0 + task_struct.real_cred)
  r3 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r3 + file.f_cred)
  if r1 == r2 goto .no
  r2 = *(u64 *)(r0 + task_struct.cred)
  if r1 == r2 goto .new
  if r1 == 0 goto .no
  r1 = *(u64 *)(r1 + cred.user_ns)
  if r1 == 0 goto .no
  w1 = *(u32 *)(r1 + user_namespace.level)
  if r1 != 0 goto .no
  r1 = 1
  goto .done
.old:
  r3 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r3 + file.f_inode)
  r1 = *(u64 *)(r1 + inode.i_sb)
  r2 = *(u64 *)(r3 + file.f_path.dentry)
  r2 = *(u64 *)(r2 + dentry.d_sb)
  if r1 == r2 goto .new
  r1 = 1
  goto .done
.new:
  acting_for_another {PF_KTHREAD} .no
  r3 = *(u64 *)(r6 + 0)
  r2 = *(u64 *)(r3 + file.f_path.mnt)
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
.macro file_open__fact_in_a_layer
  in_a_layer
.endm
