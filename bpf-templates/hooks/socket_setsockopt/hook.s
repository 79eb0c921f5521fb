; socket_setsockopt(sock, level, optname)
; The hook does not show the value: an option that can hold a source route is an address, and a port, that cannot be told.
.macro socket_setsockopt__peer
  *(u64 *)(r10 - 184) = 0
  *(u64 *)(r10 - 176) = 0
  *(u64 *)(r10 - 168) = 0
  w1 = *(u32 *)(r6 + 8)
  w2 = *(u32 *)(r6 + 16)
  if r1 == 0 goto .four
  if r1 != 41 goto .other
  ; IPV6_RTHDR, IPV6_2292PKTOPTIONS, IPV6_FLOWLABEL_MGR
  if r2 == 57 goto .route
  if r2 == 6 goto .route
  if r2 == 32 goto .route
  goto .other
.four:
  ; IP_OPTIONS
  if r2 == 4 goto .route
.other:
  r1 = 0x100000000 ll
  *(u64 *)(r10 - 192) = r1
  r1 = 0
  goto .done
.route:
  r1 = 0x100000001 ll
  *(u64 *)(r10 - 192) = r1
  r1 = 2
.done:
.endm
