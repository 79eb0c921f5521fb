# Two processors. A user renames what is his, all the time; nobody else notices: no open, no exec is refused that no rule
# refuses, a program that was started meanwhile is what it is, and what a rule refuses stays refused, also where its own
# folders are renamed. Ten seconds and until something of everything was done; with SOAK, a million opens and 20,000 execs.
least="opens:2000 refused:500 programs:100 renames:2000"
[ -z "$SOAK" ] || least="opens:1000001 programs:20001 forks:5000 renames:100000"
level=1; path=/srv
while [ $level -le 40 ]; do path=$path/$level; level=$((level + 1)); done
mkdir -p $path /tmp /home/eve /moved/a/s /deep
chmod 777 /home/eve
cp /bin/guest-tools /bin/keeper
ln /bin/keeper $path/keeper
for file in /plain /tmp/plain $path/plain /home/plain /etc/id_rsa $path/door.key /moved/a/s/secret; do echo x >$file; done
guest-tools deep /deep
chown -R 1000:1000 /moved
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
guest-tools stress --seconds 10 $(printf -- '--least %s ' $least) --executors 4 \
    --user 1000 --restless /home/eve --restless /home/eve --deep /deep \
    --allowed /plain --allowed /tmp/plain --allowed $path/plain --allowed /home/plain --denied /etc/id_rsa --denied $path/door.key \
    --storm /moved --denied /moved/a/s/secret --denied /moved/b/s/secret --denied /moved/a/t/secret --denied /moved/b/t/secret \
    --program /bin/keeper:allowed:/etc/id_rsa --program $path/keeper:allowed:$path/door.key \
    --program /bin/guest-tools:denied:/etc/id_rsa --program /bin/guest-tools:allowed:$path/plain >/counts.txt
ebsec-load status --json >/status.json
stat() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" /status.json; }
for name in failed full seeded records; do echo "$name $(stat $name)" >>/counts.txt; done
grep -E '^(wrong|leaked|lost) ' /counts.txt
echo "failed $(stat failed)"
echo "missing $(stat missing)"
dmesg | grep -E 'soft lockup|rcu.*stall|hogged|RIP'
[ -z "$SOAK" ] || { uname -r; tr '\n' ' ' </counts.txt; echo; }
tr '\n' ' ' </counts.txt >/dev/console
