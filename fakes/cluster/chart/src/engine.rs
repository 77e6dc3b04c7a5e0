//! Renders the templates of a chart and its subcharts, each with values of its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::capabilities::Capabilities;
use crate::chart::active::Active;
use crate::files;
use crate::functions::World;
use crate::functions::time::Moment;
use crate::lookup::Lookup;
use crate::release::Release;
use crate::template::exec::execute;
use crate::template::failure::parse_message;
use crate::template::space::Space;
use crate::value::{Map, MapKind, Value, text};

/// A template and what it sees.
struct Renderable {
    text: String,
    scope: Map,
    base_path: String,
}

/// The texts of all templates, by their paths.
pub(crate) fn render(
    chart: &Active<'_>,
    values: &Map,
    release: &Release,
    capabilities: &Capabilities,
    lookup: &dyn Lookup,
) -> Result<BTreeMap<String, String>, String> {
    let mut templates = BTreeMap::new();
    let top = Map::empty();
    top.insert("Values", values.cast(MapKind::Values).into());
    top.insert("Release", release.fields().into());
    top.insert("Capabilities", Value::Capabilities(Rc::new(capabilities.facts())));
    collect(chart, &top, None, &mut templates);
    let world = World { now: Moment::utc(release.now), lookup, included: RefCell::new(HashMap::new()) };
    let space = Rc::new(Space::default());
    let paths = in_order(&templates);
    for path in &paths {
        space.add(path, &templates[*path].text).map_err(|error| parse_message(path, &error))?;
    }
    let mut rendered = BTreeMap::new();
    for path in paths {
        if is_partial(path) {
            continue;
        }
        let template = &templates[path];
        let about = Map::new(MapKind::Values, BTreeMap::new());
        about.insert("Name", path.as_str().into());
        about.insert("BasePath", template.base_path.as_str().into());
        template.scope.insert("Template", about.into());
        let out = execute(&world, &space, path, template.scope.cast(MapKind::Values).into())
            .map_err(|failure| failure.message(path))?;
        rendered.insert(path.clone(), out.replace("<no value>", ""));
    }
    Ok(rendered)
}

/// Whether a file only holds definitions for others.
pub(crate) fn is_partial(path: &str) -> bool {
    crate::functions::base_name(path).starts_with('_')
}

/// The deepest first, and among those of one depth the last first.
fn in_order(templates: &BTreeMap<String, Renderable>) -> Vec<&String> {
    let mut paths: Vec<&String> = templates.keys().collect();
    paths.sort_by_key(|path| std::cmp::Reverse((path.matches('/').count(), *path)));
    paths
}

/// Puts the templates of a chart into the collection; the result is what they see.
fn collect(
    chart: &Active<'_>,
    outer: &Map,
    parent: Option<&str>,
    templates: &mut BTreeMap<String, Renderable>,
) -> Map {
    let about = chart.metadata.fields();
    about.insert("IsRoot", Value::Bool(parent.is_none()));
    let subcharts = Map::empty();
    let scope = Map::empty();
    scope.insert("Chart", about.into());
    scope.insert("Files", files::value(&chart.chart.files));
    for shared in ["Release", "Capabilities"] {
        scope.insert(shared, outer.get(shared).unwrap_or(Value::Nil));
    }
    scope.insert("Values", own_values(chart, outer, parent));
    scope.insert("Subcharts", subcharts.clone().into());
    let path = match parent {
        Some(parent) => format!("{parent}/charts/{}", chart.name()),
        None => chart.name().to_owned(),
    };
    for sub in &chart.dependencies {
        let seen = collect(sub, &scope, Some(&path), templates);
        subcharts.insert(sub.name(), seen.into());
    }
    let is_library = chart.metadata.kind.eq_ignore_ascii_case("library");
    for file in &chart.chart.templates {
        if is_library && !is_partial(&file.name) {
            continue;
        }
        let renderable = Renderable {
            text: text::from_bytes(&file.data),
            scope: scope.clone(),
            base_path: format!("{path}/templates"),
        };
        templates.insert(format!("{path}/{}", file.name), renderable);
    }
    scope
}

/// The values of a chart: all of them, or those below a subchart's name.
fn own_values(chart: &Active<'_>, outer: &Map, parent: Option<&str>) -> Value {
    let values = outer.get("Values").unwrap_or(Value::Nil);
    if parent.is_none() {
        return values;
    }
    let own = match &values {
        Value::Map(values) => crate::values::path::table(values, chart.name()),
        _ => None,
    };
    own.map_or_else(|| Map::new(MapKind::Values, BTreeMap::new()), |own| own.cast(MapKind::Values)).into()
}
