; path_rename(old_dir, old_dentry, new_dir, new_dentry, flags); an exchange is one call with its flag
.macro path_rename__object_old
  entry_object 0 1
.endm
.macro path_rename__inode_old
  entry_inode 1
.endm
.macro path_rename__object_new
  entry_object 2 3
.endm
.macro path_rename__inode_new
  no_inode
.endm
.macro path_rename__object_replaced
  entry_object 2 3
.endm
.macro path_rename__inode_replaced
  entry_inode 3
.endm
.macro path_rename__object_back
  entry_object 0 1
.endm
.macro path_rename__inode_back
  no_inode
.endm
.macro path_rename__fact_replaces
  entry_inode 3
  if r1 == 0 goto .none
  r1 = 1
.none:
.endm
; RENAME_EXCHANGE
.macro path_rename__fact_exchange
  r1 = *(u64 *)(r6 + 32)
  r1 &= 2
.endm
