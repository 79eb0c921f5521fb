# A kernel whose memory no program may read by the helper: a policy of every kind loads and enforces, or the loader says why not.
mkdir -p /secret/deep/er /kept /over /shown /stage
for file in secret/a secret/deep/er/b kept/a kept/b kept/c kept/d; do echo x >/$file; done
for name in forbidden outer attacker; do cp /bin/guest-tools /bin/$name; done
mount -t tmpfs none /over; echo x >/over/f
guest-tools unix serve /secret /other >/dev/null &
served=$!
sleep 1
sed 's/.*\[\(.*\)\].*/lockdown: \1/' /sys/kernel/security/lockdown
echo "== load"
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1
status=$?
if [ $status != 0 ]; then
    cat /load.txt
    echo "exit $status, left: $(ls -d /sys/fs/bpf/ebsec/* /run/ebsec/* 2>/dev/null | grep -v lock)"
    echo "read $(guest-tools do read /secret/a)"
    kill $served
    exit 0
fi
grep enforcing /load.txt
echo "== files"
echo "read $(guest-tools do read /secret/a), another $(guest-tools do read /secret/deep/er/b)"
for step in append touch mode set-attribute remove; do
    echo "$step $(guest-tools do $step /secret/deep/er/b), elsewhere $(guest-tools do $step /over/f)"
done
echo "create $(guest-tools do create /secret/deep/new), elsewhere $(guest-tools do create /over/new)"
echo "rename $(guest-tools do rename /kept/d /secret/d), elsewhere $(guest-tools do rename /over/new /over/newer)"
echo "== other mounts and namespaces"
mount --bind /kept /shown
echo "by the host's path $(guest-tools do read /kept/a), by another $(guest-tools do read /shown/a)"
for steps in mounts,rebind uid,user,mounts,rebind pids,mounts; do
    echo "$steps: a $(guest-tools inside $steps read /kept/a), c $(guest-tools inside $steps read /kept/c)"
done
echo "== programs"
echo "exec $(guest-tools do exec /bin/forbidden do read /kept/c), $(guest-tools do exec /bin/attacker do read /kept/c)"
echo "below outer $(outer do exec /bin/attacker do read /kept/b), not below $(attacker do read /kept/b)"
echo "== network"
for to in 127.0.0.1:4444 [::1]:4444 0.0.0.0:4444 127.0.0.1:80; do echo "$to send $(guest-tools do send $to), connect $(guest-tools do connect $to)"; done
echo "sockets $(guest-tools do connect-unix /secret/stream)"
kill $served
echo "== file systems and users"
for kind in ramfs tmpfs; do echo "$kind $(guest-tools do create-file-system $kind)"; done
echo "user namespace $(outer do user-namespace), $(attacker do user-namespace)"
echo "== told"
ebsec-load events | grep -oE '(refused|would).*' | sed 's/\[[0-9]*\]/[N]/g' | sort -u
ebsec-load status --json | grep -oE '"(missing|failed|full)":[0-9]+'
ebsec-load unload
echo "read $(guest-tools do read /secret/a)"
