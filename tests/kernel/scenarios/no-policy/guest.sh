# Without a policy every attack goes through, but for what a kernel lacks. So a
# refusal in another scenario is the policy's doing. The scenario `network` sees to its own.
echo 8 >/proc/sys/vm/nr_hugepages
guest-tools prepare /protected
guest-tools attack /protected read write alias run fileless named egress local
echo x >/etc/allowed
mkdir -p /storm/a/s
guest-tools stress --seconds 2 --allowed /etc/allowed --storm /storm \
    --program /bin/guest-tools:allowed:/etc/allowed | grep -E 'wrong|leaked|other|lost'
