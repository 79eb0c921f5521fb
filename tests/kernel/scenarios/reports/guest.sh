# Everything that is told of an operation is told once. Each step is followed by its reports, without times and numbers.
mkdir -p /guard /out /mnt /stage /srv /hidden
cp /bin/guest-tools /guard/tool
cp /bin/guest-tools /bin/teller
cp /bin/busybox /stage/busybox-teller
cp /bin/busybox /guard/busybox
printf '#!/guard/busybox sh\nexit 0\n' >/guard/script
chmod +x /guard/script
mount -t tmpfs none /mnt
mkdir /mnt/shown /mnt/hidden
echo x >/mnt/hidden/file
mount -o bind /mnt/shown /srv
exec 8</mnt 9</mnt/hidden
umount -l /mnt
teller prepare /guard >/dev/null
mkdir /sys/fs/cgroup/box /guard/disk
dd if=/dev/zero of=/image bs=1M count=4 2>/dev/null
mke2fs -F /image >/dev/null 2>&1
losetup /dev/loop0 /image
guest-tools unix serve /sockets /other-sockets &
while [ ! -e /other-sockets/ready ]; do sleep 0.1; done
told() { ebsec-load events $1 | sed 's/^[^ ]* *//; s/\[[0-9]*\]//g; s/ 0:[0-9]* / 0:N /; s/inode [0-9]*/inode N/; s/^/  /'; }
step() { name=$1; shift; echo "$name: $("$@" 2>&1)"; told; }
everything() {
    mkdir -p "/guard/f by /bin"; echo x >"/guard/f by /bin/su"
    for f in a b c d e; do echo x >/guard/$f; echo y >/out/$f; done
    cp /guard/script /out/script
    ebsec-load load $1 >/load.txt 2>&1 || { cat /load.txt; exit 1; }
    step read teller do read /guard/a
    step truncate teller do truncate /guard/a
    step truncate-uring teller do truncate-uring /guard/a
    step append teller do append /guard/a
    step create teller do create /guard/new
    mount -t ext4 /dev/loop0 /guard/disk
    echo x >/guard/disk/there
    umount /guard/disk; mount -t ext4 /dev/loop0 /guard/disk
    step create-what-is-there /stage/busybox-teller sh -c ': >>/guard/disk/there'
    umount /guard/disk
    step remove teller do remove /guard/b
    step a-name-of-words teller do read "/guard/f by /bin/su"
    step rename-in teller do rename /out/a /guard/in
    step rename-out teller do rename /guard/c /out/c
    step rename-within teller do rename /guard/d /guard/within
    step link teller do link /guard/e /out/linked
    step link-within teller do link /guard/e /guard/linked
    step touch teller do touch /guard/e
    step mode teller do mode /guard/e
    step exec teller do exec /guard/tool do read /out/b
    step script teller do exec /guard/script
    step interpreter-twice teller do exec-twice /out/script
    step map teller do map /guard/tool
    step memory teller do memory
    step connect-unix teller do connect-unix /sockets/stream
    step mount teller do mount ramfs /hidden
    step bind teller do bind /out /hidden
    echo "== who did it"
    step other-file-as-own teller attack /guard map-as-own-program
    step renamed-since /stage/busybox-teller sh -c 'mv /stage/busybox-teller /stage/renamed; : </guard/e'
    mv /stage/renamed /stage/busybox-teller
    step in-a-cgroup sh -c 'echo $$ >/sys/fs/cgroup/box/cgroup.procs; exec teller inside pids read /guard/e'
    echo "== what is known of a file"
    step hidden teller do read /proc/self/fd/9/file
    step hidden-root teller do read /proc/self/fd/8
    echo "== as JSON"
    teller inside pids read /guard/e
    ebsec-load events --json | sed 's/"time.*"event"/"event"/; s/\([a-z]*\)":[0-9]\+/\1":N/g; s/"device":"0:[0-9]*"/"device":"0:N"/'
    ebsec-load unload >/dev/null
}
echo "==== observed"
everything /scenario/observing.bpf.o
rm -rf /guard/in /guard/within /guard/linked /guard/new /out/*; umount /hidden /hidden
echo "==== enforced"
everything /scenario/policy.bpf.o
