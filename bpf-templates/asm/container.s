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
  r1 = *(u64 *)(r7 + mnt_namespace.root)
  if r1 == 0 goto differs
  top_of_root .have
.have:
  r2 = data control
  r2 = *(u64 *)(r2 + {control_root_dentry})
  if r1 == r2 goto end
differs:
  r9 |= r8
end:
  r0 = r9
  exit

; r1 = typed mount at the bottom of a namespace -> r1 = the dentry that stands at the namespace's root: the topmost of the
; mounts over each other's roots (the first namespaces keep an empty file system or two below), 0 where it cannot be told.
; Ends at \have. Clobbers r0-r6; the stack at 8 and 16.
.macro top_of_root have
  r2 = exists(mount.overmount)
  if r2 == 0 goto .old
.rept i 0 8
  r2 = *(u64 *)(r1 + mount.overmount)
  if r2 == 0 goto .top
  r1 = r2
.endr
  r1 = 0
  goto {have}
.top:
  r1 = *(u64 *)(r1 + mount.mnt.mnt_root)
  goto {have}
.old:
  *(u64 *)(r10 - 8) = r1
  plain_number r6 .lost
.rept i 0 4
  read8 8 mount.mnt.mnt_root .lost
  ; what was mounted last of all on this mount, if it is mounted over its root: what a pivot or a move left there
  read8 16 mount.mnt_mounts.prev .lost
  r1 = offsetof(mount.mnt_mounts)
  r1 += r6
  r2 = *(u64 *)(r10 - 16)
  if r1 == r2 goto .bottom
  r1 = offsetof(mount.mnt_child)
  r2 -= r1
  r6 = r2
  read8 16 mount.mnt_mountpoint .lost
  r1 = *(u64 *)(r10 - 16)
  r2 = *(u64 *)(r10 - 8)
  if r1 != r2 goto .bottom
.endr
.lost:
  r1 = 0
  goto {have}
.bottom:
  r1 = *(u64 *)(r10 - 8)
  goto {have}
.endm
