# Attributes that nfsd changes for its clients: no hook sees them but the one of the inode. Names that it makes, moves and takes
# away are seen by none (known limits).
ip link set lo up
mkdir -p /export /client
mount -t tmpfs none /export
mkdir /export/guard /export/free
for folder in guard free; do for file in a b; do echo x >/export/$folder/$file; done; done
# exports without a mountd: what it would answer
mount -t nfsd none /proc/fs/nfsd
answer() { echo "$2" >/proc/net/rpc/$1/channel; }
answer auth.unix.ip 'nfsd 127.0.0.1 2147483647 all'
answer auth.unix.gid '0 2147483647 0'
answer nfsd.export 'all /export 2147483647 9248 65534 65534 0'
answer nfsd.fh 'all 1 \x00000000 2147483647 /export'
for time in leasetime gracetime; do echo 10 >/proc/fs/nfsd/nfsv4$time; done
echo '-3 +4 +4.1 +4.2' >/proc/fs/nfsd/versions
echo 'tcp 2049' >/proc/fs/nfsd/portlist
echo 1 >/proc/fs/nfsd/threads
mount -t nfs4 -o vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1,sec=sys,soft 127.0.0.1:/ /client
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
step() { if "$@" 2>/dev/null; then echo "$1 $2 $3: ok"; else echo "$1 $2 $3: refused"; fi; }
for folder in guard free; do
    step chmod 600 /client/$folder/a
    step chown 5 /client/$folder/a
    step touch -c /client/$folder/a
    step mv /client/$folder/b /client/$folder/c
done
ls -ln /export/guard /export/free | sed -n 's/^\(.\{10\}\) *[0-9]* *\([0-9]*\).* /\1 \2 /p'
echo "== reports"
ebsec-load events | sed 's/^[^ ]* *//; s/\[[0-9]*\]//g'
umount /client
echo 0 >/proc/fs/nfsd/threads
