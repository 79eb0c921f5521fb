; The names of programs as they were executed, kept for reports: a file may be renamed afterwards, and a program may say that
; another file is its own (PR_SET_MM_EXE_FILE). `images` has the names, `image_users` how many records say so of each: 0 is
; free. A record's number of a name is its place + 1. Where no place is free none is kept, and a report has what the kernel
; says then. Parameter: IMAGES.

; r1 = dentry, r2 = vfsmount of a program, as plain addresses -> r0 = the number of its name, with one user; 0 for none.
.func image_keep global 2
  *(u64 *)(r10 - 8) = r1
  *(u64 *)(r10 - 16) = r2
  call bpf_get_prandom_u32
  r6 = r0
  r6 &= {IMAGES-8}
  r7 = r6
  r7 <<= 3
  r1 = data image_users
  r7 += r1
.rept k 0 8
  r0 = 0
  r1 = 1
  r0 = cmpxchg_64(r7 + {8*k}, r0, r1)
  if r0 == 0 goto at{k}
.endr
  r0 = 0
  exit
.rept k 0 7
at{7-k}:
  r6 += 1
.endr
at0:
  ; one range for all eight, or the verifier follows each apart
  r1 = *(u64 *)(r10 - 8)
  forget r6 r1
  r6 &= {IMAGES-1}
  r1 = r6
  r1 *= {image_size}
  r7 = data images
  r7 += r1
  r1 = r7
  r1 += {image_path}
  r2 = 256
  r3 = *(u64 *)(r10 - 8)
  r4 = *(u64 *)(r10 - 16)
  call put_path
  *(u64 *)(r7 + {image_length}) = r0
  r0 = r6
  r0 += 1
  exit

; Adds BY (1 or -1) to the users of the name whose number is in the field of the record at r7. Clobbers r1, r2.
.macro image_users field by
  w1 = *(u32 *)(r7 + {field})
  r1 += -1
  if r1 >= {IMAGES} goto .none
  r1 <<= 3
  r2 = data image_users
  r2 += r1
  r1 = {by}
  lock *(u64 *)(r2 + 0) += r1
.none:
.endm

; Copies the name whose number is r1 to a field of the report at r9, its length to another. Clobbers r1-r3.
.macro image_to_report length field
  r1 += -1
  if r1 >= {IMAGES} goto .none
  r1 *= {image_size}
  r2 = data images
  r2 += r1
  r1 = *(u64 *)(r2 + {image_length})
  *(u32 *)(r9 + {length}) = r1
.rept i 0 32
  r1 = *(u64 *)(r2 + {image_path+8*i})
  *(u64 *)(r9 + {field+8*i}) = r1
.endr
.none:
.endm
