; Sockets and addresses.

; The peer: r3 = address of a sockaddr (0: none), r4 = its length, UNSPEC: what AF_UNSPEC stands for (a register or number).
; r10 - 88 holds what the call's control messages name: 1 a source route, 2 a source or a device.
; Leaves r1 = 1 where it is an IPv4 or IPv6 address, 2 where it is one that cannot be told; then r10 - 184 holds {128, address},
; r10 - 192 the port. Else the address is 0 and the port absent.
.macro peer_of unspec
  *(u64 *)(r10 - 192) = {unspec}
  *(u64 *)(r10 - 184) = 0
  *(u64 *)(r10 - 176) = 0
  *(u64 *)(r10 - 168) = 0
  *(u64 *)(r10 - 160) = 0
  *(u64 *)(r10 - 152) = 0
  *(u64 *)(r10 - 144) = 0
  *(u64 *)(r10 - 136) = 0
  if r3 == 0 goto .other
  if w4 s< 16 goto .other
  *(u64 *)(r10 - 128) = r4
  if w4 s< 24 goto .short
  read_kernel 160 24 .other
  goto .copied
.short:
  read_kernel 160 16 .other
.copied:
  r4 = *(u64 *)(r10 - 128)
  w1 = *(u16 *)(r10 - 160)
  if r1 != 0 goto .family
  r1 = *(u64 *)(r10 - 192)
.family:
  w2 = *(u16 *)(r10 - 158)
  r2 = be16 r2
  if r1 == 2 goto .v4
  if r1 != 10 goto .other
  if w4 s< 24 goto .other
  *(u64 *)(r10 - 192) = r2
  r1 = *(u64 *)(r10 - 152)
  *(u64 *)(r10 - 176) = r1
  r2 = *(u64 *)(r10 - 144)
  *(u64 *)(r10 - 168) = r2
  if r1 != 0 goto .have
  r3 = 0xffff0000 ll
  if r2 == r3 goto .unspecified4
  if r2 != 0 goto .have
  ; `::` is ::1, or 127.0.0.1 where the source is a v4-mapped address
  peer_sock .have
  call source_is_mapped
  r1 = 1 ll
  r1 <<= 56
  if r0 == 0 goto .loopback
  r1 = 0x0100007fffff0000 ll
.loopback:
  *(u64 *)(r10 - 168) = r1
  goto .have
.v4:
  *(u64 *)(r10 - 192) = r2
  w1 = *(u32 *)(r10 - 156)
  r1 <<= 32
  r3 = 0xffff0000 ll
  r1 |= r3
  *(u64 *)(r10 - 168) = r1
  if r1 != r3 goto .have
.unspecified4:
  ; the address that the socket or the message sends from, else loopback
  peer_sock .unknown
  r2 = *(u64 *)(r10 - 88)
  call source_of
  r1 = r0
  r1 >>= 32
  if r1 != 0 goto .unknown
  r0 <<= 32
  r3 = 0xffff0000 ll
  r0 |= r3
  *(u64 *)(r10 - 168) = r0
.have:
  r1 = 1
  goto .done
.unknown:
  r1 = 2
  goto .done
.other:
  *(u64 *)(r10 - 176) = 0
  *(u64 *)(r10 - 168) = 0
  r1 = 0x100000000 ll
  *(u64 *)(r10 - 192) = r1
  r1 = 0
.done:
.endm

; r1 = the typed sock of the hook's socket; goes to NONE where there is none.
.macro peer_sock none
  r1 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r1 + socket.sk)
  if r1 == 0 goto {none}
.endm

; Whether the source of a socket is a v4-mapped address. r1 = typed sock -> r0 = 1 or 0.
.func source_is_mapped static 1
  r0 = 0
  w2 = *(u16 *)(r1 + sock.__sk_common.skc_family)
  if r2 != 10 goto end
  w2 = *(u32 *)(r1 + sock.__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0])
  if r2 != 0 goto end
  w2 = *(u32 *)(r1 + sock.__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[1])
  if r2 != 0 goto end
  w2 = *(u32 *)(r1 + sock.__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[2])
  w3 = 0xffff0000
  if r2 != r3 goto end
  r0 = 1
end:
  exit

; What the unspecified IPv4 address is to a socket. r1 = typed sock, r2 = what control messages name
; -> r0 = the address in network order; bit 32: cannot be told, for a device chooses it, or a socket behind this one, or
; another thread can take it back (the source that a connection chose, not bind).
.func source_of static 2
  r6 = r1
  if r2 != 0 goto unknown
  w1 = *(u16 *)(r6 + sock.__sk_common.skc_family)
  if r1 == 2 goto internet
  if r1 != 10 goto unknown
internet:
  w1 = *(u16 *)(r6 + sock.sk_protocol)
  if r1 < 256 goto own
  ; MPTCP keeps the source of its first flow; SMC has it in another socket
  if r1 != 262 goto unknown
own:
  w1 = *(u32 *)(r6 + sock.__sk_common.skc_bound_dev_if)
  if r1 != 0 goto unknown
  read4 8 inet_sock.uc_index unknown
  if r1 != 0 goto unknown
  read4 8 inet_sock.inet_saddr unknown
  r0 = r1
  if r0 == 0 goto loopback
  w1 = *(u32 *)(r6 + sock.__sk_common.skc_daddr)
  if r1 != 0 goto unknown
  exit
loopback:
  r0 = 0x0100007f
  exit
unknown:
  r0 = 1 ll
  r0 <<= 32
  exit

; Whether options of a socket hold a source route, or may (the options of a flow label). r1 = typed sock -> r0 = 1 or 0.
.func source_route static 1
  r6 = r1
  w1 = *(u16 *)(r6 + sock.__sk_common.skc_family)
  if r1 == 2 goto four
  if r1 != 10 goto none
  read8 8 inet_sock.pinet6 route
  r7 = *(u64 *)(r10 - 8)
  r1 = exists(ipv6_pinfo.ipv6_fl_list)
  if r1 == 0 goto new
  r8 = r6
  r6 = r7
  if r6 == 0 goto four
  read8 8 ipv6_pinfo.ipv6_fl_list route
  r6 = r8
  goto labels
new:
  read8 8 inet_sock___labels.ipv6_fl_list route
labels:
  r1 = *(u64 *)(r10 - 8)
  if r1 != 0 goto route
  if r7 == 0 goto four
  r8 = r6
  r6 = r7
  read8 8 ipv6_pinfo.opt route
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto no_header
  read8 8 ipv6_txoptions.srcrt route
  r1 = *(u64 *)(r10 - 8)
  if r1 != 0 goto route
no_header:
  r6 = r8
four:
  read8 8 inet_sock.inet_opt route
  r6 = *(u64 *)(r10 - 8)
  if r6 == 0 goto none
  *(u64 *)(r10 - 8) = 0
  r3 = offsetof(ip_options_rcu.opt.srr)
  r3 += r6
  read_kernel 8 1 route
  r1 = *(u64 *)(r10 - 8)
  if r1 != 0 goto route
none:
  r0 = 0
  exit
route:
  r0 = 1
  exit

; r4 = what the control message whose level and type are in r1, as one number, names. Clobbers r2.
.macro control_names
  r4 = 1
  r2 = 0x700000000 ll                   ; IP_RETOPTS
  if r1 == r2 goto .names
  r2 = 0x3900000029 ll                  ; IPV6_RTHDR
  if r1 == r2 goto .names
  r2 = 0x500000029 ll                   ; IPV6_2292RTHDR
  if r1 == r2 goto .names
  r2 = 0x700000084 ll                   ; SCTP_DSTADDRV4
  if r1 == r2 goto .names
  r2 = 0x800000084 ll                   ; SCTP_DSTADDRV6
  if r1 == r2 goto .names
  r4 = 2
  r2 = 0x800000000 ll                   ; IP_PKTINFO
  if r1 == r2 goto .names
  r2 = 0x3200000029 ll                  ; IPV6_PKTINFO
  if r1 == r2 goto .names
  r4 = 0
.names:
.endm

; Adds what the control message names whose header is at r10 - 16 to what was found, at r7 + 0, and turns to the one behind it,
; or goes to \none where the kernel takes none. The state at r7 has its place and the bytes that are left, those in r8 too.
.macro control_message place left none
  r6 = *(u64 *)(r10 - 16)
  ; the kernel takes no message with a wrong length
  if r6 < 16 goto {none}
  if r6 > r8 goto {none}
  r1 = *(u64 *)(r10 - 8)
  control_names
  r1 = *(u64 *)(r7 + 0)
  r1 |= r4
  *(u64 *)(r7 + 0) = r1
  r6 += 7
  r6 &= -8
  r8 -= r6
  *(u64 *)(r7 + {left}) = r8
  r1 = *(u64 *)(r7 + {place})
  r1 += r6
  *(u64 *)(r7 + {place}) = r1
.endm

; What control messages name: 1 a source route, 2 a source or a device. More than 64 of them may name anything.
; r1 = their address, r2 = their length -> r0.
.func control_messages static 2
  *(u64 *)(r10 - 24) = r1
  *(u64 *)(r10 - 16) = r2
  r1 = 3
  forget r1 r2
  *(u64 *)(r10 - 8) = r1
  *(u64 *)(r10 - 32) = 0
  r1 = 64
  r2 = func control_step
  r3 = r10
  r3 += -32
  r4 = 0
  call bpf_loop
  r0 = *(u64 *)(r10 - 8)
  exit

; One control message. r2 = {0 found so far, 8 where, 16 bytes left, 24 result} -> r0 = 1 to end.
.func control_step static 2
  r7 = r2
  r8 = *(u64 *)(r7 + 16)
  if r8 s< 16 goto last
  r3 = *(u64 *)(r7 + 8)
  read_kernel 16 16 end
  control_message 8 16 last
  r0 = 0
  exit
last:
  r1 = *(u64 *)(r7 + 0)
  *(u64 *)(r7 + 24) = r1
end:
  r0 = 1
  exit

; What the control messages of all messages of a sendmmsg name, as above; 0 in any other call. The kernel does not ask for a
; message to the address of the one before it, so the first one to an address is judged with what all of them name. More than
; 128 messages, or what a 32-bit program sends, may name anything. -> r0.
.func other_messages static 0
  call bpf_get_current_task_btf
  r1 = r0
  ; PF_IO_WORKER, PF_KTHREAD: its registers are those of another task's call
  w2 = *(u32 *)(r1 + task_struct.flags)
  r2 &= {PF_WORKERS}
  if r2 != 0 goto none
  call bpf_task_pt_regs
  r1 = *(u64 *)(r0 + pt_regs.orig_ax)
  if r1 == 307 goto many
  ; of 32-bit programs: socketcall, sendmmsg; and with 32-bit pointers
  if r1 == 102 goto socketcall
  if r1 == 345 goto foreign
  if r1 == 0x4000021a goto foreign
none:
  r0 = 0
  exit
socketcall:
  w1 = *(u32 *)(r0 + pt_regs.bx)
  if r1 == 20 goto anything
  goto none
foreign:
  w1 = *(u32 *)(r0 + pt_regs.dx)
  if r1 < 2 goto none
anything:
  r0 = 3
  exit
many:
  w1 = *(u32 *)(r0 + pt_regs.dx)
  if r1 < 2 goto none
  if r1 > 128 goto anything
  ; numbers of which the verifier knows nothing: 6.1 looks at a callback once
  r6 = *(u64 *)(r0 + pt_regs.si)
  *(u64 *)(r10 - 40) = r6
  forget r1 r6
  *(u64 *)(r10 - 32) = r1
  r1 = 0
  forget r1 r6
  *(u64 *)(r10 - 48) = r1
  *(u64 *)(r10 - 24) = r1
  *(u64 *)(r10 - 16) = r1
  r1 = 3
  forget r1 r6
  *(u64 *)(r10 - 8) = r1
  r1 = 320
  r2 = func message_step
  r3 = r10
  r3 += -48
  r4 = 0
  call bpf_loop
  r0 = *(u64 *)(r10 - 8)
  exit

; One control message, or the header of one message of a sendmmsg. r2 = {0 found so far, 8 the next header, 16 headers left,
; 24 the next control message, 32 its bytes and those behind it, 40 result} -> r0 = 1 to end.
.func message_step static 2
  r7 = r2
  r8 = *(u64 *)(r7 + 32)
  if r8 s< 16 goto header
  r1 = r10
  r1 += -16
  r2 = 16
  r3 = *(u64 *)(r7 + 24)
  call bpf_probe_read_user
  if r0 != 0 goto end
  control_message 24 32 header
  r0 = 0
  exit
header:
  r6 = *(u64 *)(r7 + 16)
  if r6 == 0 goto last
  r6 += -1
  *(u64 *)(r7 + 16) = r6
  ; of struct mmsghdr: where its control messages are, and how long
  r1 = r10
  r1 += -16
  r2 = 16
  r3 = *(u64 *)(r7 + 8)
  r6 = r3
  r6 += 64
  *(u64 *)(r7 + 8) = r6
  r3 += 32
  call bpf_probe_read_user
  if r0 != 0 goto end
  r1 = *(u64 *)(r10 - 16)
  *(u64 *)(r7 + 24) = r1
  r1 = *(u64 *)(r10 - 8)
  *(u64 *)(r7 + 32) = r1
  r0 = 0
  exit
last:
  r1 = *(u64 *)(r7 + 0)
  *(u64 *)(r7 + 40) = r1
end:
  r0 = 1
  exit

; r1 = class of the peer's address by the longest prefix; 0 where it has none (`::/0` holds no absent address), 1 where it
; cannot be told. r10 - 200: 0 none, 1 a source route may change it, 3 it is as named, 2 and 4 it cannot be told.
.macro class_of_peer
  r1 = *(u64 *)(r10 - 200)
  if r1 == 0 goto .none
  if r1 == 3 goto .look
  if r1 == 4 goto .failed
  if r1 == 2 goto .unknown
  peer_sock .stays
  call source_route
  if r0 != 0 goto .unknown
.stays:
  *(u64 *)(r10 - 200) = 3
.look:
  r1 = 128
  *(u32 *)(r10 - 180) = r1
  r1 = map prefixes
  r2 = r10
  r2 += -180
  call bpf_map_lookup_elem
  r1 = 0
  if r0 == 0 goto .none
  w1 = *(u32 *)(r0 + 0)
  goto .none
.unknown:
  *(u64 *)(r10 - 200) = 4
  ; what the canary does is nobody's failure
  if r9 == 1 goto .failed
  count_failure
.failed:
  r1 = 1
.none:
.endm

.macro field_remote_port
  r1 = *(u64 *)(r10 - 192)
.endm
; Without a sock the value is 0, a number: to the verifier of 6.1 a null pointer is still a pointer.
.macro field_socket_family
  r1 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r1 + socket.sk)
  if r1 == 0 goto .none
  w1 = *(u16 *)(r1 + sock.__sk_common.skc_family)
  goto .done
.none:
  r1 = 0
.done:
.endm
.macro field_socket_type
  r1 = *(u64 *)(r6 + 0)
  w1 = *(u16 *)(r1 + socket.type)
.endm
.macro field_socket_protocol
  r1 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r1 + socket.sk)
  if r1 == 0 goto .none
  w1 = *(u16 *)(r1 + sock.sk_protocol)
  goto .done
.none:
  r1 = 0
.done:
.endm
