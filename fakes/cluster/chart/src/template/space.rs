//! The templates that can see each other.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::node::Tree;
use super::parse::parse;

/// Named templates; those of `tpl` see the ones around them.
#[derive(Debug, Default)]
pub(crate) struct Space {
    outer: Option<Rc<Self>>,
    templates: RefCell<HashMap<Rc<str>, Rc<Tree>>>,
}

/// The name of the space itself, which `tpl` gives to its texts.
pub(crate) const SPACE_NAME: &str = "gotpl";

impl Space {
    /// A space that sees this one and changes nothing in it.
    pub(crate) fn inside(outer: &Rc<Self>) -> Self {
        Self { outer: Some(Rc::clone(outer)), templates: RefCell::default() }
    }

    pub(crate) fn find(&self, name: &str) -> Option<Rc<Tree>> {
        let own = self.templates.borrow().get(name).cloned();
        own.or_else(|| self.outer.as_ref()?.find(name))
    }

    /// Adds the templates of a text; later ones replace earlier ones unless they are empty.
    pub(crate) fn add(&self, name: &str, text: &str) -> Result<(), String> {
        for tree in parse(name, text, &crate::functions::is_known)? {
            if tree.root.is_empty() && self.find(&tree.name).is_some() {
                continue;
            }
            self.templates.borrow_mut().insert(tree.name.clone(), Rc::new(tree));
        }
        Ok(())
    }
}
