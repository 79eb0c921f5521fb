# binfmt_misc can hand its interpreter a descriptor of the file that is executed (flags O and C): who may not read it cannot
# execute it so.
mkdir -p /secret /free /own; chmod 755 /secret; cp /bin/guest-tools /bin/knower
program() { printf "$1" >$2; chmod 755 $2; }
for kind in PLAIN OPEN CREDS; do program $kind /secret/$kind; program $kind /free/$kind; done
printf '#!/secret/OPEN\n' >/free/script; chmod 755 /free/script
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
cat >/register <<'X'
echo ":$2:M::PLAIN::/bin/echo:" >$1/register
echo ":$3:M::OPEN::/bin/echo:O" >$1/register
echo ":$4:M::CREDS::/bin/echo:C" >$1/register
X
cat >/of-a-user <<'X'
mount -t binfmt_misc none /own 2>/dev/null || exit 0
. /register /own a b c
guest-tools do exec $1
X
. /register x 2>/dev/null; set -- /proc/sys/fs/binfmt_misc plain open creds; . /register
tried() {
    for file in /free/PLAIN /free/OPEN /free/CREDS /secret/PLAIN /secret/OPEN /secret/CREDS /free/script; do
        echo "$file $(guest-tools do exec $file 2>&1), by who may read it $(knower do exec $file 2>&1)"
    done
}
echo "== without a policy"
tried
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
echo "== with it"
tried
ebsec-load events | sed 's/^[^ ]* *//; s/\[[0-9]*\]//g'
echo "== in a user's own namespace, since 6.7"
for name in plain open creds; do echo -1 >/proc/sys/fs/binfmt_misc/$name; done
for file in /free/OPEN /secret/PLAIN /secret/OPEN; do
    echo "$file $(guest-tools inside uid,user,mounts exec /bin/sh /of-a-user $file 2>&1)"
done
ebsec-load status --json | grep -o '"\(failed\|missing\)": *[0-9]*'
