//! What a machine boots from, as a folder: a kernel, a first root, and what an image that nobody published needs besides.
//!
//! ```text
//!   vmlinuz            or vmlinuz-amd64, vmlinuz-arm64, as a release of Talos names them
//!   initramfs.zst      or initramfs-amd64.xz, …
//!   bin/talosctl       of the same version; else the one on the search path
//!   SHA256SUMS         where it is there, every file that it names must be as it says
//!   cmdline            the kernel's command line, where the usual one does not do
//!   patch.yaml         what is added to the configuration of every machine
//!   images/*.tar       saved container images, for whatever the machine pulls
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::world::talosctl;

const KERNELS: [&str; 3] = ["vmlinuz", "vmlinuz-amd64", "vmlinuz-arm64"];
const ROOTS: [&str; 4] = ["initramfs.zst", "initramfs.xz", "initramfs-amd64.xz", "initramfs-arm64.xz"];
const SUMS: &str = "SHA256SUMS";
/// What Talos asks of a kernel's command line, a console that is heard, and `no_timer_check` for one that is interpreted.
const ARGUMENTS: &str = "talos.platform=metal init_on_alloc=1 slab_nomerge= pti=on printk.devkmsg=on oops=panic reboot=k panic=1 \
                         no_timer_check sysctl.kernel.kexec_load_disabled=1 talos.shutdown=halt talos.dashboard.disabled=1 net.ifnames=0";

/// What a machine boots from.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) kernel: PathBuf,
    pub(super) root: PathBuf,
    /// The kernel's command line, without its console.
    pub(super) arguments: String,
    pub(super) talosctl: PathBuf,
    /// What is added to the configuration of every machine.
    pub(super) patch: Option<String>,
    /// Saved container images.
    pub(super) archives: Vec<PathBuf>,
    /// The files that machines boot from, by their names, with what they are.
    pub(super) digests: BTreeMap<String, String>,
}

impl Image {
    /// Reads a folder.
    ///
    /// # Errors
    /// What is missing in it, or is not what its sums say.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let kernel = first(folder, &KERNELS)?;
        let root = first(folder, &ROOTS)?;
        let own = folder.join("bin/talosctl");
        let talosctl = Some(own.clone()).filter(|it| it.is_file()).or_else(talosctl::find);
        let talosctl = talosctl.ok_or_else(|| {
            format!("there is no {}, and none on the search path (APPLIANCE_TALOSCTL)", own.display())
        })?;
        let digests = digests(folder, &[&kernel, &root])?;
        let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
        Ok(Self {
            kernel,
            root,
            arguments: text("cmdline").map_or_else(|| ARGUMENTS.to_owned(), |it| it.trim().to_owned()),
            talosctl,
            patch: text("patch.yaml"),
            archives: archives(&folder.join("images")),
            digests,
        })
    }
}

fn first(folder: &Path, names: &[&str]) -> Result<PathBuf, String> {
    let found = names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| format!("{} has none of {}", folder.display(), names.join(", ")))
}

/// What the files are that machines boot from; an error where a file is not what the folder says of it.
fn digests(folder: &Path, booted: &[&Path]) -> Result<BTreeMap<String, String>, String> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut known = BTreeMap::new();
    for path in booted {
        known.insert(name(path), digest(path)?);
    }
    let sums = fs::read_to_string(folder.join(SUMS)).unwrap_or_default();
    for (number, line) in sums.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}:{}", folder.join(SUMS).display(), number + 1);
        let (wanted, file) = line
            .split_once(char::is_whitespace)
            .map(|(sum, file)| (sum, file.trim_start_matches([' ', '*'])))
            .ok_or_else(|| format!("{}: a line is a sum and a file", place()))?;
        let is = match known.get(file) {
            Some(is) => is.clone(),
            None => digest(&folder.join(file))?,
        };
        if !is.eq_ignore_ascii_case(wanted) {
            return Err(format!("{}: {file} is {is}; get it again, or correct the line", place()));
        }
    }
    Ok(known)
}

fn digest(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = fs::File::open(path).map_err(failed)?;
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            read => sum.update(&buffer[..read]),
        }
    }
    Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn archives(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|it| it == "tar")).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["vmlinuz-amd64", "initramfs.zst"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        fs::create_dir_all(folder.path().join("bin")).unwrap();
        fs::write(folder.path().join("bin/talosctl"), "").unwrap();
        folder
    }

    #[test]
    fn a_folder_without_a_kernel_or_a_first_root_says_what_it_lacks() {
        let folder = folder();
        fs::remove_file(folder.path().join("initramfs.zst")).unwrap();
        let error = Image::read(folder.path()).unwrap_err();
        assert!(
            error
                .ends_with("has none of initramfs.zst, initramfs.xz, initramfs-amd64.xz, initramfs-arm64.xz")
        );
    }

    #[test]
    fn a_file_that_is_not_what_its_sum_says_is_not_booted() {
        let folder = folder();
        let image = Image::read(folder.path()).unwrap();
        let sum = &image.digests["vmlinuz-amd64"];
        fs::write(folder.path().join(SUMS), format!("{sum}  vmlinuz-amd64\n")).unwrap();
        assert!(Image::read(folder.path()).is_ok());
        fs::write(folder.path().join("vmlinuz-amd64"), "another").unwrap();
        let error = Image::read(folder.path()).unwrap_err();
        assert!(error.contains("SHA256SUMS:1: vmlinuz-amd64 is"), "{error}");
    }

    #[test]
    fn a_folder_may_say_the_kernels_command_line_and_what_every_machine_is_configured_with() {
        let folder = folder();
        assert!(Image::read(folder.path()).unwrap().arguments.contains("talos.platform=metal"));
        fs::write(folder.path().join("cmdline"), "quiet\n").unwrap();
        fs::write(folder.path().join("patch.yaml"), "machine: {}\n").unwrap();
        let image = Image::read(folder.path()).unwrap();
        assert_eq!((image.arguments.as_str(), image.patch.as_deref()), ("quiet", Some("machine: {}\n")));
    }
}
