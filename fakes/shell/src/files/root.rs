//! A fresh root, as the image has it.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::Files;

/// Who the container is.
pub(crate) struct Identity<'a> {
    pub(crate) hostname: &'a str,
    pub(crate) ip: std::net::IpAddr,
    pub(crate) resolv_conf: &'a str,
    /// The programs of the image, by path.
    pub(crate) programs: &'a [String],
}

/// Makes the directories and files of the image and of the node.
pub(super) fn make(root: &Path, identity: &Identity<'_>) -> io::Result<()> {
    for directory in
        ["bin", "dev/shm", "etc", "proc/self", "root", "sys", "tmp", "usr/bin", "usr/local/bin", "var/run"]
    {
        fs::create_dir_all(root.join(directory))?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::set_permissions(root.join("dev/shm"), fs::Permissions::from_mode(0o1777))?;
    let hosts = format!(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n{}\t{}\n",
        identity.ip, identity.hostname
    );
    let hostname = format!("{}\n", identity.hostname);
    for (path, text) in [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("etc/group", "root:x:0:\n"),
        ("etc/hosts", &hosts),
        ("etc/hostname", &hostname),
        ("etc/resolv.conf", identity.resolv_conf),
        ("dev/null", ""),
        ("dev/zero", ""),
        ("dev/full", ""),
        ("dev/random", ""),
        ("dev/urandom", ""),
        ("proc/meminfo", ""),
        ("proc/uptime", ""),
        ("proc/mounts", ""),
        ("proc/self/mounts", ""),
    ] {
        fs::write(root.join(path), text)?;
    }
    let mut first: Option<&str> = None;
    for program in identity.programs {
        let path = root.join(program.trim_start_matches('/'));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match first {
            Some(first) => symlink(first, &path)?,
            None => {
                fs::write(&path, "")?;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
                first = program.rsplit('/').next();
            }
        }
    }
    Ok(())
}

/// Gives every mount a place in what it covers.
pub(super) fn mount_points(files: &Files) {
    for mount in &files.mounts {
        let inside = mount.path.to_string_lossy();
        let Ok(relative) = mount.path.strip_prefix("/") else { continue };
        let is_directory = mount.host.is_dir();
        // A mount inside of another lies in that one; where it cannot be made it is there, but not listed.
        let outer = mount.path.parent().and_then(|parent| {
            let parent = parent.to_string_lossy().into_owned();
            files.mount_of(&parent).map(|(outer, rest)| outer.host.join(rest))
        });
        let place = match (outer, inside.rsplit('/').next()) {
            (Some(outer), Some(name)) => outer.join(name),
            _ => files.root.join(relative),
        };
        if let Some(parent) = place.parent() {
            let _ = fs::create_dir_all(parent);
        }
        if is_directory {
            let _ = fs::create_dir_all(&place);
        } else if !place.exists() {
            let _ = fs::write(&place, "");
        }
    }
}
