# A policy that guards the loader's own folders is loaded, holds, and can still be
# taken out by the loader.
exec 2>&1
ebsec-load load /scenario/policy.bpf.o | grep -vE 'hook|verified the artifact|skipped|attached|refused the canary'
rm /sys/fs/bpf/ebsec/policy/link_ebsec_path_unlink
ls /sys/fs/bpf/ebsec
ebsec-load unload
ls /sys/fs/bpf/ebsec
ebsec-load unload
true
