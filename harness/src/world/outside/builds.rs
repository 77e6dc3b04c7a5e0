//! Builds that their publisher should not have published.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// What is wrong with the builds that are published, by image and variable.
#[derive(Debug, Default)]
pub(in crate::world) struct Builds(RefCell<BTreeMap<String, BTreeMap<String, String>>>);

impl Builds {
    /// From now on this is wrong with an image, besides what was.
    pub(in crate::world) fn spoil(&self, image: &str, variable: String, value: String) {
        self.0.borrow_mut().entry(image.to_owned()).or_default().insert(variable, value);
    }

    /// Nothing is wrong with an image any more.
    pub(in crate::world) fn mend(&self, image: &str) {
        self.0.borrow_mut().remove(image);
    }

    /// What is wrong with an image, as its environment says it.
    pub(in crate::world) fn environment(&self, image: &str) -> Vec<String> {
        let known = self.0.borrow();
        let wrong = known.get(image).into_iter().flatten();
        wrong.map(|(variable, value)| format!("{variable}={value}")).collect()
    }
}
