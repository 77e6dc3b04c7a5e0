//! Tar archives that are the same whenever they are made from the same files.

use std::io;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

const MODE: u32 = 0o755;

/// Packs files, each a path and its content, into a `.tar.gz`. The same files give the same bytes.
///
/// # Errors
/// A path does not fit into an archive.
pub fn tar_gz<P: AsRef<str>, C: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, C)>) -> io::Result<Bytes> {
    Ok(gzip(&tar(files)?)?.into())
}

pub(crate) fn tar<P: AsRef<str>, C: AsRef<[u8]>>(
    files: impl IntoIterator<Item = (P, C)>,
) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, files)?;
    archive.into_inner()
}

fn append<P: AsRef<str>, C: AsRef<[u8]>>(
    archive: &mut tar::Builder<Vec<u8>>,
    files: impl IntoIterator<Item = (P, C)>,
) -> io::Result<()> {
    for (path, content) in files {
        let content = content.as_ref();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(MODE);
        header.set_mtime(0);
        archive.append_data(&mut header, path.as_ref().trim_start_matches('/'), content)?;
    }
    Ok(())
}

/// Files and symbolic links, each a path and where it leads.
pub(crate) fn tree<P: AsRef<str>, C: AsRef<[u8]>>(
    files: impl IntoIterator<Item = (P, C)>,
    links: impl IntoIterator<Item = (P, P)>,
) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, files)?;
    for (path, target) in links {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_mode(MODE);
        header.set_mtime(0);
        archive.append_link(&mut header, path.as_ref().trim_start_matches('/'), target.as_ref())?;
    }
    archive.into_inner()
}

pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    io::Write::write_all(&mut encoder, bytes)?;
    encoder.finish()
}

/// So many bytes that do not compress, always the same ones for a seed.
pub(crate) fn noise(seed: &str, length: usize) -> Vec<u8> {
    // FNV-1a for the start, xorshift from there.
    let mut state = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::{noise, tar_gz};

    #[test]
    fn the_same_files_give_the_same_archive() {
        let pack = || tar_gz([("a/b.yaml", "kind: X"), ("c", "")]).unwrap();
        assert_eq!(pack(), pack());
        let packed = pack();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
        let paths: Vec<_> =
            archive.entries().unwrap().map(|e| e.unwrap().path().unwrap().into_owned()).collect();
        assert_eq!(paths, [std::path::Path::new("a/b.yaml"), std::path::Path::new("c")]);
    }

    #[test]
    fn noise_is_as_long_as_asked_for_and_differs_by_seed() {
        assert_eq!(noise("a", 13).len(), 13);
        assert_ne!(noise("a", 64), noise("b", 64));
    }
}
