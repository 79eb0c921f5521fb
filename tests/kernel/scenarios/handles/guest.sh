# A file without a name that could be told is judged by where its file system is mounted, and refused only where that leaves it open.
mkdir -p /free /whole /part /bound
dd if=/dev/zero of=/image bs=1M count=4 2>/dev/null
mke2fs -F /image >/dev/null 2>&1
losetup /dev/loop0 /image
mount -t ext4 /dev/loop0 /free
mkdir /free/guard /free/folder
for file in /free/a /free/guard/a /free/folder/a; do echo x >$file; done
umount /free
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
at() {
    echo "== at $*"
    for place in "$@"; do mount -t ext4 /dev/loop0 $place; done
    sync
    guest-tools paths cold $1 $1/a $1/guard/a
    for place in "$@"; do umount $place; done
}
at /free
at /whole
at /part
at /free /part
at /free /whole
# a handle is opened by any mount of the file system, also by one that shows a folder of it alone
echo "== by a mount of a folder"
mount -t ext4 /dev/loop0 /part
mount -o bind /part/folder /bound
sync
guest-tools paths cold /bound /part/folder/a /part/guard/a
echo "== in a namespace that has no other"
guest-tools paths cold-without /part /bound /part/folder/a /part/guard/a
