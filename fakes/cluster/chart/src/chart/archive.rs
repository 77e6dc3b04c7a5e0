//! Charts in gzipped tar archives.

use std::io::Read as _;

use flate2::read::GzDecoder;
use tar::EntryType;

use super::{File, LoadError};
use crate::functions::clean_path;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The files of an archive, named without its outermost directory.
pub(super) fn files(bytes: &[u8]) -> Result<Vec<File>, LoadError> {
    let invalid = |message: &str| LoadError::Invalid(message.into());
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let mut files = Vec::new();
    for entry in archive.entries().map_err(LoadError::Unpack)? {
        let mut entry = entry.map_err(LoadError::Unpack)?;
        let kind = entry.header().entry_type();
        if kind == EntryType::Directory || matches!(kind, EntryType::XHeader | EntryType::XGlobalHeader) {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = if path.contains('\\') { path.replace('\\', "/") } else { path };
        let (top, rest) = path.split_once('/').unwrap_or((&path, ""));
        if rest.starts_with('/') {
            return Err(invalid("chart illegally contains absolute paths"));
        }
        let name = clean_path(rest);
        if name == "." {
            return Err(LoadError::Invalid(format!(
                "chart illegally contains content outside the base directory: {}",
                crate::value::display::quote(&path)
            )));
        }
        if name.starts_with("..") {
            return Err(invalid("chart illegally references parent directory"));
        }
        if top == "Chart.yaml" {
            return Err(invalid("chart yaml not in base directory"));
        }
        let mut data = Vec::new();
        entry.read_to_end(&mut data).map_err(LoadError::Unpack)?;
        files.push(File::new(name, without_bom(data)));
    }
    if files.is_empty() { Err(invalid("no files in chart archive")) } else { Ok(files) }
}

/// The data without a mark of its byte order.
pub(super) fn without_bom(data: Vec<u8>) -> Vec<u8> {
    if data.starts_with(BOM) { data[BOM.len()..].to_vec() } else { data }
}
