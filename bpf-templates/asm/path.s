; The path automaton: from a dentry and a mount to the class of the path, see ARCHITECTURE.md "The event path".
; Tables: bytes, steps. Parameters: BYTES_MASK, STEPS_SHIFT, START_PATH, NEED_DELETED.
; Results of every function here: low half the class (0 absent or no set, 1 FAIL), high half flags:
;   1 unlinked, 2 try again (a rename came between), 4 the mount does not show the file.

; One word of 1 to 8 bytes, zero-padded, byte by byte.
; r1 = state, r2 = word -> r0 = state, bit 32 set where nothing that follows can change the class.
.func step8 global 2
  w1 = w1
.rept k 0 8
  r3 = r1
  r3 &= {BYTES_MASK}
  r4 = data bytes
  r4 += r3
  r3 = r2
  r3 &= 255
  if r3 == 0 goto over
  r3 <<= 3
  r3 += r1
  r3 &= {BYTES_MASK}
  r5 = data bytes
  r5 += r3
  r5 = *(u64 *)(r5 + 0)
  w0 = w5
  if r0 == r1 goto .own
  ; no entry of this state: what its info says
  r5 = *(u64 *)(r4 + 0)
  r0 = r5
  r0 &= 3
  r5 >>= 32
  if r0 == 0 goto dead
  if r0 == 1 goto decided
  r1 = r5
  if r0 == 3 goto .skip
  goto .next
.skip:
  ; nothing before a slash changes the state: what is left of the word is its slash, if it has one (it is the last byte)
  r2 >>= 8
  r3 = 0x2f2f2f2f2f2f2f2f ll
  r3 ^= r2
  r0 = 0x0101010101010101 ll
  r5 = r3
  r5 -= r0
  r3 ^= -1
  r5 &= r3
  r0 <<= 7
  r5 &= r0
  if r5 == 0 goto over
  r2 = 0x2f00
  goto .next
.own:
  r5 >>= 32
  r1 = r5
  if r1 == 0 goto dead
.next:
  r2 >>= 8
.endr
over:
  r3 = r1
  r3 &= {BYTES_MASK}
  r4 = data bytes
  r4 += r3
  r5 = *(u64 *)(r4 + 0)
  r5 &= 3
  r0 = r1
  if r5 == 1 goto decided
  exit
dead:
  r1 = 0
decided:
  r0 = 1 ll
  r0 <<= 32
  r0 |= r1
  exit

; r8 = state after the word r5; jumps to `decided` where the class is certain. Clobbers r0-r5.
.macro step_word
  r1 = r5
  r1 ^= r8
  r2 = 0x9E3779B97F4A7C15 ll
  r2 *= r1
  r2 >>= {STEPS_SHIFT}
  r2 <<= 4
  r3 = data steps
  r3 += r2
  r2 = *(u64 *)(r3 + 0)
  if r2 != r5 goto .second
  w0 = *(u32 *)(r3 + 8)
  if r0 == r8 goto .hit
.second:
  r2 = 0xD6E8FEB86659FD93 ll
  r2 *= r1
  r2 >>= {STEPS_SHIFT}
  r2 <<= 4
  r3 = data steps
  r3 += r2
  r2 = *(u64 *)(r3 + 0)
  if r2 != r5 goto .miss
  w0 = *(u32 *)(r3 + 8)
  if r0 == r8 goto .hit
.miss:
  r1 = r8
  r2 = r5
  call step8
  w8 = w0
  r0 >>= 32
  if r0 != 0 goto decided
  goto .done
.hit:
  w8 = *(u32 *)(r3 + 12)
.done:
.endm

; r8 = state after `/`.
.macro step_slash
  r1 = r8
  r1 += 376
  r1 &= {BYTES_MASK}
  r2 = data bytes
  r2 += r1
  r1 = *(u64 *)(r2 + 0)
  w2 = w1
  if r2 != r8 goto .miss
  r1 >>= 32
  r8 = r1
  if r8 == 0 goto decided
  goto .done
.miss:
  r1 = r8
  r2 = 47
  call step8
  w8 = w0
  r0 >>= 32
  if r0 != 0 goto decided
.done:
.endm

; r0 = class of state r8.
.macro class_of_state
  r1 = r8
  r1 &= {BYTES_MASK}
  r2 = data bytes
  r2 += r1
  w0 = *(u32 *)(r2 + 0)
  w0 &= 0x7fffffff
  w0 >>= 2
.endm

; r5 = bytes 8k to 8k+7 of the inline name of dentry r6 (d_iname became d_shortname in 6.18).
.macro name_word k
  r1 = exists(dentry.d_iname)
  if r1 == 0 goto .new
  r5 = *(u64 *)(r6 + dentry.d_iname[{8*k}])
  goto .have
.new:
  r5 = *(u64 *)(r6 + dentry.d_shortname.string[{8*k}])
.have:
.endm

; r8 = state after the name of the dentry in the slot and, if SLASH, the `/` after it; jumps to `slow` for names that are
; not inline.
.macro component slot slash
  r6 = *(u64 *)(r10 - {slot})
  w9 = *(u32 *)(r6 + dentry.d_name.len)
  if r9 > 31 goto slow
.rept k 0 4
  name_word {k}
  if r9 >= 8 goto .whole
  ; The zero that ends the name stays, and becomes the slash; the bytes beyond it go: shifts by 56-8n, taken modulo 64,
  ; and by r4, which x86 shifts by without moving it.
  r4 = -1
  r4 -= r9
  r4 <<= 3
  r5 <<= r4
.if {slash}
  r3 = 0x2f00000000000000 ll
  r5 |= r3
.endif
  r5 >>= r4
  step_word
  goto .end
.whole:
  step_word
.if {slash}
  if r9 == 8 goto .full
.else
  if r9 == 8 goto .end
.endif
  r9 += -8
.endr
.if {slash}
.full:
  step_slash
.endif
.end:
.endm

; The fast walk: typed pointers, one mount that is the root of its namespace, up to 16 components, inline names.
; r1 = dentry, r2 = vfsmount -> r0; flag 2 where the slow walk must decide.
; Stack: 16 slots of dentries at 8..128, rename_lock's sequence at 136, scratch at 144..160.
.func path_fast static 2
  r6 = r1
  r7 = r2
.if NEED_DELETED
  *(u64 *)(r10 - 160) = r6
.endif
  r8 = data control
  r3 = *(u64 *)(r8 + {control_rename_lock})
  r1 = r10
  r1 += -136
  r2 = 4
  call bpf_probe_read_kernel
  if r0 != 0 goto slow
  w1 = *(u32 *)(r10 - 136)
  w1 &= 1
  if w1 != 0 goto slow
  r1 = *(u64 *)(r8 + {control_root_mnt})
  if r7 == r1 goto top
  *(u64 *)(r10 - 144) = r7
  r1 = r10
  r1 += -152
  r2 = 8
  r3 = r10
  r3 += -144
  call bpf_probe_read_kernel
  if r0 != 0 goto slow
  r1 = *(u64 *)(r10 - 152)
  call mount_is_root
  if r0 == 0 goto slow
top:
  r0 = *(u64 *)(r7 + vfsmount.mnt_root)
  r8 = {START_PATH}
  if r6 == r0 goto end
.rept i 0 16
  *(u64 *)(r10 - {8*i+8}) = r6
  r6 = *(u64 *)(r6 + dentry.d_parent)
  if r6 == r0 goto enter{i}
.endr
  goto slow
.rept j 0 15
enter{15-j}:
  component {8*(15-j)+8} 1
.endr
enter0:
  component 8 0
  goto end
decided:
end:
  class_of_state
  r9 = r0
.if NEED_DELETED
  ; unlinked: not hashed, has an inode, is no root
  r6 = *(u64 *)(r10 - 160)
  r1 = *(u64 *)(r6 + dentry.d_hash.pprev)
  if r1 != 0 goto linked
  r1 = *(u64 *)(r6 + dentry.d_inode)
  if r1 == 0 goto linked
  r1 = *(u64 *)(r6 + dentry.d_parent)
  if r1 == r6 goto linked
  r1 = 1 ll
  r1 <<= 32
  r9 |= r1
linked:
.endif
  r8 = data control
  r3 = *(u64 *)(r8 + {control_rename_lock})
  r1 = r10
  r1 += -144
  r2 = 4
  call bpf_probe_read_kernel
  if r0 != 0 goto slow
  w1 = *(u32 *)(r10 - 136)
  w2 = *(u32 *)(r10 - 144)
  if r1 != r2 goto slow
  r0 = r9
  exit
slow:
  r0 = 1 ll
  r0 <<= 33
  exit

; Whether a mount is the root of a mount namespace: nothing visible stands above it.
; r1 = address of a vfsmount -> r0 = 1 or 0.
.func mount_is_root global 1
  r2 = offsetof(mount.mnt)
  r1 -= r2
  r6 = r1
  read8 8 mount.mnt_parent no
  r7 = *(u64 *)(r10 - 8)
  if r7 == r6 goto own
  ; the initial namespace keeps an empty rootfs below its root
  read8 8 mount.mnt_mountpoint no
  r8 = *(u64 *)(r10 - 8)
  r9 = r6
  r6 = r7
  read8 8 mount.mnt_parent no
  r1 = *(u64 *)(r10 - 8)
  if r1 != r6 goto no
  read8 8 mount.mnt.mnt_root no
  r1 = *(u64 *)(r10 - 8)
  if r1 != r8 goto no
  r6 = r9
own:
  r1 = r6
  call mount_ns_kind
  if r0 != 1 goto no
  r0 = 1
  exit
no:
  r0 = 0
  exit

; What kind of namespace a mount is in. r1 = address of a struct mount
; -> r0 = 0 detached or anonymous, 1 an ordinary namespace, 2 internal to the kernel.
.func mount_ns_kind global 1
  r6 = r1
  read8 8 mount.mnt_ns none
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto none
  r1 = r6
  r1 += 4096
  if r1 <= 4096 goto internal
  r7 = data control
  r7 = *(u64 *)(r7 + {control_mnt_ns})
  if r6 == r7 goto ordinary
  ; an anonymous namespace has no sequence number (6.18: no id)
  r1 = exists(mnt_namespace.seq)
  if r1 == 0 goto new
  read8 8 mnt_namespace.seq none
  goto have
new:
  ; since 7.x it has an id and a number of its own instead (MNT_NS_ANON_INO)
  *(u64 *)(r10 - 8) = 0
  r1 = r10
  r1 += -8
  r2 = 4
  r3 = offsetof(mnt_namespace.ns.inum)
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto none
  w1 = *(u32 *)(r10 - 8)
  w2 = 0xEFFFFFF7
  if r1 == r2 goto none
  read8 8 mnt_namespace.ns.ns_id none
have:
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0 goto none
ordinary:
  r0 = 1
  exit
internal:
  r0 = 2
  exit
none:
  r0 = 0
  exit

; Whether a mount is a stacked file system's private view of another one: internal to the kernel, though user space can
; mount such a file system. r1 = address of a vfsmount -> r0 = 1 or 0, 2 where it cannot be read.
.func mount_is_private global 1
  r2 = offsetof(mount.mnt)
  r1 -= r2
  r7 = r1
  call mount_ns_kind
  if r0 != 2 goto no
  r6 = r7
  read8 8 mount.mnt.mnt_sb unreadable
  r6 = *(u64 *)(r10 - 8)
  read8 8 super_block.s_flags unreadable
  r1 = *(u64 *)(r10 - 8)
  ; SB_NOUSER: pipes, sockets, memory without a name
  r1 >>= 31
  r1 &= 1
  if r1 != 0 goto no
  ; message queues and huge pages have mounts inside and outside of namespaces
  read8 8 super_block.s_magic unreadable
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0x19800202 goto no
  r2 = 0x958458f6 ll
  if r1 == r2 goto no
  r0 = 1
  exit
no:
  r0 = 0
  exit
unreadable:
  r0 = 2
  exit

; *(r10 - at) = the 8 bytes of a field of the object at address r6; jumps to fail. Clobbers r0-r5.
.macro read8 at field fail
  r1 = r10
  r1 += -{at}
  r2 = 8
  r3 = offsetof({field})
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto {fail}
.endm

; *(u32 *)(r10 - at) = sequence of rename_lock. Clobbers r0-r5.
.macro rename_sequence at fail
  r1 = data control
  r3 = *(u64 *)(r1 + {control_rename_lock})
  r1 = r10
  r1 += -{at}
  r2 = 4
  call bpf_probe_read_kernel
  if r0 != 0 goto {fail}
.endm

; The slow walk: plain addresses, any mounts, any depth, any names.
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

; r0 = class and flags of the path of an object; OBJECT is the macro that shows it. Uses r10 - 16, - 104, - 112.
.macro walk_object object
  {object}
  call path_fast
  r1 = r0
  r1 >>= 33
  if r1 == 0 goto .walked
  {object}
  plain_object
  r1 = *(u64 *)(r10 - 104)
  r2 = *(u64 *)(r10 - 112)
  call path_slow
  r1 = r0
  r1 >>= 34
  if r1 == 0 goto .walked
  count_failure
.walked:
.endm

; A path that could not be computed. Clobbers r1 and r2.
.macro count_failure
  r1 = data stats
  r2 = 1
  lock *(u64 *)(r1 + {stats_failed}) += r2
.endm

; r1 = class and flags of the path of an object, walked once for each place (distance of its stack slot).
.macro class_of_object place object
  r1 = *(u64 *)(r10 - {place})
  if r1 != -1 goto .have
  walk_object {object}
  *(u64 *)(r10 - {place}) = r0
  r1 = r0
.have:
.endm
