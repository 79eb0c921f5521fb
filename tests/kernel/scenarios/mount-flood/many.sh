# The folder /store under as many further names, in a mount namespace of its own.
number=$1
for i in $(seq 1 $number); do mkdir -p /alias/$i; mount -o bind /store /alias/$i; done
tell() { echo "$number: $1 $(guest-tools do $2 $3)"; }
tell "a file that no rule is about:" touch /plain/g
tell "beside those that rules are about:" touch /store/free
tell "a name of it by a low alias is denied:" touch /store/f
tell "only by the 17th or 40th:" touch /store/last
tell "the same:" set-attribute /store/last
tell "by this alias:" touch /alias/$number/last
tell "by the first:" touch /alias/1/last
tell "with a mount:" mode /alias/$number/last
tell "with another mount:" mode /alias/1/last
tell "read:" read /alias/$number/last
