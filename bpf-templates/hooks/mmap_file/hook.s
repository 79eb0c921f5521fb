; mmap_file(file, reqprot, prot, flags)
.macro mmap_file__object_file
  nullable_file_object 0
.endm
.macro mmap_file__inode_file
  nullable_file_inode 0
.endm
; MAP_ANONYMOUS with MAP_PRIVATE is nobody else's memory, though huge pages (MAP_HUGETLB) have a file of the kernel's.
.macro mmap_file__fact_has_file
  r1 = *(u64 *)(r6 + 0)
  if r1 == 0 goto .none
  r1 = *(u64 *)(r6 + 24)
  r1 &= 0x2f
  r1 ^= 0x22
  if r1 == 0 goto .none
  r1 = 1
.none:
.endm
.macro mmap_file__fact_executable
  r1 = *(u64 *)(r6 + 16)
  r1 &= 4
.endm
; exec maps the very file that it has opened, before it says which format the program has. Later a program may make any
; file its exe_file, and say where its code and its stack are (PR_SET_MM), but nothing takes the format back.
.macro mmap_file__fact_by_exec
  current_task
  r3 = *(u64 *)(r0 + task_struct.mm)
  if r3 == 0 goto .no
  r1 = *(u64 *)(r3 + mm_struct.exe_file)
  r2 = *(u64 *)(r6 + 0)
  if r1 != r2 goto .no
  r1 = *(u64 *)(r3 + mm_struct.binfmt)
  if r1 != 0 goto .no
  r1 = 1
  goto .done
.no:
  r1 = 0
.done:
.endm
; Exec has not said yet which format the program has: it maps the program or its loader.
.macro mmap_file__fact_loading
  current_task
  r1 = *(u64 *)(r0 + task_struct.mm)
  if r1 == 0 goto .no
  r1 = *(u64 *)(r1 + mm_struct.binfmt)
  if r1 != 0 goto .no
  r1 = 1
  goto .done
.no:
  r1 = 0
.done:
.endm
