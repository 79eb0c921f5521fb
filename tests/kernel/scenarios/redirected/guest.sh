# Since 6.16 a lower layer of a user's own overlay may say that the content of a file is in a layer behind it, which shows no
# names. What exec opens there raises nothing, so the program that is executed has the names of its content.
mkdir -p /secret /opt/kept /opt/free /home/u/names /home/u/merged /home/u/formats; chmod 755 /secret /opt
echo TOP >/secret/a.kept; echo FREE >/opt/free/a.kept
for folder in kept free; do cp /bin/guest-tools /opt/$folder/tool; done
chown -R 1000:1000 /home/u
for file in /opt/free/tool /opt/free/a.kept; do
    name=/home/u/names/${file##*/}
    guest-tools inside uid exec /bin/sh -c "truncate -s $(stat -c %s $file) $name && chmod 755 $name &&
        guest-tools do set-attribute $name user.overlay.metacopy '' &&
        guest-tools do set-attribute $name user.overlay.redirect /${file##*/}" >/dev/null
done
user() {
    name=$1; behind=$2; shift 2
    show="mount -t overlay -o userxattr,lowerdir=/home/u/names::$behind none /home/u/merged"
    echo "$name: $(guest-tools inside uid exec /bin/unshare -Urm sh -c "($show && $*) >/tmp/told 2>&1 && echo ok || echo refused")"
}
# what is executed so is handed to an interpreter that reads it
format="mount -t binfmt_misc none /home/u/formats && echo ':kept:E::kept::/bin/echo:O' >/home/u/formats/register"
tried() {
    user "execute" /opt/kept "/home/u/merged/tool list"
    user "execute what is free" /opt/free "/home/u/merged/tool list"
    user "map" /opt/kept "guest-tools do map /home/u/merged/tool | grep ok"
    user "map what is free" /opt/free "guest-tools do map /home/u/merged/tool | grep ok"
    user "read" /secret "cat /home/u/merged/a.kept"
    user "read what is free" /opt/free "cat /home/u/merged/a.kept"
    user "hand over" /secret "$format && /home/u/merged/a.kept"
    user "hand over what is free" /opt/free "$format && /home/u/merged/a.kept"
}
chmod 777 /tmp 2>/dev/null || { mkdir /tmp; chmod 777 /tmp; }
echo "== without a policy"; tried
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
echo "== with it"; tried
ebsec-load events | sed 's/^[^ ]* *//; s/\[[0-9]*\]//g'
ebsec-load status --json | grep -o '"\(failed\|missing\)": *[0-9]*'
