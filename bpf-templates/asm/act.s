; What an outcome does: counted, killed, reported. The verdict is fixed before the report and does not depend on it.
; Tables: outcomes (u32 by outcome: low 16 bits errno, bit 16 kill, bit 17 report), counters (u64 by outcome).

; r1 = outcome, r2 = kind (0 nothing, 1 path, 2 address; bit 8: it cannot be told), r3 and r4 = dentry and vfsmount (0: none is
; known), or the address's halves, r5 = port, or the dentry of a second name, 0 for none -> r0 = errno of the refusal, 0 for none.
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
.rept i 0 {(report_exe-report_operation)/8}
  *(u64 *)(r9 + {report_operation+8*i}) = 0
.endr
  r1 = r7
  r1 >>= 8
  r1 <<= 1
  *(u32 *)(r9 + {report_flags}) = r1
  r7 &= 255
  *(u32 *)(r9 + {report_kind}) = r7
  if r7 == 1 goto path
  if r7 == 0 goto subject
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r9 + {report_addr}) = r1
  r1 = *(u64 *)(r10 - 16)
  *(u64 *)(r9 + {report_addr+8}) = r1
  r1 = *(u64 *)(r10 - 24)
  r2 = r1
  r2 >>= 32
  if r2 == 0 goto port
  r1 = -1
port:
  *(u32 *)(r9 + {report_port}) = r1
  goto subject
path:
  r1 = r9
  r2 = *(u64 *)(r10 - 8)
  r3 = *(u64 *)(r10 - 16)
  r4 = *(u64 *)(r10 - 24)
  call report_object
subject:
  r1 = r9
  call report_subject
  r1 = r9
  call report_place
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

; The object of report r1: r2 = dentry, r3 = vfsmount (0: none is known), r4 = dentry of its second name (0: none).
; What its paths are, and what is known of the file without any.
.func report_object static 4
  r9 = r1
  r6 = r2
  r7 = r3
  r8 = r4
  if r6 == 0 goto end
  read8 8 dentry.d_inode file_system
  r3 = *(u64 *)(r10 - 8)
  if r3 == 0 goto file_system
  r1 = offsetof(inode.i_ino)
  r3 += r1
  read_kernel 8 8 file_system
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r9 + {report_inode}) = r1
file_system:
  *(u64 *)(r10 - 16) = r6
  read8 8 dentry.d_sb names
  r6 = *(u64 *)(r10 - 8)
  read4 24 super_block.s_dev names
  r2 = r1
  r2 >>= 20
  *(u32 *)(r9 + {report_major}) = r2
  r1 &= 0xfffff
  *(u32 *)(r9 + {report_minor}) = r1
  read8 8 super_block.s_type names
  r6 = *(u64 *)(r10 - 8)
  read8 8 file_system_type.name names
  r3 = *(u64 *)(r10 - 8)
.rept i 0 4
  *(u64 *)(r10 - {56-8*i}) = 0
.endr
  read_text 56 names
  r1 = *(u64 *)(r10 - 56)
  *(u64 *)(r9 + {report_fs}) = r1
  ; the last byte stays zero
  r1 = *(u64 *)(r10 - 48)
  r1 <<= 8
  r1 >>= 8
  *(u64 *)(r9 + {report_fs+8}) = r1
names:
  r6 = *(u64 *)(r10 - 16)
  if r8 == 0 goto path
  r1 = r9
  r1 += {report_target}
  r2 = 512
  r3 = r8
  r4 = r7
  call put_path
  *(u32 *)(r9 + {report_target_length}) = r0
path:
  r1 = r9
  r1 += {report_path}
  r2 = 1024
  r3 = r6
  r4 = r7
  call put_path
  *(u32 *)(r9 + {report_path_length}) = r0
end:
  r0 = 0
  exit

; Who did what report r1 is about: numbers and names of the task and of its program, as it was when it was executed.
.func report_subject static 1
  r9 = r1
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
  call bpf_get_current_task
  r8 = r0
  record_of_task nameless
  w1 = *(u32 *)(r7 + {record_operation})
  *(u32 *)(r9 + {report_operation}) = r1
  w1 = *(u32 *)(r7 + {record_parent_pid})
  *(u32 *)(r9 + {report_parent}) = r1
  w1 = *(u32 *)(r7 + {record_parent_image})
  image_to_report {report_parent_length} {report_parent_exe}
  w1 = *(u32 *)(r7 + {record_image})
  image_to_report {report_exe_length} {report_exe}
nameless:
  w1 = *(u32 *)(r9 + {report_exe_length})
  if r1 != 0 goto end
  ; its name was not kept: what the kernel says now
  r6 = r8
  read8 8 task_struct.mm end
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto end
  read8 8 mm_struct.exe_file end
  r3 = *(u64 *)(r10 - 8)
  if r3 == 0 goto end
  r1 = offsetof(file.f_path)
  r3 += r1
  read_kernel 24 16 end
  r1 = r9
  r1 += {report_exe}
  r2 = 256
  r3 = *(u64 *)(r10 - 16)
  r4 = *(u64 *)(r10 - 24)
  call put_path
  *(u32 *)(r9 + {report_exe_length}) = r0
end:
  r0 = 0
  exit

; Where it was done: the namespaces and the cgroup of the current task, for report r1.
.func report_place static 1
  r9 = r1
  call bpf_get_current_cgroup_id
  *(u64 *)(r9 + {report_cgroup}) = r0
  call container_bits
  r0 &= 1
  w1 = *(u32 *)(r9 + {report_flags})
  r1 |= r0
  *(u32 *)(r9 + {report_flags}) = r1
  ; by plain reads: see what path.s says of typed ones
  call bpf_get_current_task
  r7 = r0
  r6 = r7
  read8 8 task_struct.nsproxy user
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto user
  read8 8 nsproxy.mnt_ns user
  r6 = *(u64 *)(r10 - 8)
  read4 8 mnt_namespace.ns.inum user
  *(u32 *)(r9 + {report_mnt_ns}) = r1
user:
  r6 = r7
  read8 8 task_struct.cred pid
  r6 = *(u64 *)(r10 - 8)
  read8 8 cred.user_ns pid
  r6 = *(u64 *)(r10 - 8)
  read4 8 user_namespace.ns.inum pid
  *(u32 *)(r9 + {report_user_ns}) = r1
pid:
  r6 = r7
  read8 8 task_struct.thread_pid end
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto end
  read4 8 pid.level end
  r7 = r1
  r3 = r6
  ; the innermost of its numbers
  r1 = sizeof(upid)
  r7 *= r1
  r3 += r7
  r1 = offsetof(pid.numbers)
  r3 += r1
  r1 = offsetof(upid.ns)
  r3 += r1
  read_kernel 8 8 end
  r6 = *(u64 *)(r10 - 8)
  read4 8 pid_namespace.ns.inum end
  *(u32 *)(r9 + {report_pid_ns}) = r1
end:
  r0 = 0
  exit

; Writes the end of a path right-aligned: r1 = where (r2 bytes; the verifier wants 1,280 there), r2 = bytes, r3 = dentry, r4 =
; vfsmount, 0 for none -> r0 = bytes written, bit 31 set where the front is missing: it is too long, or no namespace shows where
; the file's mount is; then it is the path within the file system. For people: no rename check, up to 512 steps.
; State: 0 where, 8 room left, 16 dentry, 24 vfsmount, 32 whole.
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
  r3 = offsetof(dentry.d_name)
  r3 += r6
  read_kernel 32 16 end
  ; a name's length and address; the room left must hold it and its slash
  r1 = *(u64 *)(r10 - 24)
  if r1 s> -4096 goto end
  w2 = *(u32 *)(r10 - 28)
  if r2 > 255 goto end
  r1 = *(u64 *)(r10 - 16)
  if r1 != r6 goto named
  ; the root of a file system, whose name is a slash; what is in none (memory, pipes) has another
  if r2 < 2 goto end
named:
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
  r3 = *(u64 *)(r10 - 24)
  call copy_name
  r1 = *(u64 *)(r10 - 16)
  if r1 == r6 goto end
  *(u64 *)(r9 + 16) = r1
  r0 = 0
  exit
crossing:
  r6 = *(u64 *)(r9 + 24)
  r1 = offsetof(mount.mnt)
  r6 -= r1
  read8 8 mount.mnt_parent end
  r7 = *(u64 *)(r10 - 8)
  if r7 == r6 goto top
  read8 8 mount.mnt_mountpoint end
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r9 + 16) = r1
  r1 = offsetof(mount.mnt)
  r7 += r1
  *(u64 *)(r9 + 24) = r7
  r0 = 0
  exit
top:
  ; is it in a namespace that is not anonymous? (ns_kind says the same; but here the stack is deep)
  read8 8 mount.mnt_ns end
  r6 = *(u64 *)(r10 - 8)
  r1 = r6
  r1 += 4096
  if r1 <= 4096 goto detached
  r1 = exists(mnt_namespace.seq)
  if r1 == 0 goto numbered
  read8 8 mnt_namespace.seq end
  r1 = *(u64 *)(r10 - 8)
  if r1 != 0 goto whole
  goto detached
numbered:
  read4 8 mnt_namespace.ns.inum end
  ; MNT_NS_ANON_INO
  w2 = 0xEFFFFFF7
  if r1 != r2 goto whole
detached:
  ; what is left is the way within the file system
  *(u64 *)(r9 + 24) = 0
  r0 = 0
  exit
whole:
  r1 = 1
  forget r1 r6
  *(u64 *)(r9 + 32) = r1
end:
  r0 = 1
  exit
