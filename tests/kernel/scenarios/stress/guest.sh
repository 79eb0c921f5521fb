# Many tasks on one processor that the kernel may preempt anywhere: no verdict is wrong, and no task is without its
# record. Ten seconds and until something of everything was done; with SOAK, until that many forks were.
least="opens:1000 refused:100 forks:100 threads:50 vforks:20 execs:50 renames:50"
[ -z "$SOAK" ] || least="opens:1000001 forks:$SOAK threads:5000 vforks:400 execs:5000 renames:5000"
mkdir -p /store /storm/a/s
for file in /store/key /store-room /storm/a/s/key /storm/a/s/open /etc/allowed; do echo x >$file; done
cp /bin/guest-tools /bin/guarded
cp /bin/guest-tools /bin/keeper
# Text that is marked executable: the exec check sees a keeper, and then the exec fails.
echo 'no program' >/bin/broken-keeper
chmod 755 /bin/broken-keeper
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
/bin/guarded stress --seconds 10 $(printf -- '--least %s ' $least) --forkers "${FORKERS:-2}" \
    --denied /store/key --allowed /store-room --allowed /etc/allowed \
    --storm /storm --denied /storm/a/s/key --allowed /storm/a/s/open --denied /storm/b/s/key --allowed /storm/b/s/open \
    --broken /bin/broken-keeper \
    --program /bin/guarded:denied:/store/key --program /bin/keeper:allowed:/store/key \
    --program /bin/keeper:allowed:/etc/allowed >/counts.txt
ebsec-load status --json >/status.json
stat() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" /status.json; }
for name in failed full seeded records; do echo "$name $(stat $name)" >>/counts.txt; done
grep -E '^(wrong|leaked|lost) ' /counts.txt
echo "missing $(stat missing)"
[ -z "$SOAK" ] || { uname -r; tr '\n' ' ' </counts.txt; echo; }
tr '\n' ' ' </counts.txt >/dev/console
