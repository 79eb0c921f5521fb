; unix_stream_connect(sock, other, newsk)
.macro unix_stream_connect__sock_peer
  r1 = *(u64 *)(r6 + 8)
.endm
.macro unix_stream_connect__object_peer
  unix_stream_connect__sock_peer
  unix_object
.endm
.macro unix_stream_connect__inode_peer
  unix_stream_connect__sock_peer
  unix_inode
.endm
.macro unix_stream_connect__fact_named
  unix_stream_connect__sock_peer
  unix_named
.endm
