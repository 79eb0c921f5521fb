; Whether a task is in a container: in another pid namespace than the host's, or in a mount namespace with another root.

; r1 = what container_bits says, asked only where a namespace of the task is not the host's.
.macro container_of_task
  current_task
  r1 = *(u64 *)(r0 + task_struct.nsproxy)
  if r1 == 0 goto .pid
  r2 = *(u64 *)(r1 + nsproxy.mnt_ns)
  r3 = data control
  r3 = *(u64 *)(r3 + {control_mnt_ns})
  if r2 != r3 goto .other
.pid:
  r1 = *(u64 *)(r0 + task_struct.thread_pid)
  if r1 == 0 goto .host
  w1 = *(u32 *)(r1 + pid.level)
  if r1 != 0 goto .other
.host:
  r1 = 0
  goto .done
.other:
  call container_bits
  r1 = r0
.done:
.endm

.macro field_process_container
  container_of_task
  r1 &= 1
.endm

.macro field_process_container_trusted
  container_of_task
  r1 &= 2
.endm

; The current task's namespaces -> r0: bit 0 they make it a container, bit 1 one that does belongs to the initial user
; namespace. Pid namespaces nest: the outermost below the host's is the one that counts.
.func container_bits global 0
  call bpf_get_current_task
  r9 = 0
  r6 = r0
  read8 8 task_struct.thread_pid mounts
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto mounts
  read4 8 pid.level mounts
  if r1 == 0 goto mounts
  r9 = 1
  r3 = r6
  r1 = offsetof(pid.numbers)
  r3 += r1
  r1 = sizeof(upid)
  r3 += r1
  r1 = offsetof(upid.ns)
  r3 += r1
  read_kernel 8 8 mounts
  r6 = *(u64 *)(r10 - 8)
  read8 8 pid_namespace.user_ns mounts
  r3 = offsetof(user_namespace.level)
  r6 = *(u64 *)(r10 - 8)
  r3 += r6
  read_kernel 16 4 mounts
  w1 = *(u32 *)(r10 - 16)
  if r1 != 0 goto mounts
  r9 = 3
  goto end
mounts:
  current_task
  r1 = *(u64 *)(r0 + task_struct.nsproxy)
  if r1 == 0 goto end
  r7 = *(u64 *)(r1 + nsproxy.mnt_ns)
  r1 = data control
  r1 = *(u64 *)(r1 + {control_mnt_ns})
  if r7 == r1 goto end
  r8 = 1
  r1 = *(u64 *)(r7 + mnt_namespace.user_ns)
  if r1 == 0 goto root
  w1 = *(u32 *)(r1 + user_namespace.level)
  if r1 != 0 goto root
  r8 = 3
root:
  ; nothing to win
  r1 = r9
  r1 |= r8
  if r1 == r9 goto end
  *(u64 *)(r10 - 8) = r7
  plain_number r1 differs
  *(u64 *)(r10 - 24) = r1
  ; the host's as it is now, for it may have been switched since the policy was loaded. It is looked for again after each mount
  ; there: kept beside its sum with the namespace's event, which tells what two processors kept at a time
  r7 = data control
  r6 = *(u64 *)(r7 + {control_mnt_ns})
  read8 8 mnt_namespace.event differs
  r2 = *(u64 *)(r10 - 8)
  r0 = *(u64 *)(r7 + {control_host_root})
  if r0 == 0 goto search
  r1 = *(u64 *)(r7 + {control_host_sum})
  r1 -= r0
  if r1 == r2 goto host
search:
  *(u64 *)(r10 - 32) = r2
  r1 = r6
  root_of_ns differs
  *(u64 *)(r7 + {control_host_root}) = r0
  r1 = *(u64 *)(r10 - 32)
  r1 += r0
  *(u64 *)(r7 + {control_host_sum}) = r1
host:
  r7 = r0
  r1 = *(u64 *)(r10 - 24)
  call root_of_task
  if r0 == r7 goto end
  ; a task may have been left behind in a root that is covered by now
  r1 = *(u64 *)(r10 - 24)
  root_of_ns differs
  if r0 == r7 goto end
differs:
  r9 |= r8
end:
  r0 = r9
  exit

; Most mounts above a task's root that are climbed.
.set MOST_ABOVE 64

; r1 = address of the current task's mount namespace -> r0 = address of the dentry at the root of the mounts that the task's own
; root is in, 0 where that is in another namespace's mounts or none: the way up from there is short, whatever else is mounted. A
; mount over another's root covers it, so it is the root itself.
.func root_of_task global 1
  r6 = r1
  read8 8 mnt_namespace.root none
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r10 - 32) = r1
  current_task
  r1 = *(u64 *)(r0 + task_struct.fs)
  if r1 == 0 goto none
  r1 = *(u64 *)(r1 + fs_struct.root.mnt)
  *(u64 *)(r10 - 8) = r1
  plain_number r1 none
  r2 = offsetof(mount.mnt)
  r1 -= r2
  *(u64 *)(r10 - 40) = r1
  *(u64 *)(r10 - 24) = r1
  r1 = 0
  forget r1 r6
  *(u64 *)(r10 - 48) = r1
  r1 = {MOST_ABOVE}
  r2 = func root_step
  r3 = r10
  r3 += -48
  r4 = 0
  call bpf_loop
  r1 = *(u64 *)(r10 - 48)
  if r1 == 0 goto none
  r6 = *(u64 *)(r10 - 24)
  read8 8 mount.mnt.mnt_root none
  r0 = *(u64 *)(r10 - 8)
  exit
none:
  r0 = 0
  exit

; One mount up. r2 = address of: whether the namespace's root is reached, the mount at hand, that root, and the highest mount that
; covers all below itself -> r0 = 1 to end.
.func root_step static 2
  r7 = r2
  r6 = *(u64 *)(r7 + 8)
  r1 = *(u64 *)(r7 + 16)
  if r6 == r1 goto top
  read8 8 mount.mnt_mountpoint end
  r8 = *(u64 *)(r10 - 8)
  read8 8 mount.mnt_parent end
  r1 = *(u64 *)(r10 - 8)
  if r1 == r6 goto end
  r6 = r1
  *(u64 *)(r7 + 8) = r6
  read8 8 mount.mnt.mnt_root end
  r1 = *(u64 *)(r10 - 8)
  if r1 == r8 goto covered
  *(u64 *)(r7 + 24) = r6
covered:
  r0 = 0
  exit
top:
  *(u64 *)(r7 + 0) = 1
end:
  r0 = 1
  exit

; r1 = address of a mount namespace -> r0 = address of the dentry at its root; to \none where it cannot be told. Clobbers r6.
.macro root_of_ns none
  call top_of_ns
  if r0 == 0 goto {none}
  r6 = r0
  read8 8 vfsmount.mnt_root {none}
  r0 = *(u64 *)(r10 - 8)
.endm

; Most mounts on a mount that are looked through (fs.mount-max, as the kernel has it).
.set MOST_CHILDREN 100000

; r1 = address of a mount namespace -> r0 = address of the vfsmount that stands at its root: the topmost of the mounts over
; each other's roots (the first namespaces keep an empty file system or two below), 0 where it cannot be told.
.func top_of_ns global 1
  r6 = r1
  read8 8 mnt_namespace.root lost
  r6 = *(u64 *)(r10 - 8)
  r1 = exists(mount.overmount)
  if r1 == 0 goto old
.rept i 0 8
  read8 8 mount.overmount lost
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0 goto top
  r6 = r1
.endr
lost:
  r0 = 0
  exit
old:
  r1 = 0
  forget r1 r6
  *(u64 *)(r10 - 32) = r1
  *(u64 *)(r10 - 24) = r6
  r1 = {MOST_ABOVE}
  r2 = func cover_step
  r3 = r10
  r3 += -32
  r4 = 0
  call bpf_loop
  r6 = *(u64 *)(r10 - 24)
  r1 = *(u64 *)(r10 - 32)
  if r1 == 0 goto lost
top:
  r0 = offsetof(mount.mnt)
  r0 += r6
  exit

; From a mount to the one over its root. r2 = address of: whether there is none, and the mount -> r0 = 1 to end.
.func cover_step static 2
  r7 = r2
  r6 = *(u64 *)(r7 + 8)
  read8 8 mount.mnt.mnt_root end
  r8 = *(u64 *)(r10 - 8)
  ; DCACHE_MOUNTED, one bit lower in 6.15, where this one means nothing at a root, nor that one before: something is mounted
  ; over it, in whatever namespace
  r3 = offsetof(dentry.d_flags)
  r3 += r8
  read_kernel 8 4 end
  w1 = *(u32 *)(r10 - 8)
  r1 &= 0x18000
  if r1 == 0 goto top
  ; the last of the mounts on this one that is mounted over its root: what a pivot or a move left there, after which others
  ; may come (what the host mounts goes on to a root that only follows it and is covered)
  read8 8 mount.mnt_mounts.prev end
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r10 - 40) = r1
  r1 = offsetof(mount.mnt_mounts)
  r1 += r6
  *(u64 *)(r10 - 32) = r1
  *(u64 *)(r10 - 24) = r8
  r1 = 0
  forget r1 r8
  *(u64 *)(r10 - 16) = r1
  r1 = {MOST_CHILDREN}
  r2 = func child_step
  r3 = r10
  r3 += -40
  r4 = 0
  call bpf_loop
  r1 = *(u64 *)(r10 - 16)
  if r1 != 0 goto over
  r1 = *(u64 *)(r10 - 40)
  r2 = *(u64 *)(r10 - 32)
  if r1 == r2 goto top
  ; the one at hand was taken out meanwhile: from the last one again
  goto again
over:
  *(u64 *)(r7 + 8) = r1
again:
  r0 = 0
  exit
top:
  *(u64 *)(r7 + 0) = 1
end:
  r0 = 1
  exit

; One mount on another, from the last to the first. r2 = address of: where it is in the list, the list's head, the dentry over
; which the mount has to be, and the mount (0: not found yet) -> r0 = 1 to end.
.func child_step static 2
  r7 = r2
  r6 = *(u64 *)(r7 + 0)
  r1 = *(u64 *)(r7 + 8)
  if r6 == r1 goto end
  r1 = offsetof(mount.mnt_child)
  r6 -= r1
  read8 8 mount.mnt_mountpoint end
  r1 = *(u64 *)(r10 - 8)
  r2 = *(u64 *)(r7 + 16)
  if r1 == r2 goto found
  read8 8 mount.mnt_child.prev end
  r1 = *(u64 *)(r10 - 8)
  ; taken out of the list, it leads to itself
  r2 = *(u64 *)(r7 + 0)
  if r1 == r2 goto end
  *(u64 *)(r7 + 0) = r1
  r0 = 0
  exit
found:
  *(u64 *)(r7 + 24) = r6
end:
  r0 = 1
  exit

; Where the fast walk begins: the mount at the root of the initial namespace.
.func root_learn global 0
  r7 = data control
  root_forgotten r7
  r1 = *(u64 *)(r7 + {control_mnt_ns})
  call top_of_ns
  if r0 == 0 goto end
  r8 = r0
  r6 = r0
  read8 8 vfsmount.mnt_root end
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + {control_root_top}) = r1
  *(u64 *)(r7 + {control_root_mnt}) = r8
end:
  r0 = 0
  exit

; No mount is where the fast walk begins: what stood at the root may have another place now. CELL: a register with the control cell.
.macro root_forgotten cell
  *(u64 *)({cell} + {control_root_mnt}) = 1
.endm
