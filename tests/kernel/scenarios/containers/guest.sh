# Where a process is, and what a rule about containers makes of it: secret (in the scope of the host), jail (refused to
# containers), kept (refused to all but containers).
cp /bin/guest-tools /bin/maker
mkdir -p /secret /jail /kept /stage /tmp
for folder in secret jail kept; do echo x >/$folder/a; done
chmod 777 /stage /tmp
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
tell() {
    steps=$1
    line="${2:-$1}:"
    for folder in secret jail kept; do line="$line $folder $(guest-tools inside $steps read ${3}/$folder/a)"; done
    echo "$line"
}
echo "== the host"
for folder in secret jail kept; do echo "$folder $(guest-tools do read /$folder/a)"; done
tell uid
echo "== services: the host's root"
tell mounts
tell mounts,private
tell mounts,rebind
tell mounts,rebind,private
tell mounts,rebind,uid
tell mounts,chroot mounts,chroot ""
echo "== containers that root made"
tell pids
tell mounts,over
tell mounts,rebind,pivot
tell mounts,over,private
tell pids,mounts,over
tell pids,mounts,over,uid
tell mounts,over,host
echo "== namespaces that anyone can make"
tell uid,user,mounts
tell uid,user,pids
tell uid,user,mounts,over
tell uid,user,mounts,rebind
tell uid,user,mounts,rebind,pivot
tell uid,user,mounts,over,pids
tell user,mounts,over
echo "== within a container that root made"
tell mounts,over,uid,user,mounts
tell mounts,over,uid,user,pids
tell pids,mounts,over,uid,user,mounts
tell pids,mounts,over,uid,user,pids
tell pids,mounts,over,uid,user,mounts,pids
echo "== entered"
guest-tools inside mounts,over wait 600 >/dev/null &
trusted=$!
guest-tools inside uid,user,mounts,over wait 600 >/dev/null &
other=$!
sleep 2
tell join:$trusted "a container of root's"
tell join:$other "a container of a user's"
tell join:$trusted,host "a container of root's and back"
echo "== a root over the host's, which goes on to follow the host"
mount --make-rshared /
guest-tools inside slaves,over wait 600 >/dev/null &
covering=$!
sleep 2
tell join:$covering "at first"
mkdir /later && mount -t tmpfs none /later
tell join:$covering "after the host mounted something"
mount --make-rprivate /
echo "== making"
mkdir -p /over
for steps in private uid,user; do echo "maker inside $steps: $(maker inside $steps read /jail/a)"; done
for kind in tmpfs ramfs devpts proc; do
    echo "$kind: mount $(maker do mount $kind /over) create $(maker do create-file-system $kind)"
    umount /over 2>/dev/null
done
echo "bind $(maker do bind /jail /over), another program: $(guest-tools do mount ramfs /over)"
echo "user namespace of root's: $(maker do user-namespace), of a user's: $(maker inside uid user-namespace)"
echo "== reports"
ebsec-load events | sed -n '/hook/{s/^[^ ]* //; s/\[[0-9]*\]//g; p}' | sort -u
kill $trusted $other $covering
