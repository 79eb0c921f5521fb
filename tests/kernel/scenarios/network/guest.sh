# Addresses that are not what the call says. `elsewhere` is what a policy about addresses must let be. First without a
# policy: an attack that the kernel refuses by itself shows nothing.
cp /bin/guest-tools /bin/attacker
cp /bin/guest-tools /bin/headless
ip link set lo up
for address in 10.8.8.8/32 10.9.9.9/32 10.8.1.1/32; do ip addr add $address dev lo; done
for address in fd00::99/128 fd00::55/128; do ip -6 addr add $address dev lo; done
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
attack() { /bin/attacker attack --peer4 10.9.9.9 --peer6 fd00::99 --port 4444 / "$@"; }
# Sockets that a program out of scope has given a route, or none.
inherited() {
    route=$1; shift
    echo "== a socket with the route $route"
    guest-tools routed $route /bin/attacker attack --peer4 10.9.9.9 --port 4444 / "$@"
}
all() {
    attack here routed elsewhere own-header
    echo "== without sockets of own headers"
    /bin/headless attack --peer4 10.9.9.9 --port 4444 / own-header
    inherited four sendto4-inherited connect4-inherited
    inherited six sendto6-inherited connect6-inherited
    inherited label sendto6-inherited connect6-inherited
    inherited plain sendto4-inherited connect4-inherited
}
echo "== without a policy"
all
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
echo "== with it"
all
ebsec-load status --json | grep -o '"missing": *[0-9]*'
