# Hooks that show no mount go by what is remembered of a file system's mounts: it has to be forgotten when a mount comes or
# goes, and when a folder above a mount point is moved.
mkdir -p /data /a/b /c /mnt /other
mount -t tmpfs none /data
echo x >/data/f
echo x >/plain
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
tell() { for turn in 1 2 3; do echo "$1: touch $(guest-tools do touch $2) mode $(guest-tools do mode $2)"; done | uniq; }
tell "one mount" /data/f
mount --bind /data /a/b
tell "two mounts" /data/f
mv /a /guard
tell "a folder above one of them is in /guard now" /data/f
tell "by the other name" /guard/b/f
mv /guard /a
tell "and back" /data/f
mount -t tmpfs none /c
mkdir -p /c/1/2/3 /c/guard
mount --bind /data /c/1/2/3
tell "three" /data/f
mount --move /c /mnt
tell "moved" /data/f
mv /mnt/1 /mnt/guard/1
tell "renamed below" /data/f
umount /a/b
mkdir -p /guard/d
mount --bind /data /guard/d
tell "in /guard" /data/f
umount /guard/d
tell "no longer" /data/f
mount --bind / /other
tell "the root too" /plain
mv /other /guard/ 2>/dev/null || echo "a mount point stays where it is"
mkdir -p /x/y && mount --bind / /x/y && mv /x /guard/x
tell "the root below /guard" /plain
mv /guard/x /x
tell "and no more" /plain
deep=1/2/3/4/5/6/7/8/9/10/11
mkdir -p /far/$deep && mount --bind /data /far/$deep
tell "eleven folders deep" /data/f
mv /far/1 /guard/1
tell "the first of these in /guard" /data/f
umount /guard/$deep
number=0
while [ $number -lt 40 ]; do mkdir -p /many/$number; mount --bind /data /many/$number; number=$((number + 1)); done
tell "more than are remembered" /data/f
mkdir -p /many/guard; mv /many /guard/many
tell "these below /guard" /data/f
while [ $number -gt 0 ]; do number=$((number - 1)); umount /guard/many/$number; done
tell "gone" /data/f
# a copy of the namespace, in which things change while the first one stays as it is
unshare -m sh -c 'mount --bind /data /guard; guest-tools do touch /data/f'
tell "the first namespace" /data/f
for turn in 1 2; do unshare -m sh -c 'mount --bind /data /guard; guest-tools do touch /data/f; umount /guard; guest-tools do touch /data/f'; done
