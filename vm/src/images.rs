//! Disk images, made by `qemu-img`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use field_clock::Clock;
use tokio::process::Command;

use crate::specification::{Layout, Specification, VARIABLES};
use crate::wish::{Boot, Format, Mebibytes, Source};

const PROGRAM: &str = "qemu-img";
/// An image is made within milliseconds; a host that takes longer stands still.
const PATIENCE: Duration = Duration::from_secs(60);

/// An image cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The program cannot be run.
    #[error("run `{PROGRAM}`; the package qemu-utils has it")]
    Run(#[source] io::Error),
    /// It failed.
    #[error("make disk image {}: {said}", path.display())]
    Failed {
        /// Which.
        path: PathBuf,
        /// Its words.
        said: String,
    },
    /// It did not end.
    #[error("make disk image {}: `{PROGRAM}` did not end within {} s", path.display(), PATIENCE.as_secs())]
    Slow {
        /// Which.
        path: PathBuf,
    },
}

/// Makes an empty qcow2 image, for a disk that is [kept](crate::Disk::kept).
///
/// # Errors
/// `qemu-img` is not there or fails.
pub async fn make_blank(image: &Path, size: Mebibytes, clock: &Clock) -> Result<(), ImageError> {
    make(image, &[], Some(format!("{}M", size.0)), clock).await
}

/// Makes a qcow2 image that holds what differs from `base`, which is never written to.
///
/// # Errors
/// `qemu-img` is not there or fails.
pub async fn make_overlay(
    image: &Path,
    base: &Path,
    format: Format,
    clock: &Clock,
) -> Result<(), ImageError> {
    let base = std::path::absolute(base).map_err(ImageError::Run)?;
    let base = base.display().to_string();
    make(image, &["-b", &base, "-F", format.name()], None, clock).await
}

/// Makes what a machine's own directory must hold.
pub(crate) async fn prepare(
    specification: &Specification,
    layout: &Layout,
    clock: &Clock,
) -> Result<(), ImageError> {
    let wish = specification.wish();
    for disk in &wish.disks {
        let image = layout.disk(&disk.name);
        match &disk.source {
            Source::Overlay { base, format } => make_overlay(&image, base, *format, clock).await?,
            Source::Blank(size) => make_blank(&image, *size, clock).await?,
            Source::Kept(_) | Source::Medium(_) => {}
        }
    }
    if let Boot::Uefi { variables, .. } = &wish.boot {
        make_overlay(&layout.disk(VARIABLES), variables, Format::Raw, clock).await?;
    }
    Ok(())
}

async fn make(image: &Path, base: &[&str], size: Option<String>, clock: &Clock) -> Result<(), ImageError> {
    let mut command = Command::new(PROGRAM);
    command.args(["create", "-q", "-f", "qcow2"]).args(base).arg(image).args(size);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let ended = clock.timeout(PATIENCE, command.output()).await;
    let output = ended.map_err(|_| ImageError::Slow { path: image.to_owned() })?.map_err(ImageError::Run)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().trim_start_matches("qemu-img: ").replace('\n', " | ");
    Err(ImageError::Failed { path: image.to_owned(), said })
}
