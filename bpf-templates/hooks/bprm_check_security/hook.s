; bprm_check_security(bprm)
.macro bprm_check_security__object_file
  r3 = *(u64 *)(r6 + 0)
  distrust r3 linux_binprm
  r3 = *(u64 *)(r3 + linux_binprm.file)
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = *(u64 *)(r3 + file.f_path.dentry)
.endm
.macro bprm_check_security__inode_file
  r3 = *(u64 *)(r6 + 0)
  distrust r3 linux_binprm
  r3 = *(u64 *)(r3 + linux_binprm.file)
  r1 = *(u64 *)(r3 + file.f_inode)
.endm
; What is executed where its interpreter is handed a descriptor of it, as a struct file in r3; else what is checked.
.macro bprm_check_security__executable
  r3 = *(u64 *)(r6 + 0)
  distrust r3 linux_binprm
  r2 = *(u64 *)(r3 + linux_binprm.executable)
  if r2 == 0 goto .checked
  r3 = r2
  goto .have
.checked:
  r3 = *(u64 *)(r3 + linux_binprm.file)
.have:
.endm
.macro bprm_check_security__object_executable
  bprm_check_security__executable
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = *(u64 *)(r3 + file.f_path.dentry)
.endm
.macro bprm_check_security__inode_executable
  bprm_check_security__executable
  r1 = *(u64 *)(r3 + file.f_inode)
.endm

; Before anything else, dormant or not: the class of the program that would run is left pending in the record.
.macro bprm_check_security__before
  walk_object bprm_check_security__object_file path_of_program 8
  *(u64 *)(r10 - 88) = r0
  program_of_paths
  w9 = w1
  call bpf_get_current_task
  r8 = r0
  record_of_task .new
  r1 = *(u64 *)(r10 - 88)
  r1 >>= 34
  r1 &= 1
  if r1 == 0 goto .single
  r9 = *(u64 *)(r7 + {record_joined})
.single:
  *(u32 *)(r7 + {record_pending}) = r9
  ; the script begins an operation, also where no rule matches it: else its interpreter goes on with the last exec's
  bprm_check_security__fact_interpreter
  if r1 != 0 goto .end
  *(u64 *)(r7 + {record_steps}) = 0
  goto .end
.new:
  ; A task without a record. While records are being seeded it gets one there; later nothing is known of what it ran.
  r1 = data control
  w1 = *(u32 *)(r1 + {control_mode})
  if r1 == 0 goto .end
  ; the record takes the place of the class for a moment
  r7 = *(u64 *)(r10 - 88)
.rept i 0 {record_size/8}
  *(u64 *)(r10 - {16+record_size-8*i}) = 0
.endr
  r3 = r10
  r3 += -{16+record_size}
  *(u32 *)(r3 + {record_exe}) = 2
  *(u32 *)(r3 + {record_parent}) = 2
  *(u32 *)(r3 + {record_pending}) = r9
  *(u64 *)(r3 + {record_events}) = -1
  *(u64 *)(r3 + {record_line_events}) = -1
  *(u64 *)(r3 + {record_line0}) = 1
  r1 = map tasks
  r2 = r10
  r2 += -8
  r4 = 1
  call bpf_map_update_elem
  *(u64 *)(r10 - 88) = r7
.end:
.endm
; The interpreter of a script, after the script itself.
.macro bprm_check_security__fact_interpreter
  r1 = *(u64 *)(r6 + 0)
  r2 = *(u64 *)(r1 + linux_binprm.filename)
  r1 = *(u64 *)(r1 + linux_binprm.interp)
  if r1 == r2 goto .no
  r1 = 1
  goto .done
.no:
  r1 = 0
.done:
.endm
; The interpreter is handed an open descriptor of the file that is executed: binfmt_misc with the flag O or C.
.macro bprm_check_security__fact_hands_over
  r3 = *(u64 *)(r6 + 0)
  distrust r3 linux_binprm
  r2 = *(u64 *)(r3 + linux_binprm.executable)
  r1 = 1
  if r2 != 0 goto .done
  ; the canary's program is handed over to nobody, and is refused all the same
  r1 = *(u64 *)(r10 - 24)
  if r1 == 1 goto .done
  r1 = 0
.done:
.endm
