; file_mprotect(vma, reqprot, prot)
.macro file_mprotect__object_file
  r3 = *(u64 *)(r6 + 0)
  distrust r3 vm_area_struct
  r3 = *(u64 *)(r3 + vm_area_struct.vm_file)
  if r3 == 0 goto allow
  r2 = *(u64 *)(r3 + file.f_path.mnt)
  r1 = *(u64 *)(r3 + file.f_path.dentry)
.endm
.macro file_mprotect__inode_file
  r3 = *(u64 *)(r6 + 0)
  distrust r3 vm_area_struct
  r1 = *(u64 *)(r3 + vm_area_struct.vm_file)
  if r1 == 0 goto .none
  r1 = *(u64 *)(r1 + file.f_inode)
  goto .done
.none:
  r1 = 0
.done:
.endm
.macro file_mprotect__fact_has_file
  r3 = *(u64 *)(r6 + 0)
  distrust r3 vm_area_struct
  r1 = *(u64 *)(r3 + vm_area_struct.vm_file)
  if r1 == 0 goto .none
  r1 = 1
.none:
.endm
.macro file_mprotect__fact_executable
  r1 = *(u64 *)(r6 + 16)
  r1 &= 4
.endm
.macro file_mprotect__fact_was_executable
  r1 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r1 + vm_area_struct.vm_flags)
  r1 &= 4
.endm

; What a stacked file system has mapped for the file above is that file, by the path that the user opened.
.macro file_mprotect__walk_file
  file_mprotect__object_file
  plain_object
  r1 = exists(backing_file.user_path)
  if r1 == 0 goto .plain
  r1 = *(u64 *)(r10 - 112)
  call mount_is_private
  if r0 != 1 goto .plain
  r3 = *(u64 *)(r6 + 0)
  distrust r3 vm_area_struct
  r1 = *(u64 *)(r3 + vm_area_struct.vm_file)
  *(u64 *)(r10 - 8) = r1
  plain_number r3 .plain
  r1 = offsetof(backing_file.user_path)
  r3 += r1
  read_kernel 112 16 .plain
.plain:
  r1 = *(u64 *)(r10 - 104)
  r2 = *(u64 *)(r10 - 112)
  r3 = 0
  r4 = 0
  call path_find
.endm
