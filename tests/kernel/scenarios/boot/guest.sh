# A guest is what the tests rely on: BPF LSM is on and file systems are there.
grep -q '\bbpf\b' /sys/kernel/security/lsm && echo "bpf lsm"
for place in /proc /sys /dev /sys/fs/bpf /sys/kernel/security /sys/kernel/tracing; do
    grep -q " $place " /proc/mounts && echo "mounted $place"
done
ip addr show lo | grep -q 'inet 127' && echo "loopback is up"
exit 3
