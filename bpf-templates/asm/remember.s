; What was learnt of the mounts of a namespace: of a file system's, or of a single mount. It holds as long as the namespace's
; count of changes is the same (it counts all changes of its mounts) and no dentry on the way to a mount point has moved.
; Whoever mounts in a namespace of his own pushes nothing of the host's out.
; A mount is remembered by three dentries and states: see the schema's struct `mounts`. Writers and readers go by `version`,
; which relies on x86's order of loads and stores.

; Entries; the first half is for the initial namespace. See also codegen/data.rs.
.set REMEMBERED 64
; Mounts of an entry, and dentries of their mount points' paths.
.set MOST_PLACES 32
.set MOST_LINKS 256

; r3 = the slot of keeper r3 in namespace r2 (addresses, typed or plain; r3 is not kept); \initial: r1 = the initial one.
; PROGRAM (0, 1 or a register that holds one of them): states are those of programs' paths. Clobbers r4.
.macro mounts_slot program
  ; a difference of typed pointers is a number that may be reckoned with
  r3 -= r2
  r4 = r3
  r4 >>= 6
  r3 >>= 12
  r3 ^= r4
  r4 >>= 12
  r3 ^= r4
  r3 ^= {program}
  r3 &= {REMEMBERED/2-1}
  if r2 == r1 goto .initial
  r3 |= {REMEMBERED/2}
.initial:
.endm

; \to = the entry of slot r3, which is masked. Clobbers r3.
.macro mounts_entry to
  r3 &= {REMEMBERED-1}
  r3 *= {mounts_size}
  {to} = data mounts
  {to} += r3
.endm

; One dentry on the way to a mount point. r1 = its number, r2 = address of the slot, and of whether all held before it
; -> r0 = 1 to end.
.func link_step static 2
  r7 = r2
  r6 = r1
  r6 &= {MOST_LINKS-1}
  r3 = *(u64 *)(r7 + 0)
  mounts_entry r9
  r1 = r6
  r1 <<= 3
  r2 = r9
  r2 += r1
  r3 = *(u64 *)(r2 + {mounts_link_dentries})
  r6 <<= 2
  r9 += r6
  w9 = *(u32 *)(r9 + {mounts_link_seqs})
  r6 = r3
  read_sequence 8 moved
  w1 = *(u32 *)(r10 - 8)
  r1 ^= r9
  r9 &= 1
  r1 |= r9
  if r1 != 0 goto moved
  r0 = 0
  exit
moved:
  *(u64 *)(r7 + 8) = 0
  r0 = 1
  exit

; Whether the ways to the mount points of slot r1 are as they were -> r0 = 1 or 0.
.func mounts_hold global 1
  *(u64 *)(r10 - 16) = r1
  *(u64 *)(r10 - 8) = 1
  r3 = r1
  mounts_entry r6
  r1 = *(u64 *)(r6 + {mounts_links})
  if r1 > {MOST_LINKS} goto no
  r2 = func link_step
  r3 = r10
  r3 += -16
  r4 = 0
  call bpf_loop
  r0 = *(u64 *)(r10 - 8)
  exit
no:
  r0 = 0
  exit

; r6 = eight times r1, r7 = the scratch, r9 = the entry of the slot, by their addresses at r2.
.macro slot_and_scratch
  r6 = r1
  r6 <<= 3
  r7 = *(u64 *)(r2 + 8)
  r3 = *(u64 *)(r2 + 0)
  mounts_entry r9
.endm

; Looks for what walk_listed and walk_keeper ask; leaves walk_slot, and the mounts in the scratch. r1 = scratch -> r0 = 1 or 0.
.func mounts_known global 1
  scratch r1 no
  r2 = *(u64 *)(r7 + {walk_listed})
  r3 = *(u64 *)(r7 + {walk_keeper})
  r1 = data control
  r1 = *(u64 *)(r1 + {control_mnt_ns})
  r5 = *(u64 *)(r7 + {walk_program})
  mounts_slot r5
  *(u64 *)(r7 + {walk_slot}) = r3
  *(u64 *)(r10 - 32) = r3
  mounts_entry r9
  r8 = *(u64 *)(r9 + {mounts_version})
  r1 = r8
  r1 &= 1
  if r1 != 0 goto no
  r1 = *(u64 *)(r9 + {mounts_ns})
  r2 = *(u64 *)(r7 + {walk_listed})
  if r1 != r2 goto no
  r1 = *(u64 *)(r9 + {mounts_number})
  r2 = *(u64 *)(r7 + {walk_number})
  if r1 != r2 goto no
  r1 = *(u64 *)(r9 + {mounts_event})
  r2 = *(u64 *)(r7 + {walk_event})
  if r1 != r2 goto no
  r1 = *(u64 *)(r9 + {mounts_keeper})
  r2 = *(u64 *)(r7 + {walk_keeper})
  if r1 != r2 goto no
  r6 = *(u64 *)(r9 + {mounts_count})
  if r6 > {MOST_PLACES} goto no
  *(u64 *)(r7 + {walk_places}) = r6
  r1 = r6
  r2 = func place_recalled
  r3 = r10
  r3 += -32
  r4 = 0
  call bpf_loop
  r1 = *(u64 *)(r10 - 32)
  call mounts_hold
  if r0 == 0 goto no
  r1 = *(u64 *)(r9 + {mounts_version})
  if r1 != r8 goto no
  r0 = 1
  exit
no:
  r0 = 0
  exit

; Remembers the mounts that were gone through, unless they are too many. r1 = scratch.
.func mounts_learn global 1
  scratch r1 end
  r6 = *(u64 *)(r7 + {walk_places})
  if r6 > {MOST_PLACES} goto end
  r1 = *(u64 *)(r7 + {walk_links})
  if r1 > {MOST_LINKS} goto end
  r3 = *(u64 *)(r7 + {walk_slot})
  *(u64 *)(r10 - 32) = r3
  mounts_entry r9
  r1 = 1
  r1 = xchg_64(r9 + {mounts_busy}, r1)
  if r1 != 0 goto end
  r1 = *(u64 *)(r9 + {mounts_version})
  r1 += 1
  *(u64 *)(r9 + {mounts_version}) = r1
  r1 = *(u64 *)(r7 + {walk_listed})
  *(u64 *)(r9 + {mounts_ns}) = r1
  r1 = *(u64 *)(r7 + {walk_number})
  *(u64 *)(r9 + {mounts_number}) = r1
  r1 = *(u64 *)(r7 + {walk_event})
  *(u64 *)(r9 + {mounts_event}) = r1
  r1 = *(u64 *)(r7 + {walk_keeper})
  *(u64 *)(r9 + {mounts_keeper}) = r1
  *(u64 *)(r9 + {mounts_count}) = r6
  r1 = *(u64 *)(r7 + {walk_links})
  *(u64 *)(r9 + {mounts_links}) = r1
  r1 = r6
  r2 = func place_learnt
  r3 = r10
  r3 += -32
  r4 = 0
  call bpf_loop
  *(u64 *)(r9 + {mounts_fast}) = 0
  r1 = *(u64 *)(r7 + {walk_others})
  if r1 == -2 goto kept
  *(u64 *)(r9 + {mounts_others}) = r1
  ; another mount than the hook's own
  r2 = 16 ll
  r2 <<= 32
  r1 = *(u64 *)(r7 + {walk_single})
  if r1 == 0 goto flagged
  r2 = 0
flagged:
  *(u64 *)(r9 + {mounts_flags}) = r2
  r1 = *(u64 *)(r7 + {walk_soft})
  if r1 == 0 goto firm
  if r6 != 1 goto kept
firm:
  r8 = 1
  r1 = *(u64 *)(r7 + {walk_open})
  if r1 != 0 goto picked
  r8 = 2
  r1 = *(u64 *)(r7 + {walk_shut})
  if r1 == 0 goto kept
picked:
  if r1 > {MOST_PLACES} goto kept
  r1 += -1
  r1 &= {MOST_PLACES-1}
  r1 <<= 3
  r2 = r7
  r2 += r1
  r1 = *(u64 *)(r2 + {walk_roots})
  *(u64 *)(r9 + {mounts_root}) = r1
  w1 = *(u32 *)(r2 + {walk_belows})
  *(u64 *)(r9 + {mounts_state}) = r1
  *(u64 *)(r9 + {mounts_fast}) = r8
kept:
  r1 = *(u64 *)(r7 + {walk_links})
  r2 = func link_learnt
  r3 = r10
  r3 += -32
  r4 = 0
  call bpf_loop
  r1 = *(u64 *)(r9 + {mounts_version})
  r1 += 1
  *(u64 *)(r9 + {mounts_version}) = r1
  *(u64 *)(r9 + {mounts_busy}) = 0
end:
  r0 = 0
  exit

; From scratch to slot: dentry r1; r2 = address of the slot's number and of the scratch's address. Clobbers all.
.func link_learnt static 2
  slot_and_scratch
  r1 = r6
  r1 &= {8*MOST_LINKS-8}
  r2 = r7
  r2 += r1
  r2 = *(u64 *)(r2 + {walk_link_dentries})
  r3 = r9
  r3 += r1
  *(u64 *)(r3 + {mounts_link_dentries}) = r2
  r1 >>= 1
  r7 += r1
  w2 = *(u32 *)(r7 + {walk_link_seqs})
  r9 += r1
  *(u32 *)(r9 + {mounts_link_seqs}) = r2
  r0 = 0
  exit

; The same: mount r1.
.func place_learnt static 2
  slot_and_scratch
  r6 &= {8*MOST_PLACES-8}
  r7 += r6
  r9 += r6
  r1 = *(u64 *)(r7 + {walk_roots})
  *(u64 *)(r9 + {mounts_roots}) = r1
  r1 = *(u64 *)(r7 + {walk_vfses})
  *(u64 *)(r9 + {mounts_vfses}) = r1
  r1 = *(u64 *)(r7 + {walk_bares})
  *(u64 *)(r9 + {mounts_bares}) = r1
  r1 = *(u64 *)(r7 + {walk_belows})
  *(u64 *)(r9 + {mounts_belows}) = r1
  r0 = 0
  exit

; And back.
.func place_recalled static 2
  slot_and_scratch
  r6 &= {8*MOST_PLACES-8}
  r7 += r6
  r9 += r6
  r1 = *(u64 *)(r9 + {mounts_roots})
  *(u64 *)(r7 + {walk_roots}) = r1
  r1 = *(u64 *)(r9 + {mounts_vfses})
  *(u64 *)(r7 + {walk_vfses}) = r1
  r1 = *(u64 *)(r9 + {mounts_bares})
  *(u64 *)(r7 + {walk_bares}) = r1
  r1 = *(u64 *)(r9 + {mounts_belows})
  *(u64 *)(r7 + {walk_belows}) = r1
  r0 = 0
  exit

; Keeps the mount at hand among those that were gone through, and what it means for the fast walk. The scratch is r7.
; Clobbers r0-r5, r8, r9, and r10 - 16 and - 24.
.macro keep_place
  ; the dentries of its mount point's path
  r1 = *(u64 *)(r7 + {walk_index})
  r2 = *(u64 *)(r7 + {walk_links})
  if r1 > {WALK_ABOVE-1} goto .long
  r3 = r1
  r3 += r2
  if r3 > {MOST_LINKS} goto .long
  *(u64 *)(r7 + {walk_links}) = r3
  *(u64 *)(r10 - 24) = r7
  *(u64 *)(r10 - 16) = r2
  r2 = func link_kept
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_loop
  goto .linked
.long:
  *(u64 *)(r7 + {walk_links}) = {MOST_LINKS+1}
.linked:
  r9 = *(u64 *)(r7 + {walk_places})
  r1 = r9
  r1 += 1
  *(u64 *)(r7 + {walk_places}) = r1
  if r9 > {MOST_PLACES-1} goto .kept
  r4 = r9
  r4 <<= 3
  r5 = r7
  r5 += r4
  r1 = *(u64 *)(r7 + {walk_key})
  *(u64 *)(r5 + {walk_roots}) = r1
  r1 = *(u64 *)(r7 + {walk_here})
  *(u64 *)(r5 + {walk_vfses}) = r1
  r1 = *(u64 *)(r7 + {walk_bare})
  *(u64 *)(r5 + {walk_bares}) = r1
  r2 = *(u64 *)(r7 + {walk_beneath})
  *(u64 *)(r5 + {walk_belows}) = r2
  r9 += 1
  r1 >>= 32
  r2 >>= 32
  if r2 == 1 goto .decides
  if r2 != 0 goto .several
  ; one that does not decide: the only one, or the same as it
  r3 = *(u64 *)(r7 + {walk_open})
  if r3 == 0 goto .only
  if r3 > {MOST_PLACES} goto .kept
  r3 += -1
  r3 &= {MOST_PLACES-1}
  r3 <<= 3
  r4 = r7
  r4 += r3
  r1 = *(u64 *)(r4 + {walk_roots})
  r2 = *(u64 *)(r7 + {walk_key})
  if r1 != r2 goto .several
  r1 = *(u64 *)(r4 + {walk_belows})
  r2 = *(u64 *)(r7 + {walk_beneath})
  if r1 == r2 goto .kept
.several:
  r9 = -1
.only:
  *(u64 *)(r7 + {walk_open}) = r9
  goto .kept
.decides:
  if r1 == 1 goto .firm
  *(u64 *)(r7 + {walk_soft}) = 1
.firm:
  w8 = *(u32 *)(r7 + {walk_beneath})
  class_of_state
  r1 = *(u64 *)(r7 + {walk_others})
  if r1 == r0 goto .classed
  if r1 == -1 goto .first
  r0 = -2
.first:
  *(u64 *)(r7 + {walk_others}) = r0
.classed:
  ; the fast walk rather ends where the file system does
  r1 = *(u64 *)(r7 + {walk_shut})
  if r1 == 0 goto .shut
  r1 = *(u64 *)(r7 + {walk_key})
  r2 = *(u64 *)(r7 + {walk_root})
  if r1 != r2 goto .kept
.shut:
  *(u64 *)(r7 + {walk_shut}) = r9
.kept:
.endm
