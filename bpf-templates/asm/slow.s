; The slow walk: plain addresses, any mounts, any depth, any names; results as in path.s.
; Parameters: START_PATH, NEED_DELETED.

; r1 = dentry, r2 = vfsmount -> r0; tries again while renames come between, then FAIL.
.func path_slow global 2
  r6 = r1
  r7 = r2
  r8 = 64
again:
  r8 += -1
  if r8 == 0 goto fail
  rename_sequence 8 fail
  w1 = *(u32 *)(r10 - 8)
  w1 &= 1
  if w1 != 0 goto again
  r1 = r6
  r2 = r7
  call path_once
  r9 = r0
  rename_sequence 16 fail
  w1 = *(u32 *)(r10 - 8)
  w2 = *(u32 *)(r10 - 16)
  if r1 != r2 goto again
  ; a mount that does not show the file (flag 4) is no failure where others may
  r1 = r9
  r1 >>= 34
  if r1 != 0 goto told
  w1 = w9
  if r1 == 1 goto failed
told:
  r0 = r9
  exit
fail:
.if NEED_DELETED
  r1 = r6
  call path_unlinked
  r9 = r0
  r9 |= 1
.else
  r9 = 1
.endif
failed:
  count_failure
  r0 = r9
  exit

; State of a walk to the root, on the stack of the function that walks:
; 0 dentry, 8 vfsmount, 16 mnt_root, 24 index of the next component from the leaf, 32 bytes so far,
; 40 where to stop (index), 48 result (0 on the way, 1 at the top or the stop, 2 failed, 3 not below the mount), 56 mount at the top,
; then 8 slots: the dentries of the last 8 components, by index modulo 8.
; One step up. r1 = turn, r2 = state -> r0 = 1 to end.
.func step_up static 2
  r7 = r2
  r1 = *(u64 *)(r7 + 0)
  r6 = r1
  r2 = *(u64 *)(r7 + 16)
  if r1 == r2 goto crossing
  r8 = *(u64 *)(r7 + 24)
  r2 = *(u64 *)(r7 + 40)
  if r8 == r2 goto stop
  r1 = r8
  r1 &= 7
  r1 <<= 3
  r2 = r7
  r2 += r1
  *(u64 *)(r2 + 64) = r6
  r8 += 1
  *(u64 *)(r7 + 24) = r8
  read8 8 dentry.d_parent fail
  read8 16 dentry.d_name fail
  r1 = *(u64 *)(r10 - 8)
  if r1 == r6 goto hidden
  *(u64 *)(r7 + 0) = r1
  ; the second half of the first word of d_name is the length
  r1 = *(u64 *)(r10 - 16)
  r1 >>= 32
  if r1 > 255 goto fail
  r2 = *(u64 *)(r7 + 32)
  r2 += r1
  r2 += 1
  *(u64 *)(r7 + 32) = r2
  r1 = r2
  forget r1 r6
  if r1 > 4095 goto fail
  r0 = 0
  exit
crossing:
  r6 = *(u64 *)(r7 + 8)
  r1 = offsetof(mount.mnt)
  r6 -= r1
  read8 8 mount.mnt_parent fail
  r8 = *(u64 *)(r10 - 8)
  if r8 == r6 goto root
  read8 8 mount.mnt_mountpoint fail
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + 0) = r1
  r6 = r8
  read8 8 mount.mnt.mnt_root fail
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + 16) = r1
  r1 = offsetof(mount.mnt)
  r8 += r1
  *(u64 *)(r7 + 8) = r8
  r0 = 0
  exit
root:
  *(u64 *)(r7 + 56) = r6
stop:
  r1 = 1
  goto end
hidden:
  r1 = 3
  goto end
fail:
  r1 = 2
end:
  ; the verifier believes that a callback may be called again after its end
  forget r1 r6
  *(u64 *)(r7 + 48) = r1
  r0 = 1
  exit

; Fills the state of a walk at r10 - 128 from dentry r6 and vfsmount r7, walks up to index r8. Clobbers r0-r5.
.macro walk_up fail
  *(u64 *)(r10 - 128) = r6
  *(u64 *)(r10 - 120) = r7
  *(u64 *)(r10 - 88) = r8
.rept i 0 8
  *(u64 *)(r10 - {64-8*i}) = 0
.endr
  r1 = r10
  r1 += -112
  r2 = 8
  r3 = offsetof(vfsmount.mnt_root)
  r3 += r7
  call bpf_probe_read_kernel
  if r0 != 0 goto {fail}
  ; zero, in a form that the verifier takes for any number: a counter that it knows would make every turn a new state
  r1 = *(u64 *)(r10 - 112)
  r2 = *(u64 *)(r10 - 112)
  r1 -= r2
  *(u64 *)(r10 - 104) = r1
  *(u64 *)(r10 - 96) = r1
  *(u64 *)(r10 - 80) = r1
  *(u64 *)(r10 - 72) = r1
  r1 = 4096
  r2 = func step_up
  r3 = r10
  r3 += -128
  r4 = 0
  call bpf_loop
.endm

; One attempt of the slow walk. r1 = dentry, r2 = vfsmount -> r0.
.func path_once global 2
  r6 = r1
  r7 = r2
  r8 = 4096
  walk_up fail
  r1 = *(u64 *)(r10 - 80)
  if r1 == 3 goto hidden
  if r1 != 1 goto fail
  ; in which namespace did the walk end?
  r1 = *(u64 *)(r10 - 72)
  call mount_ns_kind
  if r0 == 2 goto internal
  if r0 != 1 goto fail
  ; the batches of 8 components from the top
  r8 = *(u64 *)(r10 - 104)
  if r8 > 2048 goto fail
  r9 = {START_PATH}
  if r8 == 0 goto matched
batch:
  r1 = r6
  r2 = r7
  r3 = r8
  r4 = r9
  call match_batch
  r9 = r0
  r0 >>= 32
  if r0 != 0 goto matched
  if r8 <= 8 goto matched
  r8 += -8
  goto batch
matched:
  r8 = r9
  r1 = r8
  r1 >>= 33
  if r1 != 0 goto fail
  w8 = w8
  class_of_state
  r9 = r0
.if NEED_DELETED
  r1 = r6
  call path_unlinked
  r9 |= r0
.endif
  r0 = r9
  exit
hidden:
  ; a dentry that is its own parent below no mount root: a pipe, a socket, a memfd have no path
  r1 = *(u64 *)(r10 - 120)
  r2 = offsetof(mount.mnt)
  r1 -= r2
  *(u64 *)(r10 - 72) = r1
  call mount_ns_kind
  if r0 == 2 goto internal
  r0 = 4 ll
  r0 <<= 32
  r0 |= 1
  exit
internal:
  ; files of the kernel's own file systems have no path; one that a stacked file system keeps to itself has one elsewhere
  r1 = *(u64 *)(r10 - 72)
  r2 = offsetof(mount.mnt)
  r1 += r2
  call mount_is_private
  if r0 != 0 goto fail
absent:
  r0 = 0
  exit
fail:
.if NEED_DELETED
  ; that a file is unlinked is known even where its path is not
  r1 = r6
  call path_unlinked
  r0 |= 1
.else
  r0 = 1
.endif
  exit

; Whether a name is unlinked: not hashed, has an inode, is no root. r1 = dentry -> r0 = flag 1 or 0.
.func path_unlinked global 1
  r6 = r1
  read8 8 dentry.d_hash.pprev linked
  r1 = *(u64 *)(r10 - 8)
  if r1 != 0 goto linked
  read8 8 dentry.d_inode linked
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0 goto linked
  read8 8 dentry.d_parent linked
  r1 = *(u64 *)(r10 - 8)
  if r1 == r6 goto linked
  r0 = 1 ll
  r0 <<= 32
  exit
linked:
  r0 = 0
  exit

; The up to 8 components below index r3 (exclusive, counted from the leaf), in the order of the path.
; r1 = dentry, r2 = vfsmount, r3 = index, r4 = state -> r0 = state, bit 32 decided, bit 33 failed.
.func match_batch global 4
  r6 = r1
  r7 = r2
  r8 = r3
  r9 = r4
  walk_up fail
  r1 = *(u64 *)(r10 - 80)
  if r1 != 1 goto fail
  r1 = *(u64 *)(r10 - 104)
  if r1 != r8 goto fail
  r7 = 8
next:
  r8 += -1
  r1 = r8
  r1 &= 7
  r1 <<= 3
  r2 = r10
  r2 += r1
  r2 = *(u64 *)(r2 - 64)
  r1 = r9
  r3 = r8
  call match_name
  r9 = r0
  r0 >>= 32
  if r0 != 0 goto end
  if r8 == 0 goto end
  r7 += -1
  if r7 != 0 goto next
end:
  r0 = r9
  exit
fail:
  r0 = 1 ll
  r0 <<= 33
  exit

; One component and the slash after it. r1 = state, r2 = dentry, r3 = index (0 is the leaf: no slash)
; -> r0 = state, bit 32 decided, bit 33 failed.
.func match_name global 3
  w8 = w1
  r6 = r2
  *(u64 *)(r10 - 24) = r3
  ; hash and length, then the address of the name
  r1 = r10
  r1 += -16
  r2 = 16
  r3 = offsetof(dentry.d_name)
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto fail
  r7 = *(u64 *)(r10 - 8)
  w9 = *(u32 *)(r10 - 12)
  if r9 == 0 goto fail
  if r9 > 255 goto fail
  r6 = 32
next:
  r1 = r10
  r1 += -16
  r2 = 8
  r3 = r7
  call bpf_probe_read_kernel
  if r0 != 0 goto fail
  r2 = *(u64 *)(r10 - 16)
  if r9 >= 8 goto whole
  r1 = r9
  r1 <<= 3
  r3 = 64
  r3 -= r1
  r3 &= 63
  r2 <<= r3
  r2 >>= r3
whole:
  r1 = r8
  call step8
  w8 = w0
  r0 >>= 32
  if r0 != 0 goto decided
  if r9 <= 8 goto end
  r9 += -8
  r7 += 8
  r6 += -1
  if r6 != 0 goto next
fail:
  r0 = 1 ll
  r0 <<= 33
  exit
end:
  r1 = *(u64 *)(r10 - 24)
  if r1 == 0 goto done
  r1 = r8
  r2 = 47
  call step8
  w8 = w0
  r0 >>= 32
  if r0 != 0 goto decided
done:
  r0 = r8
  exit
decided:
  r0 = 1 ll
  r0 <<= 32
  r0 |= r8
  exit
