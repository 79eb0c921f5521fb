# Code in memory: `fileless` is in no file that has a path, `named` is in one.
cp /bin/guest-tools /bin/attacker
echo 8 >/proc/sys/vm/nr_hugepages
mkdir -p /dev/shm; mount -t tmpfs none /dev/shm
attacker prepare /code
all() { /bin/attacker attack /code fileless named map-executable protect-executable map-as-own-program exec-loader; }
echo "== without a policy"
all
ebsec-load load /scenario/policy.bpf.o >/load.txt 2>&1 || { cat /load.txt; exit 1; }
echo "== with it"
all
echo "== rings, which newer kernels let nobody run"
/bin/attacker attack /code ring
echo "== huge pages of its own, as a JIT has them"
/bin/attacker do map-huge
ebsec-load status --json | grep -o '"missing": *[0-9]*'
