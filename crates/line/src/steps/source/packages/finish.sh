# From installed packages to a system that boots: the last words of mmdebstrap's run, spoken by sh
# in its namespaces. $1 is the system's root; the TINTYPE_ variables are set by bootstrap.rs.
set -eu
root=$1
# Where we were started may be closed to who we are in here.
cd /

printf '%s' "$TINTYPE_SOURCES" >"$root/etc/apt/sources.list"
rm -f "$root"/etc/apt/sources.list.d/0000* "$root/etc/apt/apt.conf.d/99mmdebstrap" \
    "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/99tintype"
# dpkg left these out; the smallest system was unpacked before there was a dpkg.
printf '%s\n' "$TINTYPE_EXCLUDE" | while IFS= read -r pattern; do
    [ -z "$pattern" ] || find "$root" -xdev -path "$root$pattern" ! -type d -delete
done

printf 'UUID=%s / ext4 errors=remount-ro 0 1\n' "$TINTYPE_ROOT" >"$root/etc/fstab"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
if [ -d "$root/etc/network" ]; then
    mkdir -p "$root/etc/network/interfaces.d"
    printf 'auto lo\niface lo inet loopback\n\nsource /etc/network/interfaces.d/*\n' \
        >"$root/etc/network/interfaces"
fi
# What mmdebstrap took from this machine, and what each instance makes for itself.
rm -f "$root/etc/resolv.conf" "$root/etc/hostname" "$root"/etc/ssh/ssh_host_* \
    "$root/var/lib/dbus/machine-id"
: >"$root/etc/machine-id"

kernel=$(cd "$root/boot" && ls vmlinuz-* | sort -V | tail -n 1)
release=${kernel#vmlinuz-}
chroot "$root" update-initramfs -c -k "$release"

# GRUB, of the system's own version. What grub-install leaves in /boot/grub is there, too.
. "$root/etc/os-release"
mkdir -p "$root/boot/grub"
cat >"$root/etc/default/grub" <<GRUB
# Read by update-grub, which writes /boot/grub/grub.cfg.
GRUB_DEFAULT=0
GRUB_TIMEOUT=1
GRUB_DISTRIBUTOR=$NAME
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX=""
GRUB
cat >"$root/boot/grub/grub.cfg" <<GRUB
# Written by tintype; update-grub replaces it.
set default=0
set timeout=1
menuentry '$PRETTY_NAME' --class gnu-linux --class os {
	search --no-floppy --fs-uuid --set=root $TINTYPE_ROOT
	linux /boot/vmlinuz-$release root=UUID=$TINTYPE_ROOT ro
	initrd /boot/initrd.img-$release
}
GRUB
cat >"$root/tmp/early.cfg" <<GRUB
search.fs_uuid $TINTYPE_ROOT root
set prefix=(\$root)/boot/grub
GRUB
cp -r "$root/usr/lib/grub/i386-pc" "$root/boot/grub/"
modules="part_gpt ext2 search search_fs_uuid normal configfile linux echo test serial terminal gzio minicmd"
chroot "$root" grub-mkimage -O i386-pc -p /boot/grub -c /tmp/early.cfg \
    -o /boot/grub/i386-pc/core.img biosdisk $modules
echo 'configfile ($root)/boot/grub/grub.cfg' >>"$root/tmp/early.cfg"
chroot "$root" grub-mkimage -O x86_64-efi -p /boot/grub -c /tmp/early.cfg \
    -o /tmp/BOOTX64.EFI fat efi_gop $modules
