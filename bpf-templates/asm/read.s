; Reads of the kernel's memory. Where the kernel has bpf_rdonly_cast (6.2) they are loads, by a pointer that is cast to a
; struct of plain numbers: a few instructions instead of about 35, and no helper that `lockdown=confidentiality` forbids.
; The loader says which way it is, and the verifier drops the other one.
; A helper fails where a load gives 0. Null, addresses of user space and error pointers, which are what the helper fails on
; in a kernel that works, are told apart before the load. Objects that are gone fail in neither way: their memory stays mapped.

; A register's typed pointer as one that the verifier does not trust. Since 6.4 it asks of each pointer that is read from a
; trusted one whether that may be trusted too, by the name of its struct among all types, three times: ten million instructions.
; Where the pointer is only read from and compared, nothing is lost. The register is none of r0-r2. Clobbers r0-r5 but the register.
.macro distrust reg type
  r0 = exists(kfunc bpf_rdonly_cast)
  if r0 == 0 goto .as_it_is
  r1 = {reg}
  r2 = typeid({type})
  call kfunc bpf_rdonly_cast
  {reg} = r0
.as_it_is:
.endm

; task_struct.flags of kernel threads (PF_KTHREAD), and of these and workers of io_uring (PF_IO_WORKER).
.set PF_KTHREAD 0x200000
.set PF_WORKERS 0x200010

; r0 = the current task, to be read from. Clobbers r1-r5.
.macro current_task
  r0 = exists(kfunc bpf_rdonly_cast)
  if r0 == 0 goto .typed
  call bpf_get_current_task
  r1 = r0
  r2 = typeid(task_struct)
  call kfunc bpf_rdonly_cast
  goto .have
.typed:
  call bpf_get_current_task_btf
.have:
.endm

; The same where r8 is its address, as in a program of a hook: a call less.
.macro task_at_hand
  r0 = exists(kfunc bpf_rdonly_cast)
  if r0 == 0 goto .typed
  r1 = r8
  r2 = typeid(task_struct)
  call kfunc bpf_rdonly_cast
  goto .have
.typed:
  call bpf_get_current_task_btf
.have:
.endm

; r0 = the address in r3 as a pointer to seven plain numbers of 8 bytes. Clobbers r1-r5.
.macro cast_words
  r1 = r3
  r2 = typeid(kstatfs)
  call kfunc bpf_rdonly_cast
.endm

; The BYTES (1, 4, or up to seven times 8) at the pointer in r0, to r10 - AT. Clobbers r1.
.macro copy_words at bytes
.if {bytes} == 1
  w1 = *(u8 *)(r0 + 0)
  *(u8 *)(r10 - {at}) = r1
.elif {bytes} == 4
  w1 = *(u32 *)(r0 + 0)
  *(u32 *)(r10 - {at}) = r1
.else
.rept k 0 {bytes/8}
  r1 = *(u64 *)(r0 + {8*k})
  *(u64 *)(r10 - {at-8*k}) = r1
.endr
.endif
.endm

.macro probe_kernel at bytes fail
  r1 = r10
  r1 += -{at}
  r2 = {bytes}
  call bpf_probe_read_kernel
  if r0 != 0 goto {fail}
.endm

; *(r10 - AT) = the BYTES (1, 4, or up to seven times 8) at address r3, or goes to \fail. Clobbers r0-r5.
.macro read_kernel at bytes fail
  r0 = exists(kfunc bpf_rdonly_cast)
  if r0 != 0 goto .cast
  probe_kernel {at} {bytes} {fail}
  goto .done
.cast:
  if r3 s> -4096 goto {fail}
  cast_words
  copy_words {at} {bytes}
.done:
.endm

; *(r10 - at) = the 8 bytes of a field of the object at address r6; jumps to fail. Clobbers r0-r5.
.macro read8 at field fail
  r3 = offsetof({field})
  r3 += r6
  read_kernel {at} 8 {fail}
.endm

; r1 = the 4 bytes of a field of the object at address r6, by the scratch at r10 - at; jumps to fail. Clobbers r0-r5.
.macro read4 at field fail
  r3 = offsetof({field})
  r3 += r6
  read_kernel {at} 4 {fail}
  w1 = *(u32 *)(r10 - {at})
.endm

; *(r10 - AT) = the pointers at r10 - FROM as plain numbers: pointers can neither be shifted nor passed as such. BYTES in all;
; \fail is never reached. Clobbers r0-r5.
.macro plain_words at bytes from fail
  r3 = r10
  r3 += -{from}
  r0 = exists(kfunc bpf_rdonly_cast)
  if r0 != 0 goto .cast
  probe_kernel {at} {bytes} {fail}
  goto .done
.cast:
  cast_words
  copy_words {at} {bytes}
.done:
.endm

; A register = the pointer at r10 - 8 as a plain number. Uses r10 - 16; clobbers r0-r5.
.macro plain_number reg none
  plain_words 16 8 8 {none}
  {reg} = *(u64 *)(r10 - 16)
.endm

; The object's dentry (r1) and vfsmount (r2) as plain addresses at r10 - 104 and r10 - 112.
.macro plain_object
  *(u64 *)(r10 - 8) = r1
  *(u64 *)(r10 - 16) = r2
  plain_words 112 16 16 .done
.done:
.endm

; The text at address r3 up to its final zero, at most 31 bytes, to r10 - AT, where 32 bytes are zero; or goes to \fail.
; Byte by byte: the page behind the text need not be there. Clobbers r0-r5.
.macro read_text at fail
  r0 = exists(kfunc bpf_rdonly_cast)
  if r0 != 0 goto .cast
  r1 = r10
  r1 += -{at}
  r2 = 32
  call bpf_probe_read_kernel_str
  if r0 s< 0 goto {fail}
  goto .done
.cast:
  if r3 s> -4096 goto {fail}
  cast_words
.rept k 0 31
  w1 = *(u8 *)(r0 + {k})
  if r1 == 0 goto .done
  *(u8 *)(r10 - {at-k}) = r1
.endr
.done:
.endm

; Copies a name to memory (r1, of which it fills no more than its bytes): r2 = its bytes, at most 255, r3 = its address, a
; kernel's. r0 = 0.
.func copy_name global 3 256
  r0 = 0
  if r1 == 0 goto end
  r7 = r1
  r8 = r2
  r8 &= 255
  r6 = r3
  r0 = exists(kfunc bpf_rdonly_cast)
  if r0 != 0 goto cast
  r2 = r8
  call bpf_probe_read_kernel
  r0 = 0
end:
  exit
cast:
.rept i 0 5
  r3 = r6
  r3 += {56*i}
  cast_words
.rept k 0 7
.if 7*i + k < 31
  if r8 < {56*i+8*k+8} goto rest
  r1 = *(u64 *)(r0 + {8*k})
  *(u64 *)(r7 + {56*i+8*k}) = r1
.endif
.endr
.endr
rest:
  ; the same to the verifier, wherever it comes from
  forget r8 r6
  r1 = r8
  r1 &= 248
  r7 += r1
  r3 = r6
  r3 += r1
  cast_words
  r8 &= 7
.rept k 0 7
  if r8 == {k} goto done
  w1 = *(u8 *)(r0 + {k})
  *(u8 *)(r7 + {k}) = r1
.endr
done:
  r0 = 0
  exit
