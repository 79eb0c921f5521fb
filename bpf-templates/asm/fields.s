; The fields that every event has, and those of any file: each macro leaves the value in r1 and may use r0, r2-r5.

.macro field_process_uid
  call bpf_get_current_uid_gid
  w1 = w0
.endm

.macro field_process_gid
  call bpf_get_current_uid_gid
  r0 >>= 32
  r1 = r0
.endm

.macro field_process_euid
  current_task
  r1 = *(u64 *)(r0 + task_struct.cred)
  w1 = *(u32 *)(r1 + cred.euid.val)
.endm

; The attributes of the file whose inode is in r1 (0: a new name, attributes are absent).
.macro inode_mode
  if r1 == 0 goto .absent
  w1 = *(u16 *)(r1 + inode.i_mode)
  r1 &= 0xfff
  goto .done
.absent:
  r1 = 4096
.done:
.endm

.macro inode_owner
  if r1 == 0 goto .absent
  w1 = *(u32 *)(r1 + inode.i_uid.val)
  goto .done
.absent:
  r1 = 0x100000000 ll
.done:
.endm

.macro inode_setuid
  if r1 == 0 goto .absent
  w1 = *(u16 *)(r1 + inode.i_mode)
  r1 >>= 11
  r1 &= 1
  goto .done
.absent:
  r1 = 0
.done:
.endm

.macro inode_owned
  if r1 == 0 goto .no
  w1 = *(u32 *)(r1 + inode.i_uid.val)
  *(u64 *)(r10 - 8) = r1
  field_process_euid
  r2 = *(u64 *)(r10 - 8)
  if r1 == r2 goto .yes
.no:
  r1 = 0
  goto .done
.yes:
  r1 = 1
.done:
.endm

; 1 where the dentry in r1 is memory without a path: on a file system of memory that the kernel mounted for itself
; (SB_KERNMOUNT, which user space cannot ask for). Names say nothing: a program chooses them. MAPPED: it is being mapped, so a
; ring of io_uring, or of a socket, is memory too.
.macro dentry_memfd mapped
  r1 = *(u64 *)(r1 + dentry.d_sb)
  r2 = *(u64 *)(r1 + super_block.s_flags)
  r2 &= 0x400000
  if r2 == 0 goto .no
  r1 = *(u64 *)(r1 + super_block.s_magic)
  ; tmpfs (memfds, shared anonymous memory, System V segments, graphics memory), huge pages of all these, dma-buf
  if r1 == 0x01021994 goto .yes
  if r1 == 0x444d4142 goto .yes
  r2 = 0x958458f6 ll
  if r1 == r2 goto .yes
.if {mapped}
  ; anonymous inodes, sockets
  if r1 == 0x09041934 goto .yes
  if r1 == 0x534f434b goto .yes
.endif
.no:
  r1 = 0
  goto .done
.yes:
  r1 = 1
.done:
.endm

; r1 = class of the task's name: up to 15 bytes, two words.
.macro class_process_comm
  *(u64 *)(r10 - 128) = 0
  *(u64 *)(r10 - 120) = 0
  r1 = r10
  r1 += -128
  r2 = 16
  call bpf_get_current_comm
  r1 = {START_COMM}
  r2 = *(u64 *)(r10 - 128)
  call step8
  r1 = r0
  r2 = r0
  r2 >>= 32
  if r2 != 0 goto .end
  r2 = *(u64 *)(r10 - 120)
  if r2 == 0 goto .end
  call step8
  r1 = r0
.end:
  r1 &= {BYTES_MASK}
  r2 = data bytes
  r2 += r1
  w1 = *(u32 *)(r2 + 0)
  w1 &= 0x7fffffff
  w1 >>= 2
.endm

; r1 = class of the name at address r3: up to 31 bytes, which no name of the kernel's own exceeds. Uses r10 - 160 to - 129.
.macro class_of_name
.rept i 0 4
  *(u64 *)(r10 - {160-8*i}) = 0
.endr
  read_text 160 .failed
  ; the bytes behind the final zero are still those from above
  r1 = {START_COMM}
.rept i 0 4
  r2 = *(u64 *)(r10 - {160-8*i})
  if r2 == 0 goto .end
  call step8
  r1 = r0
  r2 = r0
  r2 >>= 32
  if r2 != 0 goto .end
.endr
.end:
  r1 &= {BYTES_MASK}
  r2 = data bytes
  r2 += r1
  w1 = *(u32 *)(r2 + 0)
  w1 &= 0x7fffffff
  w1 >>= 2
  goto .done
.failed:
  r1 = 1
.done:
.endm

; Class << 1 | trusted of a program of the subject's record, copied by the prologue.
.macro class_process_exe
  r1 = *(u64 *)(r10 - 32)
.endm
.macro class_process_parent_exe
  r1 = *(u64 *)(r10 - 40)
.endm

; r1 = 0 or 1 from any number.
.macro flag_of_number
  r2 = r1
  r1 = 0
  r1 -= r2
  r1 |= r2
  r1 >>= 63
  forget r1 r8
  r1 &= 1
.endm

; From class and flags of a path in r1: nonzero where it is unlinked.
.macro deleted_of
  r1 >>= 32
  r1 &= 1
.endm

; Goes to \no unless the task acts with the credentials of another that belong to the initial user namespace: so does a stacked
; file system on its layers (override_creds). Tasks with one of the flags BUT act for others by their nature.
.macro acting_for_another but no
  task_at_hand
  r1 = *(u64 *)(r0 + task_struct.cred)
  r2 = *(u64 *)(r0 + task_struct.real_cred)
  if r1 == r2 goto {no}
  w2 = *(u32 *)(r0 + task_struct.flags)
  r2 &= {but}
  if r2 != 0 goto {no}
  r1 = *(u64 *)(r1 + cred.user_ns)
  if r1 == 0 goto {no}
  w1 = *(u32 *)(r1 + user_namespace.level)
  if r1 != 0 goto {no}
.endm
.macro acts_for_another
  acting_for_another {PF_WORKERS} .no
  r1 = 1
  goto .done
.no:
  r1 = 0
.done:
.endm
