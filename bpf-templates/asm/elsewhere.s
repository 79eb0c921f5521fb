; Names that the namespaces' mounts do not tell: of what no mount shows, of what was opened by a handle, of what a user's own
; overlay is made from; and whether a name is still there. Each takes and leaves the scratch of a walk (walk.s).

; To \yes where the file of the scratch at r7 has no name but by a mount of its own (a namespace in nsfs, a process in pidfs):
; it is a root in a file system that the kernel mounted for itself (SB_KERNMOUNT). Clobbers r1, r2, r6.
.macro of_its_own yes unreadable
  r1 = *(u64 *)(r7 + {walk_file})
  r2 = *(u64 *)(r7 + {walk_root})
  if r1 != r2 goto .no
  r6 = *(u64 *)(r7 + {walk_sb})
  read8 8 super_block.s_flags {unreadable}
  r1 = *(u64 *)(r10 - 8)
  r1 &= 0x400000
  if r1 != 0 goto {yes}
.no:
.endm

; Whether the file of scratch r1 was opened by its handle before anybody looked its name up: nothing leads from it to the root
; of its file system. To a kernel thread it is not: that asks on behalf of others, who named the file to it (nfsd) -> r0 = 1 or 0.
.func walk_is_nameless global 1
  scratch r1 no
  r6 = *(u64 *)(r7 + {walk_sb})
  if r6 == 0 goto no
  r1 = *(u64 *)(r7 + {walk_depth})
  if r1 == -1 goto no
  read8 8 super_block.s_root no
  r1 = *(u64 *)(r10 - 8)
  r2 = *(u64 *)(r7 + {walk_root})
  if r1 == r2 goto no
  of_its_own no no
  current_task
  w1 = *(u32 *)(r0 + task_struct.flags)
  r1 &= {PF_KTHREAD}
  if r1 != 0 goto no
  r0 = 1
  exit
no:
  r0 = 0
  exit

; Whether the mount by which the file of scratch r1 was opened shows all of its file system: a handle opens what is below no
; mount of a folder, by any mount -> r0 = 1 or 0.
.func walk_shows_all global 1
  scratch r1 no
  r6 = *(u64 *)(r7 + {walk_sb})
  if r6 == 0 goto no
  read8 8 super_block.s_root no
  r9 = *(u64 *)(r10 - 8)
  r6 = *(u64 *)(r7 + {walk_vfs})
  read8 8 vfsmount.mnt_root no
  r1 = *(u64 *)(r10 - 8)
  if r1 != r9 goto no
  r0 = 1
  exit
no:
  r0 = 0
  exit

; What is left to say of a file that no mount shows, or (r2 = 1) none of the host's -> r0 = a class, or all ones: absent. A private
; procfs is what `/proc` would be, the sysfs of a network namespace of its own what `/sys`, a devpts what `/dev/pts`: they show
; the kernel itself. Below numbers there are processes and terminals, which the host calls otherwise. What was never looked up from
; above has no path that could be told. r1 = scratch.
.func walk_unshown global 2
  r8 = r2
  scratch r1 failed
  r6 = *(u64 *)(r7 + {walk_sb})
  if r6 == 0 goto absent
  r1 = *(u64 *)(r7 + {walk_depth})
  if r1 == -1 goto absent
  read8 8 super_block.s_magic failed
  r1 = *(u64 *)(r10 - 8)
  r2 = 0x737973
  if r1 == 0x62656572 goto own
  r2 = 0x636f7270
  if r1 == 0x9fa0 goto procfs
  if r8 != 0 goto absent
  r2 = 0x7374702f766564 ll
  if r1 == 0x1cd1 goto own
  r1 = *(u64 *)(r7 + {walk_mounted})
  if r1 == 0 goto absent
  of_its_own absent failed
  goto unshown
absent:
  r0 = -1
  exit
unshown:
  ; a kernel thread asks on behalf of others, who named the file to it (nfsd)
  current_task
  w1 = *(u32 *)(r0 + task_struct.flags)
  r1 &= {PF_KTHREAD}
  if r1 != 0 goto absent
failed:
  r0 = 1
  exit
procfs:
  if r8 == 0 goto own
  read8 8 super_block.s_fs_info absent
  r6 = *(u64 *)(r10 - 8)
  read8 8 proc_fs_info.pid_ns absent
  r1 = data control
  r1 = *(u64 *)(r1 + {control_pid_ns})
  r2 = *(u64 *)(r10 - 8)
  if r1 == r2 goto hosts
  r3 = *(u64 *)(r7 + {walk_depth})
  if r3 == 0 goto hosts
  r3 += -1
  chain_place r3
  if r1 >= {WALK_SLOTS} goto absent
  r1 <<= 3
  r3 = r7
  r3 += r1
  r6 = *(u64 *)(r3 + {walk_dentries})
  read8 8 dentry.d_name.name absent
  r3 = *(u64 *)(r10 - 8)
  read_kernel 8 1 absent
  w1 = *(u8 *)(r10 - 8)
  r1 += -48
  if r1 <= 9 goto absent
hosts:
  r2 = 0x636f7270
own:
  r1 = *(u64 *)(r7 + {walk_start})
  call step8
  w9 = w0
  r0 >>= 32
  if r0 != 0 goto decided
  r5 = *(u64 *)(r7 + {walk_depth})
  if r5 == 0 goto decided
  r1 = r9
  r2 = 47
  call step8
  w9 = w0
  r0 >>= 32
  if r0 != 0 goto decided
  r5 = *(u64 *)(r7 + {walk_depth})
  match_chain 0 {WALK_PATH-1} r5 r9
  r1 = *(u64 *)(r7 + {walk_told})
  if r1 == 2 goto failed
  r8 = *(u64 *)(r7 + {walk_state})
  class_of_state
  exit
decided:
  r8 = r9
  class_of_state
  exit

; FIRST = the first entry of the list of the dentries that the file of the dentry at address r6 has, r7 = where in a dentry its entry is;
; to \none where there is none. Clobbers r0-r6.
.macro dentries_of first none
  read8 8 dentry.d_inode {none}
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto {none}
  read8 8 inode.i_dentry.first {none}
  {first} = *(u64 *)(r10 - 8)
  r1 = exists(dentry.d_u)
  if r1 == 0 goto .new
  r7 = offsetof(dentry.d_u.d_alias)
  goto .ring
.new:
  r7 = offsetof(dentry.d_alias)
.ring:
.endm

; The address of another dentry of the file that was reached by a handle and never looked up from above: one that has a
; parent. r1 = address of the dentry -> r0, 0 for none.
.func walk_alias global 1
  r6 = r1
  r8 = r1
  read8 8 dentry.d_parent none
  ; a root of a file system is where it should be
  r1 = *(u64 *)(r10 - 8)
  if r1 != r6 goto none
  dentries_of r9 none
.rept i 0 8
  if r9 == 0 goto none
  r6 = r9
  r6 -= r7
  if r6 == r8 goto .next
  read8 8 dentry.d_parent none
  r1 = *(u64 *)(r10 - 8)
  if r1 != r6 goto found
.next:
  r6 += r7
  read8 8 hlist_node.next none
  r9 = *(u64 *)(r10 - 8)
.endr
none:
  r0 = 0
  exit
found:
  r0 = r6
  exit

; Turns scratch r1 to the next name in its layers of a file of an overlay that another than the initial user namespace
; mounted: first the file itself, in the upper layer or the lower one; then its name in the upper layer, where it is or would
; be made with the folders above it that are not there yet; then the same for the first of these, for a layer may be a stacked
; file system again (two at most, FILESYSTEM_MAX_STACK_DEPTH) -> r0 = 1, or 0 where there are no more.
.func walk_layer global 1
  scratch r1 none
  r9 = *(u64 *)(r7 + {walk_layers})
next:
  if r9 > 3 goto none
  if r9 != 2 goto same
  r1 = *(u64 *)(r7 + {walk_below})
  if r1 == 0 goto none
  *(u64 *)(r7 + {walk_object}) = r1
same:
  r6 = *(u64 *)(r7 + {walk_object})
  read8 8 dentry.d_sb none
  r6 = *(u64 *)(r10 - 8)
  read8 8 super_block.s_magic none
  r1 = *(u64 *)(r10 - 8)
  if r1 != 0x794c7630 goto none
  read8 8 super_block.s_user_ns none
  r6 = *(u64 *)(r10 - 8)
  r3 = offsetof(user_namespace.level)
  r3 += r6
  read_kernel 8 4 none
  w1 = *(u32 *)(r10 - 8)
  if r1 == 0 goto none
  *(u64 *)(r7 + {walk_depth}) = -1
  *(u64 *)(r7 + {walk_seen}) = 0
  *(u64 *)(r7 + {walk_lead}) = 0
  r6 = *(u64 *)(r7 + {walk_object})
  r1 = r9
  r1 &= 1
  if r1 != 0 goto folder
  r1 = r6
  r2 = 0
  call layer_of
  r1 = r9
  r1 += 1
  *(u64 *)(r7 + {walk_layers}) = r1
  *(u64 *)(r7 + {walk_below}) = r0
  if r0 != 0 goto turn
folder:
  r9 |= 1
  r9 += 1
  *(u64 *)(r7 + {walk_layers}) = r9
  r1 = *(u64 *)(r7 + {walk_object})
  *(u64 *)(r7 + {walk_at}) = r1
  *(u64 *)(r7 + {walk_key}) = 0
  *(u64 *)(r7 + {walk_first}) = 0
  *(u64 *)(r7 + {walk_mask}) = {WALK_PATH-1}
  *(u64 *)(r7 + {walk_index}) = 0
  r1 = {WALK_STEPS}
  r2 = func lead_step
  r3 = r10
  r3 += -24
  r4 = 0
  call bpf_loop
  r1 = *(u64 *)(r7 + {walk_index})
  *(u64 *)(r7 + {walk_lead}) = r1
  r0 = *(u64 *)(r7 + {walk_key})
  if r0 == 0 goto next
turn:
  *(u64 *)(r7 + {walk_file}) = r0
  r0 = 1
  exit
none:
  r0 = 0
  exit

; One step up in an overlay, to the next folder that the upper layer has: the names below it lead the chain of the walk.
; r2 = address of the scratch's address -> r0 = 1 to end. State in the scratch: as of climb_step, and key (0, or the folder's dentry
; in the upper layer).
.func lead_step static 2
  r7 = *(u64 *)(r2 + 0)
  *(u64 *)(r10 - 24) = r7
  r6 = *(u64 *)(r7 + {walk_at})
  read_sequence 8 stop
  w9 = *(u32 *)(r10 - 8)
  read8 8 dentry.d_parent stop
  r8 = *(u64 *)(r10 - 8)
  if r8 == r6 goto stop
  chain_add stop
  *(u64 *)(r7 + {walk_at}) = r8
  r1 = r8
  r2 = 1
  call layer_of
  *(u64 *)(r7 + {walk_key}) = r0
  if r0 != 0 goto stop
  r0 = 0
  exit
stop:
  r0 = 1
  exit

; Most lower layers of a file of an overlay (OVL_MAX_STACK).
.set MOST_LAYERS 500

; The dentry that a dentry of an overlay is made from: of the upper layer, else of the first lower one (of the last one where it is
; no folder), but not where r2 = 1. r1 = address of the dentry -> r0, 0 for none. struct ovl_inode (fs/overlayfs/ovl_entry.h)
; holds a struct inode, then the upper dentry, then an ovl_path (a layer and a dentry), instead of which since 6.5 a struct
; ovl_entry stands: their number, and all of them.
.func layer_of global 2
  r6 = r1
  r8 = r2
  read8 8 dentry.d_inode none
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto none
  r1 = sizeof(inode)
  r6 += r1
  r3 = r6
  read_kernel 24 24 none
  r0 = *(u64 *)(r10 - 24)
  if r0 != 0 goto end
  if r8 != 0 goto end
  r1 = exists(backing_file)
  if r1 != 0 goto entry
  r0 = *(u64 *)(r10 - 8)
end:
  exit
entry:
  r9 = *(u64 *)(r10 - 16)
  if r9 == 0 goto none
  ; a file's content is in the last of its layers: since 6.16 a user may redirect to layers that hold nothing but content, and
  ; what exec opens there raises nothing
  r1 = sizeof(inode)
  r6 -= r1
  read4 8 inode.i_mode none
  r1 &= 0xf000
  if r1 == 0x4000 goto first
  r3 = r9
  read_kernel 8 4 none
  w1 = *(u32 *)(r10 - 8)
  r1 += -1
  if r1 > {MOST_LAYERS-1} goto first
  r1 <<= 4
  r3 = r9
  r3 += r1
  r3 += 16
  read_kernel 8 8 first
  r0 = *(u64 *)(r10 - 8)
  if r0 != 0 goto end
first:
  r3 = r9
  r3 += 16
  read_kernel 8 8 none
  r0 = *(u64 *)(r10 - 8)
  exit
none:
  r0 = 0
  exit

; The address of a dentry of the same file whose name is there: the one at r1, or where that is unlinked the last of the others that
; was looked up (who binds a socket may link it to its place and take the name away by which it was bound) -> r0.
.func name_left global 1
  r9 = r1
  call path_unlinked
  if r0 == 0 goto same
  r6 = r9
  dentries_of r8 same
.rept i 0 8
  if r8 == 0 goto same
  r6 = r8
  r6 -= r7
  read8 8 dentry.d_hash.pprev same
  r1 = *(u64 *)(r10 - 8)
  if r1 != 0 goto other
  r6 += r7
  read8 8 hlist_node.next same
  r8 = *(u64 *)(r10 - 8)
.endr
same:
  r6 = r9
other:
  r0 = r6
  exit

; Whether a name is unlinked: not hashed, has an inode, is no root. r1 = dentry -> r0 = flag 1 or 0.
.func path_unlinked global 1
  r6 = r1
  read8 8 dentry.d_hash.pprev linked
  r1 = *(u64 *)(r10 - 8)
  if r1 != 0 goto linked
  read8 8 dentry.d_inode linked
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0 goto linked
  read8 8 dentry.d_parent linked
  r1 = *(u64 *)(r10 - 8)
  if r1 == r6 goto linked
  r0 = 1 ll
  r0 <<= 32
  exit
linked:
  r0 = 0
  exit
