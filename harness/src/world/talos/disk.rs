//! A machine's disk before its first start.
//!
//! Talos takes a disk for installed that has a partition META, and asks for no installer then. An image that nobody published has
//! no installer, so its machines have such a disk.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use gpt::GptConfig;
use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::partition_types::LINUX_FS;
use sha2::{Digest as _, Sha256};

use crate::world::WorldError;

/// In bytes; what is not written takes no room on the host.
const SIZE: u64 = 10 << 30;
const BLOCK: u64 = 512;
/// The name and the size in bytes of the partition.
const META: (&str, u64) = ("META", 1 << 20);
/// Half of META: four bytes, what is said (nothing), its sum, four bytes.
const HALF: usize = 256 << 10;
const BEGINS: [u8; 4] = [0x5a, 0x4b, 0x3c, 0x2d];
const ENDS: [u8; 4] = [0xa5, 0xb4, 0xc3, 0xd2];
const SUM: usize = 32;

/// What is on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    /// Nothing: the machine installs itself.
    Nothing,
    /// What makes a machine take it for installed.
    Installed,
}

/// Writes it, as the bytes that it is.
pub(super) fn write(path: &Path, contents: Contents) -> Result<(), WorldError> {
    let mut file = File::options().create_new(true).read(true).write(true).open(path)?;
    file.set_len(SIZE)?;
    if contents == Contents::Nothing {
        return Ok(());
    }
    let blocks = u32::try_from(SIZE / BLOCK - 1)?;
    ProtectiveMBR::with_lb_size(blocks).overwrite_lba0(&mut file)?;
    let mut table = GptConfig::new()
        .writable(true)
        .logical_block_size(LogicalBlockSize::Lb512)
        .create_from_device(file, None)?;
    let number = table.add_partition(META.0, META.1, LINUX_FS, 0, None)?;
    let first = table.partitions()[&number].first_lba;
    let mut file = table.write()?;
    file.seek(SeekFrom::Start(first * BLOCK))?;
    for _ in 0..2 {
        file.write_all(&half())?;
    }
    Ok(())
}

/// The sum is taken with zeros in its own place.
fn half() -> Vec<u8> {
    let mut half = vec![0; HALF];
    half[..4].copy_from_slice(&BEGINS);
    half[HALF - 4..].copy_from_slice(&ENDS);
    let sum = Sha256::digest(&half);
    half[HALF - 4 - SUM..HALF - 4].copy_from_slice(&sum);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_disk_has_its_partition_and_takes_no_room() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        write(&path, Contents::Installed).unwrap();
        let table = GptConfig::new().open(&path).unwrap();
        let named: Vec<&str> = table.partitions().values().map(|it| it.name.as_str()).collect();
        assert_eq!(named, ["META"]);
        let file = std::fs::metadata(&path).unwrap();
        assert_eq!(file.len(), SIZE);
        assert!(file.blocks() * 512 < 4 << 20, "{} blocks", file.blocks());
        assert_eq!(half().len(), HALF);
    }
}
