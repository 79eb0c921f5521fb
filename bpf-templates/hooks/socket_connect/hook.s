; socket_connect(sock, address, addrlen)
.macro socket_connect__peer
  r3 = *(u64 *)(r6 + 8)
  w4 = *(u32 *)(r6 + 16)
  *(u64 *)(r10 - 88) = 0
  peer_of 0
.endm
