//! What somebody meant who misspelt a name.

/// The known name closest to `given`, when it is close enough to have been meant.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', ' '], "-");
    let wanted = plain(given);
    known
        .into_iter()
        .map(|name| (likeness(&wanted, &plain(name)), name))
        .filter(|(score, _)| *score >= 0.78)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// From 0 to 1. Two letters that changed places are one slip, also in a short name.
fn likeness(given: &str, name: &str) -> f64 {
    let slips = strsim::osa_distance(given, name);
    let one_slip = if slips == 1 && name.len() > 2 { 0.9 } else { 0.0 };
    strsim::jaro_winkler(given, name).max(one_slip)
}

/// `; did you mean `x`?` or `; known are a, b`: the end of a message about an unknown name.
pub fn meant<S: AsRef<str>>(given: &str, known: &[S]) -> String {
    if let Some(name) = nearest(given, known.iter().map(AsRef::as_ref)) {
        return format!("; did you mean `{name}`?");
    }
    if known.is_empty() {
        return String::new();
    }
    let list: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    format!("; known are {}", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_the_name_that_was_meant() {
        assert_eq!(
            nearest("image-not-fuond", ["image-registry", "image-not-found"]),
            Some("image-not-found")
        );
        assert_eq!(nearest("smi", ["sim", "kind", "talos"]), Some("sim"));
        assert_eq!(nearest("fullyHealthy", ["installing", "fully_healthy"]), Some("fully_healthy"));
    }

    #[test]
    fn a_name_like_no_other_gets_the_list_of_known_ones() {
        assert_eq!(meant("zzz", &["dns", "node"]), "; known are dns, node");
    }
}
