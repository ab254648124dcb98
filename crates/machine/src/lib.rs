//! Running virtual machines: accelerator probe, QEMU, the appliance, boot proof.
