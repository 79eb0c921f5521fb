; The paths of a file: plain addresses, any mounts, any depth, any names. Each walk takes one of its processor's scratches,
; which are as many as walks there that other tasks may have interrupted. Where more did, a walk takes `owner` of the last
; scratch away from the one at work there, and what that found is thrown away.
; Parameters: START_PATH, START_FILE, NEED_DELETED.
; Results of every walk, path_fast's included: low half the class (0 absent or no set, 1 FAIL), high half flags:
;   1 unlinked, 2 ask path_find, 4 there are more classes (in the task's record), 8 a namespace that the initial user
;   namespace does not own had a say, 16 another mount than the hook's shows the file.

; Places of a chain: most components of a path, and of the mount points above a mount that are kept.
.set WALK_PATH 2048
.set WALK_ABOVE 256
.set WALK_SLOTS 2304
; Most steps of a walk: deeper files fail.
.set WALK_STEPS 16384
; Most words of names that are matched; longer paths fail where so much does not decide them.
.set WALK_WORDS 32768
; Most classes that the paths of a file may have.
.set WALK_CLASSES 8
; Rounds of a walk: one for the file and one for each name in a layer; where a rename came between it begins anew, and goes
; link by link in the last five, and as soon as so many components were matched.
.set WALK_ROUNDS 8
.set WALK_STRICT 5
.set WALK_ANEW 4096
; How often it looks again at a name that is being moved.
.set WALK_PATIENCE 8192

; Scratches of a processor; see also codegen/data.rs.
.set WALK_SCRATCHES 8

; r7 = this processor's scratch of number \which, a register, also at r10 - 24; or goes to \none. Clobbers r0-r5 and r10 - 8.
.macro scratch which none
  *(u32 *)(r10 - 8) = {which}
  r1 = map scratch
  r2 = r10
  r2 += -8
  call bpf_map_lookup_elem
  if r0 == 0 goto {none}
  r7 = r0
  *(u64 *)(r10 - 24) = r7
.endm

; Begins a walk in scratch r5, for the arguments of path_find -> r0 = what says that the scratch is this walk's.
.func walk_begin global 5
  *(u64 *)(r10 - 32) = r1
  *(u64 *)(r10 - 40) = r2
  *(u64 *)(r10 - 48) = r3
  *(u64 *)(r10 - 56) = r4
  r6 = r5
  scratch r5 none
  *(u64 *)(r7 + {walk_which}) = r6
  r1 = 1
  r1 = atomic_fetch_add((u64 *)(r7 + {walk_claims}), r1)
  r1 += 1
  *(u64 *)(r7 + {walk_owner}) = r1
  r9 = r1
  r1 = *(u64 *)(r10 - 32)
  *(u64 *)(r7 + {walk_object}) = r1
  *(u64 *)(r7 + {walk_file}) = r1
  r1 = *(u64 *)(r10 - 40)
  *(u64 *)(r7 + {walk_vfs}) = r1
  r1 = *(u64 *)(r10 - 56)
  r1 >>= 3
  r1 &= 1
  *(u64 *)(r7 + {walk_program}) = r1
  r2 = {START_FILE}
  if r1 == 0 goto started
  r2 = {START_PATH}
started:
  *(u64 *)(r7 + {walk_start}) = r2
  r1 = *(u64 *)(r10 - 56)
  r2 = r1
  r2 &= 2
  r1 >>= 4
  if r2 != 0 goto wanted
  r1 = -1
wanted:
  *(u64 *)(r7 + {walk_wanted}) = r1
  *(u64 *)(r7 + {walk_depth}) = -1
  *(u64 *)(r7 + {walk_found}) = 0
  *(u64 *)(r7 + {walk_seen}) = 0
  *(u64 *)(r7 + {walk_mounted}) = 0
  *(u64 *)(r7 + {walk_visits}) = 0
  *(u64 *)(r7 + {walk_shown}) = 0
  *(u64 *)(r7 + {walk_changed}) = 0
  *(u64 *)(r7 + {walk_foreign}) = 0
  *(u64 *)(r7 + {walk_outside}) = 0
  *(u64 *)(r7 + {walk_sb}) = 0
  *(u64 *)(r7 + {walk_here}) = 0
  *(u64 *)(r7 + {walk_lead}) = 0
  *(u64 *)(r7 + {walk_exact}) = 0
  ; whose paths?
  r1 = data control
  r2 = *(u64 *)(r1 + {control_mnt_ns})
  *(u64 *)(r7 + {walk_caller}) = r2
  r1 = *(u64 *)(r10 - 56)
  r1 &= 1
  if r1 != 0 goto mounted
  r1 = *(u64 *)(r10 - 48)
  if r1 != 0 goto given
  call bpf_get_current_task
  r6 = r0
  read8 8 task_struct.nsproxy mounted
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto mounted
  read8 8 nsproxy.mnt_ns mounted
  r1 = *(u64 *)(r10 - 8)
given:
  *(u64 *)(r7 + {walk_caller}) = r1
  r8 = *(u64 *)(r7 + {walk_caller})
  r1 = data control
  r1 = *(u64 *)(r1 + {control_mnt_ns})
  if r8 == r1 goto mounted
  r1 = r8
  call ns_owned
  if r0 != 0 goto mounted
  *(u64 *)(r7 + {walk_foreign}) = 1
mounted:
  ; the namespace of the mount that the hook shows
  *(u64 *)(r7 + {walk_its_ns}) = 0
  r6 = *(u64 *)(r10 - 40)
  if r6 == 0 goto end
  r1 = offsetof(mount.mnt)
  r6 -= r1
  read8 8 mount.mnt_ns end
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_its_ns}) = r1
end:
  r0 = r9
  exit
none:
  r0 = 0
  exit

; What path_find keeps on its stack, below r10 - KEPT: the class and flags, the vfsmount that was asked for, whether the scratch was
; free, its number, the token that says that it is this walk's, then the arguments from the last to the first, and the scratch.
.set KEPT 96
.set KEPT_CLASS 0
.set KEPT_SHOWN 8
.set KEPT_FREE 16
.set KEPT_WHICH 24
.set KEPT_TOKEN 32
.set KEPT_HOW 40
.set KEPT_NS 48
.set KEPT_MOUNT 56
.set KEPT_DENTRY 64
.set KEPT_SCRATCH 72

; One round of a walk: the names of walk_file by the namespaces that count. r1 = turn, r2 = address of what path_find keeps
; -> r0 = 1 at the end.
.func walk_round static 2
  r6 = r2
  r7 = *(u64 *)(r6 + {KEPT_SCRATCH})
  r9 = *(u64 *)(r6 + {KEPT_HOW})
  r2 = 0
  if r1 > {WALK_ROUNDS-WALK_STRICT-1} goto loose
  r2 = 1
loose:
  *(u64 *)(r7 + {walk_strict}) = r2
  r1 = *(u64 *)(r7 + {walk_layers})
  r2 = *(u64 *)(r7 + {walk_nameless})
  r1 |= r2
  if r1 != 0 goto known
  ; from the beginning
  r1 = *(u64 *)(r6 + {KEPT_DENTRY})
  r2 = *(u64 *)(r6 + {KEPT_MOUNT})
  r3 = *(u64 *)(r6 + {KEPT_NS})
  r4 = r9
  r5 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_begin
  *(u64 *)(r6 + {KEPT_TOKEN}) = r0
known:
  r8 = *(u64 *)(r7 + {walk_caller})
  r1 = *(u64 *)(r7 + {walk_layers})
  if r1 != 0 goto listed
  ; the host's paths are all by which it shows the file, however that was reached
  r1 = r9
  r1 &= 1
  if r1 != 0 goto listed
  r1 = *(u64 *)(r7 + {walk_its_ns})
  if r1 != r8 goto listed
  r1 = *(u64 *)(r7 + {walk_nameless})
  if r1 == 0 goto by_it
  r1 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_shows_all
  if r0 == 0 goto listed
by_it:
  r1 = r8
  r2 = *(u64 *)(r7 + {walk_vfs})
  r3 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_shown
  *(u64 *)(r7 + {walk_exact}) = r0
  if r0 != 0 goto own
listed:
  r1 = r8
  r2 = 0
  r3 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_shown
  ; what has no name yet may be below a mount that only another namespace has
  r1 = *(u64 *)(r7 + {walk_nameless})
  if r1 != 0 goto others
  r1 = *(u64 *)(r7 + {walk_found})
  if r1 != 0 goto own
others:
  r1 = r9
  r1 &= 1
  if r1 != 0 goto own
  ; the namespace that the file's mount is in, if it is in one
  r1 = *(u64 *)(r7 + {walk_its_ns})
  if r1 == r8 goto initial
  call ns_kind
  if r0 != 1 goto initial
  r1 = *(u64 *)(r7 + {walk_its_ns})
  r2 = *(u64 *)(r7 + {walk_vfs})
  r3 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_shown
  *(u64 *)(r7 + {walk_exact}) = r0
  if r0 == 0 goto initial
  r1 = *(u64 *)(r7 + {walk_its_ns})
  call ns_owned
  if r0 != 0 goto theirs
  r1 = *(u64 *)(r7 + {walk_foreign})
  r1 |= 2
  *(u64 *)(r7 + {walk_foreign}) = r1
theirs:
  r1 = *(u64 *)(r7 + {walk_nameless})
  if r1 == 0 goto own
initial:
  r1 = data control
  r1 = *(u64 *)(r1 + {control_mnt_ns})
  if r1 == r8 goto own
  r2 = 0
  r3 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_shown
  *(u64 *)(r7 + {walk_outside}) = r0
own:
  ; a namespace of a user's own making gives no file another name than it has outside
  r1 = *(u64 *)(r7 + {walk_foreign})
  if r1 == 0 goto judged
  r1 &= 1
  if r1 == 0 goto last
  call ns_before
  r1 = r0
  if r1 == 0 goto last
  r2 = 0
  r3 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_shown
  r1 = *(u64 *)(r7 + {walk_outside})
  r1 |= r0
  *(u64 *)(r7 + {walk_outside}) = r1
  if r1 != 0 goto judged
last:
  r1 = data control
  r1 = *(u64 *)(r1 + {control_mnt_ns})
  if r1 == r8 goto judged
  r2 = 0
  r3 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_shown
  r1 = *(u64 *)(r7 + {walk_outside})
  r1 |= r0
  *(u64 *)(r7 + {walk_outside}) = r1
judged:
  r1 = *(u64 *)(r7 + {walk_changed})
  if r1 != 0 goto anew
  r1 = *(u64 *)(r7 + {walk_nameless})
  if r1 != 0 goto named
  ; a file of a stacked file system that a user mounted has the names of what it is made from too
  r1 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_layer
  if r0 != 0 goto further
named:
  r1 = *(u64 *)(r7 + {walk_found})
  if r1 != 0 goto some
  r1 = r9
  r1 &= 1
  if r1 != 0 goto unshown
  r1 = *(u64 *)(r7 + {walk_nameless})
  if r1 != 0 goto unshown
  ; a file that was opened by its handle: by the name that it has
  r1 = *(u64 *)(r6 + {KEPT_DENTRY})
  call walk_alias
  if r0 != 0 goto alias
  r1 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_is_nameless
  *(u64 *)(r7 + {walk_nameless}) = r0
  if r0 != 0 goto further
unshown:
  r1 = *(u64 *)(r6 + {KEPT_WHICH})
  r2 = r9
  r2 &= 1
  call walk_unshown
  if r0 == -1 goto absent
  goto add
some:
  ; what only namespaces of users' own making show has no name outside, and that counts as well
  r1 = *(u64 *)(r7 + {walk_foreign})
  if r1 == 0 goto told
  r1 = *(u64 *)(r7 + {walk_outside})
  if r1 != 0 goto told
  r1 = r9
  r1 &= 1
  if r1 != 0 goto told
  *(u64 *)(r7 + {walk_mounted}) = 0
  r1 = *(u64 *)(r6 + {KEPT_WHICH})
  r2 = 0
  call walk_unshown
  if r0 != -1 goto add
  r0 = 0
add:
  r1 = r0
  r2 = *(u64 *)(r6 + {KEPT_WHICH})
  call class_found
told:
  r1 = r9
  r2 = *(u64 *)(r6 + {KEPT_WHICH})
  call walk_result
  r1 = *(u64 *)(r7 + {walk_shown})
  goto result
absent:
  r0 = 0
  r1 = 0
result:
  *(u64 *)(r6 + {KEPT_SHOWN}) = r1
  ; was the scratch ours all the time?
  r8 = 1
  r1 = *(u64 *)(r7 + {walk_owner})
  r2 = *(u64 *)(r6 + {KEPT_TOKEN})
  if r1 == r2 goto ours
  r8 = 0
  r0 = 1
ours:
  *(u64 *)(r6 + {KEPT_CLASS}) = r0
  if r8 == 0 goto anew
  goto end
alias:
  *(u64 *)(r6 + {KEPT_DENTRY}) = r0
anew:
  *(u64 *)(r7 + {walk_nameless}) = 0
  *(u64 *)(r7 + {walk_layers}) = 0
further:
  r0 = 0
  exit
end:
  r0 = 1
  exit

; r1 = dentry, r2 = vfsmount (0: the hook shows none), r3 = the subject's mount namespace (0: the current task's),
; r4: bit 0 set for the paths of the host instead of the subject's; bit 1 set to ask for the mount by which the class in the
; bits from 4 (all ones: any) was found: then the result is the address of its vfsmount (0 for none); bit 2 set to ask for the
; class and trust of a program; bit 3 set where sets that are asked of programs count.
.func path_find global 4
  *(u64 *)(r10 - {KEPT-KEPT_DENTRY}) = r1
  *(u64 *)(r10 - {KEPT-KEPT_MOUNT}) = r2
  *(u64 *)(r10 - {KEPT-KEPT_NS}) = r3
  *(u64 *)(r10 - {KEPT-KEPT_HOW}) = r4
  *(u64 *)(r10 - {KEPT-KEPT_SHOWN}) = 0
  *(u64 *)(r10 - {KEPT-KEPT_CLASS}) = 1
  r8 = 0
.rept k 0 WALK_SCRATCHES
  r6 = {k}
  scratch r6 left
  r1 = 1
  r1 = xchg_64(r7 + {walk_busy}, r1)
  if r1 == 0 goto free
.endr
  goto taken
free:
  r8 = 1
taken:
  ; which one it is makes no difference to the verifier, nor what the rounds leave
  r1 = *(u64 *)(r7 + {walk_claims})
  r2 = 1
  r3 = 0
  forget r2 r1
  forget r3 r1
  forget r6 r1
  forget r8 r1
  *(u64 *)(r10 - {KEPT-KEPT_TOKEN}) = r1
  *(u64 *)(r10 - {KEPT-KEPT_WHICH}) = r6
  *(u64 *)(r10 - {KEPT-KEPT_FREE}) = r8
  *(u64 *)(r10 - {KEPT-KEPT_SHOWN}) = r3
  *(u64 *)(r10 - {KEPT-KEPT_CLASS}) = r2
  *(u64 *)(r7 + {walk_patience}) = {WALK_PATIENCE}
  *(u64 *)(r7 + {walk_worked}) = 0
  *(u64 *)(r7 + {walk_nameless}) = 0
  *(u64 *)(r7 + {walk_layers}) = 0
  r1 = {WALK_ROUNDS}
  r2 = func walk_round
  r3 = r10
  r3 += -{KEPT}
  r4 = 0
  call bpf_loop
  r1 = *(u64 *)(r10 - {KEPT-KEPT_FREE})
  if r1 == 0 goto left
  *(u64 *)(r7 + {walk_busy}) = 0
left:
  r6 = *(u64 *)(r10 - {KEPT-KEPT_CLASS})
  r1 = *(u64 *)(r10 - {KEPT-KEPT_HOW})
  r1 &= 2
  if r1 != 0 goto mount
  w1 = w6
  if r1 != 1 goto end
  count_failure
end:
.if NEED_DELETED
  r1 = *(u64 *)(r10 - {KEPT-KEPT_DENTRY})
  call path_unlinked
  r6 |= r0
.endif
  r0 = r6
  exit
mount:
  r0 = *(u64 *)(r10 - {KEPT-KEPT_SHOWN})
  exit
