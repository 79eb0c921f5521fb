# The host's root is switched after the policy was loaded: as an initramfs does it (the new root is moved over the old one), and by
# pivot_root. Everybody's names are those below the new root, and services with mounts of their own are no containers.
load() { ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }; }
# a system below a folder
system() {
    mount -t tmpfs none $1
    mkdir -p $1/bin $1/guard $1/next $1/old $1/proc $1/scenario $1/sys $1/run
    cp /bin/busybox /bin/guest-tools /bin/ebsec-load $1/bin/; cp /scenario/policy.bpf.o $1/scenario/
    # where the modes are compared, ebsec-load is a wrapper of it
    [ ! -e /bin/loader ] || cp /bin/loader $1/bin/
    for name in sh mount umount mkdir cp ln cat grep pivot_root chroot; do ln -s busybox $1/bin/$name; done
    for file in a b jail host; do echo x >$1/guard/$file; done
    mount -o rbind /sys $1/sys; mount -o bind /proc $1/proc; mount -o bind /run $1/run
}
tell() {
    echo "$1: a $(guest-tools do read /guard/a) jail $(guest-tools do read /guard/jail) host $(guest-tools do read /guard/host)"
    echo "$1, a service: a $(guest-tools inside mounts read /guard/a) jail $(guest-tools inside mounts read /guard/jail)" \
        "host $(guest-tools inside mounts read /guard/host)"
    system /next
    in="guest-tools inside mounts,root:/next"
    echo "$1, a container: a $($in read /guard/a) jail $($in read /guard/jail) host $($in read /guard/host)"
    umount -l /next
}
case $1 in
"")
    mkdir -p /next /guard /switched
    for file in a b jail host; do echo x >/guard/$file; done
    load
    tell "as loaded"
    system /switched
    cp /scenario/guest.sh /switched/scenario/
    cd /switched
    mount -o move . /
    echo "from the old root: a $(guest-tools do read /guard/a) a service: jail $(guest-tools inside mounts read /guard/jail)"
    exec chroot . /bin/sh /scenario/guest.sh switched
    ;;
switched)
    cd /
    tell switched
    # what is loaded now begins at the new root
    ebsec-load unload >/load.txt; load
    tell "loaded after it"
    system /next
    cp /scenario/guest.sh /next/scenario/
    cd /next
    pivot_root . old
    exec chroot . /bin/sh /scenario/guest.sh pivoted
    ;;
pivoted)
    cd /
    tell pivoted
    echo "the old root: a $(guest-tools do read /old/guard/a) b $(guest-tools do read /old/guard/b)"
    ebsec-load status --json | grep -o '"\(failed\|missing\)": *[0-9]*'
    ;;
esac
