# Every alias against every operation and every shape of a rule, on a file system that can be mounted again.
cp /bin/guest-tools /bin/attacker
cp /bin/guest-tools /bin/listed
mkdir -p /m /mnt/folder /before /second /tmp
echo >/mnt/file
chmod 777 /mnt /mnt/folder /mnt/file
truncate -s 256M /image
mke2fs -F -b 1024 -i 4096 /image >/dev/null 2>&1
losetup /dev/loop0 /image
mount -t ext4 /dev/loop0 /m || exit 1
mount -o bind /m /before
mount -t ext4 /dev/loop0 /second
mkdir /m/asked
for rule in exe lineage scoped tools; do echo x >/m/asked/$rule; done
attacker aliases /m sh -c 'ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || cat /load.txt'
echo "== other file systems"
mkdir -p /t /fat
mount -t tmpfs none /t
truncate -s 4M /fat.image
mkdosfs /fat.image >/dev/null 2>&1
losetup /dev/loop1 /fat.image
mount -t vfat /dev/loop1 /fat
for folder in /t/guard /t/free /fat/exact /fat/pattern; do
    mkdir $folder
    echo x >$folder/secret.txt
done
read_of() { guest-tools do read $1; }
for folder in guard free; do
    mkdir -p /t/above/folder
    mount -o bind /t/$folder /t/above/folder
    echo "tmpfs $folder: $(read_of /t/$folder/secret.txt), by a mount of root's $(read_of /t/above/folder/secret.txt)," \
        "by a user's $(guest-tools inside mounts,user,mounts,bind:/t/$folder:/mnt/folder read /mnt/folder/secret.txt)"
    umount /t/above/folder
done
# a folder without case keeps a name as it was first looked up
echo "vfat: its name $(read_of /fat/exact/secret.txt), spelled otherwise $(read_of /fat/exact/SECRET.TXT)"
umount /fat
mount -t vfat /dev/loop1 /fat
echo "vfat, first spelled otherwise: $(read_of /fat/exact/Secret.TXT), its name after that $(read_of /fat/exact/secret.txt)"
echo "vfat, a pattern of every spelling: $(read_of /fat/pattern/SECRET.txt) $(read_of /fat/pattern/secret.txt)"
ebsec-load status --json | grep -o '"missing": *[0-9]*'
