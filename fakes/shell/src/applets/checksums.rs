//! Checksums and `base64`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

use super::Done;
use super::options::Options;
use super::plain::{contents, lines};
use crate::process::Process;

fn digest(name: &str, bytes: &[u8]) -> String {
    let sum: Vec<u8> = match name {
        "md5sum" => md5::Md5::digest(bytes).to_vec(),
        "sha1sum" => sha1::Sha1::digest(bytes).to_vec(),
        "sha512sum" => sha2::Sha512::digest(bytes).to_vec(),
        _ => sha2::Sha256::digest(bytes).to_vec(),
    };
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    let options = Options::read(process, name, "cdsw:b", args).await?;
    let (files, mut status) = contents(process, name, &options.rest_or("-")).await?;
    let mut out = String::new();
    for (path, bytes) in &files {
        if name == "base64" {
            if !options.has('d') {
                let text = STANDARD.encode(bytes);
                let width = options.value('w').and_then(|w| w.parse().ok()).unwrap_or(76);
                let chars: Vec<char> = text.chars().collect();
                for row in chars.chunks(if width == 0 { usize::MAX } else { width }) {
                    out.extend(row);
                    out.push_str(if width == 0 { "" } else { "\n" });
                }
                continue;
            }
            let text: String = String::from_utf8_lossy(bytes).split_whitespace().collect();
            match STANDARD.decode(text) {
                Ok(decoded) => process.out(decoded).await?,
                Err(_) => {
                    process.complain("base64: truncated input").await;
                    status = 1;
                }
            }
        } else if options.has('c') {
            for line in lines(bytes) {
                let Some((sum, checked)) = line.split_once("  ") else { continue };
                let same =
                    process.files().read(&process.cwd, checked).is_ok_and(|own| digest(name, &own) == sum);
                if !options.has('s') {
                    out.push_str(&format!("{checked}: {}\n", if same { "OK" } else { "FAILED" }));
                }
                status |= i32::from(!same);
            }
        } else {
            out.push_str(&format!("{}  {path}\n", digest(name, bytes)));
        }
    }
    process.out(out).await?;
    Ok(status)
}
