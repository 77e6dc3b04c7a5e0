//! `Chart.yaml`.

use crate::functions::semver::Version;
use crate::value::number::format_g;
use crate::value::{Map, MapKind, Value, display};
use crate::yaml::unmarshal_whole;

/// What a chart says about itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) api_version: String,
    pub(crate) app_version: String,
    pub(crate) kube_version: String,
    pub(crate) kind: String,
    description: String,
    home: String,
    icon: String,
    condition: String,
    tags: String,
    deprecated: bool,
    sources: Vec<String>,
    keywords: Vec<String>,
    maintainers: Vec<[String; 3]>,
    annotations: Vec<(String, String)>,
    /// `None` is different from empty: nothing below such a chart is switched on or off.
    pub(crate) dependencies: Option<Vec<Dependency>>,
}

/// A subchart that a chart asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) repository: String,
    pub(crate) condition: String,
    pub(crate) tags: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) import_values: Vec<Import>,
    pub(crate) alias: String,
}

/// Values of a subchart that its parent takes over.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) child: String,
    pub(crate) parent: String,
}

/// A text that JSON would make of a plain value.
fn text_of(value: &Value) -> String {
    match value {
        Value::Str(text) => text.as_ref().into(),
        Value::Int64(number) => number.to_string(),
        Value::Float(number) => {
            let short: f64 = format!("{}", *number as f32).parse().unwrap_or(*number);
            format_g(short)
        }
        Value::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}

/// Spaces of any kind become spaces, what cannot be printed goes.
fn sanitize(text: &str) -> String {
    text.chars()
        .filter_map(|character| match character {
            _ if character.is_whitespace() => Some(' '),
            _ if display::is_printable(character) => Some(character),
            _ => None,
        })
        .collect()
}

struct Fields<'a>(&'a Map);

impl Fields<'_> {
    fn get(&self, key: &str) -> Option<Value> {
        let exact = self.0.get(key);
        exact.or_else(|| {
            self.0
                .entries()
                .into_iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(key))
                .map(|(_, value)| value)
        })
    }

    fn text(&self, key: &str) -> String {
        self.get(key).map_or(String::new(), |value| sanitize(&text_of(&value)))
    }

    fn texts(&self, key: &str) -> Vec<String> {
        let items = self.get(key).and_then(|value| value.elements()).unwrap_or_default();
        items.iter().map(|item| sanitize(&text_of(item))).collect()
    }

    fn maps(&self, key: &str) -> Option<Vec<Map>> {
        let items = self.get(key)?.elements()?;
        Some(
            items
                .into_iter()
                .filter_map(|item| if let Value::Map(map) = item { Some(map) } else { None })
                .collect(),
        )
    }
}

impl Metadata {
    /// Adds what a file says, `Chart.yaml` or the older `requirements.yaml`.
    pub(crate) fn read(&mut self, file: &str, source: &str) -> Result<(), String> {
        let cannot = |error: String| format!("cannot load {file}: {error}");
        let map = match unmarshal_whole(source).map_err(cannot)? {
            Value::Map(map) => map,
            Value::Nil => return Ok(()),
            _ => {
                return Err(cannot(
                    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type v2.Metadata".into(),
                ));
            }
        };
        let fields = Fields(&map);
        if let Some(dependencies) = fields.maps("dependencies") {
            self.dependencies = Some(dependencies.iter().map(Dependency::read).collect());
        }
        if file != "Chart.yaml" {
            return Ok(());
        }
        self.name = fields.text("name");
        self.version = fields.text("version");
        self.api_version = fields.text("apiVersion");
        if self.api_version.is_empty() {
            self.api_version = "v1".into();
        }
        self.app_version = fields.text("appVersion");
        self.kube_version = fields.text("kubeVersion");
        self.kind = fields.text("type");
        self.description = fields.text("description");
        self.home = fields.text("home");
        self.icon = fields.text("icon");
        self.condition = fields.text("condition");
        self.tags = fields.text("tags");
        self.deprecated = matches!(fields.get("deprecated"), Some(Value::Bool(true)));
        self.sources = fields.texts("sources");
        self.keywords = fields.texts("keywords");
        let maintainers = fields.maps("maintainers").unwrap_or_default();
        self.maintainers = maintainers
            .iter()
            .map(|maintainer| ["name", "email", "url"].map(|key| Fields(maintainer).text(key)))
            .collect();
        if let Some(Value::Map(annotations)) = fields.get("annotations") {
            let entries = annotations.entries();
            self.annotations =
                entries.iter().map(|(key, value)| (key.as_ref().into(), text_of(value))).collect();
        }
        Ok(())
    }

    /// Whether Helm would take it.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let fail = |reason: String| Err(format!("validation: {reason}"));
        if !matches!(self.api_version.as_str(), "v1" | "v2") {
            return Err("invalid chart apiVersion".into());
        }
        if self.name.is_empty() {
            return fail("chart.metadata.name is required".into());
        }
        if self.name == "." || self.name == ".." {
            return fail(format!("chart.metadata.name {} is not allowed", display::quote(&self.name)));
        }
        if self.name.contains('/') {
            return fail(format!("chart.metadata.name {} is invalid", display::quote(&self.name)));
        }
        if self.version.is_empty() {
            return fail("chart.metadata.version is required".into());
        }
        if Version::parse(&self.version).is_err() {
            return fail(format!("chart.metadata.version {} is invalid", display::quote(&self.version)));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return fail("chart.metadata.type must be application or library".into());
        }
        let mut seen: Vec<&str> = Vec::new();
        for dependency in self.dependencies.iter().flatten() {
            let is_legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
            if !dependency.alias.chars().all(is_legal) {
                let name = display::quote(&dependency.name);
                return fail(format!("dependency {name} has disallowed characters in the alias"));
            }
            let key = dependency.key();
            if seen.contains(&key) {
                return fail(format!("more than one dependency with name or alias {}", display::quote(key)));
            }
            seen.push(key);
        }
        Ok(())
    }

    /// The `.Chart` of templates.
    pub(crate) fn fields(&self) -> Map {
        let fields = Map::empty();
        let texts = [
            ("Name", &self.name),
            ("Home", &self.home),
            ("Version", &self.version),
            ("Description", &self.description),
            ("Icon", &self.icon),
            ("APIVersion", &self.api_version),
            ("Condition", &self.condition),
            ("Tags", &self.tags),
            ("AppVersion", &self.app_version),
            ("KubeVersion", &self.kube_version),
            ("Type", &self.kind),
        ];
        for (key, text) in texts {
            fields.insert(key, text.as_str().into());
        }
        fields.insert("Deprecated", Value::Bool(self.deprecated));
        fields.insert("Sources", list(&self.sources));
        fields.insert("Keywords", list(&self.keywords));
        let maintainers = self.maintainers.iter().map(|[name, email, url]| {
            let maintainer = Map::empty();
            maintainer.insert("Name", name.as_str().into());
            maintainer.insert("Email", email.as_str().into());
            maintainer.insert("URL", url.as_str().into());
            maintainer.into()
        });
        fields.insert("Maintainers", Value::list(maintainers.collect()));
        let annotations = self
            .annotations
            .iter()
            .map(|(key, value)| (key.as_str().into(), value.as_str().into()))
            .collect();
        fields.insert("Annotations", Map::new(MapKind::Strings, annotations).into());
        let dependencies = self.dependencies.iter().flatten().map(|dependency| dependency.fields().into());
        fields.insert("Dependencies", Value::list(dependencies.collect()));
        fields
    }
}

fn list(texts: &[String]) -> Value {
    Value::list(texts.iter().map(|text| text.as_str().into()).collect())
}

impl Dependency {
    fn read(map: &Map) -> Self {
        let fields = Fields(map);
        let imports = fields.get("import-values").and_then(|value| value.elements()).unwrap_or_default();
        Self {
            name: fields.text("name"),
            version: fields.text("version"),
            repository: fields.text("repository"),
            condition: fields.text("condition"),
            tags: fields.texts("tags"),
            enabled: matches!(fields.get("enabled"), Some(Value::Bool(true))),
            import_values: imports.iter().filter_map(Import::read).collect(),
            alias: fields.text("alias"),
        }
    }

    /// The name under which the parent knows it.
    pub(crate) fn key(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }

    fn fields(&self) -> Map {
        let fields = Map::empty();
        let texts = [
            ("Name", &self.name),
            ("Version", &self.version),
            ("Repository", &self.repository),
            ("Condition", &self.condition),
            ("Alias", &self.alias),
        ];
        for (key, text) in texts {
            fields.insert(key, text.as_str().into());
        }
        fields.insert("Tags", list(&self.tags));
        fields.insert("Enabled", Value::Bool(self.enabled));
        let imports = self.import_values.iter().map(|import| {
            let texts = [("child", &import.child), ("parent", &import.parent)];
            let entries = texts.into_iter().map(|(key, text)| (key.into(), text.as_str().into())).collect();
            Map::new(MapKind::Strings, entries).into()
        });
        fields.insert("ImportValues", Value::list(imports.collect()));
        fields
    }
}

impl Import {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Str(name) => Some(Self { child: format!("exports.{name}"), parent: ".".into() }),
            Value::Map(map) => {
                let part = |key: &str| map.get(key).map_or("<nil>".into(), |value| display::plain(&value));
                Some(Self { child: part("child"), parent: part("parent") })
            }
            _ => None,
        }
    }
}
