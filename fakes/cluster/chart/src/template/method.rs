//! Methods and fields of the values that are more than data.

use std::rc::Rc;

use crate::files;
use crate::functions::Param::{Any, Str, Time};
use crate::functions::{Function, Outcome, text};
use crate::value::{Element, List, MapKind, Value};
use crate::values::path;

/// Methods of a type; the receiver is the first value.
type Methods = &'static [Function];

const FILES: Methods = &[
    Function::new("Get", &[Str], |values| Ok(files::get(&values[0], text(&values[1])))),
    Function::new("GetBytes", &[Str], |values| Ok(files::get_bytes(&values[0], text(&values[1])))),
    Function::new("Glob", &[Str], |values| Ok(files::glob(&values[0], text(&values[1])))),
    Function::new("Lines", &[Str], |values| Ok(files::lines(&values[0], text(&values[1])))),
    Function::new("AsConfig", &[], |values| Ok(files::as_config(&values[0]))),
    Function::new("AsSecrets", &[], |values| Ok(files::as_secrets(&values[0]))),
];

const VALUES: Methods = &[
    Function::new("AsMap", &[], |values| match &values[0] {
        Value::Map(map) => Ok(map.cast(MapKind::Any).into()),
        other => Ok(other.clone()),
    }),
    Function::new("YAML", &[], |values| Ok(crate::yaml::marshal(&values[0]).into())),
    Function::new("Table", &[Str], |values| match &values[0] {
        Value::Map(map) => match path::table(map, text(&values[1])) {
            Some(table) => Ok(table.cast(MapKind::Values).into()),
            None => Err(format!("{} is not a table", crate::value::display::quote(text(&values[1]))).into()),
        },
        other => Ok(other.clone()),
    }),
    Function::new("PathValue", &[Str], |values| match &values[0] {
        Value::Map(map) => match path::leaf(map, text(&values[1])) {
            Some(value) => Ok(value),
            None => Err(format!("{} is not a value", crate::value::display::quote(text(&values[1]))).into()),
        },
        other => Ok(other.clone()),
    }),
];

const VERSION_SET: Methods = &[Function::new("Has", &[Str], |values| {
    let wanted = text(&values[1]);
    let found = values[0].elements().unwrap_or_default().iter().any(|version| text(version) == wanted);
    Ok(Value::Bool(found))
})];

const KUBE_VERSION: Methods = &[
    Function::new("String", &[], |values| match &values[0] {
        Value::KubeVersion(facts) => Ok(facts.normalized.as_str().into()),
        other => Ok(other.clone()),
    }),
    Function::new("GitVersion", &[], |values| match &values[0] {
        Value::KubeVersion(facts) => Ok(facts.version.as_str().into()),
        other => Ok(other.clone()),
    }),
];

const VERSION: Methods = &[
    Function::new("Major", &[], |values| version(values, |version| Value::Int64(version.major as i64))),
    Function::new("Minor", &[], |values| version(values, |version| Value::Int64(version.minor as i64))),
    Function::new("Patch", &[], |values| version(values, |version| Value::Int64(version.patch as i64))),
    Function::new("Prerelease", &[], |values| version(values, |version| version.pre.as_str().into())),
    Function::new("Metadata", &[], |values| version(values, |version| version.metadata.as_str().into())),
    Function::new("Original", &[], |values| version(values, |version| version.original.as_str().into())),
    Function::new("String", &[], |values| version(values, |version| version.to_string().into())),
    Function::new("Compare", &[Any], |values| match (&values[0], &values[1]) {
        (Value::Version(left), Value::Version(right)) => Ok(Value::Int(left.compare(right) as i64)),
        _ => Err("Compare wants versions".into()),
    }),
];

const TIME: Methods = &[
    Function::new("Format", &[Str], |values| {
        time(values, |moment, values| moment.format(text(&values[1])).into())
    }),
    Function::new("String", &[], |values| time(values, |moment, _| moment.display().into())),
    Function::new("Unix", &[], |values| time(values, |moment, _| Value::Int64(moment.timestamp.as_second()))),
    Function::new("UnixNano", &[], |values| {
        time(values, |moment, _| Value::Int64(moment.timestamp.as_nanosecond() as i64))
    }),
    Function::new("UnixMilli", &[], |values| {
        time(values, |moment, _| Value::Int64(moment.timestamp.as_millisecond()))
    }),
    Function::new("UTC", &[], |values| time(values, |moment, _| Value::Time(moment.within("UTC")))),
    Function::new("Local", &[], |values| time(values, |moment, _| Value::Time(moment.within("Local")))),
    Function::new("Year", &[], |values| time_number(values, "2006")),
    Function::new("Day", &[], |values| time_number(values, "2")),
    Function::new("Hour", &[], |values| time_number(values, "15")),
    Function::new("Minute", &[], |values| time_number(values, "4")),
    Function::new("Second", &[], |values| time_number(values, "5")),
    Function::new("YearDay", &[], |values| time_number(values, "002")),
    Function::new("IsZero", &[], |values| {
        time(values, |moment, _| Value::Bool(*moment == crate::functions::time::Moment::zero()))
    }),
    Function::new("Sub", &[Time], |values| match (&values[0], &values[1]) {
        (Value::Time(left), Value::Time(right)) => {
            Ok(Value::Duration((left.timestamp.as_nanosecond() - right.timestamp.as_nanosecond()) as i64))
        }
        _ => Err("Sub wants times".into()),
    }),
    Function::new("Before", &[Time], |values| match (&values[0], &values[1]) {
        (Value::Time(left), Value::Time(right)) => Ok(Value::Bool(left.timestamp < right.timestamp)),
        _ => Err("Before wants times".into()),
    }),
    Function::new("After", &[Time], |values| match (&values[0], &values[1]) {
        (Value::Time(left), Value::Time(right)) => Ok(Value::Bool(left.timestamp > right.timestamp)),
        _ => Err("After wants times".into()),
    }),
];

const DURATION: Methods = &[
    Function::new("String", &[], |values| Ok(crate::value::display::plain(&values[0]).into())),
    Function::new("Seconds", &[], |values| duration(values, 1e9)),
    Function::new("Minutes", &[], |values| duration(values, 6e10)),
    Function::new("Hours", &[], |values| duration(values, 3.6e12)),
    Function::new("Milliseconds", &[], |values| duration_whole(values, 1_000_000)),
    Function::new("Microseconds", &[], |values| duration_whole(values, 1_000)),
    Function::new("Nanoseconds", &[], |values| duration_whole(values, 1)),
];

fn version(values: &[Value], part: fn(&crate::functions::semver::Version) -> Value) -> Outcome {
    match &values[0] {
        Value::Version(version) => Ok(part(version)),
        other => Ok(other.clone()),
    }
}

fn time(values: &[Value], part: fn(&crate::functions::time::Moment, &[Value]) -> Value) -> Outcome {
    match &values[0] {
        Value::Time(moment) => Ok(part(moment, values)),
        other => Ok(other.clone()),
    }
}

fn time_number(values: &[Value], layout: &str) -> Outcome {
    match &values[0] {
        Value::Time(moment) => Ok(Value::Int(moment.format(layout).parse().unwrap_or(0))),
        other => Ok(other.clone()),
    }
}

fn duration(values: &[Value], unit: f64) -> Outcome {
    match &values[0] {
        Value::Duration(nanos) => Ok(Value::Float(*nanos as f64 / unit)),
        other => Ok(other.clone()),
    }
}

fn duration_whole(values: &[Value], unit: i64) -> Outcome {
    match &values[0] {
        Value::Duration(nanos) => Ok(Value::Int64(nanos / unit)),
        other => Ok(other.clone()),
    }
}

/// The method of a name.
pub(crate) fn find(receiver: &Value, name: &str) -> Option<&'static Function> {
    let methods = match receiver {
        Value::Map(map) if map.kind() == MapKind::Files => FILES,
        Value::Map(map) if map.kind() == MapKind::Values => VALUES,
        Value::List(List { element: Element::Versions, .. }) => VERSION_SET,
        Value::KubeVersion(_) => KUBE_VERSION,
        Value::Version(_) => VERSION,
        Value::Time(_) => TIME,
        Value::Duration(_) => DURATION,
        _ => return None,
    };
    methods.iter().find(|method| method.name == name)
}

/// The field of a struct.
pub(crate) fn struct_field(receiver: &Value, name: &str) -> Option<Value> {
    match (receiver, name) {
        (Value::Capabilities(facts), "KubeVersion") => Some(Value::KubeVersion(Rc::clone(facts))),
        (Value::Capabilities(facts), "APIVersions") => Some(facts.version_set()),
        (Value::Capabilities(_), "HelmVersion") => Some(Value::HelmVersion),
        (Value::KubeVersion(facts), "Version") => Some(facts.version.as_str().into()),
        (Value::KubeVersion(facts), "Major") => Some(facts.major.as_str().into()),
        (Value::KubeVersion(facts), "Minor") => Some(facts.minor.as_str().into()),
        (Value::HelmVersion, "Version") => Some(crate::value::display::HELM_VERSION.version.into()),
        (Value::HelmVersion, "GoVersion") => Some(crate::value::display::HELM_VERSION.go_version.into()),
        (Value::HelmVersion, "KubeClientVersion") => {
            Some(crate::value::display::HELM_VERSION.client_version.into())
        }
        (Value::HelmVersion, "GitCommit" | "GitTreeState") => Some("".into()),
        _ => None,
    }
}
