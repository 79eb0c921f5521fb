; The process record: kept at fork and exec, freed with the task, seeded when the policy is loaded.
; The record is kept while the policy is dormant too; only refusals need it to be on.
; Tables by class of a program (of class << 1 | trusted where said): line_any, line_trusted (32 bytes each), exe_mask, parent_mask,
; line_events (8 bytes each, class << 1 | trusted). Tables of 4 bytes each: programs (class of a path to a program's number),
; joins (number x width + number of a further name), joined (number to class of a program). Parameters: N_CLASSES, N_PROGRAMS,
; N_NUMBERS, N_JOINS, JOINS_WIDTH, ALWAYS, USE_LINE.

; r1 = the events that are possible for the record at r7 (exe, parent, line_events are set). Clobbers r2, r3.
.macro record_events_of
  r1 = *(u64 *)(r7 + {record_line_events})
  r2 = {ALWAYS} ll
  r1 |= r2
  w2 = *(u32 *)(r7 + {record_exe})
  if r2 >= {2*N_PROGRAMS} goto .bad
  r2 <<= 3
  r3 = data exe_mask
  r3 += r2
  r2 = *(u64 *)(r3 + 0)
  r1 &= r2
  w2 = *(u32 *)(r7 + {record_parent})
  if r2 >= {2*N_PROGRAMS} goto .bad
  r2 <<= 3
  r3 = data parent_mask
  r3 += r2
  r2 = *(u64 *)(r3 + 0)
  r1 &= r2
  goto .set
.bad:
  r1 = -1
.set:
.endm

; Adds the program w1 = class << 1 | trusted to the line of the record at r7. Clobbers r0-r4.
.macro record_line_add
  if r1 >= {2*N_PROGRAMS} goto .end
  r2 = r1
  r2 <<= 3
  r3 = data line_events
  r3 += r2
  r2 = *(u64 *)(r3 + 0)
  r3 = *(u64 *)(r7 + {record_line_events})
  r3 |= r2
  *(u64 *)(r7 + {record_line_events}) = r3
  r4 = r1
  r1 >>= 1
  r1 <<= 5
  r2 = data line_any
  r2 += r1
  r3 = data line_trusted
  r3 += r1
  r4 &= 1
.rept i 0 4
.if USE_LINE & (1 << i)
  r0 = *(u64 *)(r7 + {record_line0+8*i})
  r1 = *(u64 *)(r2 + {8*i})
  r0 |= r1
  if r4 == 0 goto .plain
  r1 = *(u64 *)(r3 + {8*i})
  r0 |= r1
.plain:
  *(u64 *)(r7 + {record_line0+8*i}) = r0
.endif
.endr
.end:
.endm

; The loader attaches the programs in the order of this file, before those of the hooks: nothing may take a record before
; there is somebody to free it, or leave a program pending before there is somebody to commit it.

; An exec is past the point of no return: what was pending is what runs.
.func ebsec_bprm_committed_creds prog lsm/bprm_committed_creds
  r6 = r1
  call bpf_get_current_task
  r8 = r0
  record_of_task end
  w9 = *(u32 *)(r7 + {record_pending})
  *(u32 *)(r7 + {record_exe}) = r9
  w1 = *(u32 *)(r7 + {record_flags})
  w1 |= 5
  *(u32 *)(r7 + {record_flags}) = r1
  r1 = r9
  record_line_add
  record_events_of
  *(u64 *)(r7 + {record_events}) = r1
  current_task
  r1 = *(u64 *)(r0 + task_struct.nsproxy)
  record_base
  ; and its name
  image_users {record_image} -1
  *(u32 *)(r7 + {record_image}) = 0
  r3 = *(u64 *)(r6 + 0)
  distrust r3 linux_binprm
  r3 = *(u64 *)(r3 + linux_binprm.file)
  if r3 == 0 goto end
  r1 = *(u64 *)(r3 + file.f_path.dentry)
  *(u64 *)(r10 - 8) = r1
  r1 = *(u64 *)(r3 + file.f_path.mnt)
  *(u64 *)(r10 - 16) = r1
  plain_words 32 16 16 end
  r1 = *(u64 *)(r10 - 24)
  r2 = *(u64 *)(r10 - 32)
  call image_keep
  *(u32 *)(r7 + {record_image}) = r0
end:
  ; the host's first process goes on from another root
  call bpf_get_current_pid_tgid
  r0 >>= 32
  if r0 != 1 goto done
  call root_learn
done:
  r0 = 0
  exit

; What stands at the host's root is about to be moved elsewhere, where its files have other names.
.func ebsec_sb_pivotroot prog lsm/sb_pivotroot
  current_task
  r1 = *(u64 *)(r0 + task_struct.nsproxy)
  if r1 == 0 goto end
  r1 = *(u64 *)(r1 + nsproxy.mnt_ns)
  r7 = data control
  r2 = *(u64 *)(r7 + {control_mnt_ns})
  if r1 != r2 goto end
  root_forgotten r7
end:
  r0 = 0
  exit

; A task is gone for good.
.func ebsec_task_free prog lsm/task_free
  r1 = *(u64 *)(r1 + 0)
  *(u64 *)(r10 - 8) = r1
  plain_number r8 end
  find_slot slot_is_own elsewhere
  r6 = data owners
  r6 += r1
  record_of_slot
  r7 = r0
  record_forgets
  r1 = 0
  *(u64 *)(r6 + 0) = r1
  goto end
elsewhere:
  record_in_hash
  if r0 == 0 goto end
  r7 = r0
  record_forgets
  r1 = map tasks
  r2 = r10
  r2 += -8
  call bpf_map_delete_elem
end:
  r0 = 0
  exit

; A task is born: the child inherits. A full map refuses the fork while the policy is on.
.func ebsec_task_alloc prog lsm/task_alloc
  r6 = r1
  r1 = *(u64 *)(r6 + 0)
  *(u64 *)(r10 - 8) = r1
  plain_number r8 end
  r9 = r8
  call bpf_get_current_task
  r8 = r0
  record_of_task end
.rept i 0 {record_paths/8}
  r1 = *(u64 *)(r7 + {8*i})
  *(u64 *)(r10 - {8+record_size-8*i}) = r1
.endr
.rept i {record_paths/8} {record_size/8}
  *(u64 *)(r10 - {8+record_size-8*i}) = 0
.endr
  r7 = r10
  r7 += -{8+record_size}
  current_task
  r1 = *(u64 *)(r0 + task_struct.nsproxy)
  record_base
  ; rule 15: the parent is the program that forked; a thread has the parent of its process
  r1 = *(u64 *)(r6 + 8)
  r1 &= 0x10000
  if r1 != 0 goto thread
  w1 = *(u32 *)(r7 + {record_exe})
  *(u32 *)(r7 + {record_parent}) = r1
  w1 = *(u32 *)(r7 + {record_flags})
  w1 |= 2
  *(u32 *)(r7 + {record_flags}) = r1
  w1 = *(u32 *)(r7 + {record_image})
  *(u32 *)(r7 + {record_parent_image}) = r1
  call bpf_get_current_pid_tgid
  r0 >>= 32
  *(u32 *)(r7 + {record_parent_pid}) = r0
  record_events_of
  *(u64 *)(r7 + {record_events}) = r1
thread:
  *(u32 *)(r7 + {record_pending}) = 2
  r8 = r9
  ; a slot that is the child's already can only be left over from a task whose end nobody saw
  find_slot slot_is_own fresh
  goto fill
fresh:
  find_slot slot_taken full
fill:
  record_of_slot
.rept i 0 {record_paths/8}
  r1 = *(u64 *)(r7 + {8*i})
  *(u64 *)(r0 + {8*i}) = r1
.endr
  goto kept
full:
  *(u64 *)(r10 - 8) = r8
  r1 = map tasks
  r2 = r10
  r2 += -8
  r3 = r7
  r4 = 0
  call bpf_map_update_elem
  if r0 == 0 goto kept
  r1 = data stats
  r2 = 1
  lock *(u64 *)(r1 + {stats_full}) += r2
  r1 = data control
  w1 = *(u32 *)(r1 + {control_mode})
  if r1 == 0 goto end
  r0 = -11
  exit
kept:
  ; the names of its programs have one user more
  image_users {record_image} 1
  image_users {record_parent_image} 1
end:
  r0 = 0
  exit

; Classifies the program of a task that is older than the policy. Makes a record only where there is none. A task that
; execs meanwhile was not seen to, and may have another program by the time its record is there: then it is unknown. One
; that execs once the record is there wrote its program into it.
.func ebsec_seed prog iter/task
  r6 = *(u64 *)(r1 + 8)
  if r6 == 0 goto end
  distrust r6 task_struct
  w1 = *(u32 *)(r6 + task_struct.pid)
  if r1 != 1 goto known
  ; pid 1 shows what the host's namespaces are
  r7 = data control
  r1 = *(u64 *)(r6 + task_struct.nsproxy)
  if r1 == 0 goto known
  r2 = *(u64 *)(r1 + nsproxy.mnt_ns)
  *(u64 *)(r7 + {control_mnt_ns}) = r2
  r2 = *(u64 *)(r1 + nsproxy.pid_ns_for_children)
  *(u64 *)(r7 + {control_pid_ns}) = r2
  call root_learn
known:
.rept i 0 {record_size/8}
  *(u64 *)(r10 - {8+record_size-8*i}) = 0
.endr
  r7 = r10
  r7 += -{8+record_size}
  *(u32 *)(r7 + {record_flags}) = 1
  *(u32 *)(r7 + {record_pending}) = 2
  r9 = 0
  *(u64 *)(r10 - 8) = r6
  plain_words {16+record_size} 8 8 end
  r8 = *(u64 *)(r10 - {16+record_size})
  find_slot slot_is_own absent
  goto end
absent:
  record_in_hash
  if r0 != 0 goto end
  r1 = *(u64 *)(r6 + task_struct.nsproxy)
  record_base
  ; a kernel thread runs no program: class 0
  r1 = *(u64 *)(r6 + task_struct.mm)
  if r1 == 0 goto made
  r1 = *(u64 *)(r1 + mm_struct.exe_file)
  if r1 == 0 goto made
  r9 = r1
  ; its file's path and its namespace as plain addresses, for path_find
  *(u64 *)(r10 - {16+record_size}) = 0
  r1 = *(u64 *)(r6 + task_struct.nsproxy)
  if r1 == 0 goto homeless
  r1 = *(u64 *)(r1 + nsproxy.mnt_ns)
  *(u64 *)(r10 - {16+record_size}) = r1
homeless:
  r1 = *(u64 *)(r9 + file.f_path.dentry)
  *(u64 *)(r10 - {24+record_size}) = r1
  r1 = *(u64 *)(r9 + file.f_path.mnt)
  *(u64 *)(r10 - {32+record_size}) = r1
  plain_words {56+record_size} 24 {32+record_size} end
  r1 = *(u64 *)(r10 - {48+record_size})
  r2 = *(u64 *)(r10 - {56+record_size})
  r3 = *(u64 *)(r10 - {40+record_size})
  r4 = 12
  call path_find
  program_of_paths
  *(u32 *)(r7 + {record_exe}) = r1
  record_line_add
  r1 = *(u64 *)(r10 - {48+record_size})
  r2 = *(u64 *)(r10 - {56+record_size})
  call image_keep
  *(u32 *)(r7 + {record_image}) = r0
made:
  record_events_of
  *(u64 *)(r7 + {record_events}) = r1
  r1 = map tasks
  r2 = r10
  r2 += -8
  r3 = r7
  r4 = 1
  call bpf_map_update_elem
  if r0 != 0 goto late
  r1 = data stats
  r2 = 1
  lock *(u64 *)(r1 + {stats_seeded}) += r2
  r1 = *(u64 *)(r6 + task_struct.mm)
  if r1 == 0 goto end
  r1 = *(u64 *)(r1 + mm_struct.exe_file)
  *(u64 *)(r10 - 16) = r1
  *(u64 *)(r10 - 24) = r9
  record_in_hash
  if r0 == 0 goto end
  r1 = *(u64 *)(r10 - 16)
  r2 = *(u64 *)(r10 - 24)
  if r1 == r2 goto end
  w1 = *(u32 *)(r0 + {record_flags})
  w1 &= 4
  if r1 != 0 goto end
  *(u32 *)(r0 + {record_exe}) = 2
  r1 = 1
  lock *(u64 *)(r0 + {record_line0}) |= r1
  *(u64 *)(r0 + {record_events}) = -1
end:
  r0 = 0
  exit
late:
  ; its own programs made one meanwhile
  image_users {record_image} -1
  r0 = 0
  exit

; Second pass: adds the lines of the living ancestors, and the parent where no fork was seen. The task's own programs may
; run meanwhile, so bits are only added, and a bit of `events` too many costs time and changes no verdict.
; State of the way up at r10 - 80: 0 task, 8 first ancestor's program (all ones: none yet), 16 line_events, 24 to 48 line,
; 56 number of the first ancestor's name.
.func ebsec_seed_line prog iter/task
  r6 = *(u64 *)(r1 + 8)
  if r6 == 0 goto end
  *(u64 *)(r10 - 8) = r6
  plain_number r8 end
  record_of_task end
  *(u64 *)(r10 - 80) = r8
  ; no constant, of which kernels before 6.7 would know in the callback that it never changes
  r1 = -1
  forget r1 r8
  *(u64 *)(r10 - 72) = r1
.rept i 0 6
  *(u64 *)(r10 - {64-8*i}) = 0
.endr
  r1 = 64
  r2 = func line_step
  r3 = r10
  r3 += -80
  r4 = 0
  call bpf_loop
  if r0 != 64 goto whole
  ; more ancestors than are looked at: somebody of the line is not known
  r1 = *(u64 *)(r10 - 56)
  r1 |= 1
  *(u64 *)(r10 - 56) = r1
whole:
  r1 = *(u64 *)(r10 - 64)
  lock *(u64 *)(r7 + {record_line_events}) |= r1
.rept i 0 4
  r1 = *(u64 *)(r10 - {56-8*i})
  lock *(u64 *)(r7 + {record_line0+8*i}) |= r1
.endr
  w1 = *(u32 *)(r7 + {record_flags})
  w1 &= 2
  if r1 != 0 goto known
  r1 = *(u64 *)(r10 - 72)
  if r1 == -1 goto known
  *(u32 *)(r7 + {record_parent}) = r1
  r1 = 2
  lock *(u32 *)(r7 + {record_flags}) |= r1
  r1 = *(u64 *)(r6 + task_struct.real_parent)
  if r1 == 0 goto known
  w2 = *(u32 *)(r1 + task_struct.tgid)
  *(u32 *)(r7 + {record_parent_pid}) = r2
  r1 = *(u64 *)(r10 - 24)
  *(u32 *)(r7 + {record_parent_image}) = r1
  image_users {record_parent_image} 1
known:
  record_events_of
  lock *(u64 *)(r7 + {record_events}) |= r1
end:
  r0 = 0
  exit

; One ancestor more. r2 = the state -> r0 = 1 to end.
.func line_step static 2
  r9 = r2
  r6 = *(u64 *)(r9 + 0)
  read8 8 task_struct.real_parent end
  r8 = *(u64 *)(r10 - 8)
  if r8 == r6 goto end
  *(u64 *)(r9 + 0) = r8
  record_of_task end
  w1 = *(u32 *)(r7 + {record_exe})
  r2 = *(u64 *)(r9 + 8)
  if r2 != -1 goto known
  *(u64 *)(r9 + 8) = r1
  w1 = *(u32 *)(r7 + {record_image})
  *(u64 *)(r9 + 56) = r1
known:
  r1 = *(u64 *)(r7 + {record_line_events})
  r2 = *(u64 *)(r9 + 16)
  r2 |= r1
  *(u64 *)(r9 + 16) = r2
.rept i 0 4
  r1 = *(u64 *)(r7 + {record_line0+8*i})
  r2 = *(u64 *)(r9 + {24+8*i})
  r2 |= r1
  *(u64 *)(r9 + {24+8*i}) = r2
.endr
  r0 = 0
  exit
end:
  r0 = 1
  exit

; The record at r7 goes: the names in it have one user less. Clobbers r1, r2.
.macro record_forgets
  image_users {record_image} -1
  image_users {record_parent_image} -1
.endm

; r1 = class << 1 | trusted of a program by what is said of its paths in r0. Rule 18: trusted where the initial user
; namespace owns every namespace that had a say. Of several classes (flag 4) it is the first: see program_joined. Clobbers r0.
.macro program_of_paths
  w1 = w0
  r0 >>= 35
  r0 ^= 1
  r0 &= 1
  r1 <<= 1
  r1 |= r0
  w1 = w1
.endm

; The program whose paths have the classes of scratch r1, as class and flags (rule 3): see decide/joins.rs, which this follows.
; A program that has a name which no rule knows is one that nobody trusts with its others.
.func program_joined global 1
  r8 = 1
  r9 = 8
  scratch r1 end
  r6 = *(u64 *)(r7 + {walk_found})
  r9 = *(u64 *)(r7 + {walk_foreign})
  if r9 == 0 goto owned
  r9 = 8
owned:
.rept k 0 WALK_CLASSES
  if r6 <= {k} goto numbered
  w1 = *(u32 *)(r7 + {walk_classes+4*k})
  if r1 >= {N_CLASSES} goto unresolved
  r1 <<= 2
  r2 = data programs
  r2 += r1
  w1 = *(u32 *)(r2 + 0)
.if k == 0
  r8 = r1
.else
  if r1 == r8 goto joined{k}
  if r1 == 0 goto unknown{k}
  if r8 == 0 goto known{k}
  if r1 >= {JOINS_WIDTH} goto unresolved
  r8 *= {JOINS_WIDTH}
  r8 += r1
  if r8 >= {N_JOINS} goto unresolved
  r8 <<= 2
  r2 = data joins
  r2 += r8
  w8 = *(u32 *)(r2 + 0)
  if r8 == 0 goto unresolved
  r1 = r8
  r1 &= 1
  r8 >>= 1
  if r1 != 0 goto joined{k}
  goto unknown{k}
known{k}:
  r8 = r1
unknown{k}:
  r9 = 8
joined{k}:
.endif
.endr
numbered:
  if r8 >= {N_NUMBERS} goto unresolved
  r8 <<= 2
  r2 = data joined
  r2 += r8
  w8 = *(u32 *)(r2 + 0)
  goto end
unresolved:
  r8 = 1
end:
  r0 = r9
  r0 <<= 32
  r0 |= r8
  exit

; base_ns and base_number of the record at r7: the mount namespace of the typed nsproxy in r1 (0 for none), if the initial
; user namespace owns it. Clobbers r1, r2, r3.
.macro record_base
  if r1 == 0 goto .end
  r1 = *(u64 *)(r1 + nsproxy.mnt_ns)
  if r1 == 0 goto .end
  r2 = *(u64 *)(r1 + mnt_namespace.user_ns)
  if r2 == 0 goto .end
  w2 = *(u32 *)(r2 + user_namespace.level)
  if r2 != 0 goto .end
  r3 = exists(mnt_namespace.seq)
  if r3 == 0 goto .new
  r2 = *(u64 *)(r1 + mnt_namespace.seq)
  goto .have
.new:
  r2 = *(u64 *)(r1 + mnt_namespace.ns.ns_id)
.have:
  *(u64 *)(r7 + {record_base_ns}) = r1
  *(u64 *)(r7 + {record_base_number}) = r2
.end:
.endm
