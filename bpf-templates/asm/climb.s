; The way up from a dentry: its chain of dentries, in the scratch of a walk (walk.s).

; Adds the dentry r6 with the sequence r9 to the chain of the scratch at r7, or goes to \none. Clobbers r1-r3.
.macro chain_add none
  r3 = *(u64 *)(r7 + {walk_index})
  chain_place r3
  if r1 >= {WALK_SLOTS} goto {none}
  r3 += 1
  *(u64 *)(r7 + {walk_index}) = r3
  r2 = r1
  r2 <<= 3
  r3 = r7
  r3 += r2
  *(u64 *)(r3 + {walk_dentries}) = r6
  r1 <<= 2
  r3 = r7
  r3 += r1
  *(u32 *)(r3 + {walk_seqs}) = r9
.endm

; One step up. r2 = address of the scratch's address -> r0 = 1 to end.
; State in the scratch: at (dentry), mount (vfsmount, 0: stay in the file system), top (its root), index (components so far,
; from the leaf), end (0 on the way, 1 at the top of walk_listed's mounts, 2 unreadable, 3 at a root of the
; file system, 4 at the top of others).
.func climb_step static 2
  r7 = *(u64 *)(r2 + 0)
  r6 = *(u64 *)(r7 + {walk_at})
  r1 = *(u64 *)(r7 + {walk_top})
  if r1 == r6 goto crossing
  ; sequence and parent lie together at the beginning of a dentry
  r3 = offsetof(dentry.d_flags)
  r3 += r6
  read_kernel 32 32 unreadable
  r1 = r10
  r1 += -32
  r2 = offsetof(dentry.d_seq.seqcount.sequence)
  r3 = offsetof(dentry.d_flags)
  r2 -= r3
  r1 += r2
  w9 = *(u32 *)(r1 + 0)
  r1 = r10
  r1 += -32
  r2 = offsetof(dentry.d_parent)
  r3 = offsetof(dentry.d_flags)
  r2 -= r3
  r1 += r2
  r8 = *(u64 *)(r1 + 0)
  if r8 == r6 goto summit
  chain_add unreadable
  *(u64 *)(r7 + {walk_at}) = r8
  goto more
crossing:
  r6 = *(u64 *)(r7 + {walk_mount})
  r1 = offsetof(mount.mnt)
  r6 -= r1
  read8 8 mount.mnt_parent unreadable
  r8 = *(u64 *)(r10 - 8)
  if r8 == r6 goto root
  read8 8 mount.mnt_mountpoint unreadable
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_at}) = r1
  r6 = r8
  read8 8 mount.mnt.mnt_root unreadable
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_top}) = r1
  r1 = offsetof(mount.mnt)
  r8 += r1
  *(u64 *)(r7 + {walk_mount}) = r8
more:
  r0 = 0
  exit
root:
  ; a mount that was just taken out, or is being moved, is at the top of nothing
  r6 = *(u64 *)(r7 + {walk_listed})
  read8 8 mnt_namespace.root unreadable
  r2 = *(u64 *)(r10 - 8)
  r1 = 1
  if r2 == r8 goto end
  r1 = 4
  goto end
unreadable:
  r1 = 2
  goto end
summit:
  r1 = 3
end:
  *(u64 *)(r7 + {walk_end}) = r1
  r0 = 1
  exit

; Climbs from walk_at, walk_mount and walk_top into the chain that begins at \first with \mask, and of which the first
; components (a number or register) are there. Leaves walk_end, walk_index and walk_low. The scratch is r7. Clobbers r0-r5.
.macro climb first mask components
  r4 = {components}
  r3 = {mask}
  r2 = {first}
  r1 = *(u64 *)(r7 + {walk_which})
  call chain_climbed
.endm

; r1 = scratch, then first, mask, components. A function, so that verifiers follow it once and not wherever it is called.
.func chain_climbed global 4
  r6 = r2
  r8 = r3
  r9 = r4
  scratch r1 end
  *(u64 *)(r7 + {walk_first}) = r6
  *(u64 *)(r7 + {walk_mask}) = r8
  *(u64 *)(r7 + {walk_index}) = r9
  *(u64 *)(r7 + {walk_end}) = 0
  *(u64 *)(r7 + {walk_low}) = 0
  r1 = {WALK_STEPS}
  r2 = func climb_step
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_loop
  r1 = *(u64 *)(r7 + {walk_index})
  if r1 <= r8 goto end
  r1 -= r8
  r1 += -1
  *(u64 *)(r7 + {walk_low}) = r1
end:
  r0 = 0
  exit
