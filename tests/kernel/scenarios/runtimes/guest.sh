# What runtimes of containers do to themselves before a container starts: they execute themselves from a mount or a file that nobody can
# write to. Afterwards they are who they were, as far as it can be told, and nobody else; and what they do is undecided nowhere.
mkdir -p /usr/bin /secret /stage /jail /kept /mnt /tmp /etc/guard /free
cp /bin/guest-tools /usr/bin/runtime
: >/mnt/file
for file in program line other; do echo x >/secret/$file; done
echo x >/etc/guard/a
# in what ways, and what is done then
tried() {
    for way in clone read-only unmounted overlay memory; do
        line="$way:"
        for file in /secret/program /secret/line /secret/other /etc/guard/a; do line="$line ${file##*/} $(runtime again $way do read $file)"; done
        echo "$line create $(runtime again $way do create /free/$way)"
        echo "$way, then in a container: $(runtime again $way inside pids,mounts,over read /secret/line), its program: $(runtime again $way inside pids,mounts,over exec /bin/busybox echo ok), another: $(runtime again $way inside pids,mounts,over exec /tmp/busybox echo ok)"
        rm -f /free/$way
    done
}
cp /bin/busybox /tmp/
echo "== without a policy"
tried
echo "== with one"
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
tried
ebsec-load status --json | grep -o '"\(failed\|missing\)": *[0-9]*'
ebsec-load events | grep -c undecided || true
