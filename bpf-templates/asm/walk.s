; The paths of a file: plain addresses, any mounts, any depth, any names. Each walk takes one of its processor's scratches,
; which are as many as walks there that other tasks may have interrupted. Where more did, a walk takes `owner` of the last
; scratch away from the one at work there, and what that found is thrown away.
; Parameters: START_PATH, NEED_DELETED.
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
; link by link in the last seven.
.set WALK_ROUNDS 12
.set WALK_STRICT 3
; How often it looks again at a name that is being moved.
.set WALK_PATIENCE 16384

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

; One step up. r2 = address of the scratch's address -> r0 = 1 to end.
; State in the scratch: at (dentry), mount (vfsmount, 0: stay in the file system), top (its root), index (components so far,
; from the leaf), end (0 on the way, 1 at the top of the mounts, 2 unreadable, 3 at a root of the file system).
.func climb_step static 2
  r7 = *(u64 *)(r2 + 0)
  r6 = *(u64 *)(r7 + {walk_at})
  r1 = *(u64 *)(r7 + {walk_top})
  if r1 == r6 goto crossing
  ; sequence and parent lie together at the beginning of a dentry
  r1 = r10
  r1 += -32
  r2 = 32
  r3 = offsetof(dentry.d_flags)
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto unreadable
  r1 = r10
  r1 += -32
  r2 = offsetof(dentry.d_seq.seqcount.sequence)
  r3 = offsetof(dentry.d_flags)
  r2 -= r3
  r1 += r2
  w9 = *(u32 *)(r1 + 0)
  r1 = r10
  r1 += -32
  r2 = offsetof(dentry.d_parent)
  r3 = offsetof(dentry.d_flags)
  r2 -= r3
  r1 += r2
  r8 = *(u64 *)(r1 + 0)
  if r8 == r6 goto summit
  r3 = *(u64 *)(r7 + {walk_index})
  chain_place r3
  if r1 >= {WALK_SLOTS} goto unreadable
  r3 += 1
  *(u64 *)(r7 + {walk_index}) = r3
  r2 = r1
  r2 <<= 3
  r3 = r7
  r3 += r2
  *(u64 *)(r3 + {walk_dentries}) = r6
  r1 <<= 2
  r3 = r7
  r3 += r1
  *(u32 *)(r3 + {walk_seqs}) = r9
  *(u64 *)(r7 + {walk_at}) = r8
  goto more
crossing:
  r6 = *(u64 *)(r7 + {walk_mount})
  r1 = offsetof(mount.mnt)
  r6 -= r1
  read8 8 mount.mnt_parent unreadable
  r8 = *(u64 *)(r10 - 8)
  if r8 == r6 goto root
  read8 8 mount.mnt_mountpoint unreadable
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_at}) = r1
  r6 = r8
  read8 8 mount.mnt.mnt_root unreadable
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_top}) = r1
  r1 = offsetof(mount.mnt)
  r8 += r1
  *(u64 *)(r7 + {walk_mount}) = r8
more:
  r0 = 0
  exit
root:
  r1 = 1
  goto end
unreadable:
  r1 = 2
  goto end
summit:
  r1 = 3
end:
  *(u64 *)(r7 + {walk_end}) = r1
  r0 = 1
  exit

; Climbs from walk_at, walk_mount and walk_top into the chain that begins at \first with \mask, and of which the first
; components (a number or register) are there. Leaves walk_end, walk_index and walk_low. The scratch is r7, its address at
; r10 - 24. Clobbers r0-r5.
.macro climb first mask components
  r1 = {components}
  *(u64 *)(r7 + {walk_index}) = r1
  r1 = {first}
  *(u64 *)(r7 + {walk_first}) = r1
  r1 = {mask}
  *(u64 *)(r7 + {walk_mask}) = r1
  *(u64 *)(r7 + {walk_end}) = 0
  *(u64 *)(r7 + {walk_low}) = 0
  r1 = {WALK_STEPS}
  r2 = func climb_step
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_loop
  r1 = *(u64 *)(r7 + {walk_index})
  r2 = {mask}
  if r1 <= r2 goto .kept
  r1 -= r2
  r1 += -1
  *(u64 *)(r7 + {walk_low}) = r1
.kept:
.endm

; Adds the class of state walk_state to those that were found; where the walk did not come to a state, FAIL.
; The scratch is r7. Clobbers r0-r5, r8.
.macro add_found
  r8 = *(u64 *)(r7 + {walk_state})
  r1 = *(u64 *)(r7 + {walk_told})
  r0 = 1
  if r1 == 2 goto .class
  class_of_state
.class:
  r1 = r0
  add_class
.endm

; Adds the class in r1. Clobbers r2-r4.
.macro add_class
  ; the mount by which a report names the file
  r2 = *(u64 *)(r7 + {walk_wanted})
  w3 = -1
  if r2 == r3 goto .any
  if r2 != r1 goto .counted
.any:
  r2 = *(u64 *)(r7 + {walk_shown})
  if r2 != 0 goto .counted
  r2 = *(u64 *)(r7 + {walk_here})
  *(u64 *)(r7 + {walk_shown}) = r2
.counted:
  r2 = *(u64 *)(r7 + {walk_found})
.rept k 0 WALK_CLASSES
  if r2 <= {k} goto .new
  w3 = *(u32 *)(r7 + {walk_classes+4*k})
  if r3 == r1 goto .done
.endr
  ; too many to judge each: the last one stands for what could not be
  r1 = 1
  *(u32 *)(r7 + {walk_classes+4*WALK_CLASSES-4}) = r1
  goto .done
.new:
  r3 = r2
  r3 &= {WALK_CLASSES-1}
  r3 <<= 2
  r4 = r7
  r4 += r3
  *(u32 *)(r4 + {walk_classes}) = r1
  r2 += 1
  *(u64 *)(r7 + {walk_found}) = r2
.done:
.endm

; The path by the file's own mount, in the namespace r1, walked in scratch r2 -> r0 = 1 where it has one there, which is added to the found.
.func walk_exact global 2
  r9 = r1
  scratch r2 none
  r1 = *(u64 *)(r7 + {walk_file})
  *(u64 *)(r7 + {walk_at}) = r1
  r6 = *(u64 *)(r7 + {walk_vfs})
  *(u64 *)(r7 + {walk_mount}) = r6
  *(u64 *)(r7 + {walk_here}) = r6
  r1 = r10
  r1 += -8
  r2 = 8
  r3 = offsetof(vfsmount.mnt_root)
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto none
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_top}) = r1
  ; the chain of the file system is gone
  *(u64 *)(r7 + {walk_depth}) = -1
  climb 0 {WALK_PATH-1} 0
  r1 = *(u64 *)(r7 + {walk_end})
  if r1 > 1 goto none
  if r1 == 0 goto deep
  r6 = *(u64 *)(r7 + {walk_mount})
  r1 = offsetof(mount.mnt)
  r6 -= r1
  read8 8 mount.mnt_ns none
  r1 = *(u64 *)(r10 - 8)
  if r1 != r9 goto none
  r5 = *(u64 *)(r7 + {walk_index})
  match_chain 0 {WALK_PATH-1} r5 {START_PATH}
  add_found
  r0 = 1
  exit
deep:
  r1 = 1
  add_class
  r0 = 1
  exit
none:
  r0 = 0
  exit

; What is left to say of a file that no mount shows -> r0 = a class, or all ones: absent. A private procfs is what `/proc`
; would be; what was never looked up from above has no path that could be told. r1 = scratch.
.func walk_unshown global 1
  scratch r1 failed
  r6 = *(u64 *)(r7 + {walk_sb})
  if r6 == 0 goto absent
  r1 = *(u64 *)(r7 + {walk_depth})
  if r1 == -1 goto absent
  read8 8 super_block.s_magic failed
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0x9fa0 goto proc
  r1 = *(u64 *)(r7 + {walk_mounted})
  if r1 != 0 goto unshown
absent:
  r0 = -1
  exit
unshown:
  ; a kernel thread asks on behalf of others, who named the file to it (nfsd)
  call bpf_get_current_task_btf
  w1 = *(u32 *)(r0 + task_struct.flags)
  r1 &= 0x200000
  if r1 != 0 goto absent
failed:
  r0 = 1
  exit
proc:
  r1 = {START_PATH}
  r2 = 0x636f7270
  call step8
  w9 = w0
  r0 >>= 32
  if r0 != 0 goto decided
  r5 = *(u64 *)(r7 + {walk_depth})
  if r5 == 0 goto decided
  r1 = r9
  r2 = 47
  call step8
  w9 = w0
  r0 >>= 32
  if r0 != 0 goto decided
  r5 = *(u64 *)(r7 + {walk_depth})
  match_chain 0 {WALK_PATH-1} r5 r9
  r1 = *(u64 *)(r7 + {walk_told})
  if r1 == 2 goto failed
  r8 = *(u64 *)(r7 + {walk_state})
  class_of_state
  exit
decided:
  r8 = r9
  class_of_state
  exit

; The address of another dentry of the file that was reached by a handle and never looked up from above: one that has a
; parent. r1 = address of the dentry -> r0, 0 for none.
.func walk_alias global 1
  r6 = r1
  r8 = r1
  read8 8 dentry.d_parent none
  ; a root of a file system is where it should be
  r1 = *(u64 *)(r10 - 8)
  if r1 != r6 goto none
  read8 8 dentry.d_inode none
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto none
  read8 8 inode.i_dentry.first none
  r9 = *(u64 *)(r10 - 8)
  ; r7 = where in a dentry the ring of its inode's dentries goes through it
  r1 = exists(dentry.d_u)
  if r1 == 0 goto new
  r7 = offsetof(dentry.d_u.d_alias)
  goto ring
new:
  r7 = offsetof(dentry.d_alias)
ring:
.rept i 0 8
  if r9 == 0 goto none
  r6 = r9
  r6 -= r7
  if r6 == r8 goto .next
  read8 8 dentry.d_parent none
  r1 = *(u64 *)(r10 - 8)
  if r1 != r6 goto found
.next:
  r6 += r7
  read8 8 hlist_node.next none
  r9 = *(u64 *)(r10 - 8)
.endr
none:
  r0 = 0
  exit
found:
  r0 = r6
  exit

; Begins a walk in scratch r5, for the arguments of path_find -> r0 = what says that the scratch is this walk's.
.func walk_begin global 5
  *(u64 *)(r10 - 32) = r1
  *(u64 *)(r10 - 40) = r2
  *(u64 *)(r10 - 48) = r3
  *(u64 *)(r10 - 56) = r4
  scratch r5 none
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
  r2 = r1
  r2 &= 2
  r1 >>= 2
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
  call bpf_get_current_task_btf
  r1 = *(u64 *)(r0 + task_struct.nsproxy)
  if r1 == 0 goto mounted
  r1 = *(u64 *)(r1 + nsproxy.mnt_ns)
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

; The names of walk_file by the namespaces that count; r1 = how (see path_find), r2 = scratch.
.func walk_names global 2
  r9 = r1
  r6 = r2
  scratch r6 judged
  r8 = *(u64 *)(r7 + {walk_caller})
  r1 = *(u64 *)(r7 + {walk_layers})
  if r1 != 0 goto listed
  r1 = *(u64 *)(r7 + {walk_its_ns})
  if r1 != r8 goto listed
  r2 = r6
  call walk_exact
  *(u64 *)(r7 + {walk_exact}) = r0
  if r0 != 0 goto own
listed:
  r1 = r8
  r2 = r6
  call walk_list
  r1 = *(u64 *)(r7 + {walk_found})
  if r1 != 0 goto own
  r1 = r9
  r1 &= 1
  if r1 != 0 goto own
  ; the namespace that the file's mount is in, if it is in one
  r1 = *(u64 *)(r7 + {walk_its_ns})
  if r1 == r8 goto initial
  call ns_kind
  if r0 != 1 goto initial
  r1 = *(u64 *)(r7 + {walk_its_ns})
  r2 = r6
  call walk_exact
  *(u64 *)(r7 + {walk_exact}) = r0
  if r0 == 0 goto initial
  r1 = *(u64 *)(r7 + {walk_its_ns})
  call ns_owned
  if r0 != 0 goto own
  r1 = *(u64 *)(r7 + {walk_foreign})
  r1 |= 2
  *(u64 *)(r7 + {walk_foreign}) = r1
  goto own
initial:
  r1 = data control
  r1 = *(u64 *)(r1 + {control_mnt_ns})
  if r1 == r8 goto own
  r2 = r6
  call walk_list
own:
  ; a namespace of a user's own making gives no file another name than it has outside
  r1 = *(u64 *)(r7 + {walk_foreign})
  r1 &= 1
  if r1 == 0 goto judged
  call ns_before
  r1 = r0
  if r1 != 0 goto before
  r1 = data control
  r1 = *(u64 *)(r1 + {control_mnt_ns})
before:
  if r1 == r8 goto judged
  r2 = r6
  call walk_list
judged:
  r0 = 0
  exit

; r1 = dentry, r2 = vfsmount (0: the hook shows none), r3 = the subject's mount namespace (0: the current task's),
; r4: bit 0 set for the paths of the host instead of the subject's; bit 1 set to ask for the mount by which the class in the
; bits above (all ones: any) was found: then the result is the address of its vfsmount (0 for none).
; Stack: 32 dentry, 40 vfsmount, 48 namespace, 56 how, 64 token, 72 which scratch, 80 whether it was free. What else it
; remembers is in the scratch: to the verifier every round then begins alike.
.func path_find global 4
  *(u64 *)(r10 - 32) = r1
  *(u64 *)(r10 - 40) = r2
  *(u64 *)(r10 - 48) = r3
  *(u64 *)(r10 - 56) = r4
  *(u64 *)(r10 - 80) = 0
.rept k 0 WALK_SCRATCHES
  r6 = {k}
  scratch r6 nowhere
  r1 = 1
  r1 = xchg_64(r7 + {walk_busy}, r1)
  if r1 == 0 goto free
.endr
  goto taken
free:
  *(u64 *)(r10 - 80) = 1
taken:
  ; which one it is makes no difference to the verifier
  r1 = *(u64 *)(r7 + {walk_claims})
  forget r6 r1
  *(u64 *)(r10 - 72) = r6
  r9 = {WALK_ROUNDS}
  *(u64 *)(r7 + {walk_patience}) = {WALK_PATIENCE}
  *(u64 *)(r7 + {walk_layers}) = 0
round:
  r9 += -1
  if r9 == 0 goto spent
  r1 = r9
  r1 >>= {WALK_STRICT}
  *(u64 *)(r7 + {walk_strict}) = r1
  r1 = *(u64 *)(r7 + {walk_layers})
  if r1 != 0 goto known
  ; from the beginning
  r1 = *(u64 *)(r10 - 32)
  r2 = *(u64 *)(r10 - 40)
  r3 = *(u64 *)(r10 - 48)
  r4 = *(u64 *)(r10 - 56)
  r5 = *(u64 *)(r10 - 72)
  call walk_begin
  *(u64 *)(r10 - 64) = r0
known:
  r1 = *(u64 *)(r10 - 56)
  r2 = *(u64 *)(r10 - 72)
  call walk_names
  r1 = *(u64 *)(r7 + {walk_changed})
  if r1 != 0 goto anew
  ; a file of a stacked file system that a user mounted has the names of what it is made from too
  r1 = *(u64 *)(r10 - 72)
  call walk_layer
  if r0 != 0 goto round
  r1 = *(u64 *)(r7 + {walk_found})
  if r1 != 0 goto some
  r1 = *(u64 *)(r10 - 56)
  r1 &= 1
  if r1 != 0 goto hidden
  ; a file that was opened by its handle: by the name that it has
  r1 = *(u64 *)(r10 - 32)
  call walk_alias
  if r0 == 0 goto nameless
  *(u64 *)(r10 - 32) = r0
anew:
  *(u64 *)(r7 + {walk_layers}) = 0
  goto round
nameless:
  r1 = *(u64 *)(r10 - 72)
  call walk_unshown
  if r0 == -1 goto hidden
  *(u32 *)(r7 + {walk_classes}) = r0
  *(u64 *)(r7 + {walk_found}) = 1
some:
  r1 = *(u64 *)(r10 - 56)
  r2 = *(u64 *)(r10 - 72)
  call walk_result
  r6 = r0
  r8 = *(u64 *)(r7 + {walk_shown})
  goto whose
hidden:
  r6 = 0
  r8 = 0
whose:
  ; was the scratch ours all the time?
  r1 = *(u64 *)(r7 + {walk_owner})
  r2 = *(u64 *)(r10 - 64)
  if r1 != r2 goto anew
  w1 = w6
  if r1 == 1 goto failed
  goto done
nowhere:
spent:
  r6 = 1
  r8 = 0
failed:
  r1 = *(u64 *)(r10 - 56)
  r1 &= 2
  if r1 != 0 goto done
  count_failure
done:
  r1 = *(u64 *)(r10 - 80)
  if r1 == 0 goto left
  *(u64 *)(r7 + {walk_busy}) = 0
left:
  r1 = *(u64 *)(r10 - 56)
  r1 &= 2
  if r1 != 0 goto mount
.if NEED_DELETED
  r1 = *(u64 *)(r10 - 32)
  call path_unlinked
  r6 |= r0
.endif
  r0 = r6
  exit
mount:
  r0 = r8
  exit

; The first class that was found and the flags. Several classes are kept in the record of the current task, where the hook's
; program looks for them; without a record they cannot be judged. r1 = how (see path_find), r2 = scratch -> r0.
.func walk_result global 2
  r6 = r1
  scratch r2 none
  r9 = r7
  *(u64 *)(r10 - 32) = 0
  r1 = *(u64 *)(r9 + {walk_found})
  if r1 <= 1 goto flags
  call bpf_get_current_task
  r8 = r0
  record_of_task unkept
  *(u64 *)(r10 - 32) = 4
  r1 = *(u64 *)(r9 + {walk_found})
  r6 &= 1
  if r6 != 0 goto hosts
  *(u32 *)(r7 + {record_paths}) = r1
.rept k 0 WALK_CLASSES
  w1 = *(u32 *)(r9 + {walk_classes+4*k})
  *(u32 *)(r7 + {record_classes+4*k}) = r1
.endr
  goto flags
hosts:
  *(u32 *)(r7 + {record_hosts}) = r1
.rept k 0 WALK_CLASSES
  w1 = *(u32 *)(r9 + {walk_classes+4*k})
  *(u32 *)(r7 + {record_host_classes+4*k}) = r1
.endr
flags:
  r0 = *(u64 *)(r10 - 32)
  r1 = *(u64 *)(r9 + {walk_exact})
  if r1 != 0 goto exact
  r0 |= 16
exact:
  r1 = *(u64 *)(r9 + {walk_foreign})
  if r1 == 0 goto owned
  r0 |= 8
owned:
  r0 <<= 32
  w1 = *(u32 *)(r9 + {walk_classes})
  r0 |= r1
  exit
unkept:
none:
  r0 = 1
  exit

; Turns scratch r1 to the next name in its layers of a file of an overlay that another than the initial user namespace
; mounted: first the file itself, in the upper layer or the lower one; then its name in the upper layer's folder, where it is
; or would be made; then the same for the first of these, for a layer may be a stacked file system again (two at most,
; FILESYSTEM_MAX_STACK_DEPTH) -> r0 = 1, or 0 where there are no more.
.func walk_layer global 1
  scratch r1 none
  r9 = *(u64 *)(r7 + {walk_layers})
  if r9 > 3 goto none
  if r9 != 2 goto same
  r1 = *(u64 *)(r7 + {walk_below})
  if r1 == 0 goto none
  *(u64 *)(r7 + {walk_object}) = r1
same:
  r6 = *(u64 *)(r7 + {walk_object})
  read8 8 dentry.d_sb none
  r6 = *(u64 *)(r10 - 8)
  read8 8 super_block.s_magic none
  r1 = *(u64 *)(r10 - 8)
  if r1 != 0x794c7630 goto none
  read8 8 super_block.s_user_ns none
  r6 = *(u64 *)(r10 - 8)
  r1 = r10
  r1 += -8
  r2 = 4
  r3 = offsetof(user_namespace.level)
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto none
  w1 = *(u32 *)(r10 - 8)
  if r1 == 0 goto none
  *(u64 *)(r7 + {walk_depth}) = -1
  *(u64 *)(r7 + {walk_seen}) = 0
  *(u64 *)(r7 + {walk_lead}) = 0
  r6 = *(u64 *)(r7 + {walk_object})
  r1 = r9
  r1 &= 1
  if r1 != 0 goto folder
  r1 = r6
  call layer_of
  r1 = r9
  r1 += 1
  *(u64 *)(r7 + {walk_layers}) = r1
  *(u64 *)(r7 + {walk_below}) = r0
  if r0 != 0 goto turn
folder:
  r9 |= 1
  r9 += 1
  *(u64 *)(r7 + {walk_layers}) = r9
  r6 = *(u64 *)(r7 + {walk_object})
  read8 8 dentry.d_parent none
  r1 = *(u64 *)(r10 - 8)
  if r1 == r6 goto none
  call layer_of
  if r0 == 0 goto none
  r1 = *(u64 *)(r7 + {walk_object})
  *(u64 *)(r7 + {walk_lead}) = r1
turn:
  *(u64 *)(r7 + {walk_file}) = r0
  r0 = 1
  exit
none:
  r0 = 0
  exit

; The dentry that a dentry of an overlay is made from: of the upper layer, else of the first lower one.
; r1 = address of the dentry -> r0, 0 for none. struct ovl_inode (fs/overlayfs/ovl_entry.h) holds a struct inode, then the
; upper dentry, then an ovl_path (a layer and a dentry), which since 6.5 is the first of a struct ovl_entry instead.
.func layer_of global 1
  r6 = r1
  read8 8 dentry.d_inode none
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto none
  r1 = sizeof(inode)
  r6 += r1
  r1 = r10
  r1 += -24
  r2 = 24
  r3 = r6
  call bpf_probe_read_kernel
  if r0 != 0 goto none
  r0 = *(u64 *)(r10 - 24)
  if r0 != 0 goto end
  r1 = exists(backing_file)
  if r1 != 0 goto entry
  r0 = *(u64 *)(r10 - 8)
end:
  exit
entry:
  r3 = *(u64 *)(r10 - 16)
  if r3 == 0 goto none
  r3 += 16
  r1 = r10
  r1 += -8
  r2 = 8
  call bpf_probe_read_kernel
  if r0 != 0 goto none
  r0 = *(u64 *)(r10 - 8)
  exit
none:
  r0 = 0
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
