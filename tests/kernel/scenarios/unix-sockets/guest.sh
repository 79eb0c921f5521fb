# Every way to a socket: in a guarded folder, and in an open one where all of them lead there.
cp /bin/guest-tools /bin/told
for folder in guarded open; do
    guest-tools unix serve /$folder /other-$folder &
    while [ ! -e /other-$folder/ready ]; do sleep 0.1; done
done
guest-tools unix hold /guarded >/held &
holder=$!
while [ ! -e /guarded.held ]; do sleep 0.1; done
# what containers see of the folders: another name, below a root that shows neither /guarded nor /open
mkdir -p /secret /jail /kept /stage /tmp
mount -o bind /guarded /kept
mount -o bind /open /jail
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
echo "== guarded"
guest-tools unix reach /guarded /other-guarded
echo "== open"
guest-tools unix reach /open /other-open
echo "== from a container"
echo "guarded $(guest-tools inside mounts,rebind,pivot connect-unix /kept/stream)"
echo "open $(guest-tools inside mounts,rebind,pivot connect-unix /jail/stream)"
echo "by its name here $(guest-tools inside mounts,rebind,pivot connect-unix /guarded/stream)"
echo "== connected before"
touch /guarded.go
wait $holder
cat /held
echo "== told"
told unix reach /open /other-open >/dev/null
ebsec-load events | sed -n 's/^[^ ]* *\(.*\) by .*(\(.*\))$/\1 \2/p'
