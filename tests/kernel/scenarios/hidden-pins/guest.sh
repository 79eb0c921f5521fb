# A policy whose pins another mount hides: it is told that there is one, and none is loaded beside it. One whose pins would end with
# a mount namespace is not loaded.
exec 2>&1
policy=/scenario/policy.bpf.o
echo x >/etc/secret
load() { ebsec-load load $policy >/load.txt && sed -n 1p /load.txt; }
load
echo "== another bpf file system over it"
mount -t bpf bpf /sys/fs/bpf
for command in status "status --json" events rules "load $policy" unload; do
    ebsec-load $command >/load.txt 2>&1; status=$?
    echo "$command: $(sed -n 1p /load.txt | sed 's/[0-9]* of its/some of its/'), status $status"
done
sed -n 2p /load.txt
echo "the secret: $(guest-tools do read /etc/secret)"
echo "== and away again"
umount /sys/fs/bpf
ebsec-load status | grep ^mode
ebsec-load unload
echo "the secret: $(guest-tools do read /etc/secret)"
ebsec-load status
echo "== in a mount namespace with its own"
unshare -m sh -c 'mount -t bpf bpf /sys/fs/bpf; ebsec-load load /scenario/policy.bpf.o'
echo "status $?, the secret: $(guest-tools do read /etc/secret)"
echo "== in one that has the host's"
unshare -m sh -c 'ebsec-load load /scenario/policy.bpf.o' | sed -n 1p
echo "the secret: $(guest-tools do read /etc/secret)"
ebsec-load status | grep ^mode
echo "== a reader of events when the pins are removed, and when the policy is unloaded"
for how in "rm -r /sys/fs/bpf/ebsec" "ebsec-load unload"; do
    ebsec-load status >/dev/null 2>&1 || load
    ebsec-load events --follow >/events.txt 2>&1 &
    reader=$!
    guest-tools do read /etc/secret
    usleep 700000
    $how
    wait $reader
    echo "status $?: $(grep -c 'refused.*/etc/secret' /events.txt) refused"
    grep -v refused /events.txt
done
echo "== beside one that attaches programs"
cat >/turns.sh <<'END'
for turn in 1 2 3 4 5 6 7 8 9 10; do ebsec-load status 2>&1 | sed -n 1p; done | uniq
ebsec-load load /scenario/policy.bpf.o 2>&1 | sed -n 1p
ebsec-load unload
END
guest-tools races attached sh /turns.sh
