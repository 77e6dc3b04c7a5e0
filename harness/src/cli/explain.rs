//! `smoke explain`.

use std::fmt::Write as _;

use super::Refusal;
use crate::fault::{self, Need, Param};
use crate::scenario::{CODES, meant};

pub(super) fn explain(name: &str) -> Result<String, Refusal> {
    let mut text = String::new();
    // Writing to a String does not fail, here and below.
    if let Some(fault) = fault::fault(name) {
        let _ = writeln!(text, "{}\n  {}", fault.name, fault.summary);
        params(&mut text, fault.params);
        let _ = writeln!(text, "  leads to: {}", fault.leads_to);
        let _ = writeln!(text, "  receipt: {}", fault.receipt);
        let _ = writeln!(text, "  healed by: {}", fault.healed_by.join(", "));
    } else if let Some(heal) = fault::heal(name) {
        let _ = writeln!(text, "{}\n  {}", heal.name, heal.summary);
        params(&mut text, heal.params);
    } else if let Some(code) = CODES.iter().find(|code| code.name == name) {
        let _ = writeln!(text, "{}\n  layer: {}", code.name, code.layers.join(" or "));
        let action = if code.next_action.is_empty() { "by cause" } else { code.next_action };
        let _ = writeln!(text, "  next action: {action}");
        let causes: Vec<&str> =
            fault::faults().filter(|f| f.leads_to.may_be(code.name)).map(|f| f.name).collect();
        let causes = if causes.is_empty() { "no fault yet".to_owned() } else { causes.join(", ") };
        let _ = writeln!(text, "  caused by: {causes}");
    } else {
        let names = fault::faults()
            .map(|f| f.name)
            .chain(fault::heals().map(|h| h.name))
            .chain(CODES.iter().map(|c| c.name));
        let known: Vec<&str> = names.collect();
        return Err(Refusal::usage(format!(
            "no fault, heal verb or blocker code is named `{name}`{}",
            meant(name, &known)
        )));
    }
    Ok(text)
}

fn params(text: &mut String, params: &[Param]) {
    for param in params {
        let optional = if param.needed == Need::Optional { ", may be left out" } else { "" };
        let _ = writeln!(text, "  {}: {}{optional}", param.name, param.doc);
    }
}
