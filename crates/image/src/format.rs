//! How an image's bytes are said to be laid out.

use crate::names::named;

named! {
    /// Glance's `disk_format`: the layout of the virtual disk. The defaults of
    /// `[image_format] disk_formats` in Glance 33, and the two that it looks for besides.
    DiskFormat, "disk format", {
        /// Amazon machine image.
        Ami = "ami",
        /// Amazon ramdisk image.
        Ari = "ari",
        /// Amazon kernel image.
        Aki = "aki",
        /// Virtual PC.
        Vhd = "vhd",
        /// Hyper-V.
        Vhdx = "vhdx",
        /// VMware.
        Vmdk = "vmdk",
        /// No layout: the bytes are the disk.
        Raw = "raw",
        /// QEMU copy-on-write, version 2 or 3.
        Qcow2 = "qcow2",
        /// VirtualBox.
        Vdi = "vdi",
        /// ISO 9660 optical disc.
        Iso = "iso",
        /// Virtuozzo.
        Ploop = "ploop",
        /// A whole disk with a GUID partition table.
        Gpt = "gpt",
        /// A disk encrypted with LUKS.
        Luks = "luks",
    }
}

named! {
    /// Glance's `container_format`: what the disk is wrapped in. The defaults of
    /// `[image_format] container_formats` in Glance 33.
    ContainerFormat, "container format", {
        /// Amazon machine image.
        Ami = "ami",
        /// Amazon ramdisk image.
        Ari = "ari",
        /// Amazon kernel image.
        Aki = "aki",
        /// Not wrapped.
        Bare = "bare",
        /// Open virtualization format.
        Ovf = "ovf",
        /// A tar of an OVF and its disks.
        Ova = "ova",
        /// A tar of a Docker file system.
        Docker = "docker",
        /// Compressed; the format inside is not said.
        Compressed = "compressed",
    }
}
