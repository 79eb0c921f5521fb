; inode_removexattr(idmap, dentry, …)
.macro inode_removexattr__dentry_file
  r1 = *(u64 *)(r6 + 8)
.endm
.macro inode_removexattr__inode_file
  entry_inode 1
.endm
