# Every attack, each on a folder that is guarded against its kind. `ok` is an attack that went through.
cp /bin/guest-tools /bin/attacker
echo 8 >/proc/sys/vm/nr_hugepages
for folder in /no-read /no-write /no-exec /no-run; do attacker prepare $folder; done
# A handle names a file, not a path: where it has a second name, the kernel may come by that one.
rm /var/attack-outside/*/read-handle.link /var/attack-outside/*/write-handle.link
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
for pair in no-read:read no-read:alias no-write:write no-write:alias no-exec:run no-run:run no-run:fileless no-run:egress no-run:local
do
    folder=${pair%:*}
    echo "== $folder"
    /bin/attacker attack /$folder ${pair#*:}
done
ebsec-load status --json | grep -o '"missing": *[0-9]*'
ebsec-load status --json | grep -o '"full": *[0-9]*'
