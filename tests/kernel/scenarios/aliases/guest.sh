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
ebsec-load status --json | grep -o '"missing": *[0-9]*'
