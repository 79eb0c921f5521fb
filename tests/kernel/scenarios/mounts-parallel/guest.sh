# Two processors: mounts come and go on one while files are opened on the other.
mkdir -p /shown /store /secret /jail /kept /tmp /churn /stage
for file in /store/free /store/kept /secret/a /jail/a; do echo x >$file; done
chmod 755 / /jail
chmod 777 /stage /tmp
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
echo "== a mount that is lazily unmounted"
guest-tools races unmounted /store /shown free kept
echo "== a service, while the host mounts"
guest-tools races service /churn secret/a jail/a
echo "== and a user has mounted over the root in a namespace of his own"
guest-tools inside uid,user,mounts,over wait 600 >/dev/null &
user=$!
sleep 2
guest-tools races service /churn secret/a jail/a
kill $user
echo "failed $(ebsec-load status --json | sed -n 's/.*"failed": *\([0-9]*\).*/\1/p')"
