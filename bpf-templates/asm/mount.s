; What mounts are: roots of namespaces, namespaces that show the host's files, private mounts. And reads that the
; functions on plain addresses share.

; *(r10 - at) = the 8 bytes of a field of the object at address r6; jumps to fail. Clobbers r0-r5.
.macro read8 at field fail
  r1 = r10
  r1 += -{at}
  r2 = 8
  r3 = offsetof({field})
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto {fail}
.endm

; *(u32 *)(r10 - at) = sequence of rename_lock. Clobbers r0-r5.
.macro rename_sequence at fail
  r1 = data control
  r3 = *(u64 *)(r1 + {control_rename_lock})
  r1 = r10
  r1 += -{at}
  r2 = 4
  call bpf_probe_read_kernel
  if r0 != 0 goto {fail}
.endm

; Whether a mount is the root of a mount namespace: nothing visible stands above it.
; r1 = address of a vfsmount -> r0 = 1 or 0.
.func mount_is_root global 1
  r2 = offsetof(mount.mnt)
  r1 -= r2
  r6 = r1
  read8 8 mount.mnt_parent no
  r7 = *(u64 *)(r10 - 8)
  if r7 == r6 goto own
  ; the initial namespace keeps an empty rootfs below its root
  read8 8 mount.mnt_mountpoint no
  r8 = *(u64 *)(r10 - 8)
  r9 = r6
  r6 = r7
  read8 8 mount.mnt_parent no
  r1 = *(u64 *)(r10 - 8)
  if r1 != r6 goto no
  read8 8 mount.mnt.mnt_root no
  r1 = *(u64 *)(r10 - 8)
  if r1 != r8 goto no
  r6 = r9
own:
  r1 = r6
  call mount_ns_kind
  if r0 != 1 goto no
  r0 = 1
  exit
no:
  r0 = 0
  exit

; What kind of namespace a mount is in. r1 = address of a struct mount
; -> r0 = 0 detached or anonymous, 1 an ordinary namespace, 2 internal to the kernel.
.func mount_ns_kind global 1
  r6 = r1
  read8 8 mount.mnt_ns none
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto none
  r1 = r6
  r1 += 4096
  if r1 <= 4096 goto internal
  r7 = data control
  r7 = *(u64 *)(r7 + {control_mnt_ns})
  if r6 == r7 goto ordinary
  ; an anonymous namespace has no sequence number (6.18: no id)
  r1 = exists(mnt_namespace.seq)
  if r1 == 0 goto new
  read8 8 mnt_namespace.seq none
  goto have
new:
  ; since 7.x it has an id and a number of its own instead (MNT_NS_ANON_INO)
  *(u64 *)(r10 - 8) = 0
  r1 = r10
  r1 += -8
  r2 = 4
  r3 = offsetof(mnt_namespace.ns.inum)
  r3 += r6
  call bpf_probe_read_kernel
  if r0 != 0 goto none
  w1 = *(u32 *)(r10 - 8)
  w2 = 0xEFFFFFF7
  if r1 == r2 goto none
  read8 8 mnt_namespace.ns.ns_id none
have:
  r1 = *(u64 *)(r10 - 8)
  if r1 == 0 goto none
ordinary:
  r0 = 1
  exit
internal:
  r0 = 2
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
  call mount_ns_kind
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
