# Files of a user's own, under names that rules know.
mkdir -p /guarded /jail /kept /secret /stage /tmp/p /dev/pts
cp /bin/guest-tools /jail/other
cp /bin/guest-tools /secret/tool
chown -R 1000:1000 /kept /tmp
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
user() {
    name=$1; steps=$2; shift 2
    echo "$name: $(guest-tools inside $steps exec /bin/sh -c "($*) >/tmp/told 2>&1 && echo ok || echo refused")"
}
own="unshare -Urmpf sh -c"
net="unshare -Urmn sh -c"
for steps in uid mounts,over,uid; do
    echo "== inside $steps"
    user "what is listed" $steps "/jail/other list"
    user "what is listed, in a namespace of his own" $steps "$own '/jail/other list'"
    user "what is not" $steps "/secret/tool list"
    user "what is not, mounted over a folder that is" $steps "$own 'mount -o bind /secret /jail && /jail/tool list'"
    user "his own file system over a folder that is listed" $steps \
        "$own 'mount -t tmpfs none /jail && cp /secret/tool /jail/evil && /jail/evil list'"
    user "his own file system over another" $steps \
        "$own 'mount -t tmpfs none /tmp && cp /secret/tool /tmp/evil && /tmp/evil list'"
    user "a folder where he may" $steps "mkdir /kept/folder && rmdir /kept/folder"
    user "a folder in his own file system over it" $steps "$own 'mount -t tmpfs none /kept && mkdir /kept/folder'"
    user "version" $steps "cat /proc/version"
    [ $steps = uid ] && user "events" $steps "cat /sys/kernel/uevent_seqnum"
    user "uptime" $steps "cat /proc/uptime"
    user "version of a procfs mounted elsewhere" $steps "$own 'mount -t proc p /tmp/p && cat /tmp/p/version'"
    user "uptime of a procfs mounted elsewhere" $steps "$own 'mount -t proc p /tmp/p && cat /tmp/p/uptime'"
    user "events of a sysfs mounted elsewhere" $steps "$net 'mount -t sysfs s /tmp/p && cat /tmp/p/kernel/uevent_seqnum'"
    user "processors" $steps "cat /proc/cpuinfo"
    user "processors of a procfs mounted elsewhere" $steps "$own 'mount -t proc p /tmp/p && cat /tmp/p/cpuinfo'"
    user "mode of a file of his own" $steps "$own 'mount -t tmpfs none /tmp/p && touch /tmp/p/a && chmod 600 /tmp/p/a'"
    [ $steps = uid ] && user "mode of a terminal of his own" $steps "$own 'mount -t devpts -o newinstance d /dev/pts && chmod 666 /dev/pts/ptmx'"
done
echo "== from the host, through /proc/PID/root"
guest-tools inside uid exec /bin/unshare -Urm sh -c '
    mount -t tmpfs none /jail; cp /secret/tool /jail/evil; mount -t tmpfs none /kept; touch /tmp/ready; sleep 600' &
other=$!
while [ ! -e /tmp/ready ]; do sleep 1; done
user "his own file system over a folder that is listed" uid "/proc/$other/root/jail/evil list"
user "the host's file" uid "/proc/$other/root/bin/guest-tools list"
user "a folder in his own file system" uid "mkdir /proc/$other/root/kept/folder"
kill $other
echo "== another's process 1"
echo "of the host: $(guest-tools do read /proc/1/environ)"
echo "of a container: $(guest-tools inside pids,mounts exec /bin/sh -c 'mount -t proc p /proc; cat /proc/1/environ >/dev/null 2>&1 && echo ok || echo refused')"
echo "of a user's container: $(guest-tools inside uid exec /bin/unshare -Urmpf sh -c 'mount -t proc p /proc; cat /proc/1/environ >/dev/null 2>&1 && echo ok || echo refused')"
echo "== a mount that stays where it is"
cp /bin/busybox /bin/busybox-placer
placer() {
    echo "$1: $(unshare -m /bin/busybox-placer mount $2 2>/dev/null && echo ok || echo refused)"
}
placer "private" "--make-rprivate /"
placer "shared" "--make-shared /"
placer "remounted" "-o remount,noatime /"
placer "another over it" "-t tmpfs none /stage"
placer "a folder over it" "-o bind /kept /stage"
placer "private, another over it" "-o private -t tmpfs none /stage"
placer "one where it may" "-t tmpfs none /kept"
echo "== over a file of the host"
over() {
    name=$1; shift
    for how in bind bind-tree; do
        echo "$name, $how: $(guest-tools "$@" $how /kept /guarded)"
        umount /guarded 2>/dev/null
    done
}
over "on the host" do
over "in a namespace of its own" inside mounts
mount --make-rshared /
over "in one that tells the host" inside shares
over "in one that the host tells" inside slaves
over "in one that the host tells, which tells those within" inside slaves,reshare
mount --make-rprivate /
ebsec-load status --json | grep -o '"failed": *[0-9]*'
