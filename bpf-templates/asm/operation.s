; Which hook calls are one operation of a task: reports carry its number, and what reads them tells one operation once. A hook
; call goes on with the last operation if its contract says so (`follows`), the task is in the same system call, and, where the
; contract asks, the object is the same. Only what matches a rule comes here.

; r1 = bit of the hook, r2 = bits of the hooks that this call may go on from, r3 = low half of the object's address,
; r4 = 1: only for that object -> r0 = 0. Numbers the operation in the record of the current task.
.func operation_step global 4
  *(u64 *)(r10 - 24) = r1
  *(u64 *)(r10 - 32) = r2
  *(u64 *)(r10 - 40) = r3
  *(u64 *)(r10 - 48) = r4
  ; the registers with which user space came tell a system call from the next one, unless it is made in just the same way:
  ; then it begins with the same hook, which goes on from nothing
  call bpf_get_current_task_btf
  r1 = r0
  call bpf_task_pt_regs
  r9 = *(u64 *)(r0 + pt_regs.ip)
  r2 = 0x9E3779B97F4A7C15 ll
  operation_mix sp
  operation_mix orig_ax
  operation_mix di
  operation_mix si
  operation_mix dx
  operation_mix r10
  operation_mix r8
  r9 >>= 32
  call bpf_get_current_task
  r8 = r0
  record_of_task none
  r1 = *(u64 *)(r7 + {record_steps})
  r2 = *(u64 *)(r10 - 32)
  r2 &= r1
  if r2 == 0 goto another
  w2 = *(u32 *)(r7 + {record_call})
  if r2 != r9 goto another
  r2 = *(u64 *)(r10 - 48)
  if r2 != 1 goto same
  w2 = *(u32 *)(r7 + {record_object})
  w3 = *(u32 *)(r10 - 40)
  if r2 != r3 goto another
same:
  r2 = *(u64 *)(r10 - 24)
  r1 |= r2
  *(u64 *)(r7 + {record_steps}) = r1
none:
  r0 = 0
  exit
another:
  w1 = *(u32 *)(r7 + {record_operation})
  r1 += 1
  *(u32 *)(r7 + {record_operation}) = r1
  r1 = *(u64 *)(r10 - 24)
  *(u64 *)(r7 + {record_steps}) = r1
  *(u32 *)(r7 + {record_call}) = r9
  r1 = *(u64 *)(r10 - 40)
  *(u32 *)(r7 + {record_object}) = r1
  r0 = 0
  exit

; r9 = (r9 ^ register) * r2.
.macro operation_mix register
  r1 = *(u64 *)(r0 + pt_regs.{register})
  r9 ^= r1
  r9 *= r2
.endm

; Once in a program's run, before anything is reported: STEP is the hook's function beside it, NAMES leaves the two names of a
; rename or link. The upper half of the verdict's slot says that it was.
.macro operation_begin step names
  w1 = *(u32 *)(r10 - 76)
  if r1 != 0 goto .begun
  {names}
  r1 = r6
  call {step}
  r1 = 1
  forget r1 r8
  *(u32 *)(r10 - 76) = r1
.begun:
.endm

; r1 = 1 where the task is in a system call of its own that does one thing: not a worker of io_uring, nor one that submits to
; it, for these do several operations in one.
.macro in_own_call
  call bpf_get_current_task_btf
  r1 = r0
  w2 = *(u32 *)(r1 + task_struct.flags)
  r2 &= {PF_WORKERS}
  if r2 != 0 goto .no
  call bpf_task_pt_regs
  r1 = *(u64 *)(r0 + pt_regs.orig_ax)
  ; io_uring_enter
  if r1 == 426 goto .no
  r1 = 1
  goto .done
.no:
  r1 = 0
.done:
.endm

; r1 = 1 where the task is at work in a layer of a stacked file system, within its own system call.
.macro in_a_layer
  current_task
  r1 = *(u64 *)(r0 + task_struct.cred)
  r2 = *(u64 *)(r0 + task_struct.real_cred)
  if r1 == r2 goto .no
  in_own_call
  goto .done
.no:
  r1 = 0
.done:
.endm

; Of an operation without a second name.
.macro no_names
.endm
