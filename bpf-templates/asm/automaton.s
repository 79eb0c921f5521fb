; The automaton that gives a path its class, one byte at a time, see ARCHITECTURE.md "The event path".
; Tables: bytes, steps. Parameters: BYTES_MASK, STEPS_SHIFT.

; One word of 1 to 8 bytes, zero-padded, byte by byte: r1 = state, r2 = word -> r1 = state; goes to \decided where nothing
; that follows can change the class. Clobbers r0, r2-r5.
.macro step_bytes decided
  w1 = w1
.rept k 0 8
  r3 = r1
  r3 &= {BYTES_MASK}
  r4 = data bytes
  r4 += r3
  r3 = r2
  r3 &= 255
  if r3 == 0 goto .over
  r3 <<= 3
  r3 += r1
  r3 &= {BYTES_MASK}
  r5 = data bytes
  r5 += r3
  r5 = *(u64 *)(r5 + 0)
  w0 = w5
  if r0 == r1 goto .own{k}
  ; no entry of this state: what its info says
  r5 = *(u64 *)(r4 + 0)
  r0 = r5
  r0 &= 3
  r5 >>= 32
  if r0 == 0 goto .dead
  if r0 == 1 goto {decided}
  r1 = r5
  if r0 == 3 goto .skip{k}
  goto .next{k}
.skip{k}:
  ; nothing before a slash changes the state: what is left of the word is its slash, if it has one (it is the last byte)
  r2 >>= 8
  r3 = 0x2f2f2f2f2f2f2f2f ll
  r3 ^= r2
  r0 = 0x0101010101010101 ll
  r5 = r3
  r5 -= r0
  r3 ^= -1
  r5 &= r3
  r0 <<= 7
  r5 &= r0
  if r5 == 0 goto .over
  r2 = 0x2f00
  goto .next{k}
.own{k}:
  r5 >>= 32
  r1 = r5
  if r1 == 0 goto .dead
.next{k}:
  r2 >>= 8
.endr
.over:
  r3 = r1
  r3 &= {BYTES_MASK}
  r4 = data bytes
  r4 += r3
  r5 = *(u64 *)(r4 + 0)
  r5 &= 3
  if r5 == 1 goto {decided}
  goto .end
.dead:
  r1 = 0
  goto {decided}
.end:
.endm

; The same as a function: r1 = state, r2 = word -> r0 = state, bit 32 set where nothing that follows can change the class.
.func step8 global 2
  step_bytes decided
  r0 = r1
  exit
decided:
  r0 = 1 ll
  r0 <<= 32
  r0 |= r1
  exit

; r8 = state after the word r5 by the table of steps; goes to \miss where it has no entry. Clobbers r0-r3.
.macro find_step_of_word miss
  r1 = r5
  r1 ^= r8
  r2 = 0x9E3779B97F4A7C15 ll
  r2 *= r1
  r2 >>= {STEPS_SHIFT}
  r2 <<= 4
  r3 = data steps
  r3 += r2
  r2 = *(u64 *)(r3 + 0)
  if r2 != r5 goto .second
  w0 = *(u32 *)(r3 + 8)
  if r0 == r8 goto .hit
.second:
  r2 = 0xD6E8FEB86659FD93 ll
  r2 *= r1
  r2 >>= {STEPS_SHIFT}
  r2 <<= 4
  r3 = data steps
  r3 += r2
  r2 = *(u64 *)(r3 + 0)
  if r2 != r5 goto {miss}
  w0 = *(u32 *)(r3 + 8)
  if r0 != r8 goto {miss}
.hit:
  w8 = *(u32 *)(r3 + 12)
.endm

; r8 = state after the word r5; jumps to `decided` where the class is certain. Clobbers r0-r5.
.macro step_word
  find_step_of_word .miss
  goto .done
.miss:
  r1 = r8
  r2 = r5
  call step8
  w8 = w0
  r0 >>= 32
  if r0 != 0 goto decided
.done:
.endm

; r8 = state after `/`.
.macro step_slash
  r1 = r8
  r1 += 376
  r1 &= {BYTES_MASK}
  r2 = data bytes
  r2 += r1
  r1 = *(u64 *)(r2 + 0)
  w2 = w1
  if r2 != r8 goto .miss
  r1 >>= 32
  r8 = r1
  if r8 == 0 goto decided
  goto .done
.miss:
  r1 = r8
  r2 = 47
  call step8
  w8 = w0
  r0 >>= 32
  if r0 != 0 goto decided
.done:
.endm

; A whole name of a component, from its 32 inline bytes in r2 to r5. r1 = state, bits 32 to 39 the name's length (at most 31),
; bit 40 whether a slash follows -> r0 = state, bit 32 set where nothing that follows can change the class. What unrolls its
; components calls this, where instructions to verify count for more than those of a call.
.func step_name global 5
  r8 = r1
  r6 = r3
  r7 = r4
  r9 = r5
  r5 = r2
  r1 >>= 32
  *(u64 *)(r10 - 8) = r1
  w8 = w8
.rept k 0 4
  r4 = *(u64 *)(r10 - 8)
  r1 = r4
  r1 &= 255
  if r1 >= 8 goto whole{k}
  ; the bytes beyond the name go, the slash comes right after it
  r1 <<= 3
  r3 = -1
  r3 <<= r1
  r3 ^= -1
  r5 &= r3
  r4 >>= 8
  r4 &= 1
  r4 *= 47
  r4 <<= r1
  r5 |= r4
  if r5 == 0 goto end
  step_word
  goto end
whole{k}:
  r4 += -8
  *(u64 *)(r10 - 8) = r4
  step_word
.if k == 0
  r5 = r6
.endif
.if k == 1
  r5 = r7
.endif
.if k == 2
  r5 = r9
.endif
.endr
end:
  r0 = r8
  exit
decided:
  r0 = 1 ll
  r0 <<= 32
  r0 |= r8
  exit

; r0 = class of state r8.
.macro class_of_state
  r1 = r8
  r1 &= {BYTES_MASK}
  r2 = data bytes
  r2 += r1
  w0 = *(u32 *)(r2 + 0)
  w0 &= 0x7fffffff
  w0 >>= 2
.endm
