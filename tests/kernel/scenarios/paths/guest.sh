# Files that no path of the caller leads to, files under names that are not theirs, paths that are too long for any call.
guest-tools paths make /srv/guard /srv/free /srv/kept /srv/store /srv/other
mkdir /srv/named
mkdir -p /mnt/folder /long /ext /hosted /stage /box /home /secret /jail /kept
for file in /mnt/file /srv/kept/open /hosted/x /home/a; do echo x >$file; done
chmod 777 /mnt /mnt/folder /stage /box
cp /bin/guest-tools /bin/trusted
mkdir /twice /srv/asked /mnt/lazy; mount -t tmpfs none /twice
for name in one second both other line; do echo x >/srv/asked/$name; done
for name in one two other; do cp /bin/guest-tools /twice/$name; done
mkdir -p /srv/many /mnt/many
echo x >/srv/many/a
for n in 1 2 3 4 5 6 7 8 9; do mkdir -p /many/$n; mount -o bind /srv/many /many/$n; done
echo 8 >/proc/sys/vm/nr_hugepages
mkdir -p /dev/mqueue /dev/pts /netns
mount -t mqueue none /dev/mqueue
mount -t devpts none /dev/pts
guest-tools do create /dev/mqueue/secret >/dev/null
echo x >/netns/x
mount -o bind /proc/self/ns/net /netns/x
echo x >/etc/fixed
dd if=/dev/zero of=/image bs=1M count=4 2>/dev/null
mke2fs -F /image >/dev/null 2>&1
losetup /dev/loop0 /image
mount -t ext4 /dev/loop0 /ext
mkdir -p /ext/guard /ext/free/below
for file in /ext/guard/a /ext/free/a /ext/free/below/a; do echo x >$file; done
sync
mount -t tmpfs none /box
mkdir /box/bin /box/host /box/hosted /box/proc /box/srv /box/mnt
for folder in bin proc srv mnt; do mount -o bind /$folder /box/$folder; done
mount -o bind / /box/host
# what the host calls /srv/other is /srv/named there
mount -o bind /srv/other /box/srv/named
echo x >/box/hosted/x
guest-tools paths make-long /long/free0 /long/guard/0 /long/free1 /long/guard/1
everything() {
    echo "== to folders"
    guest-tools paths /srv/guard /srv/free
    echo "== in no folder"
    guest-tools paths alone
    echo "== paths that are too long for any call"
    guest-tools paths long /long/free$1 /long/guard/$1
    echo "== handles"
    guest-tools paths cold /ext /ext/free/a /ext/free/below/a /ext/guard/a
    echo "== under other names"
    # a user's namespaces, and these in a container that root made
    guest-tools inside mounts,root:/box wait 600 >/dev/null &
    container=$!
    sleep 1
    # the container's own name for a folder counts for its users, as long as there is such a container; else the host's
    for steps in join:$container mounts,root:/box; do
        steps=$steps,uid,user,mounts
        echo "in a container: as it is $(guest-tools inside $steps read /srv/named/a)," \
            "otherwise $(guest-tools inside $steps,bind:/srv/named:/mnt read /mnt/a)," \
            "the host's name $(guest-tools inside $steps,bind:/srv/guard:/mnt read /mnt/a)"
    done | sed '1s/a container/a living container/; 2s/a container/a container that is left/'
    kill $container
    for first in "" mounts,root:/box,; do
        for pair in guard:mnt free:mnt free:srv/guard kept/a:srv/kept/open; do
            name=/${pair#*:}; [ -d $name ] && name=$name/a
            echo "${first}uid,user,mounts, ${pair%:*} as $name" \
                "$(guest-tools inside ${first}uid,user,mounts,bind:/srv/${pair%:*}:/${pair#*:} read $name)"
        done
        echo "${first}uid,user,mounts, the exempted name $(guest-tools inside ${first}uid,user,mounts read /srv/kept/open)," \
            "another $(guest-tools inside ${first}uid,user,mounts read /srv/kept/a)"
    done
    echo "trusted $(trusted do read /srv/store/a), not $(guest-tools do read /srv/store/a)"
    echo "under its name: by root $(guest-tools inside mounts,bind:/bin/guest-tools:/bin/trusted exec /bin/trusted do read /srv/store/a)" \
        "by a user $(guest-tools inside uid,user,mounts,bind:/bin/guest-tools:/bin/trusted exec /bin/trusted do read /srv/store/a)"
    echo "== programs with two names: one, two, by root's mount, by a user's, by a mount that is gone"
    mount -o bind /twice /mnt/lazy
    exec 9</mnt/lazy
    umount -l /mnt/lazy
    for asked in one second both other line; do
        echo "$asked: $(/twice/one do read /srv/asked/$asked) $(/twice/two do read /srv/asked/$asked)" \
            "$(guest-tools inside mounts,bind:/twice/one:/twice/two exec /twice/two do read /srv/asked/$asked)" \
            "$(guest-tools inside uid,user,mounts,bind:/twice/one:/twice/two exec /twice/two do read /srv/asked/$asked)" \
            "$(mount -o bind /twice/one /twice/two; /proc/self/fd/9/one do read /srv/asked/$asked; umount /twice/two)"
    done
    echo "== a file with ten names"
    mount -o bind /srv/many /mnt/many
    exec 9</mnt/many
    umount -l /mnt/many
    echo "by one of them $(guest-tools do read /srv/many/a) $(guest-tools do read /many/3/a), by none $(guest-tools do read /proc/self/fd/9/a)"
    exec 9<&-
    echo "== files without a name but by a mount"
    for kind in mnt uts; do echo "$kind $(guest-tools do read /proc/self/ns/$kind)"; done
    echo "== a queue: by its path $(guest-tools do read /dev/mqueue/secret), by its name $(guest-tools do queue secret 0)," \
        "as exec would open it $(guest-tools do queue secret 20)"
    echo "== the other end of a terminal: $(guest-tools do terminal 102), as exec would open it $(guest-tools do terminal 122)"
    echo "== commands that change a file through a descriptor that reads"
    for command in 40086602 40046602 401c5820 40087602 40047602 40086604 40046604 40806685 800c6613 40047211 5401; do
        echo "$command guarded $(guest-tools do ioctl /etc/fixed $command) free $(guest-tools do ioctl /home/a $command)"
    done
    echo "== the host's files in a container"
    echo "host $(guest-tools do append /hosted/x)"
    for file in /host/hosted/x /hosted/x /host/home/a /host/srv/free/a; do
        echo "$file $(guest-tools inside mounts,root:/box append $file), by a user namespace of its root's" \
            "$(guest-tools inside mounts,root:/box,user,mounts append $file)"
    done
}
echo "==== no policy: what fails by itself"
everything 0 | grep 'E[A-Z][A-Z]'
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
echo "==== enforced"
everything 1
ebsec-load status --json | grep -o '"failed": *[0-9]*'
