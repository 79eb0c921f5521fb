; The names of a chain of dentries, from the top: components of the path automaton.
; Parameters: START_PATH.

; One component and the slash after it. r1 = state, r2 = address of the dentry, r3 = index (0 is the leaf: no slash)
; -> r0 = state, bit 32 decided, bit 33 failed.
.func match_name global 3
  w8 = w1
  r6 = r2
  r7 = r3
  ; hash and length, then the address of the name
  r1 = r10
  r1 += -16
  r2 = 16
  r3 = offsetof(dentry.d_name)
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto fail
  r6 = *(u64 *)(r10 - 8)
  w9 = *(u32 *)(r10 - 12)
  if r9 == 0 goto fail
  if r9 > 255 goto fail
next:
  if r9 == 0 goto slash
  r1 = r10
  r1 += -16
  r2 = 8
  r3 = r6
  call bpf_probe_read_kernel
  if r0 != 0 goto fail
  r5 = *(u64 *)(r10 - 16)
  if r9 >= 8 goto whole
  ; the bytes beyond the name go, the slash comes right after it
  r1 = r9
  r1 <<= 3
  r2 = -1
  r2 <<= r1
  r2 ^= -1
  r5 &= r2
  r9 = 0
  if r7 == 0 goto step
  r2 = 47
  r2 <<= r1
  r5 |= r2
  r7 = 0
  goto step
whole:
  r9 += -8
  r6 += 8
  goto step
slash:
  r7 = 0
  r5 = 47
step:
  ; one place for all words: what is called from here could not be called any deeper
  find_step_of_word miss
  goto stepped
miss:
  r1 = r8
  r2 = r5
  step_bytes decided_bytes
  r8 = r1
stepped:
  if r9 != 0 goto next
  if r7 != 0 goto next
  r0 = r8
  exit
fail:
  r0 = 1 ll
  r0 <<= 33
  exit
decided_bytes:
  r0 = 1 ll
  r0 <<= 32
  r0 |= r1
  exit

; r3 = address of what a chain's place \place holds of the scratch at r7, or goes to \none. Clobbers r1, r2.
.macro chain_place place
  r1 = {place}
  r2 = *(u64 *)(r7 + {walk_mask})
  r1 &= r2
  r2 = *(u64 *)(r7 + {walk_first})
  r1 += r2
.endm

; *(u32 *)(r10 - at) = the sequence of the dentry at address r6; jumps to fail. Clobbers r0-r5.
.macro read_sequence at fail
  r1 = r10
  r1 += -{at}
  r2 = 4
  r3 = offsetof(dentry.d_seq.seqcount.sequence)
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto {fail}
.endm

; One component of the chain. r2 = address of the scratch's address -> r0 = 1 to end.
; State in the scratch: left (components still to come), low (those below it were not kept), state, told (0 on the way or at
; the end, 1 decided, 2 failed, 3 a rename came between).
.func match_step static 2
  r7 = *(u64 *)(r2 + 0)
  r8 = *(u64 *)(r7 + {walk_left})
  if r8 == 0 goto end
  r1 = *(u64 *)(r7 + {walk_low})
  if r8 <= r1 goto long
  r8 += -1
  chain_place r8
  if r1 >= {WALK_SLOTS} goto failed
  r2 = r1
  r2 <<= 3
  r3 = r7
  r3 += r2
  r6 = *(u64 *)(r3 + {walk_dentries})
  r1 <<= 2
  r3 = r7
  r3 += r1
  w9 = *(u32 *)(r3 + {walk_seqs})
  r1 = *(u64 *)(r7 + {walk_strict})
  if r1 != 0 goto strict
  ; link by link: the name alone has to be one that it had
  read_sequence 8 failed
  w9 = *(u32 *)(r10 - 8)
strict:
  r1 = *(u64 *)(r7 + {walk_state})
  r2 = r6
  r3 = r8
  call match_name
  *(u64 *)(r10 - 16) = r0
  read_sequence 8 failed
  w1 = *(u32 *)(r10 - 8)
  r2 = r1
  r2 ^= r9
  r1 &= 1
  r1 |= r2
  if r1 != 0 goto moved
  r1 = *(u64 *)(r10 - 16)
  *(u64 *)(r7 + {walk_left}) = r8
  w2 = w1
  *(u64 *)(r7 + {walk_state}) = r2
  r1 >>= 32
  if r1 == 0 goto more
  if r1 == 1 goto decided
failed:
  r1 = 2
  goto told
decided:
  r1 = 1
  goto told
long:
  r1 = 2
  goto told
moved:
  ; who renames what lies on the path itself may keep it moving; whoever asks does not wait for long
  r1 = *(u64 *)(r7 + {walk_patience})
  if r1 == 0 goto failed
  r1 += -1
  *(u64 *)(r7 + {walk_patience}) = r1
  r1 = *(u64 *)(r7 + {walk_strict})
  if r1 == 0 goto more
  *(u64 *)(r7 + {walk_changed}) = 1
  r1 = 3
told:
  *(u64 *)(r7 + {walk_told}) = r1
end:
  r0 = 1
  exit
more:
  r0 = 0
  exit

; Matches the chain that begins at \first with \mask, from its component \left (exclusive) down to the leaf, in state
; \state: registers or numbers. Leaves walk_state and walk_told. The scratch is r7, its address at r10 - 24. Clobbers r0-r5.
.macro match_chain first mask left state
  r1 = {state}
  *(u64 *)(r7 + {walk_state}) = r1
  r1 = {left}
  *(u64 *)(r7 + {walk_left}) = r1
  r1 = {first}
  *(u64 *)(r7 + {walk_first}) = r1
  r1 = {mask}
  *(u64 *)(r7 + {walk_mask}) = r1
  *(u64 *)(r7 + {walk_told}) = 0
  r1 = {WALK_STEPS}
  r2 = func match_step
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_loop
.endm
