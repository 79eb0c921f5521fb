; userns_create(cred)

; Before anything else, dormant or not: the namespace that the task leaves is the one whose names count for the files that
; it shows itself under others.
.macro userns_create__before
  call bpf_get_current_task
  r8 = r0
  record_of_task .none
  call bpf_get_current_task_btf
  r1 = *(u64 *)(r0 + task_struct.nsproxy)
  record_base
.none:
.endm
