//! Schemas of lists.

use serde_json::Value as Json;

use super::validate::{Check, equal};
use super::wording::count;

impl Check<'_, '_> {
    pub(super) fn array(&mut self, items: &[Json]) {
        self.at_least("minItems", items.len());
        self.at_most("maxItems", items.len());
        if self.keyword("uniqueItems") == Some(&Json::Bool(true))
            && let Some((first, second)) = duplicates(items)
        {
            self.say(format!("items at {} and {} are equal", count(first), count(second)));
        }
        let (first, others) = if self.root.draft >= 2020 {
            (self.list("prefixItems"), self.keyword("items"))
        } else if self.keyword("items").is_some_and(Json::is_array) {
            (self.list("items"), self.keyword("additionalItems"))
        } else {
            (self.list(""), self.keyword("items"))
        };
        for (index, (schema, item)) in first.iter().zip(items).enumerate() {
            self.ask_about(schema, item, &index.to_string());
        }
        let rest = items.len().saturating_sub(first.len());
        if self.root.draft < 2020 && !first.is_empty() && others == Some(&Json::Bool(false)) {
            if rest > 0 {
                self.say(format!("last {} additionalItem(s) not allowed", count(rest)));
            }
        } else if let Some(schema) = others {
            for (index, item) in items.iter().enumerate().skip(first.len()) {
                self.ask_about(schema, item, &index.to_string());
            }
        }
        self.contains(items);
    }

    fn contains(&mut self, items: &[Json]) {
        let Some(schema) = self.keyword("contains").filter(|_| self.root.draft > 4) else {
            return;
        };
        let mut refused = Vec::new();
        let mut matched: Vec<usize> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match self.about(schema, item, &index.to_string()) {
                Ok(()) => {
                    matched.push(index);
                    if self.root.draft >= 2020 {
                        self.unevaluated.evaluate_item(index);
                    }
                }
                Err(violation) => refused.push(violation),
            }
        }
        let bound = |name: &str| self.limit(name).filter(|_| self.root.draft >= 2019);
        let (least, most) = (bound("minContains"), bound("maxContains"));
        let shown = || matched.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        match least {
            Some(least) if matched.is_empty() && least > 0 => {
                let text =
                    format!("min {} items required to match contains schema, but none matched", count(least));
                self.say_because(&text, refused);
            }
            Some(least) if matched.len() < least => {
                let found = format!("matched {} items at {}", count(matched.len()), shown());
                let text =
                    format!("min {} items required to match contains schema, but {found}", count(least));
                self.say_because(&text, refused);
            }
            None if matched.is_empty() => self.say_because("no items match contains schema", refused),
            _ => {}
        }
        if let Some(most) = most.filter(|most| matched.len() > *most) {
            let found = format!("matched {} items at {}", count(matched.len()), shown());
            self.say(format!("max {} items required to match contains schema, but {found}", count(most)));
        }
    }
}

fn duplicates(items: &[Json]) -> Option<(usize, usize)> {
    let mut pairs = (1..items.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
    pairs.find(|(first, second)| equal(&items[*first], &items[*second]))
}
