; Sockets and addresses.

; The peer: r3 = address of a sockaddr (0: none), r4 = its length, UNSPEC: what AF_UNSPEC stands for (a register or number).
; Leaves r1 = 1 where it is an IPv4 or IPv6 address; then r10 - 184 holds {128, address}, r10 - 192 the port.
; Else the address is 0 and the port absent.
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
  r2 = 28
  if w4 s> 28 goto .sized
  r2 = r4
  r2 &= 31
.sized:
  *(u64 *)(r10 - 128) = r4
  r1 = r10
  r1 += -160
  call bpf_probe_read_kernel
  if r0 != 0 goto .other
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
  r1 = *(u64 *)(r10 - 152)
  *(u64 *)(r10 - 176) = r1
  r1 = *(u64 *)(r10 - 144)
  *(u64 *)(r10 - 168) = r1
  goto .have
.v4:
  w1 = *(u32 *)(r10 - 156)
  r1 <<= 32
  r3 = 0xffff0000 ll
  r1 |= r3
  *(u64 *)(r10 - 168) = r1
.have:
  *(u64 *)(r10 - 192) = r2
  r1 = 1
  goto .done
.other:
  *(u64 *)(r10 - 176) = 0
  *(u64 *)(r10 - 168) = 0
  r1 = 0x100000000 ll
  *(u64 *)(r10 - 192) = r1
  r1 = 0
.done:
.endm

; r1 = class of the peer's address by the longest prefix; 0 where it has none (r10 - 200): `::/0` holds no absent address.
.macro class_of_peer
  r1 = *(u64 *)(r10 - 200)
  if r1 == 0 goto .none
  r1 = 128
  *(u32 *)(r10 - 180) = r1
  r1 = map prefixes
  r2 = r10
  r2 += -180
  call bpf_map_lookup_elem
  r1 = 0
  if r0 == 0 goto .none
  w1 = *(u32 *)(r0 + 0)
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
