; path_link(old_dentry, new_dir, new_dentry): a hard link never leaves its mount, so new_dir's is the old name's too
.macro path_link__object_old
  entry_object 1 0
.endm
.macro path_link__inode_old
  entry_inode 0
.endm
.macro path_link__object_new
  entry_object 1 2
.endm
.macro path_link__inode_new
  no_inode
.endm
