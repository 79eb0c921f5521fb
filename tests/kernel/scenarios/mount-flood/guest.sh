# A user with more mounts of the file system than anybody walks, in a namespace of his own: nobody else notices. And many
# mounts of one file system in the caller's own namespace.
mkdir -p /mnt /store /alias /plain /home
for file in /etc/x /home/mine /plain/f /plain/g /store/f /store/last /store/free; do echo x >$file; done
chmod 755 / /etc /plain /home
chmod 644 /etc/x /plain/*
chown 1000:1000 /home/mine
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
tell() { name=$1; shift; if "$@" >/said 2>&1; then echo "$name ok"; else echo "$name $(grep -o -m1 'Operation not permitted\|EPERM' /said || cat /said)"; fi; }
everything() {
    for operation in touch set-attribute mode; do
        for path in /plain/f /plain /mnt /etc/x; do echo "$operation $path $(guest-tools do $operation $path)"; done
    done
    echo "a user: touch $(guest-tools inside uid touch /home/mine) mode $(guest-tools inside uid mode /home/mine)"
    tell cp cp -p /plain/f /plain/copy
    tar cf /tmp/plain.tar /plain/f 2>/dev/null
    tell tar tar xf /tmp/plain.tar -C /
    tell "tar of etc" sh -c 'tar cf /tmp/etc.tar /etc/x; tar xf /tmp/etc.tar -C /'
}
echo "== before"
everything
echo "== while a user has 2,100 mounts"
: >/flood
guest-tools inside uid,user,mounts flood 2100 /mnt 600 >/flood 2>&1 &
flooder=$!
while ! grep . /flood; do sleep 1; kill -0 $flooder || break; done
everything
kill $flooder
echo "== many mounts of one's own"
for number in 1 15 16 17 39 40; do unshare -m sh /scenario/many.sh $number; done
