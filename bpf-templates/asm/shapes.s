; How hooks show their objects. Each leaves the typed dentry in r1 and the typed vfsmount in r2;
; the inode macros leave the typed inode in r1, 0 where there is none. N is the argument's number.

; Argument N is a struct file.
.macro file_object n
  r3 = *(u64 *)(r6 + {8*n})
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = *(u64 *)(r3 + file.f_path.dentry)
.endm
.macro file_inode n
  r1 = *(u64 *)(r6 + {8*n})
  r1 = *(u64 *)(r1 + file.f_inode)
.endm
; The same where the argument may be null (the facts of the hook have excluded it; the verifier asks again).
.macro nullable_file_object n
  r3 = *(u64 *)(r6 + {8*n})
  if r3 == 0 goto allow
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = *(u64 *)(r3 + file.f_path.dentry)
.endm
.macro nullable_file_inode n
  r1 = *(u64 *)(r6 + {8*n})
  if r1 == 0 goto .none
  r1 = *(u64 *)(r1 + file.f_inode)
  goto .done
.none:
  ; a number: to the verifier of 6.1 a null pointer is still a pointer
  r1 = 0
.done:
.endm

; Argument N is a struct path.
.macro path_object n
  r3 = *(u64 *)(r6 + {8*n})
  r2 = *(u64 *)(r3 + path.mnt)
  r1 = *(u64 *)(r3 + path.dentry)
.endm
.macro path_inode n
  r1 = *(u64 *)(r6 + {8*n})
  r1 = *(u64 *)(r1 + path.dentry)
  r1 = *(u64 *)(r1 + dentry.d_inode)
.endm

; Argument DIR is the struct path of the folder, argument N the dentry.
.macro entry_object dir n
  r3 = *(u64 *)(r6 + {8*dir})
  r2 = *(u64 *)(r3 + path.mnt)
  r1 = *(u64 *)(r6 + {8*n})
.endm
.macro entry_inode n
  r1 = *(u64 *)(r6 + {8*n})
  r1 = *(u64 *)(r1 + dentry.d_inode)
.endm
.macro no_inode
  r1 = 0
.endm

; The typed struct sock in r1 is the Unix socket that is reached: its name as whoever bound it saw it. An abstract or
; unnamed socket has none, and all of these are 0. There always is a Unix socket; the verifier cannot know.
.macro unix_object
  if r1 == 0 goto bad
  call bpf_skc_to_unix_sock
  if r0 == 0 goto bad
  r2 = *(u64 *)(r0 + unix_sock.path.mnt)
  r1 = *(u64 *)(r0 + unix_sock.path.dentry)
.endm
.macro unix_inode
  unix_dentry
  if r1 == 0 goto .none
  r1 = *(u64 *)(r1 + dentry.d_inode)
  goto .done
.none:
  r1 = 0
.done:
.endm
.macro unix_named
  unix_dentry
  if r1 == 0 goto .none
  r1 = 1
  goto .done
.none:
  r1 = 0
.done:
.endm
.macro unix_dentry
  if r1 == 0 goto .none
  call bpf_skc_to_unix_sock
  if r0 == 0 goto .none
  r1 = *(u64 *)(r0 + unix_sock.path.dentry)
  goto .done
.none:
  r1 = 0
.done:
.endm

; The object's dentry (r1) and vfsmount (r2) as plain addresses at r10 - 104 and r10 - 112.
.macro plain_object
  *(u64 *)(r10 - 8) = r1
  *(u64 *)(r10 - 16) = r2
  r1 = r10
  r1 += -112
  r2 = 16
  r3 = r10
  r3 += -16
  call bpf_probe_read_kernel
.endm

; The mounts of a file system in the caller's namespace, for hooks that show no mount.
; r1 = address of a super_block, r2 = address of a mnt_namespace, r3 = how many to skip
; -> r0 = address of a vfsmount, 0 where there are no more, 1 where the list is too long to tell.
.func mount_of global 3
  r6 = r1
  *(u64 *)(r10 - 40) = r2
  *(u64 *)(r10 - 32) = r3
  r1 = 1
  forget r1 r6
  *(u64 *)(r10 - 24) = r1
  r1 = exists(mount.mnt_instance)
  if r1 == 0 goto new
  ; a ring of list heads in the mounts, its anchor in the super block
  r7 = offsetof(super_block.s_mounts)
  r7 += r6
  *(u64 *)(r10 - 48) = r7
  r6 = r7
  read8 8 list_head.next failed
  goto first
new:
  *(u64 *)(r10 - 48) = 0
  read8 8 super_block___heads.s_mounts failed
first:
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r10 - 56) = r1
  r1 = 2048
  r2 = func mount_step
  r3 = r10
  r3 += -56
  r4 = 0
  call bpf_loop
  r0 = *(u64 *)(r10 - 24)
  exit
failed:
  r0 = 1
  exit

; One mount of the list. r2 = {0 where, 8 anchor, 16 namespace, 24 skip, 32 result} -> r0 = 1 to end.
.func mount_step static 2
  r7 = r2
  r6 = *(u64 *)(r7 + 0)
  r1 = *(u64 *)(r7 + 8)
  if r6 == r1 goto none
  r1 = exists(mount.mnt_instance)
  if r1 == 0 goto new
  r1 = offsetof(mount.mnt_instance)
  r6 -= r1
  read8 8 mount.mnt_instance.next failed
  goto have
new:
  read8 8 mount.mnt_next_for_sb failed
have:
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + 0) = r1
  read8 8 mount.mnt_ns failed
  r1 = *(u64 *)(r10 - 8)
  r2 = *(u64 *)(r7 + 16)
  if r1 != r2 goto next
  r1 = *(u64 *)(r7 + 24)
  if r1 == 0 goto found
  r1 += -1
  *(u64 *)(r7 + 24) = r1
next:
  r0 = 0
  exit
found:
  r1 = offsetof(mount.mnt)
  r6 += r1
  *(u64 *)(r7 + 32) = r6
  r0 = 1
  exit
failed:
  r1 = 1
  goto end
none:
  r1 = 0
end:
  forget r1 r6
  *(u64 *)(r7 + 32) = r1
  r0 = 1
  exit

; The loop over the mounts that may show a file. r1 = typed dentry at the start; r7 counts turns.
; Stack: 104 dentry, 112 vfsmount, 136 super block, 144 namespace, 152 mounts that showed the file.
.macro mounts_begin
  *(u64 *)(r10 - 8) = r1
  r2 = *(u64 *)(r1 + dentry.d_sb)
  *(u64 *)(r10 - 16) = r2
  r1 = r10
  r1 += -104
  r2 = 8
  r3 = r10
  r3 += -8
  call bpf_probe_read_kernel
  r1 = r10
  r1 += -136
  r2 = 8
  r3 = r10
  r3 += -16
  call bpf_probe_read_kernel
  call bpf_get_current_task_btf
  r1 = *(u64 *)(r0 + task_struct.nsproxy)
  *(u64 *)(r10 - 144) = 0
  if r1 == 0 goto .none
  r1 = *(u64 *)(r1 + nsproxy.mnt_ns)
  *(u64 *)(r10 - 16) = r1
  r1 = r10
  r1 += -144
  r2 = 8
  r3 = r10
  r3 += -16
  call bpf_probe_read_kernel
.none:
  *(u64 *)(r10 - 152) = 0
  *(u64 *)(r10 - 112) = 0
  r7 = 0
.endm

; One turn: the next mount that shows the file; after the last one a turn with a failed path if none did.
.macro mounts_turn
  if r7 >= 16 goto .failed
  r1 = *(u64 *)(r10 - 136)
  r2 = *(u64 *)(r10 - 144)
  r3 = r7
  call mount_of
  r7 += 1
  if r0 == 1 goto .failed
  if r0 == 0 goto .last
  *(u64 *)(r10 - 112) = r0
  r1 = *(u64 *)(r10 - 104)
  r2 = r0
  call path_slow
  r1 = r0
  r1 >>= 34
  if r1 != 0 goto mounts_next
  *(u64 *)(r10 - 88) = r0
  *(u64 *)(r10 - 152) = 1
  goto .decide
.last:
  r1 = *(u64 *)(r10 - 152)
  if r1 != 0 goto finish
.failed:
  r7 = 100
  count_failure
.if NEED_DELETED
  r1 = *(u64 *)(r10 - 104)
  call path_unlinked
  r0 |= 1
  *(u64 *)(r10 - 88) = r0
.else
  *(u64 *)(r10 - 88) = 1
.endif
.decide:
.endm

.macro mounts_end
  if r7 < 17 goto mounts_next
.endm
