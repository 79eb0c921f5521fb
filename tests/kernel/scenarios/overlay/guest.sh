# Overlays: a container on one does what it would do without a policy, except what a rule refuses; one that a user mounts for
# himself shows nothing under another name. `ok` is an operation that went through.

# What the container does, as root of its own tree.
cat > /operations.sh <<'END'
t() { name=$1; shift; if "$@" >/log 2>&1; then echo "$name ok"; else echo "$name refused"; fi; }
t append sh -c 'echo more >> /f1'
t chmod chmod 600 /f2
t chown chown 5 /f2
t touch touch /f3
t rename mv /f4 /f4b
t remove rm /f5
t create sh -c 'echo n > /new'
t touch-new touch /new
t mkdir mkdir /newdir
t rename-folder mv /dir /dir2
t opaque sh -c 'rm -rf /dir2; mkdir /dir2'
t copy-times cp -p /f6 /f6c
t link ln /f6c /f6d
t untar sh -c 'tar cf /x.tar /f6; tar xf /x.tar -C /'
t attributes guest-tools do set-attribute /f7
t map guest-tools do map /opt/good.so
t protect guest-tools do protect /opt/good.so
t exec /opt/good list
t append-kept guest-tools do append /kept/x
t append-kept-uring guest-tools do append-uring /kept/y
t flags guest-tools do ioctl /kept/w 40086602
t flags-listed /opt/listed do ioctl /kept/v 40086602
t append-listed /opt/listed do append /kept/z
t append-unlisted /opt/listed do append /f8
t read-guarded cat /etc/guard/x
t write-guarded sh -c 'echo z >> /etc/guard/x'
t chmod-guarded chmod 600 /etc/guard/y
t touch-guarded touch /etc/guard/y
t flags-guarded guest-tools do ioctl /etc/guard/x 40086602
t remove-guarded rm /etc/guard/y
t read-secret cat /secret/a
t map-evil guest-tools do map /opt/evil.so
t protect-evil guest-tools do protect /opt/evil.so
t exec-tool /opt/tool list
END

# A tree for containers on a file system of its own.
mkdir -p /base /merged && mount -t tmpfs none /base
for d in bin opt etc/guard kept secret dir/sub proc old; do mkdir -p /base/low/$d; done
cp /bin/busybox /bin/guest-tools /base/low/bin/
for applet in $(busybox --list); do [ -e /base/low/bin/$applet ] || ln -s busybox /base/low/bin/$applet; done
for f in evil.so good.so good tool listed; do cp /bin/guest-tools /base/low/opt/$f; done
for f in f1 f2 f3 f4 f5 f6 f7 f8 secret/a etc/guard/x etc/guard/y kept/x kept/y kept/z kept/v kept/w dir/sub/y; do echo data > /base/low/$f; done
cp /operations.sh /base/low/

container() {
    rm -rf /base/up /base/work; mkdir /base/up /base/work
    unshare -m sh -c '
        mount --make-rprivate /
        mount -t overlay -o lowerdir=/base/low,upperdir=/base/up,workdir=/base/work overlay /merged
        mount -t proc none /merged/proc
        '"$1"'
        exec guest-tools inside root:/merged exec /bin/sh /operations.sh'
}

# Files of the host, and a folder of the user's.
mkdir -p /etc/guard /secret /opt /home/u/.ssh /home/u/up /home/u/work /home/u/low /home/u/merged
echo data > /etc/guard/x; echo TOP > /secret/a; for f in evil.so tool good; do cp /bin/guest-tools /opt/$f; done
chmod -R a+rX /etc/guard /secret /opt; chown -R 1000:1000 /home/u

user() {
    # what went through is undone; under a policy only what is free can have
    [ -e /load.txt ] || reset
    guest-tools inside uid exec /bin/unshare -Urm sh -c "$2" >/dev/null 2>&1 && echo "$1 ok" || echo "$1 refused"
}
layers='-t overlay -o userxattr,lowerdir'
attacks() {
    user "user read" "mount $layers=/secret:/home/u/low none /home/u/merged && cat /home/u/merged/a"
    user "user read-with-upper" "mount $layers=/secret,upperdir=/home/u/up,workdir=/home/u/work none /home/u/merged && cat /home/u/merged/a"
    user "user exec" "mount $layers=/opt:/home/u/low none /home/u/merged && /home/u/merged/tool list"
    user "user map" "mount $layers=/opt:/home/u/low none /home/u/merged && guest-tools do map /home/u/merged/evil.so"
    user "user protect" "mount $layers=/opt:/home/u/low none /home/u/merged && guest-tools do protect /home/u/merged/evil.so"
    user "user create-in-upper" "mount $layers=/home/u/low,upperdir=/home/u/.ssh,workdir=/home/u/work none /home/u/merged && echo x > /home/u/merged/key"
    user "user mkdir-in-upper" "mount $layers=/home/u/low,upperdir=/home/u/.ssh,workdir=/home/u/work none /home/u/merged && mkdir /home/u/merged/d"
    user "user rename-in-upper" "mount $layers=/home/u/low,upperdir=/home/u/.ssh,workdir=/home/u/work none /home/u/merged && mv /home/u/merged/old /home/u/merged/new"
    user "user remove-in-upper" "mount $layers=/home/u/low,upperdir=/home/u/.ssh,workdir=/home/u/work none /home/u/merged && rm /home/u/merged/old"
    user "user flags-in-upper" "mount $layers=/home/u/low,upperdir=/home/u/.ssh,workdir=/home/u/work none /home/u/merged && guest-tools do ioctl /home/u/merged/old 40086602"
    user "user copy-up" "mount $layers=/home/u/low,upperdir=/home/u/.ssh,workdir=/home/u/work none /home/u/merged && chmod 600 /home/u/merged/lower"
    below="mount $layers=/home/u/low,upperdir=/home/u/.ssh,workdir=/home/u/work none /home/u/merged"
    user "user create-below-lower-only" "$below && echo x > /home/u/merged/a/b/key"
    user "user mkdir-below-lower-only" "$below && mkdir /home/u/merged/a/b/d"
    user "user copy-up-below-lower-only" "$below && chmod 600 /home/u/merged/a/b/lower"
    user "user stacked-twice" "mkdir /home/u/m2; mount $layers=/secret:/home/u/low none /home/u/merged && mount $layers=/home/u/merged:/home/u/work none /home/u/m2 && cat /home/u/m2/a"
    user "user read-own" "mount $layers=/home/u/low:/opt none /home/u/merged && cat /home/u/merged/lower"
    user "user exec-other" "mount $layers=/opt:/home/u/low none /home/u/merged && /home/u/merged/good list"
    user "user write-own" "mount $layers=/opt,upperdir=/home/u/up,workdir=/home/u/work none /home/u/merged && echo x > /home/u/merged/free"
}
reset() { rm -rf /home/u/.ssh /home/u/up /home/u/work /home/u/m2; mkdir -p /home/u/.ssh /home/u/up /home/u/work /home/u/low/a/b; for f in .ssh/old low/lower low/a/b/lower; do echo data > /home/u/$f; done; chown -R 1000:1000 /home/u; }

echo "== without a policy: container"; container ''
echo "== without a policy: user"; attacks; reset
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
echo "== container"; container ''
echo "== container whose layers nobody sees"; container 'umount -l /base'
echo "== user"; attacks
ebsec-load status --json | grep -o '"missing": *[0-9]*'
ebsec-load status --json | grep -o '"failed": *[0-9]*'
