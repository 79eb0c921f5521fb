; How hooks show their objects. Each leaves the typed dentry in r1 and the typed vfsmount in r2 (0: the hook shows none);
; the inode macros leave the typed inode in r1, 0 where there is none. N is the argument's number.

; Argument N is a struct file.
.macro file_object n
  r3 = *(u64 *)(r6 + {8*n})
  distrust r3 file
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = *(u64 *)(r3 + file.f_path.dentry)
.endm
.macro file_inode n
  r3 = *(u64 *)(r6 + {8*n})
  distrust r3 file
  r1 = *(u64 *)(r3 + file.f_inode)
.endm
; The same where the argument may be null (the facts of the hook have excluded it; the verifier asks again).
.macro nullable_file_object n
  r3 = *(u64 *)(r6 + {8*n})
  if r3 == 0 goto allow
  distrust r3 file
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = *(u64 *)(r3 + file.f_path.dentry)
.endm
.macro nullable_file_inode n
  r3 = *(u64 *)(r6 + {8*n})
  if r3 == 0 goto .none
  distrust r3 file
  r1 = *(u64 *)(r3 + file.f_inode)
  goto .done
.none:
  ; a number: to the verifier of 6.1 a null pointer is still a pointer
  r1 = 0
.done:
.endm

; Argument N is a struct path.
.macro path_object n
  r3 = *(u64 *)(r6 + {8*n})
  distrust r3 path
  r2 = *(u64 *)(r3 + path.mnt)
  r1 = *(u64 *)(r3 + path.dentry)
.endm
.macro path_inode n
  r3 = *(u64 *)(r6 + {8*n})
  distrust r3 path
  r1 = *(u64 *)(r3 + path.dentry)
  r1 = *(u64 *)(r1 + dentry.d_inode)
.endm
; r1 = 1 where the host does not see what is mounted over argument N, a struct path: the mount there is in another namespace,
; and none of those that share what is mounted on it is the host's.
.macro path_confined n
  r1 = *(u64 *)(r6 + {8*n})
  r1 = *(u64 *)(r1 + path.mnt)
  *(u64 *)(r10 - 8) = r1
  plain_number r1 .unknown
  call mount_is_confined
  r1 = r0
  goto .done
.unknown:
  r1 = 0
.done:
.endm

; Most mounts that share what is mounted on them that are looked through.
.set MOST_PEERS 4096

; r1 = address of a vfsmount -> r0 = 1 where what is mounted on it is mounted on no mount of the host's that shares with it (the ring
; of mnt_share, fs/pnode.c). A host's mount that is the slave of another namespace's is not looked for.
.func mount_is_confined global 1
  r2 = offsetof(mount.mnt)
  r1 -= r2
  r6 = r1
  *(u64 *)(r10 - 24) = r6
  *(u64 *)(r10 - 32) = r6
  r1 = 0
  forget r1 r6
  *(u64 *)(r10 - 40) = r1
  r1 = {MOST_PEERS}
  r2 = func peer_step
  r3 = r10
  r3 += -40
  r4 = 0
  call bpf_loop
  r0 = *(u64 *)(r10 - 40)
  exit

; One mount of the ring. r2 = address of: whether all of them are another namespace's (1 at the end), the mount at hand, and the one that
; the ring began with -> r0 = 1 to end.
.func peer_step static 2
  r7 = r2
  r6 = *(u64 *)(r7 + 8)
  read8 8 mount.mnt_ns end
  r1 = data control
  r1 = *(u64 *)(r1 + {control_mnt_ns})
  r2 = *(u64 *)(r10 - 8)
  if r1 == r2 goto end
  read8 8 mount.mnt_share.next end
  r6 = *(u64 *)(r10 - 8)
  r1 = offsetof(mount.mnt_share)
  r6 -= r1
  *(u64 *)(r7 + 8) = r6
  r1 = *(u64 *)(r7 + 16)
  if r1 == r6 goto whole
  r0 = 0
  exit
whole:
  *(u64 *)(r7 + 0) = 1
end:
  r0 = 1
  exit

; Argument DIR is the struct path of the folder, argument N the dentry. Uses r10 - 16.
.macro entry_object dir n
  r3 = *(u64 *)(r6 + {8*n})
  distrust r3 dentry
  *(u64 *)(r10 - 16) = r3
  r3 = *(u64 *)(r6 + {8*dir})
  distrust r3 path
  r2 = *(u64 *)(r3 + path.mnt)
  r1 = *(u64 *)(r10 - 16)
.endm
.macro entry_inode n
  r3 = *(u64 *)(r6 + {8*n})
  distrust r3 dentry
  r1 = *(u64 *)(r3 + dentry.d_inode)
.endm
; The hook's only argument that is a dentry, and no mount: kernels disagree on what stands before it.
.macro named_object hook
  r3 = *(u64 *)(r6 + argument(bpf_lsm_{hook}, dentry))
  distrust r3 dentry
  r1 = r3
  r2 = 0
.endm
.macro named_inode hook
  r3 = *(u64 *)(r6 + argument(bpf_lsm_{hook}, dentry))
  distrust r3 dentry
  r1 = *(u64 *)(r3 + dentry.d_inode)
.endm
.macro no_inode
  r1 = 0
.endm

; The typed struct sock in r1 is the Unix socket that is reached: its name as whoever bound it saw it. An abstract or
; unnamed socket has none, and all of these are 0. There always is a Unix socket; the verifier cannot know.
.macro unix_object
  if r1 == 0 goto bad
  call bpf_skc_to_unix_sock
  if r0 == 0 goto bad
  r2 = *(u64 *)(r0 + unix_sock.path.mnt)
  r1 = *(u64 *)(r0 + unix_sock.path.dentry)
.endm
.macro unix_inode
  unix_dentry
  if r1 == 0 goto .none
  r1 = *(u64 *)(r1 + dentry.d_inode)
  goto .done
.none:
  r1 = 0
.done:
.endm
.macro unix_named
  unix_dentry
  if r1 == 0 goto .none
  r1 = 1
  goto .done
.none:
  r1 = 0
.done:
.endm
.macro unix_dentry
  if r1 == 0 goto .none
  call bpf_skc_to_unix_sock
  if r0 == 0 goto .none
  r1 = *(u64 *)(r0 + unix_sock.path.dentry)
  goto .done
.none:
  r1 = 0
.done:
.endm

; r1 = 1 where the command of an ioctl changes a file through a descriptor that only reads: FS_IOC_SETFLAGS and
; FS_IOC32_SETFLAGS, FS_IOC_FSSETXATTR, FS_IOC_SETVERSION and EXT4_IOC_SETVERSION with their 32-bit forms,
; FS_IOC_ENABLE_VERITY, FS_IOC_SET_ENCRYPTION_POLICY, FAT_IOCTL_SET_ATTRIBUTES.
.macro changes_file
  w1 = *(u32 *)(r6 + 8)
  if w1 == 0x40086602 goto .yes
  if w1 == 0x40046602 goto .yes
  if w1 == 0x401c5820 goto .yes
  if w1 == 0x40087602 goto .yes
  if w1 == 0x40047602 goto .yes
  if w1 == 0x40086604 goto .yes
  if w1 == 0x40046604 goto .yes
  if w1 == 0x40806685 goto .yes
  if w1 == 0x800c6613 goto .yes
  if w1 == 0x40047211 goto .yes
  r1 = 0
  goto .done
.yes:
  r1 = 1
.done:
.endm
