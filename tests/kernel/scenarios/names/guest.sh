# A host whose names are not what they seem: what is told of them when the policy is loaded, and that it is so.
mkdir -p /run /var /srv/data /mnt/copy /mnt/over
rm -rf /var/run; ln -s /run /var/run
for file in /run/web.pid /run/db.pid /etc/real /etc/kept /srv/data/key /srv/data/any /srv/data/loose /mnt/over/key; do echo x >$file; done
ln -s real /etc/alias
ln -s circle /srv/circle
ln -s "$(printf 'a\033[2J\nb\377')" /srv/odd
mount -o bind /srv/data /mnt/copy
mount -t tmpfs none /mnt/over
cp /bin/guest-tools /bin/tool.real; ln -s tool.real /bin/tool
ebsec-load load /scenario/policy.bpf.o 2>&1 | sed -n '/names that/,/^note: no kernel/p' | grep -v '^note: no kernel'
echo "== in the kernel's log"
dmesg | grep -o 'ebsec-load: .*' | head -3
echo "== it is so"
for file in /var/run/web.pid /run/web.pid /var/run/db.pid /etc/alias /srv/data/key /mnt/copy/key; do
    echo "$file write $(guest-tools do append $file) read $(guest-tools do read $file)"
done
echo "by the name of a link $(tool do read /etc/kept)"
echo "== as they are now"
ebsec-load status | grep ^names
ebsec-load status --json | sed 's/.*"names"://; s/{"name"/\n&/g; s/,"package".*//'
umount /mnt/copy; umount /mnt/over; rm /var/run; mkdir /var/run
ebsec-load status | grep ^names
