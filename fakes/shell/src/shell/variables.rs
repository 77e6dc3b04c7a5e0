//! Variables and special parameters.

use super::{Flow, Shell};
use crate::memory::Exhausted;
use crate::signal::Signal;

/// A variable.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// Declared variables may have none.
    pub(crate) value: Option<String>,
    pub(crate) exported: bool,
    pub(crate) read_only: bool,
}

impl Variable {
    pub(crate) fn plain(value: &str) -> Self {
        Self { value: Some(value.to_owned()), exported: false, read_only: false }
    }

    pub(crate) fn exported(value: &str) -> Self {
        Self { exported: true, ..Self::plain(value) }
    }
}

impl Shell {
    /// The value of a variable or of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        match name {
            "?" => return Some(self.status.to_string()),
            "$" => return Some(self.root_pid.to_string()),
            "!" => return self.last_background.map(|pid| pid.to_string()),
            "#" => return Some(self.parameters.len().to_string()),
            "0" => return Some(self.name.clone()),
            "-" => return Some(self.option_letters()),
            "LINENO" => return Some(self.line.to_string()),
            "PPID" => return Some(self.process.parent.to_string()),
            "RANDOM" => return Some(self.process.world.random(0x8000).to_string()),
            _ => {}
        }
        if let Ok(number) = name.parse::<usize>() {
            return self.parameters.get(number.wrapping_sub(1)).cloned();
        }
        self.variables.get(name)?.value.clone()
    }

    fn option_letters(&self) -> String {
        let options = &self.options;
        [(options.errexit, 'e'), (options.noglob, 'f'), (options.nounset, 'u'), (options.xtrace, 'x')]
            .into_iter()
            .filter_map(|(set, letter)| set.then_some(letter))
            .collect()
    }

    /// Gives a variable a value.
    pub(super) async fn assign(&mut self, name: &str, value: String) -> Result<(), Flow> {
        let known = self.variables.get(name);
        if known.is_some_and(|variable| variable.read_only) {
            return Err(self.fail(&format!("{name}: is read only")).await);
        }
        let before = known.and_then(|v| v.value.as_ref()).map_or(0, String::len) as u64;
        let now = value.len() as u64;
        self.process.memory.shrink(before.saturating_sub(now));
        if self.process.grow(now.saturating_sub(before)) == Err(Exhausted) {
            return Err(Flow::Exit(Signal::KILL.status()));
        }
        let variable = self.variables.entry(name.to_owned()).or_insert_with(|| Variable::plain(""));
        variable.value = Some(value);
        Ok(())
    }

    /// Takes a variable away; a read-only one stays.
    pub(super) async fn unset(&mut self, name: &str) -> Result<(), Flow> {
        if self.variables.get(name).is_some_and(|variable| variable.read_only) {
            return Err(self.fail(&format!("{name}: is read only")).await);
        }
        self.variables.remove(name);
        Ok(())
    }

    /// Remembers a variable for the end of the function.
    pub(super) fn localize(&mut self, name: &str) {
        let before = self.variables.get(name).cloned();
        if let Some(frame) = self.locals.last_mut()
            && !frame.iter().any(|(known, _)| known == name)
        {
            frame.push((name.to_owned(), before));
        }
    }

    /// The environment of a program.
    pub(super) fn environment(&self) -> std::collections::BTreeMap<String, String> {
        let exported = self.variables.iter().filter(|(_, variable)| variable.exported);
        exported.filter_map(|(name, v)| Some((name.clone(), v.value.clone()?))).collect()
    }

    /// Puts variables back.
    pub(super) fn restore(&mut self, saved: Vec<(String, Option<Variable>)>) {
        for (name, variable) in saved.into_iter().rev() {
            match variable {
                Some(variable) => self.variables.insert(name, variable),
                None => self.variables.remove(&name),
            };
        }
    }
}
