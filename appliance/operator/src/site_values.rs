//! Values that a site keeps for itself: `<config-dir>/<site-id>/values/<release>.yaml`, merged over the profile's.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use appliance_status_model::RELEASES;
use serde_json::{Value, json};

use crate::failure::{Failure, Layer};

/// Head of the names of the ConfigMaps.
pub(crate) const PREFIX: &str = "appliance-site-values-";
/// What fits into a ConfigMap beside its frame.
const LONGEST: usize = 1_000_000;

/// The site's own values of one release.
#[derive(Clone, Debug)]
pub(crate) struct SiteValues {
    pub(crate) release: &'static str,
    pub(crate) path: PathBuf,
    text: String,
    values: Value,
}

impl SiteValues {
    /// The ConfigMap that hands them to Flux.
    pub(crate) fn config_map(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": format!("{PREFIX}{}", self.release), "namespace": "alga-system" },
            "data": { "values.yaml": self.text },
        })
    }

    /// The text at that path of the values.
    pub(crate) fn text_at(&self, pointer: &str) -> Option<&str> {
        self.values.pointer(pointer)?.as_str().filter(|it| !it.is_empty())
    }
}

/// Everything that the site keeps, all of it checked; a site that keeps nothing has no folder.
pub(crate) fn read(site_directory: &Path) -> Result<Vec<SiteValues>, Failure> {
    let folder = site_directory.join("values");
    let unreadable = |error: std::io::Error| {
        usage(format!("read the site's values in {}", folder.display()), "Make the folder readable.")
            .because(error)
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut paths = entries
        .map(|entry| entry.map(|it| it.path()))
        .collect::<Result<Vec<PathBuf>, _>>()
        .map_err(unreadable)?;
    paths.sort();
    paths.retain(|path| !file_name(path).starts_with('.'));
    paths.into_iter().map(one).collect()
}

fn one(path: PathBuf) -> Result<SiteValues, Failure> {
    let release = release_of(&path)?;
    let bytes = fs::read(&path).map_err(|error| {
        usage(format!("read {}", path.display()), "Make the file readable.").because(error)
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|error| usage(format!("read {}", path.display()), "Save it as UTF-8.").because(error))?;
    if text.len() > LONGEST {
        let remedy = format!("Shorten it to {LONGEST} bytes; it becomes a ConfigMap.");
        return Err(usage(format!("{} has {} bytes", path.display(), text.len()), remedy));
    }
    let values = parse(&text).map_err(|(line, why)| {
        usage(format!("{}:{line}: {why}", path.display()), "Repair the file; nothing was changed.")
    })?;
    Ok(SiteValues { release, path, text, values })
}

/// The release whose values a file holds, by its name.
fn release_of(path: &Path) -> Result<&'static str, Failure> {
    let name = file_name(path);
    let stem = name.strip_suffix(".yaml");
    if let Some(release) = RELEASES.iter().find(|it| stem == Some(it.name)) {
        return Ok(release.name);
    }
    let meant = RELEASES
        .iter()
        .map(|it| (strsim::jaro_winkler(name.split('.').next().unwrap_or(&name), it.name), it.name))
        .filter(|(likeness, _)| *likeness >= 0.78)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let meant = meant.map(|(_, name)| format!("; did you mean {name}.yaml?")).unwrap_or_default();
    let known: Vec<String> = RELEASES.iter().map(|it| format!("{}.yaml", it.name)).collect();
    let operation = format!("{} is not named after a release{meant}", path.display());
    Err(usage(operation, format!("Files of that folder are called {}.", known.join(", "))))
}

/// A map, or nothing at all; otherwise the line and what is wrong with it.
fn parse(text: &str) -> Result<Value, (u64, String)> {
    match serde_saphyr::from_str::<Value>(text) {
        Ok(values) if values.is_object() || values.is_null() => Ok(values),
        Ok(_) => Err((first_line(text), "values are a map of names to values".into())),
        Err(error) => {
            let line = error.location().map_or(1, |it| it.line());
            let words = error.without_snippet().to_string();
            let words = words.lines().next().unwrap_or_default();
            let words = words.split(" at line ").next().unwrap_or_default().trim_start_matches("error: ");
            Err((line, format!("this is not YAML: {words}")))
        }
    }
}

/// Where the content begins.
fn first_line(text: &str) -> u64 {
    let is_content = |line: &str| !line.trim().is_empty() && !line.starts_with(['#', '%']) && line != "---";
    (1..).zip(text.lines()).find(|(_, line)| is_content(line)).map_or(1, |(at, _)| at)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn usage(operation: impl Into<String>, remedy: impl Into<String>) -> Failure {
    Failure::new(Layer::Usage, operation, remedy)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{parse, read, release_of};

    #[test]
    fn a_site_without_a_folder_keeps_nothing() {
        assert!(read(Path::new("/nowhere/at/all")).unwrap().is_empty());
    }

    #[test]
    fn every_file_becomes_a_config_map_with_its_text_as_it_is() {
        let site = tempfile::tempdir().unwrap();
        fs::create_dir(site.path().join("values")).unwrap();
        let text = "# ours\nappUrl: \"https://psa.example.com\"\n";
        fs::write(site.path().join("values/alga-core.yaml"), text).unwrap();
        fs::write(site.path().join("values/.swp"), "{").unwrap();
        let found = read(site.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text_at("/appUrl"), Some("https://psa.example.com"));
        let map = found[0].config_map();
        assert_eq!(map["metadata"]["name"], "appliance-site-values-alga-core");
        assert_eq!(map["data"]["values.yaml"], text);
    }

    #[test]
    fn a_name_that_is_no_release_is_told_with_the_one_that_was_meant() {
        let told = |name: &str| release_of(&Path::new("/site/values").join(name)).unwrap_err().to_string();
        let slip = told("pgbuoncer.yaml");
        assert_eq!(
            slip,
            "/site/values/pgbuoncer.yaml is not named after a release; did you mean pgbouncer.yaml?"
        );
        assert!(told("alga-core.yml").ends_with("did you mean alga-core.yaml?"));
        assert!(told("alga-core.yaml.orig").ends_with("did you mean alga-core.yaml?"));
        assert!(told("notes").ends_with("is not named after a release"));
    }

    #[test]
    fn text_that_is_no_map_is_told_with_its_line() {
        assert_eq!(parse("a: 1\nb: [1\nc: 2\n").unwrap_err().0, 3);
        assert_eq!(parse("# ours\n- a\n").unwrap_err().0, 2);
        assert_eq!(parse("a: 1\na: 2\n").unwrap_err().0, 2);
        assert!(parse("a: 1\n---\nb: 2\n").is_err());
        assert!(parse("# nothing yet\n").unwrap().is_null());
    }
}
