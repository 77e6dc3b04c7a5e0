//! A Helm chart renderer: Go templates with the functions that charts use.
//!
//! [`Chart`] is loaded from an archive, a directory or files and rendered with values as often as needed;
//! [`Rendered::text`] is what `helm template` prints. The functions that encrypt (`encryptAES`,
//! `decryptAES`, `derivePassword`) are known but fail when they are called.

mod capabilities;
mod chart;
mod engine;
mod files;
mod functions;
mod json;
mod lookup;
mod manifest;
mod release;
mod render;
mod schema;
mod template;
mod value;
mod values;
mod yaml;

pub use capabilities::Capabilities;
pub use chart::{Chart, File, LoadError};
pub use lookup::{Lookup, LookupError, NoCluster};
pub use manifest::{Hook, Manifest};
pub use release::{Action, Release};
pub use render::{RenderError, Rendered};
