//! Which disk the machine is installed to where nobody has named one.

use serde_json::Value;

use super::talosctl::{As, Talosctl};
use crate::failure::{Failure, Layer};

/// The only disk that can be installed to.
///
/// # Errors
/// Where there is none, or more than one: an install deletes what is on it.
pub(super) async fn only_one(talosctl: &Talosctl, who: As) -> Result<String, Failure> {
    let failed = |operation: &str, remedy: &str| Failure::new(Layer::Host, operation, remedy);
    let remedy = "Name it: --install-disk /dev/sda.";
    let disks = talosctl.disks(who).await;
    let disks =
        disks.map_err(|answer| failed("list the machine's disks", remedy).because(answer.to_string()))?;
    let usable: Vec<&Value> = disks.iter().filter(|it| is_usable(&it["spec"])).collect();
    match usable.as_slice() {
        [disk] => Ok(path(disk)),
        [] => {
            let remedy = "Give the machine a disk of 10 GB or more; it is installed to that.";
            Err(failed("find a disk to install to", remedy)
                .because(format!("of {} disks none can be written", disks.len())))
        }
        several => {
            let names: Vec<String> = several.iter().map(|it| described(it)).collect();
            let remedy = "Choose one: --install-disk; everything on it is deleted.";
            Err(failed("choose a disk to install to", remedy)
                .because(format!("there are {}", names.join(", "))))
        }
    }
}

fn is_usable(spec: &Value) -> bool {
    let is = |key: &str| spec[key] == true;
    let path = spec["dev_path"].as_str().unwrap_or_default();
    !is("readonly")
        && !is("cdrom")
        && !["/dev/loop", "/dev/zram", "/dev/dm-", "/dev/md"].iter().any(|it| path.starts_with(it))
}

fn path(disk: &Value) -> String {
    disk["spec"]["dev_path"].as_str().unwrap_or_default().to_owned()
}

fn described(disk: &Value) -> String {
    let text = |key: &str| disk["spec"][key].as_str().unwrap_or_default();
    format!("{} ({})", text("dev_path"), text("pretty_size"))
}
