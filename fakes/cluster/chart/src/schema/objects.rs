//! Schemas of maps.

use serde_json::{Map, Value as Json};

use super::validate::Check;
use super::wording::{count, quote, quote_all};
use super::{Kind, Violation};
use crate::functions::go_regex;

/// The names among these that a map lacks.
fn missing<'s>(entries: &Map<String, Json>, names: &'s [Json]) -> Vec<&'s str> {
    names.iter().filter_map(Json::as_str).filter(|name| !entries.contains_key(*name)).collect()
}

impl Check<'_, '_> {
    pub(super) fn at_least(&mut self, name: &str, found: usize) {
        if let Some(wanted) = self.limit(name)
            && found < wanted
        {
            self.say(format!("{name}: got {}, want {}", count(found), count(wanted)));
        }
    }

    pub(super) fn at_most(&mut self, name: &str, found: usize) {
        if let Some(wanted) = self.limit(name)
            && found > wanted
        {
            self.say(format!("{name}: got {}, want {}", count(found), count(wanted)));
        }
    }

    pub(super) fn object(&mut self, entries: &Map<String, Json>) {
        self.at_least("minProperties", entries.len());
        self.at_most("maxProperties", entries.len());
        let names = missing(entries, self.list("required"));
        match names.as_slice() {
            [] => {}
            [only] => self.say(format!("missing property {}", quote(only))),
            _ => self.say(format!("missing properties {}", quote_all(names))),
        }
        self.dependencies(entries, "dependencies");
        self.properties(entries);
        self.property_names(entries);
        if self.root.draft >= 2019 {
            self.dependencies(entries, "dependentSchemas");
            self.dependencies(entries, "dependentRequired");
        }
    }

    fn dependencies(&mut self, entries: &Map<String, Json>, keyword: &str) {
        let Some(dependencies) = self.keyword(keyword).and_then(Json::as_object) else {
            return;
        };
        for (name, wanted) in dependencies.iter().filter(|(name, _)| entries.contains_key(*name)) {
            match wanted {
                Json::Array(wanted) => {
                    let names = missing(entries, wanted);
                    if !names.is_empty() {
                        self.say(format!(
                            "properties {} required, if {} exists",
                            quote_all(names),
                            quote(name)
                        ));
                    }
                }
                schema => {
                    let answer = self.ask(schema);
                    self.violations.extend(answer.err());
                }
            }
        }
    }

    fn properties(&mut self, entries: &Map<String, Json>) {
        let named = self.keyword("properties").and_then(Json::as_object);
        let patterns: Vec<_> = self
            .keyword("patternProperties")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(pattern, schema)| Some((go_regex(pattern)?, schema)))
            .collect();
        let mut extra = Vec::new();
        for (name, value) in entries {
            let own = named.and_then(|named| named.get(name)).into_iter();
            let fitting =
                patterns.iter().filter(|(regex, _)| regex.is_match(name)).map(|(_, schema)| *schema);
            let mut schemas: Vec<&Json> = own.chain(fitting).collect();
            if schemas.is_empty() {
                schemas.extend(self.keyword("additionalProperties"));
                if schemas == [&Json::Bool(false)] {
                    extra.push(name.as_str());
                    schemas = vec![&Json::Bool(true)];
                }
            }
            if !schemas.is_empty() {
                self.unevaluated.evaluate_property(name);
            }
            for schema in schemas {
                self.ask_about(schema, value, name);
            }
        }
        if !extra.is_empty() {
            self.say(format!("additional properties {} not allowed", quote_all(extra)));
        }
    }

    fn property_names(&mut self, entries: &Map<String, Json>) {
        let Some(schema) = self.keyword("propertyNames").filter(|_| self.root.draft > 4) else {
            return;
        };
        for name in entries.keys() {
            let text = Json::String(name.clone());
            if let Err(violation) = self.root.verdict(schema, &text, &[], &Default::default()) {
                let causes: Vec<Violation> =
                    if violation.kind == Kind::Group { violation.causes } else { vec![violation] };
                self.say_because(&format!("invalid propertyName {}", quote(name)), causes);
            }
        }
    }
}
