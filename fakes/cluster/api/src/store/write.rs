//! Creating and changing objects.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rules::{admitted, check_preconditions, drop_absent, grows, home, keep_identity};
use super::{Inner, Store, Stored};
use crate::kind::{Generation, KindInfo};
use crate::object::{self, child};
use crate::{ApiError, Res, admission, kinds};

/// Which part of an object an update writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subresource {
    /// All but the status, for kinds with a status subresource.
    Main,
    /// The status alone.
    Status,
}

/// What server-side apply does about fields of other managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflicts {
    /// Refuse with 409.
    Fail,
    /// Take the fields over.
    Force,
}

/// What a server-side apply did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The object is new.
    Created,
    /// The object is different now.
    Changed,
    /// The object was so already.
    Unchanged,
}

/// The answer of a server-side apply.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The object afterwards.
    pub object: Arc<Value>,
    /// What was done.
    pub outcome: Outcome,
}

/// Whether a write is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    Commit,
    Dry,
}

/// Who writes, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write<'a> {
    /// The field manager to record; empty records nothing.
    pub(crate) manager: &'a str,
    /// The subresource it comes through, empty for none.
    pub(crate) sub: &'a str,
    pub(crate) run: Run,
}

impl Write<'_> {
    /// A write of a component inside: kept, without field management.
    pub(crate) const INSIDE: Write<'static> = Write { manager: "", sub: "", run: Run::Commit };
}

impl Store {
    /// Creates an object: names, defaults, checks, identity, version.
    pub fn create(&self, res: &Res, object: Value) -> Result<Arc<Value>, ApiError> {
        self.create_with(res, object, Write::INSIDE).map(|stored| stored.value.clone())
    }

    pub(crate) fn create_with(
        &self,
        res: &Res,
        object: Value,
        write: Write<'_>,
    ) -> Result<Arc<Stored>, ApiError> {
        let now = self.clock().now();
        let mut inner = self.lock();
        let stored = inner.create(res, object, now, write)?;
        self.announce(&inner);
        Ok(stored)
    }

    /// Changes an object in one step; `change` must not call the store. When nothing changes, nobody hears of it.
    pub fn modify(
        &self,
        res: &Res,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Arc<Value>, ApiError> {
        let now = self.clock().now();
        let mut inner = self.lock();
        let info = inner.info(res)?;
        let old = inner.current(res, namespace, name)?;
        let mut new = Value::clone(&old.value);
        change(&mut new);
        drop_absent(&mut new);
        keep_identity(&old.value, &mut new);
        let stored = inner.replace(&info, &old, new, now, Write::INSIDE)?;
        self.announce(&inner);
        Ok(stored.value.clone())
    }

    /// Replaces an object or its status; fails when `metadata.resourceVersion` is given and no longer current.
    pub fn update(&self, res: &Res, object: Value, sub: Subresource) -> Result<Arc<Value>, ApiError> {
        self.update_with(res, object, sub, Write::INSIDE).map(|stored| stored.value.clone())
    }

    pub(crate) fn update_with(
        &self,
        res: &Res,
        object: Value,
        sub: Subresource,
        write: Write<'_>,
    ) -> Result<Arc<Stored>, ApiError> {
        let (namespace, name) = (object::namespace(&object).to_owned(), object::name(&object).to_owned());
        self.rewrite(res, &namespace, &name, sub, write, |_, _| Ok(object))
    }

    /// Makes the new object from the current one under the lock, with the checks of an update.
    pub(crate) fn rewrite(
        &self,
        res: &Res,
        namespace: &str,
        name: &str,
        sub: Subresource,
        write: Write<'_>,
        make: impl FnOnce(&KindInfo, &Value) -> Result<Value, ApiError>,
    ) -> Result<Arc<Stored>, ApiError> {
        let now = self.clock().now();
        let mut inner = self.lock();
        let info = inner.info(res)?;
        let old = inner.current(res, namespace, name)?;
        let wanted = make(&info, &old.value)?;
        check_preconditions(res, &old.value, &wanted)?;
        let new = admitted(&info, &old.value, wanted, sub)?;
        let stored = inner.replace(&info, &old, new, now, write)?;
        self.announce(&inner);
        Ok(stored)
    }

    /// Server-side apply: creates, or merges what `manager` wants and drops what it no longer wants.
    pub fn apply(
        &self,
        res: &Res,
        object: Value,
        manager: &str,
        conflicts: Conflicts,
    ) -> Result<Applied, ApiError> {
        self.apply_main(res, object, conflicts, Write { manager, sub: "", run: Run::Commit })
    }

    /// What [`Store::apply`] would do; nothing is kept.
    ///
    /// # Errors
    /// As [`Store::apply`].
    pub fn try_apply(
        &self,
        res: &Res,
        object: Value,
        manager: &str,
        conflicts: Conflicts,
    ) -> Result<Applied, ApiError> {
        self.apply_main(res, object, conflicts, Write { manager, sub: "", run: Run::Dry })
    }

    fn apply_main(
        &self,
        res: &Res,
        object: Value,
        conflicts: Conflicts,
        write: Write<'_>,
    ) -> Result<Applied, ApiError> {
        let (stored, outcome) = self.apply_with(res, object, Subresource::Main, conflicts, write)?;
        Ok(Applied { object: stored.value.clone(), outcome })
    }

    /// Refuses an object whose values do not have the types of its kind's fields, as server-side apply does before all else.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn check_types(&self, info: &KindInfo, version: &str, object: &Value) -> Result<(), ApiError> {
        let (namespace, name) = (object::namespace(object), object::name(object));
        crate::shapes::typed::check(info, version, namespace, name, object)
    }

    pub(crate) fn apply_with(
        &self,
        res: &Res,
        mut wanted: Value,
        sub: Subresource,
        conflicts: Conflicts,
        write: Write<'_>,
    ) -> Result<(Arc<Stored>, Outcome), ApiError> {
        let now = self.clock().now();
        let mut inner = self.lock();
        let info = inner.info(res)?;
        let name = object::name(&wanted).to_owned();
        if name.is_empty() {
            return Err(ApiError::bad_request("name is required"));
        }
        let namespace = home(&info, &mut wanted)?;
        let old = inner.tables.get(res).and_then(|table| table.get(&namespace, &name)).cloned();
        let inside = Write { run: write.run, ..Write::INSIDE };
        let manager = crate::patch::Applier { name: write.manager, sub, conflicts, now };
        let answer = match old {
            Some(old) => {
                check_preconditions(res, &old.value, &wanted)?;
                let merged = crate::patch::apply(&info, &old.value, &wanted, manager)?;
                let new = admitted(&info, &old.value, merged, sub)?;
                let stored = inner.replace(&info, &old, new, now, inside)?;
                let outcome = if Arc::ptr_eq(&stored, &old) { Outcome::Unchanged } else { Outcome::Changed };
                (stored, outcome)
            }
            None if sub == Subresource::Status => return Err(ApiError::not_found(res, &name)),
            None => {
                let bare = json!({"apiVersion": wanted["apiVersion"], "kind": wanted["kind"],
                    "metadata": {"name": name, "namespace": namespace}});
                let first = crate::patch::apply(&info, &bare, &wanted, manager)?;
                (inner.create(res, first, now, inside)?, Outcome::Created)
            }
        };
        self.announce(&inner);
        Ok(answer)
    }
}

impl Inner {
    fn create(
        &mut self,
        res: &Res,
        mut value: Value,
        now: Timestamp,
        write: Write<'_>,
    ) -> Result<Arc<Stored>, ApiError> {
        let info = self.info(res)?;
        if !object::resource_version(&value).is_empty() {
            return Err(ApiError::bad_request("resourceVersion should not be set on objects to be created"));
        }
        let namespace = home(&info, &mut value)?;
        self.name_object(&info, &mut value, &namespace)?;
        let name = object::name(&value).to_owned();
        if self.tables.get(res).is_some_and(|table| table.get(&namespace, &name).is_some()) {
            return Err(ApiError::already_exists(res, &name));
        }
        self.check_namespace(&info, &namespace, &name)?;
        value["apiVersion"] = json!(info.api_version());
        value["kind"] = json!(info.kind);
        if !info.custom && *res != kinds::EVENTS {
            crate::patch::drop_nulls(&mut value);
        }
        let meta = child(&mut value, "metadata");
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
            meta.as_object_mut().map(|meta| meta.shift_remove(field));
        }
        admission::tidy_metadata(meta);
        meta["uid"] = json!(self.chance.uuid());
        meta["creationTimestamp"] = json!(object::timestamp(now));
        if info.generation != Generation::None {
            meta["generation"] = json!(1);
        }
        admission::default_create(&info, &mut value, now);
        if *res == kinds::PODS {
            self.admit_pod(&mut value, &namespace)?;
        }
        let mut causes = admission::check_create(&info, &value);
        if *res == kinds::SERVICES && causes.is_empty() {
            causes.extend(self.allocate_for_service(&mut value).err());
        }
        if !causes.is_empty() {
            return Err(ApiError::invalid(&info.group_kind(), &name, &causes));
        }
        if *res == kinds::PODS {
            self.check_pod_security(&value, &namespace)?;
        }
        crate::patch::record_update(&info, None, &mut value, write.manager, write.sub, now);
        match write.run {
            Run::Commit => Ok(self.put(res, value)),
            Run::Dry => Ok(Arc::new(Stored::new(value, self.version))),
        }
    }

    fn name_object(&self, info: &KindInfo, value: &mut Value, namespace: &str) -> Result<(), ApiError> {
        if !object::name(value).is_empty() {
            return Ok(());
        }
        let Some(prefix) = value["metadata"]["generateName"].as_str().filter(|prefix| !prefix.is_empty())
        else {
            let cause = crate::error::Cause::required("metadata.name", "name or generateName is required");
            return Err(ApiError::invalid(&info.group_kind(), "", &[cause]));
        };
        let table = self.tables.get(&info.res);
        let name = std::iter::repeat_with(|| self.chance.suffixed(prefix))
            .find(|name| table.is_none_or(|table| table.get(namespace, name).is_none()))
            .expect("names repeat until one is free");
        value["metadata"]["name"] = json!(name);
        Ok(())
    }

    fn check_namespace(&self, info: &KindInfo, namespace: &str, name: &str) -> Result<(), ApiError> {
        if !info.namespaced {
            return Ok(());
        }
        let home = self.current(&kinds::NAMESPACES, "", namespace)?;
        if object::is_deleting(&home.value) && info.res != kinds::EVENTS {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            return Err(ApiError::forbidden(&info.res, name, &why));
        }
        Ok(())
    }

    /// Stores a changed object; the same one when nothing changed; removes it when its last finalizer went.
    fn replace(
        &mut self,
        info: &KindInfo,
        old: &Arc<Stored>,
        mut new: Value,
        now: Timestamp,
        write: Write<'_>,
    ) -> Result<Arc<Stored>, ApiError> {
        if info.res == kinds::SERVICES
            && let Err(cause) = self.allocate_for_service(&mut new)
        {
            return Err(ApiError::invalid(&info.group_kind(), object::name(&new), &[cause]));
        }
        if *old.value == new {
            return Ok(old.clone());
        }
        if grows(info, &old.value, &new) {
            new["metadata"]["generation"] = json!(object::generation(&old.value) + 1);
        }
        crate::patch::record_update(info, Some(&old.value), &mut new, write.manager, write.sub, now);
        if write.run == Run::Dry {
            return Ok(Arc::new(Stored::new(new, old.version)));
        }
        if super::delete::is_finished(&info.res, &new) {
            return Ok(self.erase(&info.res, new));
        }
        Ok(self.put(&info.res, new))
    }
}
