; The names of a chain of dentries, from the top: components of the path automaton.

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
  r3 = offsetof(dentry.d_seq.seqcount.sequence)
  r3 += r6
  read_kernel {at} 4 {fail}
.endm

; One word of a name of the chain. r2 = address of the scratch's address -> r0 = 1 to end.
; State in the scratch: left (components still to come), low (those below it were not kept), rest (bytes to come of the name at
; hand; 256: only the slash after it), name (where they are), link (its dentry), seen_seq (that dentry's sequence), state,
; before (the state before the name), told (0 on the way or at the end, 1 decided, 2 failed, 3 a rename came between).
.func match_step static 2
  r7 = *(u64 *)(r2 + 0)
  r9 = *(u64 *)(r7 + {walk_rest})
  if r9 != 0 goto word
  r8 = *(u64 *)(r7 + {walk_left})
  if r8 == 0 goto end
  r1 = *(u64 *)(r7 + {walk_low})
  if r8 <= r1 goto failed
  r8 += -1
  chain_place r8
  if r1 >= {WALK_SLOTS} goto failed
  *(u64 *)(r7 + {walk_left}) = r8
  r2 = r1
  r2 <<= 3
  r3 = r7
  r3 += r2
  r6 = *(u64 *)(r3 + {walk_dentries})
  *(u64 *)(r7 + {walk_link}) = r6
  r1 <<= 2
  r3 = r7
  r3 += r1
  w9 = *(u32 *)(r3 + {walk_seqs})
  r1 = *(u64 *)(r7 + {walk_strict})
  if r1 != 0 goto strict
  ; link by link: the name alone has to be one that it had
  read_sequence 8 failed
  w9 = *(u32 *)(r10 - 8)
  r1 = r9
  r1 &= 1
  if r1 == 0 goto strict
  ; who moves it may have lost its processor in the middle: after a while it is taken as it is
  r1 = *(u64 *)(r7 + {walk_patience})
  if r1 != 0 goto waiting
strict:
  *(u64 *)(r7 + {walk_seen_seq}) = r9
  r1 = *(u64 *)(r7 + {walk_state})
  *(u64 *)(r7 + {walk_before}) = r1
  ; hash and length, then the address of the name
  r3 = offsetof(dentry.d_name)
  r3 += r6
  read_kernel 16 16 failed
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_name}) = r1
  w9 = *(u32 *)(r10 - 12)
  if r9 == 0 goto failed
  if r9 > 255 goto failed
word:
  r5 = 47
  if r9 > 255 goto slash
  r3 = *(u64 *)(r7 + {walk_name})
  read_kernel 8 8 failed
  r5 = *(u64 *)(r10 - 8)
  r2 = *(u64 *)(r7 + {walk_left})
  if r9 >= 8 goto whole
  ; the bytes beyond the name go, the slash comes right after it; the leaf has none
  r1 = r9
  r1 <<= 3
  r3 = -1
  r3 <<= r1
  r3 ^= -1
  r5 &= r3
  r9 = 0
  if r2 == 0 goto step
  r3 = 47
  r3 <<= r1
  r5 |= r3
  goto step
whole:
  r3 = *(u64 *)(r7 + {walk_name})
  r3 += 8
  *(u64 *)(r7 + {walk_name}) = r3
  r9 += -8
  if r9 != 0 goto step
  if r2 == 0 goto step
  r9 = 256
  goto step
slash:
  r9 = 0
step:
  r8 = *(u64 *)(r7 + {walk_state})
  r6 = 0
  find_step_of_word miss
  goto stepped
miss:
  r1 = r8
  r2 = r5
  step_bytes certain
  w8 = w1
  goto stepped
certain:
  w8 = w1
  r6 = 1
stepped:
  *(u64 *)(r7 + {walk_state}) = r8
  *(u64 *)(r7 + {walk_rest}) = r9
  if r6 != 0 goto believed
  if r9 != 0 goto more
believed:
  ; the name, or as much of it as decides, was its name all the time
  r8 = r6
  r6 = *(u64 *)(r7 + {walk_link})
  read_sequence 8 failed
  w1 = *(u32 *)(r10 - 8)
  r2 = *(u64 *)(r7 + {walk_seen_seq})
  r2 ^= r1
  r1 &= 1
  r1 |= r2
  if r1 == 0 goto kept
  r1 = *(u64 *)(r7 + {walk_patience})
  r2 = *(u64 *)(r7 + {walk_strict})
  r1 |= r2
  if r1 != 0 goto moved
kept:
  if r8 == 0 goto more
  r1 = 1
  goto told
failed:
  r1 = 2
  goto told
moved:
  *(u64 *)(r7 + {walk_rest}) = 0
  r1 = *(u64 *)(r7 + {walk_before})
  *(u64 *)(r7 + {walk_state}) = r1
  r1 = *(u64 *)(r7 + {walk_strict})
  if r1 == 0 goto waiting
  ; to begin anew costs as much as was matched
  r1 = *(u64 *)(r7 + {walk_worked})
  if r1 <= {WALK_ANEW} goto begin
  *(u64 *)(r7 + {walk_strict}) = 0
waiting:
  ; who renames what lies on the path itself may keep it moving; whoever asks does not wait for long
  r1 = *(u64 *)(r7 + {walk_patience})
  if r1 == 0 goto again
  r1 += -1
  *(u64 *)(r7 + {walk_patience}) = r1
again:
  r1 = *(u64 *)(r7 + {walk_left})
  r1 += 1
  *(u64 *)(r7 + {walk_left}) = r1
  goto more
begin:
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
; \state: registers or numbers. Leaves walk_state and walk_told. The scratch is r7. Clobbers r0-r5.
.macro match_chain first mask left state
  r4 = {left}
  r5 = {state}
  r3 = {mask}
  r2 = {first}
  r1 = *(u64 *)(r7 + {walk_which})
  call chain_matched
.endm

; r1 = scratch, then first, mask, left, state. A function for the same reason as chain_climbed.
.func chain_matched global 5
  r6 = r2
  r8 = r3
  r9 = r4
  *(u64 *)(r10 - 32) = r5
  scratch r1 end
  *(u64 *)(r7 + {walk_first}) = r6
  *(u64 *)(r7 + {walk_mask}) = r8
  *(u64 *)(r7 + {walk_left}) = r9
  r1 = *(u64 *)(r10 - 32)
  *(u64 *)(r7 + {walk_state}) = r1
  r2 = *(u64 *)(r7 + {walk_worked})
  r2 += r9
  *(u64 *)(r7 + {walk_worked}) = r2
  *(u64 *)(r7 + {walk_told}) = 0
  *(u64 *)(r7 + {walk_rest}) = 0
  r1 = {WALK_WORDS}
  r2 = func match_step
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_loop
  r1 = *(u64 *)(r7 + {walk_told})
  if r1 != 0 goto end
  ; as far as it goes, and that was not to the end
  r1 = *(u64 *)(r7 + {walk_left})
  r2 = *(u64 *)(r7 + {walk_rest})
  r1 |= r2
  if r1 == 0 goto end
  *(u64 *)(r7 + {walk_told}) = 2
end:
  r0 = 0
  exit
