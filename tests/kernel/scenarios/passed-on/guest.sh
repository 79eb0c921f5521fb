# Since 6.9 FUSE opens the file to which it passes on in the name of who opens the file above. On older kernels the server reads it.
mkdir -p /store /shown /kept
cp /bin/guest-tools /bin/server
echo content >/store/a
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
for folder in /shown /kept; do
    server passing /store/a $folder &
    while ! grep -q " $folder fuse" /proc/mounts; do sleep 0.1; done
done
for file in /shown/file /kept/file /store/a; do echo "$file: $(cat $file 2>&1)"; done
echo "== reports"
ebsec-load events | sed 's/^[^ ]* *//; s/\[[0-9]*\]//g'
umount /shown /kept
