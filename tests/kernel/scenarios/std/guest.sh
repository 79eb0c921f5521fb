# The whole library, enforced: what everyday programs do with what it guards, and what nobody else may. Each program is
# a copy of one that does what it is told to.
program() { for path; do mkdir -p "${path%/*}"; cp /bin/guest-tools "$path"; done; }
program /usr/bin/su /usr/bin/passwd /usr/bin/perl /usr/bin/getent /usr/bin/editor /usr/bin/docker /usr/bin/dockerd \
    /usr/bin/podman /usr/bin/conmon /usr/bin/containerd /usr/bin/crio /usr/bin/curl /usr/bin/apt-get /usr/bin/dpkg \
    /usr/lib/cargo/bin/sudo /usr/libexec/cockpit-session /usr/lib/x86_64-linux-gnu/sddm/sddm-helper /usr/sbin/vipw \
    /usr/sbin/useradd /usr/sbin/nginx /usr/sbin/cron /usr/bin/ssh /usr/lib/systemd/systemd /usr/bin/systemd-tmpfiles \
    /usr/lib/postgresql/17/bin/initdb /usr/lib/postgresql/17/bin/postgres /tmp/tool /usr/bin/busybox.copy
ln -s /usr/lib/cargo/bin/sudo /usr/bin/sudo
mkdir -p /etc/security /var/backups /var/log/apt /home/eve/.ssh /root/.ssh /run/docker /run/containerd/s /run/crio /run/podman \
    /run/user/1000/podman /mnt/copy /mnt/over /srv/lower
rm -rf /var/run; ln -s /run /var/run
for file in /etc/shadow /etc/shadow- /etc/gshadow- /etc/shadow.bak /etc/shadow.edit /var/backups/shadow.bak /etc/security/opasswd /etc/group \
    /home/eve/.ssh/id_ed25519 /home/eve/.ssh/id_ed25519.pub /var/log/auth.log /var/log/apt/eipp.log.xz /var/log/old; do
    echo x >$file
done
# Trees of containers: of root's, and of a user's with files of his own.
for box in /srv/box /srv/box-of-user; do
    mkdir $box; mount -t tmpfs none $box
    mkdir -p $box/host $box/bin $box/usr/bin $box/tmp $box/var/log $box/etc
    cp /bin/guest-tools $box/bin/; cp /bin/guest-tools $box/tmp/tool; cp /bin/guest-tools $box/usr/bin/podman
    echo x >$box/var/log/x; echo x >$box/usr/bin/old; echo x >$box/etc/shadow; cp /bin/guest-tools $box/bin/busybox
done
chown -R 1000:1000 /srv/box-of-user
# Only the policy is to refuse here.
chmod 666 /etc/shadow; chmod 777 /run /run/user/1000 /run/user/1000/podman /mnt/over /srv/lower
mount -o bind /etc /mnt/copy
sockets="/run/docker.sock /run/podman/podman.sock /run/containerd/containerd.sock /run/containerd/s/1a2b /run/crio/crio.sock"
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
do_() { echo "${1##*/} $2 ${3#/}${4:+ $4} $("$1" do "$2" "$3" ${4:+"$4"} 2>&1)"; }

echo "== password hashes"
for who in /usr/bin/su /usr/bin/sudo /usr/libexec/cockpit-session /usr/lib/x86_64-linux-gnu/sddm/sddm-helper /usr/sbin/cron \
    /usr/sbin/useradd /usr/bin/perl /usr/bin/getent; do
    do_ $who read /etc/shadow
done
do_ /usr/sbin/useradd append /etc/shadow; do_ /usr/sbin/useradd create /etc/shadow+; do_ /usr/sbin/useradd rename /etc/shadow+ /etc/shadow
do_ /usr/bin/passwd create /etc/nshadow; do_ /usr/bin/passwd rename /etc/nshadow /etc/shadow
do_ /usr/sbin/cron append /etc/shadow; do_ /usr/bin/perl append /etc/shadow
for file in /etc/shadow /etc/gshadow- /etc/shadow.bak /etc/shadow.edit /var/backups/shadow.bak /etc/security/opasswd /etc/group; do
    do_ /usr/bin/curl read $file
done
for what in append truncate remove touch mode; do do_ /usr/bin/curl $what /etc/shadow; done
do_ /usr/bin/curl link /etc/shadow /mnt/over/s; do_ /usr/bin/curl rename /etc/shadow- /mnt/over/s; do_ /usr/bin/curl rename /etc/group /etc/shadow
do_ /usr/bin/curl read /mnt/copy/shadow; do_ /usr/bin/curl append /mnt/copy/shadow
do_ /usr/bin/curl symlink /etc/group /etc/shadow~; do_ /usr/bin/curl create /etc/gshadow+; do_ /usr/bin/curl create /etc/shadow.lock
echo "by an editor of vipw $(vipw do exec /usr/bin/editor do read /etc/shadow.edit), by another $(editor do read /etc/shadow.edit)"
echo "perl of nginx $(nginx do exec /usr/bin/perl do read /etc/shadow), of a user $(guest-tools inside uid exec /usr/bin/perl do read /etc/shadow)"
echo "another's program at su's place $(guest-tools inside uid,user,mounts,bind:/bin/guest-tools:/usr/bin/su exec /usr/bin/su do read /etc/shadow)"
echo "a user's other name for it $(guest-tools inside uid,user,mounts,bind:/etc:/srv read /srv/shadow)"
echo "useradd of a rootless container, its own file" \
    "$(guest-tools inside uid,user,mounts,private,bind:/tmp:/etc exec /usr/sbin/useradd do create /etc/shadow)"

echo "== keys"
do_ /usr/bin/ssh read /home/eve/.ssh/id_ed25519; do_ /usr/bin/curl read /home/eve/.ssh/id_ed25519; do_ /usr/bin/curl read /home/eve/.ssh/id_ed25519.pub

echo "== sockets of what runs containers"
umask 0
for pair in dockerd:docker.sock podman:podman/podman.sock containerd:containerd/containerd.sock containerd:containerd/s/1a2b crio:crio/crio.sock; do
    ${pair%%:*} do listen-unix /run/${pair#*:} 600 &
done
# a user's own runtime makes its sockets in namespaces of its own
for name in podman/podman.sock docker.sock; do
    guest-tools inside uid,user,mounts exec /usr/bin/podman do listen-unix /run/user/1000/$name 600 &
done
sleep 2
for socket in $sockets /run/user/1000/podman/podman.sock /run/user/1000/docker.sock; do
    echo "$socket docker $(docker do connect-unix $socket) curl $(curl do connect-unix $socket)" \
        "as the user $(guest-tools inside uid connect-unix $socket)"
done
echo "by the link $(curl do connect-unix /var/run/docker.sock)," \
    "in a container $(guest-tools inside mounts,bind:/run:/mnt/over connect-unix /mnt/over/docker.sock)," \
    "a runtime of a user $(guest-tools inside uid,user,mounts exec /usr/bin/docker do connect-unix /run/docker.sock)"
do_ /usr/bin/curl mode /run/docker.sock; do_ /usr/bin/curl remove /run/docker.sock

echo "== file systems of users"
overlay="exec /bin/busybox mount -t overlay -o lowerdir=/srv/lower:/etc none /mnt/over"
tried() { "$@" >/dev/null 2>&1 && echo mounted || echo not; }
echo "root $(tried mount -t overlay -o lowerdir=/srv/lower:/etc none /mnt/over), a user $(tried guest-tools inside uid,user,mounts $overlay)," \
    "a user's tmpfs $(tried guest-tools inside uid,user,mounts mount tmpfs /mnt/over)"
echo "podman $(tried guest-tools inside uid exec /usr/bin/podman inside user,mounts $overlay)," \
    "in its container $(tried guest-tools inside uid exec /usr/bin/podman inside user,mounts exec /usr/bin/conmon do $overlay)"

echo "== programs"
do_ /usr/bin/curl create /usr/bin/new; do_ /usr/bin/apt-get create /usr/bin/new; do_ /usr/bin/curl append /usr/bin/new
echo "of a temporary folder $(guest-tools do exec /tmp/tool list | head -1), of apt's $(apt-get do exec /tmp/tool do read /etc/group)"
echo "a shell of nginx $(nginx do exec /bin/busybox true), of a new database" \
    "$(/usr/lib/postgresql/17/bin/initdb do exec /usr/lib/postgresql/17/bin/postgres do exec /bin/busybox echo ok)"

ebsec-load events >/dev/null
echo "== in containers"
for steps in mounts,root:/srv/box uid,user,mounts,bind:/srv/box-of-user:/mnt/over,root:/mnt/over; do
    in="guest-tools inside $steps"
    echo "${steps%%,*}: programs $($in create /usr/bin/new) $($in append /usr/bin/old), run from /tmp $($in exec /tmp/tool do read /usr/bin/old)," \
        "hashes $($in append /etc/shadow), read by busybox $($in exec /bin/busybox do read /etc/shadow)," \
        "written anew $($in exec /bin/busybox do create /etc/shadow+) $($in exec /bin/busybox do rename /etc/shadow+ /etc/shadow)"
    $in remove /var/log/x >/dev/null
done
host="guest-tools inside mounts,bind:/:/srv/box/host,root:/srv/box"
echo "of a container that is shown the host: hashes $($host read /host/etc/shadow) $($host append /host/etc/shadow)," \
    "keys $($host read /host/home/eve/.ssh/id_ed25519), programs $($host create /host/usr/bin/other)," \
    "from /tmp $($host exec /host/tmp/tool do read /usr/bin/old), what is free $($host read /host/etc/group)"
echo "logs of containers $(ebsec-load events --json | grep logs_removed | grep -c '/var/log/x')"

echo "== what was told"
rm /var/log/auth.log; systemd-tmpfiles do remove /var/log/old; apt-get do remove /var/log/apt/eipp.log.xz
ebsec-load rules | awk 'NR > 1 { print $1, $4, ($5 > 0) ? "told" : "never", $6 " undecided" }' | sort -u
