; What mounts and mount namespaces are: whose they are, what kind, where their roots are.

; r1 = address of a mount namespace -> r0 = its number, which no other one gets while the kernel runs; 0 for an anonymous
; one and where it cannot be read.
.func ns_number global 1
  r6 = r1
  r1 = exists(mnt_namespace.seq)
  if r1 == 0 goto new
  read8 8 mnt_namespace.seq none
  r0 = *(u64 *)(r10 - 8)
  exit
new:
  ; since 7.x an anonymous one has an id too, and the reserved inode number MNT_NS_ANON_INO
  *(u64 *)(r10 - 8) = 0
  r3 = offsetof(mnt_namespace.ns.inum)
  r3 += r6
  read_kernel 8 4 none
  w1 = *(u32 *)(r10 - 8)
  w2 = 0xEFFFFFF7
  if r1 == r2 goto none
  read8 8 mnt_namespace.ns.ns_id none
  r0 = *(u64 *)(r10 - 8)
  exit
none:
  r0 = 0
  exit

; What a mount says of its namespace: r1 = mount.mnt_ns -> r0 = 0 detached or anonymous, 1 an ordinary namespace,
; 2 internal to the kernel (an error pointer).
.func ns_kind global 1
  if r1 == 0 goto none
  r2 = r1
  r2 += 4096
  if r2 <= 4096 goto internal
  r2 = data control
  r2 = *(u64 *)(r2 + {control_mnt_ns})
  if r1 == r2 goto ordinary
  call ns_number
  if r0 == 0 goto none
ordinary:
  r0 = 1
  exit
internal:
  r0 = 2
  exit
none:
  r0 = 0
  exit

; r1 = address of a vfsmount -> r0 = address of the namespace that it is in, 0 where it is in none.
.func ns_of_mount global 1
  r6 = r1
  r1 = offsetof(mount.mnt)
  r6 -= r1
  read8 8 mount.mnt_ns none
  r6 = *(u64 *)(r10 - 8)
  r1 = r6
  call ns_kind
  if r0 != 1 goto none
  r0 = r6
  exit
none:
  r0 = 0
  exit

; r1 = address of a mount namespace -> r0 = 1 where the initial user namespace owns it, else 0.
.func ns_owned global 1
  r6 = r1
  read8 8 mnt_namespace.user_ns no
  r6 = *(u64 *)(r10 - 8)
  r3 = offsetof(user_namespace.level)
  r3 += r6
  read_kernel 8 4 no
  w1 = *(u32 *)(r10 - 8)
  if r1 != 0 goto no
  r0 = 1
  exit
no:
  r0 = 0
  exit

; r0 = address of the last mount namespace of the current task's line that the initial user namespace owned, 0 where it is
; not known or gone. What is left of a freed one may keep its number for long, but no mounts: those go before it.
.func ns_before global 0
  call bpf_get_current_task
  r8 = r0
  record_of_task none
  r6 = *(u64 *)(r7 + {record_base_ns})
  if r6 == 0 goto none
  r9 = *(u64 *)(r7 + {record_base_number})
  r1 = r6
  call ns_number
  if r0 != r9 goto none
  r1 = exists(mount.mnt_node)
  if r1 == 0 goto list
  read8 8 mnt_namespace.mounts.rb_node none
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0 goto none
  r0 = r6
  exit
list:
  read8 8 mnt_namespace.list.next none
  r1 = *(u64 *)(r10 - 8)
  r2 = offsetof(mnt_namespace.list)
  r2 += r6
  if r1 == r2 goto none
  r0 = r6
  exit
none:
  r0 = 0
  exit

; Whether a mount is a stacked file system's private view of another one: internal to the kernel, though user space can
; mount such a file system. r1 = address of a vfsmount -> r0 = 1 or 0, 2 where it cannot be read.
.func mount_is_private global 1
  r2 = offsetof(mount.mnt)
  r1 -= r2
  r7 = r1
  r6 = r1
  read8 8 mount.mnt_ns no
  r1 = *(u64 *)(r10 - 8)
  call ns_kind
  if r0 != 2 goto no
  r6 = r7
  read8 8 mount.mnt.mnt_sb unreadable
  r6 = *(u64 *)(r10 - 8)
  read8 8 super_block.s_flags unreadable
  r1 = *(u64 *)(r10 - 8)
  ; SB_NOUSER: pipes, sockets, memory without a name
  r1 >>= 31
  r1 &= 1
  if r1 != 0 goto no
  ; message queues and huge pages have mounts inside and outside of namespaces
  read8 8 super_block.s_magic unreadable
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0x19800202 goto no
  r2 = 0x958458f6 ll
  if r1 == r2 goto no
  r0 = 1
  exit
no:
  r0 = 0
  exit
unreadable:
  r0 = 2
  exit
