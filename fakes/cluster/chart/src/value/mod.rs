//! The values that templates work on, with as much of Go's type system as templates can see.

pub(crate) mod convert;
pub(crate) mod display;
pub(crate) mod equal;
pub(crate) mod number;
pub(crate) mod printf;
pub(crate) mod text;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::capabilities::ClusterFacts;
use crate::functions::semver::Version;
use crate::functions::time::Moment;

/// A Go value. Maps are shared and can be changed in place, as Go's are; lists cannot.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// No value at all, what Go's reflection calls invalid; prints as `<no value>`.
    Invalid,
    /// A nil interface.
    Nil,
    Bool(bool),
    Int(i64),
    Int64(i64),
    Uint8(u8),
    Float(f64),
    Str(Rc<str>),
    Bytes(Rc<[u8]>),
    List(List),
    Map(Map),
    Time(Moment),
    /// Nanoseconds.
    Duration(i64),
    Version(Rc<Version>),
    Capabilities(Rc<ClusterFacts>),
    KubeVersion(Rc<ClusterFacts>),
    HelmVersion,
}

/// A slice.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) element: Element,
    /// `None` is Go's nil slice: empty, but `null` in JSON.
    pub(crate) items: Option<Rc<Vec<Value>>>,
}

/// The declared element type of a slice or map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Any,
    Str,
    Int,
    AnyList,
    /// Strings, in Helm's `common.VersionSet`.
    Versions,
}

/// A map with string keys; clones are the same map.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    kind: MapKind,
    cell: Rc<RefCell<BTreeMap<Rc<str>, Value>>>,
}

/// The Go type of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapKind {
    /// `map[string]interface {}`
    Any,
    /// The same, but nil.
    Nil,
    /// Helm's own `common.Values`.
    Values,
    /// `map[string]string`
    Strings,
    /// The chart's files.
    Files,
}

impl Map {
    pub(crate) fn new(kind: MapKind, entries: BTreeMap<Rc<str>, Value>) -> Self {
        Self { kind, cell: Rc::new(RefCell::new(entries)) }
    }

    pub(crate) fn empty() -> Self {
        Self::new(MapKind::Any, BTreeMap::new())
    }

    pub(crate) fn kind(&self) -> MapKind {
        self.kind
    }

    pub(crate) fn len(&self) -> usize {
        self.cell.borrow().len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cell.borrow().is_empty()
    }

    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        self.cell.borrow().get(key).cloned()
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.cell.borrow().contains_key(key)
    }

    pub(crate) fn insert(&self, key: impl Into<Rc<str>>, value: Value) {
        self.cell.borrow_mut().insert(key.into(), value);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.cell.borrow_mut().remove(key);
    }

    /// The entries as they are now, in the order of their keys.
    pub(crate) fn entries(&self) -> Vec<(Rc<str>, Value)> {
        self.cell.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    pub(crate) fn keys(&self) -> Vec<Rc<str>> {
        self.cell.borrow().keys().cloned().collect()
    }

    /// A new map with the same entries.
    pub(crate) fn copy(&self, kind: MapKind) -> Self {
        Self::new(kind, self.cell.borrow().clone())
    }

    /// Whether Go takes it where a `map[string]interface {}` is asked for.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.kind, MapKind::Any | MapKind::Nil | MapKind::Values)
    }

    /// Whether it is nil, as the annotations of a chart without any are too.
    pub(crate) fn is_null(&self) -> bool {
        match self.kind {
            MapKind::Nil => true,
            MapKind::Strings => self.is_empty(),
            _ => false,
        }
    }

    /// A nil map.
    pub(crate) fn nil() -> Self {
        Self::new(MapKind::Nil, BTreeMap::new())
    }

    /// The same map under another type.
    pub(crate) fn cast(&self, kind: MapKind) -> Self {
        Self { kind, cell: Rc::clone(&self.cell) }
    }

    /// What a missing key evaluates to.
    pub(crate) fn zero(&self) -> Value {
        match self.kind() {
            MapKind::Any | MapKind::Nil | MapKind::Values => Value::Nil,
            MapKind::Strings => Value::from(""),
            MapKind::Files => Value::Bytes(Rc::from([])),
        }
    }
}

impl List {
    pub(crate) fn new(element: Element, items: Vec<Value>) -> Self {
        Self { element, items: Some(Rc::new(items)) }
    }

    pub(crate) fn nil(element: Element) -> Self {
        Self { element, items: None }
    }

    pub(crate) fn as_slice(&self) -> &[Value] {
        self.items.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl Value {
    /// A `[]interface {}`.
    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(Element::Any, items))
    }

    /// A `[]string`.
    pub(crate) fn strings<S: Into<Rc<str>>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::List(List::new(Element::Str, items.into_iter().map(|item| Self::Str(item.into())).collect()))
    }

    /// Go's name of the type, as `%T` prints it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Invalid | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Uint8(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => match list.element {
                Element::Any => "[]interface {}",
                Element::Str => "[]string",
                Element::Int => "[]int",
                Element::AnyList => "[][]interface {}",
                Element::Versions => "common.VersionSet",
            },
            Self::Map(map) => match map.kind() {
                MapKind::Any | MapKind::Nil => "map[string]interface {}",
                MapKind::Values => "common.Values",
                MapKind::Strings => "map[string]string",
                MapKind::Files => "engine.files",
            },
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Version(_) => "*semver.Version",
            Self::Capabilities(_) => "*common.Capabilities",
            Self::KubeVersion(_) => "common.KubeVersion",
            Self::HelmVersion => "version.BuildInfo",
        }
    }

    /// Go's kind of the type.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Self::Invalid | Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) | Self::Duration(_) => "int64",
            Self::Uint8(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Bytes(_) | Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Version(_) | Self::Capabilities(_) => "ptr",
            Self::Time(_) | Self::KubeVersion(_) | Self::HelmVersion => "struct",
        }
    }

    /// Whether `if` takes it for true.
    pub(crate) fn truth(&self) -> bool {
        match self {
            Self::Invalid | Self::Nil => false,
            Self::Bool(flag) => *flag,
            Self::Int(number) | Self::Int64(number) | Self::Duration(number) => *number != 0,
            Self::Uint8(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(list) => !list.as_slice().is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Time(_)
            | Self::Version(_)
            | Self::Capabilities(_)
            | Self::KubeVersion(_)
            | Self::HelmVersion => true,
        }
    }

    pub(crate) fn is_nil(&self) -> bool {
        matches!(self, Self::Invalid | Self::Nil)
    }

    /// The elements of a slice, or nothing if it is none.
    pub(crate) fn elements(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(list) => Some(list.as_slice().to_vec()),
            Self::Bytes(bytes) => Some(bytes.iter().map(|byte| Self::Uint8(*byte)).collect()),
            _ => None,
        }
    }
}
