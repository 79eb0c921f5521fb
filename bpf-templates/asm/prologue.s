; What every program of a hook does first, and how it ends.
; Registers of a program: r6 the context, r8 the task's address, r9 the state of the chain that is being walked.
; Stack of a program, by the distance below r10:
;   8, 16 scratch · 24 start state · 32 exe · 40 parent · 48 to 72 lineage words · 80 verdict (errno), 76 (4 bytes) whether the operation has its number
;   88 class and flags of the paths at hand (all ones: not walked yet), 96 of the host's paths · 104, 112 dentry and vfsmount as plain addresses
;   128 task name (16 bytes), for hooks about paths · 184 address of the peer as for the trie (4 bytes length, 16 address)
;   132 to 240 states of chains that wait for a path (4 bytes each), for hooks about paths; of a rename or link 136 and 144
;   are its two names, and the states are 148 to 256
;   hooks about sockets keep instead at 88 what control messages name, at 128 scratch (8 bytes), at 160 the caller's socket
;   address (28 bytes), at 192 the port, at 200 what is known of the peer

; Jumps to `allow` where nothing can apply. MASK: the slots of this hook's events.
.macro prologue
  r1 = data control
  w2 = *(u32 *)(r1 + {control_mode})
  if r2 == 0 goto allow
  r3 = *(u64 *)(r1 + {control_lease})
  if r3 == -1 goto .leased
  *(u64 *)(r10 - 8) = r3
  call bpf_ktime_get_ns
  r3 = *(u64 *)(r10 - 8)
  if r0 >= r3 goto allow
  r1 = data control
.leased:
  w7 = *(u32 *)(r1 + {control_canary})
  call bpf_get_current_task
  r8 = r0
  r9 = 2
  if r7 == 0 goto .record
  call bpf_get_current_pid_tgid
  r0 >>= 32
  if r0 != r7 goto .record
  r9 = 1
.record:
  ; the start state, in a form about which the verifier assumes nothing: else it follows the canary's way apart
  r1 = r9
  forget r1 r8
  *(u64 *)(r10 - 24) = r1
  find_slot slot_is_own .elsewhere
  record_of_slot
.have:
  if r9 == 1 goto .copy
  r1 = *(u64 *)(r0 + {record_events})
.if MASK < (1 << 31)
  r1 &= {MASK}
.else
  r2 = {MASK} ll
  r1 &= r2
.endif
  if r1 == 0 goto allow
.copy:
.if USE_EXE
  w1 = *(u32 *)(r0 + {record_exe})
  *(u64 *)(r10 - 32) = r1
.endif
.if USE_PARENT
  w1 = *(u32 *)(r0 + {record_parent})
  *(u64 *)(r10 - 40) = r1
.endif
.rept i 0 4
.if USE_LINE & (1 << i)
  r1 = *(u64 *)(r0 + {record_line0+8*i})
  *(u64 *)(r10 - {48+8*i}) = r1
.endif
.endr
  goto .begin
.elsewhere:
  r1 = r8
  call record_moved
  if r0 != 0 goto .have
  ; a task of which nothing is known
  r1 = data stats
  r2 = 1
  lock *(u64 *)(r1 + {stats_missing}) += r2
  *(u64 *)(r10 - 32) = 2
  *(u64 *)(r10 - 40) = 2
  *(u64 *)(r10 - 48) = 1
  *(u64 *)(r10 - 56) = 0
  *(u64 *)(r10 - 64) = 0
  *(u64 *)(r10 - 72) = 0
.begin:
  ; two halves, the upper one last: so the verifier takes them for the same as after an outcome
  r1 = 0
  forget r1 r8
  *(u32 *)(r10 - 80) = r1
  *(u32 *)(r10 - 76) = r1
.endm

; Leaves a register's value as it is, but in a form about which the verifier assumes nothing: known constants and ranges
; that live long multiply its states. BY is any number that it does not know.
.macro forget reg by
  {reg} += {by}
  {reg} -= {by}
.endm

; r0 = the verdict; ends the program.
.macro epilogue
finish:
  r1 = *(u64 *)(r10 - 80)
  r1 &= 0xfff
  r0 = 0
  r0 -= r1
  exit
; a table was left: cannot happen, and if it does nothing is allowed
bad:
  r1 = data stats
  r2 = 1
  lock *(u64 *)(r1 + {stats_failed}) += r2
  r0 = -1
  exit
allow:
  r0 = 0
  exit
.endm

; Takes the outcome in r1: counts it, reports it, adds its refusal to the verdict. FRAME: what reaches the program's stack.
; kind 0: there is no object; kind 1: it is the path at 104, 112 with the class at 88, and where PAIR is 1 what is reported are
; the two names of the operation at 136, 144; kind 2: the address at 180, port at 192, of which 200 says what is known. HOW: what path_find is told.
.macro take_outcome kind frame pair how
.if {kind} == 1
  w2 = *(u32 *)({frame} - 88)
  if r2 == 1 goto .untold
  r4 = *(u64 *)({frame} - 112)
  r2 = *(u64 *)({frame} - 88)
  r2 >>= 36
  if r2 == 0 goto .shown
  ; no path leads through the mount that the hook shows, or nobody asked for one yet: a report names the file by the mount
  ; that gave the class
  r9 = r1
  r1 = *(u64 *)({frame} - 104)
  r2 = r4
  r3 = 0
  w4 = *(u32 *)({frame} - 88)
  r4 <<= 4
  r4 |= {how|2}
  call path_find
  r1 = r9
  r4 = r0
  if r4 != 0 goto .shown
  r4 = *(u64 *)({frame} - 112)
.shown:
  r2 = 1
  goto .named
.untold:
  ; what is known is the way within the file system
  r4 = 0
  r2 = 0x101
.named:
.if {pair}
  r3 = *(u64 *)({frame} - 136)
  r5 = *(u64 *)({frame} - 144)
.else
  r3 = *(u64 *)({frame} - 104)
  r5 = 0
.endif
.endif
.if {kind} == 2
  r3 = *(u64 *)({frame} - 200)
  r2 = 0x102
  if r3 == 2 goto .untold
  if r3 == 4 goto .untold
  r2 = 0
  ; no address of the Internet
  if r3 == 0 goto .untold
  r2 = 2
.untold:
  r3 = *(u64 *)({frame} - 176)
  r4 = *(u64 *)({frame} - 168)
  r5 = *(u64 *)({frame} - 192)
.endif
.if {kind} == 0
  r2 = 0
  r3 = 0
  r4 = 0
  r5 = 0
.endif
  call act
  r1 = r0
  r1 &= 0xfff
  if r1 == 0 goto .done
  w2 = *(u32 *)({frame} - 80)
  if r2 == 0 goto .set
  if r2 == r1 goto .done
  r1 = 1
.set:
  forget r1 r8
  *(u32 *)({frame} - 80) = r1
  *(u32 *)({frame} - 76) = r1
.done:
.endm

; The two names of an operation, as plain addresses of dentries at r10 - 136 and r10 - 144.
.macro plain_pair first second
  {first}
  *(u64 *)(r10 - 8) = r1
  {second}
  *(u64 *)(r10 - 16) = r1
  plain_words 144 16 16 .done
.done:
.endm
