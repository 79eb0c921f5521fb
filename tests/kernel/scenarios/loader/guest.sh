# A policy's life: refused on hosts that lack something, loaded, proved, enforced,
# told about, detached. And nothing is left where a load fails.
exec 2>&1
policy=/scenario/policy.bpf.o
echo x >/etc/secret; mkdir -p /etc/keep; cp /bin/busybox /bin/forbidden
left() { ls -d /sys/fs/bpf/ebsec/* /run/ebsec/* 2>/dev/null | grep -v lock; }

echo "== refused"
umount /sys/fs/bpf; ebsec-load load $policy; mount -t bpf bpf /sys/fs/bpf
sed 's/nobody reads it/somebody reads it/' $policy >/changed; ebsec-load load /changed
unshare -p -f ebsec-load load $policy
echo "left: $(left)"

echo "== loaded"
ebsec-load load $policy | grep -vE '^  .* (refused the canary|attached|skipped: .*)$|verified the artifact'
ebsec-load load $policy
cat /etc/secret; echo y >/etc/keep/new; /bin/forbidden
ebsec-load events --max 1 | sed 's/^[^ ]* //; s/\[[0-9]*\]/[N]/g'
ebsec-load events --json | sed 's/"time.*"event"/"event"/; s/"\(pid\|thread\|outcome\|mnt\|user\|inode\)":[0-9][0-9]*/"\1":N/g; s/"device":"[0-9:]*"/"device":"N"/'
ebsec-load rules
ebsec-load status | grep -E '^(policy|mode|canary|lease|tables|events)'

echo "== lost"
ebsec-load unload; left
ebsec-load load $policy --ring-size 4096 | head -1
for i in 1 2 3 4 5 6 7 8; do cat /etc/secret; done >/dev/null 2>&1
ebsec-load events | grep -c lost
ebsec-load rules | grep secret
ebsec-load status | grep -q ' 8 matched' && echo counted

echo "== unloaded"
ebsec-load unload
cat /etc/secret
ebsec-load status
echo "left: $(left)"
