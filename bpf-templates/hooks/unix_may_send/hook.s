; unix_may_send(sock, other)
.macro unix_may_send__sock_peer
  r1 = *(u64 *)(r6 + 8)
  r1 = *(u64 *)(r1 + socket.sk)
.endm
.macro unix_may_send__object_peer
  unix_may_send__sock_peer
  unix_object
.endm
.macro unix_may_send__inode_peer
  unix_may_send__sock_peer
  unix_inode
.endm
.macro unix_may_send__fact_named
  unix_may_send__sock_peer
  unix_named
.endm
; A connect has not made it the peer yet; where it is the peer already the connect changes nothing.
.macro unix_may_send__fact_to_peer
  r1 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r1 + socket.sk)
  if r1 == 0 goto .no
  call bpf_skc_to_unix_sock
  if r0 == 0 goto .no
  r2 = *(u64 *)(r0 + unix_sock.peer)
  unix_may_send__sock_peer
  if r1 != r2 goto .no
  r1 = 1
  goto .done
.no:
  r1 = 0
.done:
.endm
