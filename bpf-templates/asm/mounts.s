; The mounts of a file system in a namespace, and the path that each of them gives to a file. What is remembered of them
; (remember.s) is gone on from; else the namespace's own list (until 6.7) or tree is gone through: what other namespaces mount
; costs nothing here.

; Most mounts of one file system in one namespace; more of them fail.
.set MOST_MOUNTS 2048
; Most steps through a namespace's tree: three for each of its mounts (fs.mount-max is 100,000).
.set MOUNT_STEPS 524288

; The chain of dentries from the file up to the root of its file system, once for all mounts. r1 = scratch
; -> r0 = 0 where no namespace can show it, 1, or 2 where the chain could not be followed.
.func walk_chain global 1
  scratch r1 none
  r6 = *(u64 *)(r7 + {walk_file})
  read8 8 dentry.d_sb none
  r6 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_sb}) = r6
  read8 8 super_block.s_flags none
  r1 = *(u64 *)(r10 - 8)
  ; SB_NOUSER: no namespace ever shows it
  r1 >>= 31
  r1 &= 1
  if r1 != 0 goto none
  r1 = *(u64 *)(r7 + {walk_depth})
  if r1 != -1 goto climbed
  r1 = *(u64 *)(r7 + {walk_file})
  *(u64 *)(r7 + {walk_at}) = r1
  *(u64 *)(r7 + {walk_mount}) = 0
  *(u64 *)(r7 + {walk_top}) = 0
  ; a name in a folder of a layer: the first components are the stacked file's own
  r5 = *(u64 *)(r7 + {walk_lead})
  climb 0 {WALK_PATH-1} r5
  r1 = *(u64 *)(r7 + {walk_end})
  if r1 != 3 goto deep
  r1 = *(u64 *)(r7 + {walk_index})
  *(u64 *)(r7 + {walk_depth}) = r1
  r1 = *(u64 *)(r7 + {walk_low})
  *(u64 *)(r7 + {walk_lost}) = r1
  r1 = *(u64 *)(r7 + {walk_at})
  *(u64 *)(r7 + {walk_root}) = r1
climbed:
  r0 = 1
  exit
deep:
  r0 = 2
  exit
none:
  r0 = 0
  exit

; Adds the paths by which the namespace r1 shows the file that scratch r3 is about: by the vfsmount r2, which is in it, or by
; each of its mounts (0) -> r0 = 1 where there is one.
.func walk_shown global 3
  r9 = r1
  r8 = r2
  r6 = r3
  scratch r6 none
  r1 = r6
  call walk_chain
  if r0 == 0 goto none
  if r0 == 2 goto deep
  *(u64 *)(r7 + {walk_listed}) = r9
  *(u64 *)(r7 + {walk_single}) = r8
  if r8 != 0 goto keeper
  r8 = *(u64 *)(r7 + {walk_sb})
keeper:
  *(u64 *)(r7 + {walk_keeper}) = r8
  *(u64 *)(r7 + {walk_shows}) = 0
  r8 = r6
  r6 = r9
  read8 8 mnt_namespace.event none
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_event}) = r1
  r1 = r9
  call ns_number
  *(u64 *)(r7 + {walk_number}) = r0
  r1 = r8
  call mounts_known
  r6 = r0
  if r6 == 0 goto search
  r1 = *(u64 *)(r7 + {walk_places})
  r2 = func place_step
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_loop
  goto searched
search:
  *(u64 *)(r7 + {walk_places}) = 0
  *(u64 *)(r7 + {walk_links}) = 0
  *(u64 *)(r7 + {walk_open}) = 0
  *(u64 *)(r7 + {walk_shut}) = 0
  *(u64 *)(r7 + {walk_soft}) = 0
  *(u64 *)(r7 + {walk_others}) = -1
  *(u64 *)(r7 + {walk_turn}) = 0
  r1 = *(u64 *)(r7 + {walk_single})
  if r1 != 0 goto begin
  r6 = r9
  r1 = exists(mount.mnt_node)
  if r1 == 0 goto list
  read8 8 mnt_namespace.mounts.rb_node none
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0 goto none
  goto begin
list:
  r1 = offsetof(mnt_namespace.list)
  r1 += r6
  *(u64 *)(r7 + {walk_head}) = r1
  read8 8 mnt_namespace.list.next none
  r1 = *(u64 *)(r10 - 8)
begin:
  *(u64 *)(r7 + {walk_node}) = r1
  r1 = {MOUNT_STEPS}
  r2 = func mount_step
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_loop
  r6 = 0
searched:
  ; what changed meanwhile may have been passed over; who keeps changing it is not waited for
  *(u64 *)(r10 - 32) = r6
  r6 = r9
  read8 8 mnt_namespace.event told
  r1 = *(u64 *)(r10 - 8)
  r2 = *(u64 *)(r7 + {walk_event})
  if r1 == r2 goto same
  r1 = *(u64 *)(r7 + {walk_single})
  if r1 != 0 goto told
  r1 = *(u64 *)(r7 + {walk_strict})
  if r1 == 0 goto told
  *(u64 *)(r7 + {walk_changed}) = 1
  goto told
same:
  r1 = *(u64 *)(r10 - 32)
  r2 = *(u64 *)(r7 + {walk_changed})
  r1 |= r2
  if r1 != 0 goto told
  ; a mount that was taken out before the count was read is in no count that would tell of it later
  r6 = *(u64 *)(r7 + {walk_single})
  if r6 == 0 goto learn
  r1 = offsetof(mount.mnt)
  r6 -= r1
  read8 8 mount.mnt_ns told
  r1 = *(u64 *)(r10 - 8)
  if r1 != r9 goto told
learn:
  ; the last scratch can be taken away at any time
  if r8 == {WALK_SCRATCHES-1} goto told
  r1 = r8
  call mounts_learn
told:
  r0 = *(u64 *)(r7 + {walk_shows})
  exit
deep:
  *(u64 *)(r7 + {walk_here}) = 0
  r1 = 1
  add_class
  r0 = 1
  exit
none:
  r0 = 0
  exit

; Adds the path by the mount at hand: what it shows at its top in walk_key, the states in walk_bare and walk_beneath. Goes on at
; `more`, or ends at `stop` where a rename came between. The scratch is r7. Clobbers r0-r5, r8, r9.
.macro use_place
  r1 = *(u64 *)(r7 + {walk_nameless})
  if r1 == 0 goto .named
  ; somewhere below this mount: where that does not decide, nothing can
  *(u64 *)(r7 + {walk_shows}) = 1
  r1 = *(u64 *)(r7 + {walk_beneath})
  w8 = w1
  *(u64 *)(r7 + {walk_state}) = r8
  r1 >>= 32
  if r1 != 0 goto .sure
  r1 = 2
.sure:
  *(u64 *)(r7 + {walk_told}) = r1
  goto .found
.named:
  r1 = *(u64 *)(r7 + {walk_key})
  r9 = *(u64 *)(r7 + {walk_depth})
  r2 = *(u64 *)(r7 + {walk_root})
  if r1 == r2 goto .placed
  *(u64 *)(r7 + {walk_place}) = -1
  r1 = r9
  r1 += 7
  r1 >>= 3
  r2 = func find_step
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_loop
  r9 = *(u64 *)(r7 + {walk_place})
  if r9 == -1 goto more
.placed:
  *(u64 *)(r7 + {walk_place}) = r9
  *(u64 *)(r7 + {walk_shows}) = 1
  r1 = *(u64 *)(r7 + {walk_bare})
  if r9 == 0 goto .from
  r1 = *(u64 *)(r7 + {walk_beneath})
.from:
  r2 = r1
  r2 >>= 32
  *(u64 *)(r7 + {walk_told}) = r2
  w8 = w1
  *(u64 *)(r7 + {walk_state}) = r8
  if r2 != 0 goto .found
  ; mounts that come to the same state at the same place give the same class
  r2 = r9
  r2 <<= 32
  r2 |= r8
  r3 = *(u64 *)(r7 + {walk_seen})
.rept k 0 8
  if r3 <= {k} goto .unseen
  r4 = *(u64 *)(r7 + {walk_pairs+8*k})
  if r4 == r2 goto more
.endr
  goto .matched
.unseen:
  r4 = r3
  r4 &= 7
  r4 <<= 3
  r5 = r7
  r5 += r4
  *(u64 *)(r5 + {walk_pairs}) = r2
  r3 += 1
  *(u64 *)(r7 + {walk_seen}) = r3
.matched:
  r1 = *(u64 *)(r7 + {walk_lost})
  *(u64 *)(r7 + {walk_low}) = r1
  match_chain 0 {WALK_PATH-1} r9 r8
  r1 = *(u64 *)(r7 + {walk_told})
  if r1 == 3 goto stop
.found:
  add_found
.endm

; One of the mounts that are remembered. r1 = its number, r2 = address of the scratch's address -> r0 = 1 to end.
.func place_step static 2
  r7 = *(u64 *)(r2 + 0)
  *(u64 *)(r10 - 24) = r7
  r1 &= {MOST_PLACES-1}
  r1 <<= 3
  r2 = r7
  r2 += r1
  r1 = *(u64 *)(r2 + {walk_roots})
  *(u64 *)(r7 + {walk_key}) = r1
  r1 = *(u64 *)(r2 + {walk_vfses})
  *(u64 *)(r7 + {walk_here}) = r1
  r1 = *(u64 *)(r2 + {walk_bares})
  *(u64 *)(r7 + {walk_bare}) = r1
  r1 = *(u64 *)(r2 + {walk_belows})
  *(u64 *)(r7 + {walk_beneath}) = r1
  *(u64 *)(r7 + {walk_mounted}) = 1
  use_place
more:
  r0 = 0
  exit
stop:
  r0 = 1
  exit

; One step through the namespace's mounts. r2 = address of the scratch's address -> r0 = 1 to end.
; State in the scratch: node (where), head (end of a list), turn (of a tree: 0 down to the left, 1 here, 2 up).
.func mount_step static 2
  r7 = *(u64 *)(r2 + 0)
  *(u64 *)(r10 - 24) = r7
  r6 = *(u64 *)(r7 + {walk_single})
  r1 = offsetof(mount.mnt)
  if r6 == 0 goto search
  r6 -= r1
  goto this
search:
  r6 = *(u64 *)(r7 + {walk_node})
  r1 = exists(mount.mnt_node)
  if r1 == 0 goto list
  r1 = *(u64 *)(r7 + {walk_turn})
  if r1 == 1 goto here
  if r1 == 2 goto up
  read8 8 rb_node.rb_left stop
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0 goto here
  *(u64 *)(r7 + {walk_node}) = r1
  goto more
up:
  read8 8 rb_node.__rb_parent_color stop
  r8 = *(u64 *)(r10 - 8)
  r8 &= -4
  if r8 == 0 goto stop
  ; no longer in the tree
  if r8 == r6 goto gone
  r9 = r6
  r6 = r8
  read8 8 rb_node.rb_left stop
  *(u64 *)(r7 + {walk_node}) = r8
  r1 = *(u64 *)(r10 - 8)
  if r1 != r9 goto more
  *(u64 *)(r7 + {walk_turn}) = 1
  goto more
here:
  read8 8 rb_node.rb_right stop
  r2 = 2
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0 goto leaf
  *(u64 *)(r7 + {walk_node}) = r1
  r2 = 0
leaf:
  *(u64 *)(r7 + {walk_turn}) = r2
  r1 = offsetof(mount.mnt_node)
  r6 -= r1
  goto visit
list:
  r1 = *(u64 *)(r7 + {walk_head})
  if r6 == r1 goto stop
  read8 8 list_head.next stop
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_node}) = r1
  r1 = offsetof(mount.mnt_list)
  r6 -= r1
  ; a reader of /proc/mounts marks its place in the list (MNT_CURSOR); any other that is not of this namespace was taken out
  ; and leads elsewhere
  read8 8 mount.mnt_ns stop
  r1 = *(u64 *)(r10 - 8)
  r2 = *(u64 *)(r7 + {walk_listed})
  if r1 == r2 goto visit
  if r1 != 0 goto gone
  r3 = offsetof(mount.mnt.mnt_flags)
  r3 += r6
  read_kernel 8 4 stop
  w1 = *(u32 *)(r10 - 8)
  r1 &= 0x10000000
  if r1 != 0 goto more
gone:
  *(u64 *)(r7 + {walk_changed}) = 1
  goto stop
visit:
  read8 8 mount.mnt.mnt_sb more
  r1 = *(u64 *)(r10 - 8)
  r2 = *(u64 *)(r7 + {walk_sb})
  if r1 != r2 goto more
this:
  *(u64 *)(r7 + {walk_mounted}) = 1
  r1 = *(u64 *)(r7 + {walk_visits})
  r1 += 1
  *(u64 *)(r7 + {walk_visits}) = r1
  if r1 > {MOST_MOUNTS} goto many
  r1 = offsetof(mount.mnt)
  r1 += r6
  *(u64 *)(r7 + {walk_here}) = r1
  read8 8 mount.mnt.mnt_root more
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {walk_key}) = r1
  ; the path of its mount point: the state after it, and after the slash that follows
  *(u64 *)(r7 + {walk_at}) = r1
  *(u64 *)(r7 + {walk_top}) = r1
  r1 = *(u64 *)(r7 + {walk_here})
  *(u64 *)(r7 + {walk_mount}) = r1
  climb {WALK_PATH} {WALK_ABOVE-1} 0
  r1 = *(u64 *)(r7 + {walk_end})
  if r1 == 3 goto more
  if r1 == 4 goto gone
  if r1 != 1 goto many
  r5 = *(u64 *)(r7 + {walk_index})
  r8 = *(u64 *)(r7 + {walk_start})
  match_chain {WALK_PATH} {WALK_ABOVE-1} r5 r8
  r1 = *(u64 *)(r7 + {walk_told})
  if r1 == 3 goto stop
  r0 = r1
  r0 <<= 32
  w2 = *(u32 *)(r7 + {walk_state})
  r0 |= r2
  *(u64 *)(r7 + {walk_bare}) = r0
  if r1 != 0 goto below
  r1 = *(u64 *)(r7 + {walk_index})
  if r1 == 0 goto below
  r1 = *(u64 *)(r7 + {walk_state})
  r2 = 47
  call step8
below:
  *(u64 *)(r7 + {walk_beneath}) = r0
  keep_place
  use_place
more:
  r1 = *(u64 *)(r7 + {walk_single})
  if r1 != 0 goto stop
  r0 = 0
  exit
many:
  r1 = 1
  add_class
  *(u64 *)(r7 + {walk_shows}) = 1
  *(u64 *)(r7 + {walk_places}) = -1
stop:
  r0 = 1
  exit

; One dentry of the path of a mount point. r1 = its number there, r2 = address of the scratch's address, and of how many were
; kept before.
.func link_kept static 2
  r7 = *(u64 *)(r2 + 0)
  r4 = *(u64 *)(r2 + 8)
  r4 += r1
  r4 &= {MOST_LINKS-1}
  r4 <<= 3
  r5 = r7
  r5 += r4
  r1 &= {WALK_ABOVE-1}
  r1 <<= 3
  r3 = r7
  r3 += r1
  r3 = *(u64 *)(r3 + {walk_dentries+8*WALK_PATH})
  *(u64 *)(r5 + {walk_link_dentries}) = r3
  r4 >>= 1
  r5 = r7
  r5 += r4
  r1 >>= 1
  r7 += r1
  w3 = *(u32 *)(r7 + {walk_seqs+4*WALK_PATH})
  *(u32 *)(r5 + {walk_link_seqs}) = r3
  r0 = 0
  exit

; Looks for walk_key among eight components of the chain. r1 = turn, r2 = address of the scratch's address
; -> r0 = 1 to end; walk_place.
.func find_step static 2
  r7 = *(u64 *)(r2 + 0)
  r6 = r1
  r6 <<= 3
  if r6 > {WALK_PATH-8} goto end
  r8 = *(u64 *)(r7 + {walk_key})
  r1 = r6
  r1 <<= 3
  r1 &= {8*WALK_PATH-64}
  r2 = r7
  r2 += r1
.rept k 0 8
  r1 = *(u64 *)(r2 + {walk_dentries+8*k})
  if r1 == r8 goto at{k}
.endr
  r0 = 0
  exit
.rept k 0 7
at{7-k}:
  r6 += 1
.endr
at0:
  r1 = *(u64 *)(r7 + {walk_depth})
  if r6 >= r1 goto end
  *(u64 *)(r7 + {walk_place}) = r6
end:
  r0 = 1
  exit
