; From a dentry and a mount to the class of the path: the fast walk, and who falls back to the slow one (slow.s).
; Parameters: START_PATH, NEED_DELETED.
; Results of every walk: low half the class (0 absent or no set, 1 FAIL), high half flags:
;   1 unlinked, 2 try again (a rename came between), 4 the mount does not show the file.

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
