# The loader is killed at stages in the second half of its work: the policy is then on as a whole, or not at
# all, and the next load or unload finds its way.
exec 2>&1
policy=/scenario/policy.bpf.o
echo x >/etc/secret
now() { cut -d' ' -f1 /proc/uptime | tr -d .; }
start=$(now); ebsec-load load $policy >/dev/null 2>&1; took=$(($(now) - start)); ebsec-load unload >/dev/null
i=0
while [ $i -lt 8 ]; do
    i=$((i + 1))
    ebsec-load load $policy >/dev/null 2>&1 &
    usleep $((took * 100 * (50 + i * 3))); kill -9 $! 2>/dev/null; wait $! 2>/dev/null
    on=no; ebsec-load status --json 2>/dev/null | grep -q '"mode":"\(enforcing\|on, not proved\)"' && on=yes
    refused=no; cat /etc/secret >/dev/null 2>&1 || refused=yes
    [ $on = $refused ] || echo "try $i: on $on, refused $refused"
    ebsec-load unload >/dev/null 2>&1
    cat /etc/secret >/dev/null 2>&1 || echo "try $i: refused after unload"
    [ -z "$(ls /sys/fs/bpf/ebsec 2>/dev/null | grep -v staging)" ] || echo "try $i: pins are left"
done
ebsec-load load $policy | head -1
cat /etc/secret
true
