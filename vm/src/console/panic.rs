//! By what a guest is known to have given up.

/// Words with which a kernel, or what starts before it, ends for good. An oops is none: many a guest goes on after it.
const SIGNS: [&str; 4] = [
    "Kernel panic - not syncing",
    "VFS: Unable to mount root fs",
    "No bootable device",
    "Failed to execute /init",
];

/// Whether a line says that the guest will never do anything again.
pub(crate) fn panic_in(line: &str) -> bool {
    SIGNS.iter().any(|sign| line.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::panic_in;

    #[test]
    fn a_panic_is_known_by_the_kernels_words_and_not_by_the_word_panic() {
        assert!(panic_in(
            "[    2.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100"
        ));
        assert!(!panic_in("[    0.0] Kernel command line: console=ttyS0 panic=-1"));
        assert!(!panic_in("---[ end trace 0000000000000000 ]---"));
    }
}
