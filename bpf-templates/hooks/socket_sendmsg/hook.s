; socket_sendmsg(sock, msg, size)
.macro socket_sendmsg__peer
  r1 = *(u64 *)(r6 + 8)
  w4 = *(u32 *)(r1 + msghdr.msg_namelen)
  r3 = *(u64 *)(r1 + msghdr.msg_name)
  ; a datagram socket of IPv4 takes an address without a family for one of IPv4
  r5 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r5 + socket.sk)
  r5 = 0
  if r1 == 0 goto .unknown
  w5 = *(u16 *)(r1 + sock.__sk_common.skc_family)
.unknown:
  peer_of r5
.endm
