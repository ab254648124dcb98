# The root file system, from the finished tree to its place in the disk's file: unprivileged and
# without a mount of it. $1 is the system's root; TINTYPE_DISK is the disk, an open file.
set -eu
root=$1
# Where we were started may be closed to who we are in here.
cd /

rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/ldconfig/* \
    "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old "$root"/tmp/* "$root"/var/tmp/*
find "$root/var/log" -type f -delete

# A bind mount shows the tree without what is mounted in it: proc, sys, dev.
tree=$(mktemp -d)
mount --bind "$root" "$tree"
if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
    export E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH"
    find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
fi
# The features by name: newer programs switch on some that older kernels and GRUB do not know.
mke2fs -q -F -t ext4 -m 1 -L root -U "$TINTYPE_ROOT" \
    -O none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum \
    -E "hash_seed=$TINTYPE_ROOT,offset=$TINTYPE_OFFSET,nodiscard" \
    -d "$tree" "$TINTYPE_DISK" "$TINTYPE_KIBIBYTES"k
umount "$tree"
rmdir "$tree"
