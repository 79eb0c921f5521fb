; What an outcome does: counted, killed, reported. The verdict is fixed before the report and does not depend on it.
; Tables: outcomes (u32 by outcome: low 16 bits errno, bit 16 kill, bit 17 report), counters (u64 by outcome).

; r1 = outcome, r2 = kind (0 nothing, 1 path, 2 address), r3 and r4 = dentry and vfsmount, or the address's halves, r5 = port
; -> r0 = errno of the refusal, 0 for none.
.func act global 5
  if r1 >= {N_OUTCOMES} goto unknown
  r6 = r1
  r7 = r2
  *(u64 *)(r10 - 8) = r3
  *(u64 *)(r10 - 16) = r4
  *(u64 *)(r10 - 24) = r5
  r1 = r6
  r1 <<= 3
  r2 = data counters
  r2 += r1
  r1 = 1
  lock *(u64 *)(r2 + 0) += r1
  r1 = r6
  r1 <<= 2
  r2 = data outcomes
  r2 += r1
  w8 = *(u32 *)(r2 + 0)
  r1 = r8
  r1 &= 0x10000
  if r1 == 0 goto alive
  r1 = 9
  call bpf_send_signal
alive:
  r1 = r8
  r1 &= 0x20000
  if r1 == 0 goto silent
  r1 = map events
  r2 = {report_size}
  r3 = 0
  call bpf_ringbuf_reserve
  if r0 == 0 goto lost
  r9 = r0
  *(u32 *)(r9 + {report_outcome}) = r6
  r1 = r8
  r1 &= 0x1ffff
  *(u32 *)(r9 + {report_verdict}) = r1
  *(u32 *)(r9 + {report_kind}) = r7
  call bpf_ktime_get_boot_ns
  *(u64 *)(r9 + {report_time}) = r0
  call bpf_get_current_pid_tgid
  *(u32 *)(r9 + {report_pid}) = r0
  r0 >>= 32
  *(u32 *)(r9 + {report_tgid}) = r0
  call bpf_get_current_uid_gid
  *(u32 *)(r9 + {report_uid}) = r0
  r0 >>= 32
  *(u32 *)(r9 + {report_gid}) = r0
  r1 = r9
  r1 += {report_comm}
  r2 = 16
  call bpf_get_current_comm
  *(u32 *)(r9 + {report_port}) = 0
  *(u64 *)(r9 + {report_addr}) = 0
  *(u64 *)(r9 + {report_addr+8}) = 0
  *(u32 *)(r9 + {report_exe_length}) = 0
  *(u32 *)(r9 + {report_path_length}) = 0
  if r7 == 1 goto path
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r9 + {report_addr}) = r1
  r1 = *(u64 *)(r10 - 16)
  *(u64 *)(r9 + {report_addr+8}) = r1
  r1 = *(u64 *)(r10 - 24)
  *(u32 *)(r9 + {report_port}) = r1
  goto program
path:
  r1 = r9
  r1 += {report_path}
  r2 = 1024
  r3 = *(u64 *)(r10 - 8)
  r4 = *(u64 *)(r10 - 16)
  call put_path
  *(u32 *)(r9 + {report_path_length}) = r0
program:
  ; the path of the program that runs
  call bpf_get_current_task_btf
  r1 = *(u64 *)(r0 + task_struct.mm)
  if r1 == 0 goto submit
  r3 = *(u64 *)(r1 + mm_struct.exe_file)
  if r3 == 0 goto submit
  r1 = offsetof(file.f_path)
  r3 += r1
  read_kernel 24 16 submit
  r1 = r9
  r1 += {report_exe}
  r2 = 256
  r3 = *(u64 *)(r10 - 16)
  r4 = *(u64 *)(r10 - 24)
  call put_path
  *(u32 *)(r9 + {report_exe_length}) = r0
submit:
  r1 = r9
  r2 = 0
  call bpf_ringbuf_submit
  r1 = data stats
  r2 = 1
  lock *(u64 *)(r1 + {stats_emitted}) += r2
  goto silent
lost:
  r1 = data stats
  r2 = 1
  lock *(u64 *)(r1 + {stats_lost}) += r2
silent:
  r0 = r8
  r0 &= 0xffff
  exit
unknown:
  r0 = 1
  exit

; Writes the end of a path right-aligned: r1 = where (in a report: r2 bytes, and 256 more that may be overwritten),
; r2 = bytes, r3 = dentry, r4 = vfsmount -> r0 = bytes written, bit 31 set where the front is cut off.
; For people: no rename check, up to 512 steps. State: 0 where, 8 room left, 16 dentry, 24 vfsmount, 32 whole.
.func put_path static 4
  r6 = r2
  *(u64 *)(r10 - 40) = r1
  *(u64 *)(r10 - 24) = r3
  *(u64 *)(r10 - 16) = r4
  r1 = 0
  forget r1 r3
  *(u64 *)(r10 - 8) = r1
  forget r6 r3
  *(u64 *)(r10 - 32) = r6
  *(u64 *)(r10 - 48) = r6
  r1 = 512
  r2 = func put_step
  r3 = r10
  r3 += -40
  r4 = 0
  call bpf_loop
  r0 = *(u64 *)(r10 - 48)
  r1 = *(u64 *)(r10 - 32)
  r0 -= r1
  r0 &= 0x7ff
  r2 = *(u64 *)(r10 - 8)
  if r2 == 0 goto cut
  if r0 != 0 goto some
  ; the root itself
  r1 += -1
  r1 &= 1023
  r2 = *(u64 *)(r10 - 40)
  r2 += r1
  *(u8 *)(r2 + 0) = 47
  r0 = 1
some:
  exit
cut:
  r1 = 1 ll
  r1 <<= 31
  r0 |= r1
  exit

; One name or one mount of the way up. r2 = the state -> r0 = 1 to end.
.func put_step static 2
  r9 = r2
  r6 = *(u64 *)(r9 + 24)
  if r6 == 0 goto mountless
  read8 8 vfsmount.mnt_root end
  r6 = *(u64 *)(r9 + 16)
  r1 = *(u64 *)(r10 - 8)
  if r1 == r6 goto crossing
mountless:
  r6 = *(u64 *)(r9 + 16)
  read8 16 dentry.d_parent end
  ; the root of a file system of which no mount is known: what is above it is not
  r1 = *(u64 *)(r10 - 16)
  if r1 == r6 goto end
  r3 = offsetof(dentry.d_name)
  r3 += r6
  read_kernel 32 16 end
  ; a name's length and address; the room left must hold it and its slash
  r6 = *(u64 *)(r10 - 24)
  if r6 s> -4096 goto end
  w2 = *(u32 *)(r10 - 28)
  if r2 > 255 goto end
  r8 = *(u64 *)(r9 + 8)
  r1 = r2
  r1 += 1
  if r1 > r8 goto end
  r8 -= r1
  r8 &= 1023
  *(u64 *)(r9 + 8) = r8
  r1 = *(u64 *)(r9 + 0)
  r1 += r8
  *(u8 *)(r1 + 0) = 47
  r1 += 1
  r3 = r6
  call copy_name
  r1 = *(u64 *)(r10 - 16)
  *(u64 *)(r9 + 16) = r1
  r0 = 0
  exit
crossing:
  r6 = *(u64 *)(r9 + 24)
  r1 = offsetof(mount.mnt)
  r6 -= r1
  read8 8 mount.mnt_parent end
  r7 = *(u64 *)(r10 - 8)
  if r7 == r6 goto whole
  read8 8 mount.mnt_mountpoint end
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r9 + 16) = r1
  r1 = offsetof(mount.mnt)
  r7 += r1
  *(u64 *)(r9 + 24) = r7
  r0 = 0
  exit
whole:
  r1 = 1
  forget r1 r6
  *(u64 *)(r9 + 32) = r1
end:
  r0 = 1
  exit
