; From a dentry and a mount to the class of the path: the fast walk, and who falls back to path_find (walk.s, which says what
; the results mean). Parameters: START_PATH, START_FILE, NEED_DELETED.

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
; not inline, and where the dentry's sequence is not the even one in its slot.
.macro component slot slash seq
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
  w1 = *(u32 *)(r10 - {seq})
  w2 = *(u32 *)(r6 + dentry.d_seq.seqcount.sequence)
  r3 = r1
  r3 &= 1
  r2 ^= r1
  r3 |= r2
  if r3 != 0 goto slow
.endm

; The same by a call: a few instructions more, a tenth to verify.
.macro component_called slot slash seq
  r6 = *(u64 *)(r10 - {slot})
  w9 = *(u32 *)(r6 + dentry.d_name.len)
  if r9 > 31 goto slow
  name_word 0
  r2 = r5
  name_word 1
  r3 = r5
  name_word 2
  r4 = r5
  name_word 3
  r1 = r9
.if {slash}
  r1 |= 256
.endif
  r1 <<= 32
  r1 |= r8
  call step_name
  w8 = w0
  r0 >>= 32
  if r0 != 0 goto decided
  w1 = *(u32 *)(r10 - {seq})
  w2 = *(u32 *)(r6 + dentry.d_seq.seqcount.sequence)
  r3 = r1
  r3 &= 1
  r2 ^= r1
  r3 |= r2
  if r3 != 0 goto slow
.endm

; The fast walk: typed pointers, up to 16 components (12 in most hooks), inline names, below the root of the initial namespace or below the one
; mount of which what is remembered (remember.s) says that it decides alone.
; Every name and parent is believed only if the dentry's sequence is the same after its name was matched: each of them then
; held at the moment when the walk up was at the top; and so did what is remembered, if it still holds at the end. What is
; moved meanwhile is left to path_find.
; r1 = dentry, r2 = vfsmount (0: the hook shows none) -> r0; flag 2 where path_find must decide.
; Stack: 16 slots of dentries at 8..128, their sequences at 132..192, the caller's namespace at 200, the version of what is
; remembered at 208, dentry at 224. r7 is by what the mount is remembered: the vfsmount, or the super block.
; MOUNTLESS: 1 where the hook shows no mount, 2 for the paths by which the initial namespace shows the file (without
; bpf_rdonly_cast all but its own processes are left to path_find).
; PROGRAM: 1 where the path is asked as a program's too.
.macro fast_walk component depth mountless program
  r6 = r1
  r7 = r2
.if NEED_DELETED
  *(u64 *)(r10 - 224) = r6
.endif
.if {mountless} == 2
  ; the initial namespace, whoever asks; without a cast it can be read as the caller's own only
  r0 = exists(kfunc bpf_rdonly_cast)
  if r0 == 0 goto own
  r8 = data control
  r9 = *(u64 *)(r8 + {control_mnt_ns})
  distrust r9 mnt_namespace
  *(u64 *)(r10 - 200) = r9
  r1 = *(u64 *)(r8 + {control_mnt_ns})
  goto remembered
own:
.endif
  current_task
  r9 = *(u64 *)(r0 + task_struct.nsproxy)
  if r9 == 0 goto slow
  r9 = *(u64 *)(r9 + nsproxy.mnt_ns)
  *(u64 *)(r10 - 200) = r9
  r8 = data control
  r1 = *(u64 *)(r8 + {control_mnt_ns})
.if {mountless} == 2
  if r9 != r1 goto slow
.else
  if r9 != r1 goto other
.endif
.if !{mountless}
  r2 = *(u64 *)(r8 + {control_root_mnt})
  if r7 == r2 goto top
.endif
  goto remembered
.if {mountless} != 2
other:
  ; of a namespace that somebody made for himself other names count too
  r2 = *(u64 *)(r9 + mnt_namespace.user_ns)
  if r2 == 0 goto slow
  w2 = *(u32 *)(r2 + user_namespace.level)
  if r2 != 0 goto slow
.endif
remembered:
.if {mountless}
  r7 = *(u64 *)(r6 + dentry.d_sb)
.endif
  r3 = r7
  r2 = r9
  mounts_slot {program}
  mounts_entry r5
  r1 = *(u64 *)(r5 + {mounts_version})
  *(u64 *)(r10 - 208) = r1
  r1 &= 1
  if r1 != 0 goto slow
  r1 = *(u64 *)(r5 + {mounts_keeper})
  if r7 != r1 goto slow
  r1 = *(u64 *)(r5 + {mounts_ns})
  if r9 != r1 goto slow
  r1 = *(u64 *)(r5 + {mounts_event})
  r2 = *(u64 *)(r9 + mnt_namespace.event)
  if r2 != r1 goto slow
  r1 = exists(mnt_namespace.seq)
  if r1 == 0 goto new
  r2 = *(u64 *)(r9 + mnt_namespace.seq)
  goto number
new:
  r2 = *(u64 *)(r9 + mnt_namespace.ns.ns_id)
number:
  r1 = *(u64 *)(r5 + {mounts_number})
  if r2 != r1 goto slow
  r1 = *(u64 *)(r5 + {mounts_fast})
  if r1 == 0 goto slow
  r0 = *(u64 *)(r5 + {mounts_root})
  r8 = *(u64 *)(r5 + {mounts_state})
  ; the name of the mount point itself
  if r6 == r0 goto slow
  if r1 == 1 goto up
.rept i 0 {depth}
  r6 = *(u64 *)(r6 + dentry.d_parent)
  if r6 == r0 goto end
.endr
  goto slow
.if !{mountless}
top:
  r0 = *(u64 *)(r8 + {control_root_top})
.if {program}
  r8 = {START_PATH}
.else
  r8 = {START_FILE}
.endif
  if r6 == r0 goto end
  ; to the verifier this begins like all others
  *(u64 *)(r10 - 208) = r0
  forget r8 r0
.endif
up:
.rept i 0 {depth}
  w1 = *(u32 *)(r6 + dentry.d_seq.seqcount.sequence)
  *(u32 *)(r10 - {4*i+132}) = r1
  *(u64 *)(r10 - {8*i+8}) = r6
  r6 = *(u64 *)(r6 + dentry.d_parent)
  if r6 == r0 goto enter{i}
.endr
  goto slow
.rept j 1 {depth}
enter{depth-j}:
  {component} {8*(depth-j)+8} 1 {4*(depth-j)+132}
.endr
enter0:
  {component} 8 0 132
  goto end
decided:
end:
  class_of_state
  r1 = data control
.if !{mountless}
  r2 = *(u64 *)(r1 + {control_root_mnt})
  if r7 == r2 goto alone
.endif
  r9 = r0
  r1 = *(u64 *)(r1 + {control_mnt_ns})
  r2 = *(u64 *)(r10 - 200)
  r0 = *(u64 *)(r2 + mnt_namespace.event)
  r3 = r7
  mounts_slot {program}
  r8 = r3
  mounts_entry r7
  r1 = *(u64 *)(r7 + {mounts_event})
  if r1 != r0 goto slow
  r1 = *(u64 *)(r7 + {mounts_others})
  if r1 == -1 goto only
  if r1 != r9 goto slow
only:
  r1 = *(u64 *)(r7 + {mounts_links})
  if r1 == 0 goto held
  r1 = r8
  call mounts_hold
  if r0 == 0 goto slow
held:
  r1 = *(u64 *)(r7 + {mounts_version})
  r2 = *(u64 *)(r10 - 208)
  if r1 != r2 goto slow
  r0 = *(u64 *)(r7 + {mounts_flags})
  r0 |= r9
alone:
.if NEED_DELETED
  ; unlinked: not hashed, has an inode, is no root
  r6 = *(u64 *)(r10 - 224)
  r1 = *(u64 *)(r6 + dentry.d_hash.pprev)
  if r1 != 0 goto linked
  r1 = *(u64 *)(r6 + dentry.d_inode)
  if r1 == 0 goto linked
  r1 = *(u64 *)(r6 + dentry.d_parent)
  if r1 == r6 goto linked
  r1 = 1 ll
  r1 <<= 32
  r0 |= r1
linked:
.endif
  exit
slow:
  r0 = 1 ll
  r0 <<= 33
  exit
.endm

; All in one piece.
.func path_fast static 2
  fast_walk component 16 0 0
.func path_called static 2
  fast_walk component_called 12 0 0
; For hooks that show no mount.
.func path_mountless static 2
  fast_walk component_called 12 1 0
; The paths by which the host shows it.
.func path_of_host static 2
  fast_walk component_called 12 2 0
; For those that show what the task runs next.
.func path_of_program static 2
  fast_walk component_called 12 0 1

; r0 = class and flags of the paths of an object; OBJECT is the macro that shows it. Uses r10 - 16, - 104, - 112.
.macro walk_hot object
  {object}
  call path_fast
  r1 = r0
  r1 >>= 33
  r1 &= 1
  if r1 == 0 goto .walked
  {object}
  plain_object
  find_plain 0
.walked:
.endm

; The same, and the object's plain addresses are left at r10 - 104 and r10 - 112; FAST is the fast walk, HOW what path_find is
; told.
.macro walk_object object fast how
  {object}
  plain_object
  r1 = *(u64 *)(r10 - 8)
  r2 = *(u64 *)(r10 - 16)
  call {fast}
  r1 = r0
  r1 >>= 33
  r1 &= 1
  if r1 == 0 goto .walked
  find_plain {how}
.walked:
.endm

; The same without a fast walk, for hooks that are called rarely.
.macro walk_rare object
  {object}
  plain_object
  find_plain 0
.endm

; r0 = the same of the plain addresses at r10 - 104 and r10 - 112.
.macro find_plain how
  r1 = *(u64 *)(r10 - 104)
  r2 = *(u64 *)(r10 - 112)
  r3 = 0
  r4 = {how}
  call path_find
.endm

; A path that could not be computed. Clobbers r1 and r2.
.macro count_failure
  r1 = data stats
  r2 = 1
  lock *(u64 *)(r1 + {stats_failed}) += r2
.endm


; The same by the names that the namespace of the object's own mount has for it, where it is in one.
.macro walk_by_its_mount object
  {object}
  plain_name
  r1 = *(u64 *)(r10 - 112)
  call ns_of_mount
  r3 = r0
  r1 = *(u64 *)(r10 - 104)
  r2 = *(u64 *)(r10 - 112)
  r4 = 0
  call path_find
.endm

; The addresses of an object that is reached by its inode: by a name that is there.
.macro plain_name
  plain_object
  r1 = *(u64 *)(r10 - 104)
  call name_left
  *(u64 *)(r10 - 104) = r0
.endm

; r0 = class and flags of the paths by which the host shows the object of these addresses.
.macro walk_for_host how
  r1 = *(u64 *)(r10 - 104)
  r2 = *(u64 *)(r10 - 112)
  r3 = 0
  r4 = {how|1}
  call path_find
.endm

; The same; OBJECT is the macro that shows it.
.macro walk_for_host_fast object
  {object}
  r2 = 0
  call path_of_host
  r1 = r0
  r1 >>= 33
  r1 &= 1
  if r1 == 0 goto .walked
  walk_for_host 0
.walked:
.endm

; Goes on where the paths of an object have several classes (flag 4), to be judged in a turn for each further one; else to \single.
.macro several_paths single
  r1 = *(u64 *)(r10 - 88)
  r1 >>= 34
  r1 &= 1
  if r1 == 0 goto {single}
.endm

; The same where the host's paths are asked too: a turn for each further pair.
.macro several_classes single
  r1 = *(u64 *)(r10 - 88)
  r2 = *(u64 *)(r10 - 96)
  r1 |= r2
  r1 >>= 34
  r1 &= 1
  if r1 == 0 goto {single}
.endm

; r0 = the same class and flags without flag 4. Clobbers r1.
.macro single_of_several
  r1 = 4 ll
  r1 <<= 32
  r1 ^= -1
  r0 &= r1
.endm

; A turn of FUNCTION for each further class.
.macro several_turns function
  r1 = {WALK_CLASSES*WALK_CLASSES}
  r2 = func {function}
  r3 = r10
  r4 = 0
  call bpf_loop
.endm

; Begins a turn: r1 = its number, r2 = the program's stack. r7 = that stack with the next class at 88; else ends.
.macro next_path
  r6 = r1
  r9 = r2
  call bpf_get_current_task
  r8 = r0
  record_of_task over
  r6 += 1
  w1 = *(u32 *)(r7 + {record_paths})
  if r6 >= r1 goto over
  class_in_list r6 {record_classes} 88
  r7 = r9
.endm

; The same for pairs: the host's classes go round fastest.
.macro next_classes
  r6 = r1
  r9 = r2
  call bpf_get_current_task
  r8 = r0
  record_of_task over
  r6 += 1
  r1 = *(u64 *)(r9 - 96)
  r1 >>= 34
  r1 &= 1
  r3 = 1
  if r1 == 0 goto .hosts
  w3 = *(u32 *)(r7 + {record_hosts})
  if r3 == 0 goto over
.hosts:
  r2 = r6
  r2 /= r3
  r4 = r2
  r4 *= r3
  r6 -= r4
  r4 = *(u64 *)(r9 - 88)
  r4 >>= 34
  r4 &= 1
  r3 = 1
  if r4 == 0 goto .paths
  w3 = *(u32 *)(r7 + {record_paths})
.paths:
  if r2 >= r3 goto over
  if r1 == 0 goto .one_host
  class_in_list r6 {record_host_classes} 96
.one_host:
  if r4 == 0 goto .one_path
  class_in_list r2 {record_classes} 88
.one_path:
  r7 = r9
.endm

; The low half of the slot of the program's stack at r9 = entry INDEX (a register) of a list of the record at r7.
.macro class_in_list index list slot
  r5 = {index}
  if r5 >= {WALK_CLASSES} goto over
  r5 <<= 2
  r3 = r7
  r3 += r5
  w5 = *(u32 *)(r3 + {list})
  *(u32 *)(r9 - {slot}) = r5
.endm

; Ends a turn, and the function: \over ends all turns, \bad is that of the program.
.macro further_end
  r0 = 0
  exit
bad:
  r1 = data stats
  r2 = 1
  lock *(u64 *)(r1 + {stats_failed}) += r2
  r1 = 1
  forget r1 r8
  *(u32 *)(r7 - 80) = r1
over:
  r0 = 1
  exit
.endm
