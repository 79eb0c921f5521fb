; What a walk found: the classes of the file's paths, kept in its scratch, and what it says of them at the end (walk.s).

; Adds the class of state walk_state to those that were found; where the walk did not come to a state, FAIL.
; The scratch is r7. Clobbers r0-r5, r8.
.macro add_found
  r8 = *(u64 *)(r7 + {walk_state})
  r1 = *(u64 *)(r7 + {walk_told})
  r0 = 1
  if r1 == 2 goto .class
  class_of_state
.class:
  r1 = r0
  add_class
.endm

; Adds the class in r1. The scratch is r7. Clobbers r0-r5.
.macro add_class
  r2 = *(u64 *)(r7 + {walk_which})
  call class_found
.endm

; Adds class r1 to those that scratch r2 has.
.func class_found global 2
  r9 = r1
  scratch r2 done
  r1 = r9
  ; the mount by which a report names the file
  r2 = *(u64 *)(r7 + {walk_wanted})
  w3 = -1
  if r2 == r3 goto any
  if r2 != r1 goto counted
any:
  r2 = *(u64 *)(r7 + {walk_shown})
  if r2 != 0 goto counted
  r2 = *(u64 *)(r7 + {walk_here})
  *(u64 *)(r7 + {walk_shown}) = r2
counted:
  r2 = *(u64 *)(r7 + {walk_found})
.rept k 0 WALK_CLASSES
  if r2 <= {k} goto new
  w3 = *(u32 *)(r7 + {walk_classes+4*k})
  if r3 == r1 goto done
.endr
  ; too many to judge each: the first one stands for what could not be, in the place of the last
  w2 = *(u32 *)(r7 + {walk_classes})
  *(u32 *)(r7 + {walk_classes+4*WALK_CLASSES-4}) = r2
  r1 = 1
  *(u32 *)(r7 + {walk_classes}) = r1
  goto done
new:
  ; what cannot be told comes first: path_find counts it by the first class
  if r1 != 1 goto last
  if r2 == 0 goto last
  w3 = *(u32 *)(r7 + {walk_classes})
  *(u32 *)(r7 + {walk_classes}) = r1
  r1 = r3
last:
  r3 = r2
  r3 &= {WALK_CLASSES-1}
  r3 <<= 2
  r4 = r7
  r4 += r3
  *(u32 *)(r4 + {walk_classes}) = r1
  r2 += 1
  *(u64 *)(r7 + {walk_found}) = r2
done:
  r0 = 0
  exit

; The first class that was found and the flags. Several classes are kept in the record of the current task, where the hook's
; program looks for them, with the program that has paths of these classes; without a record they cannot be judged.
; r1 = how (see path_find), r2 = scratch -> r0.
.func walk_result global 2
  r6 = r1
  scratch r2 none
  r9 = r7
  *(u64 *)(r10 - 32) = 0
  ; who asks for the mount has a list already, maybe of another object
  r1 = r6
  r1 &= 2
  if r1 != 0 goto flags
  r1 = *(u64 *)(r9 + {walk_found})
  if r1 <= 1 goto flags
  r1 = *(u64 *)(r9 + {walk_which})
  call program_joined
  *(u64 *)(r10 - 40) = r0
  r1 = r6
  r1 &= 6
  if r1 == 4 goto end
  call bpf_get_current_task
  r8 = r0
  record_of_task unkept
  *(u64 *)(r10 - 32) = 4
  r1 = *(u64 *)(r9 + {walk_found})
  r6 &= 1
  if r6 != 0 goto hosts
  *(u32 *)(r7 + {record_paths}) = r1
  r0 = *(u64 *)(r10 - 40)
  program_of_paths
  *(u64 *)(r7 + {record_joined}) = r1
  r1 = *(u64 *)(r9 + {walk_found})
.rept k 0 WALK_CLASSES
  w1 = *(u32 *)(r9 + {walk_classes+4*k})
  *(u32 *)(r7 + {record_classes+4*k}) = r1
.endr
  goto flags
hosts:
  *(u32 *)(r7 + {record_hosts}) = r1
.rept k 0 WALK_CLASSES
  w1 = *(u32 *)(r9 + {walk_classes+4*k})
  *(u32 *)(r7 + {record_host_classes+4*k}) = r1
.endr
flags:
  r0 = *(u64 *)(r10 - 32)
  r1 = *(u64 *)(r9 + {walk_exact})
  if r1 != 0 goto exact
  r0 |= 16
exact:
  r1 = *(u64 *)(r9 + {walk_foreign})
  if r1 == 0 goto owned
  r0 |= 8
owned:
  r0 <<= 32
  w1 = *(u32 *)(r9 + {walk_classes})
  r0 |= r1
  exit
end:
  r0 = *(u64 *)(r10 - 40)
  exit
unkept:
none:
  r0 = 1
  exit
