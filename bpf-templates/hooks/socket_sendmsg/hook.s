; socket_sendmsg(sock, msg, size)
.macro socket_sendmsg__peer
  *(u64 *)(r10 - 88) = 0
  r5 = *(u64 *)(r6 + 0)
  w4 = *(u16 *)(r5 + socket.type)
  r1 = *(u64 *)(r5 + socket.sk)
  ; what an address without a family is: nothing, or of the socket's family
  r5 = 0
  if r1 == 0 goto .named
  w2 = *(u16 *)(r1 + sock.sk_protocol)
  w3 = *(u16 *)(r1 + sock.__sk_common.skc_family)
  if r4 != 1 goto .datagram
  ; a stream's control messages name nothing, but for SCTP
  if r2 != 132 goto .named
.datagram:
  if r3 == 2 goto .four
  if r3 != 10 goto .named
  ; to UDP over IPv6 it is the connected peer
  if r2 == 17 goto .family
  if r2 == 136 goto .family
.four:
  ; SCTP refuses it
  if r2 != 132 goto .controls
.family:
  r3 = 0
.controls:
  *(u64 *)(r10 - 128) = r3
  r1 = *(u64 *)(r6 + 8)
  r2 = *(u64 *)(r1 + msghdr.msg_controllen)
  if r2 == 0 goto .plain
  r1 = *(u64 *)(r1 + msghdr.msg_control)
  call control_messages
  *(u64 *)(r10 - 88) = r0
.plain:
  r1 = *(u64 *)(r6 + 8)
  r1 = *(u64 *)(r1 + msghdr.msg_name)
  if r1 == 0 goto .alone
  call other_messages
  r1 = *(u64 *)(r10 - 88)
  r1 |= r0
  *(u64 *)(r10 - 88) = r1
.alone:
  r5 = *(u64 *)(r10 - 128)
.named:
  r1 = *(u64 *)(r6 + 8)
  w4 = *(u32 *)(r1 + msghdr.msg_namelen)
  r3 = *(u64 *)(r1 + msghdr.msg_name)
  peer_of r5
  r2 = *(u64 *)(r10 - 88)
  r2 &= 1
  if r2 == 0 goto .done
  ; a source route for this message alone, to the named or to the connected peer
  if r1 != 0 goto .routed
  peer_sock .nobody
  w1 = *(u16 *)(r1 + sock.__sk_common.skc_dport)
  r1 = be16 r1
  *(u64 *)(r10 - 192) = r1
.routed:
  r1 = 2
  goto .done
.nobody:
  ; a number: to the verifier of 6.1 a null pointer is still a pointer
  r1 = 0
.done:
.endm
