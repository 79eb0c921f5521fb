; inode_set_acl(idmap, dentry, …)
.macro inode_set_acl__dentry_file
  r1 = *(u64 *)(r6 + 8)
.endm
.macro inode_set_acl__inode_file
  entry_inode 1
.endm
