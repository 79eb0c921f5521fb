# What the demonstration does inside a guest, in busybox's shell: every operation of `operations` before and after the
# policy is loaded. Prints lines that `run` makes a table of, each with its kind first:
#   ROW phase number result first-pid last-pid      LOAD, FAIL, EVENT, STATUS, RULE: a line of the loader's output
# Never decides what is right.

tool=/bin/guest-tools

# Programs are copies of the test tool under the names that the policy speaks of, so each of them does what it is told.
programs() {
    for path in /usr/sbin/nginx /usr/sbin/logrotate /usr/lib/nginx/thumbnail /usr/bin/dpkg /usr/bin/su /usr/bin/cat \
        /usr/bin/id /usr/bin/certbot /opt/backup/agent /tmp/xmrig /opt/xmrig; do
        mkdir -p "${path%/*}"
        cp $tool $path
    done
}

# Every operation has files of its own, so that none depends on what another left.
files() {
    rm -rf /var/www /var/log/nginx /var/cache/nginx /run/secrets /home/eve
    mkdir -p /var/www/html /var/log/nginx /var/cache/nginx /var/lib/nginx /run/secrets/kubernetes.io/serviceaccount \
        /home/eve/.ssh /etc/cron.d /usr/bin /tmp
    for path in /var/www/html/index.html /var/log/nginx/access.log /var/log/nginx/today.log /var/log/nginx/error.log /var/log/nginx/old.log \
        /var/cache/nginx/upload /run/secrets/kubernetes.io/serviceaccount/token \
        /run/secrets/kubernetes.io/serviceaccount/token2 /etc/shadow /etc/gshadow /home/eve/.ssh/id_ed25519 \
        /etc/passwd /root/.bashrc /root/.bash_history /usr/bin/ls /usr/bin/ls2 /tmp/ls; do
        echo content >$path
    done
    rm -f /tmp/link /var/cache/nginx/*.copy /etc/cron.d/job
    ln -s /etc/shadow /tmp/link
}

# Hosts elsewhere are addresses of this one: a database that nginx may reach, and two that it may not.
hosts() {
    mkdir -p /var/empty
    for ip in 10.0.0.5 203.0.113.7 203.0.113.53; do ip addr add $ip/32 dev lo; done
    for at in 10.0.0.5:5432 203.0.113.7:4444; do
        httpd -p $at -h /var/empty
    done
}

# $1: before or after. An operation's process is known by its number, those that it starts have later ones.
all() {
    number=0
    while IFS='|' read -r title who expected command; do
        case "$title" in '' | '#'*) continue ;; esac
        number=$((number + 1))
        $command >/tmp/result 2>&1 </dev/null &
        pid=$!
        wait $pid
        status=$?
        last=$(tail -n 1 /tmp/result)
        case $status in
        0) result=ok ;;
        137) result=killed ;;
        *) result=${last##* } ;;
        esac
        (exit) & # Its number ends this operation's.
        echo "ROW $1 $number ${result:-$status} $pid $!"
        wait $!
    done </demo/operations
}

programs
files
hosts
all before
files
if ! ebsec-load load /demo/policy.bpf.o >/tmp/load 2>&1; then
    sed 's/^/FAIL /' /tmp/load
    exit 1
fi
sed 's/^/LOAD /' /tmp/load
all after
ebsec-load events 2>&1 | sed 's/^/EVENT /'
ebsec-load status 2>&1 | sed 's/^/STATUS /'
ebsec-load rules 2>&1 | sed 's/^/RULE /'
