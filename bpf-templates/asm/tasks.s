; Where the records of processes are: a table of groups of four slots that programs address directly, and the hash
; `tasks` for what is older than the policy or finds its group full. `owners` has the address of the task of each slot
; (0: free), `records` its record. A slot is taken by compare-and-exchange, and from then on only programs that run for
; its task use the record, so nothing in it is shared. Parameter: TASK_SLOTS.

; r1 = offset in `owners` of the slot of task r8 for which the probe holds, or goes to \none. Clobbers r0, r2, r3.
.macro find_slot probe none
  r1 = r8
  r1 >>= 6
  w1 *= 0x61C88647
  w1 >>= 15
  w1 &= {8*TASK_SLOTS-32}
  r2 = data owners
  r2 += r1
.rept k 0 4
  {probe} {8*k} .at{k}
.endr
  goto {none}
.at3:
  r1 += 8
.at2:
  r1 += 8
.at1:
  r1 += 8
  ; one range for all four, or the verifier follows each apart
  forget r1 r8
  r1 &= {8*TASK_SLOTS-8}
.at0:
.endm

; A probe: the slot is the task's own.
.macro slot_is_own at found
  r3 = *(u64 *)(r2 + {at})
  if r3 == r8 goto {found}
.endm

; A probe: the slot was free, and is the task's own now.
.macro slot_taken at found
  r0 = 0
  r0 = cmpxchg_64(r2 + {at}, r0, r8)
  if r0 == 0 goto {found}
.endm

; r0 = the record of the slot at offset r1 of `owners`. Clobbers r1.
.macro record_of_slot
  r1 *= {record_size/8}
  r0 = data records
  r0 += r1
.endm

; r0 = the record of task r8 in the hash, 0 for none; leaves the key at r10 - 8. Clobbers r1-r5.
.macro record_in_hash
  *(u64 *)(r10 - 8) = r8
  r1 = map tasks
  r2 = r10
  r2 += -8
  call bpf_map_lookup_elem
.endm

; r7 = the record of task r8, or goes to \none, with the task's address at r10 - 8.
.macro record_of_task none
  find_slot slot_is_own .elsewhere
  record_of_slot
  goto .have
.elsewhere:
  record_in_hash
  if r0 == 0 goto {none}
.have:
  r7 = r0
.endm

; The record of the current task, whose address is r1, where the table has none -> r0, 0 for none. It moves to the table
; if there is room: next time it is found there. Only for policies that are on: nobody else writes records then.
.func record_moved static 1
  r8 = r1
  record_in_hash
  if r0 == 0 goto end
  r7 = r0
  find_slot slot_taken stays
  record_of_slot
.rept i 0 {record_size/8}
  r1 = *(u64 *)(r7 + {8*i})
  *(u64 *)(r0 + {8*i}) = r1
.endr
  r6 = r0
  r1 = map tasks
  r2 = r10
  r2 += -8
  call bpf_map_delete_elem
  r0 = r6
  exit
stays:
  r0 = r7
end:
  exit
