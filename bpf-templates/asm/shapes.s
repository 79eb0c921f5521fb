; How hooks show their objects. Each leaves the typed dentry in r1 and the typed vfsmount in r2 (0: the hook shows none);
; the inode macros leave the typed inode in r1, 0 where there is none. N is the argument's number.

; Argument N is a struct file.
.macro file_object n
  r3 = *(u64 *)(r6 + {8*n})
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = *(u64 *)(r3 + file.f_path.dentry)
.endm
.macro file_inode n
  r1 = *(u64 *)(r6 + {8*n})
  r1 = *(u64 *)(r1 + file.f_inode)
.endm
; The same where the argument may be null (the facts of the hook have excluded it; the verifier asks again).
.macro nullable_file_object n
  r3 = *(u64 *)(r6 + {8*n})
  if r3 == 0 goto allow
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = *(u64 *)(r3 + file.f_path.dentry)
.endm
.macro nullable_file_inode n
  r1 = *(u64 *)(r6 + {8*n})
  if r1 == 0 goto .none
  r1 = *(u64 *)(r1 + file.f_inode)
  goto .done
.none:
  ; a number: to the verifier of 6.1 a null pointer is still a pointer
  r1 = 0
.done:
.endm

; Argument N is a struct path.
.macro path_object n
  r3 = *(u64 *)(r6 + {8*n})
  r2 = *(u64 *)(r3 + path.mnt)
  r1 = *(u64 *)(r3 + path.dentry)
.endm
.macro path_inode n
  r1 = *(u64 *)(r6 + {8*n})
  r1 = *(u64 *)(r1 + path.dentry)
  r1 = *(u64 *)(r1 + dentry.d_inode)
.endm

; Argument DIR is the struct path of the folder, argument N the dentry.
.macro entry_object dir n
  r3 = *(u64 *)(r6 + {8*dir})
  r2 = *(u64 *)(r3 + path.mnt)
  r1 = *(u64 *)(r6 + {8*n})
.endm
.macro entry_inode n
  r1 = *(u64 *)(r6 + {8*n})
  r1 = *(u64 *)(r1 + dentry.d_inode)
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
