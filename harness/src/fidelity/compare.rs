//! How much of two sets of signals is in both.

use std::collections::BTreeMap;

use super::signal::{Class, Signal, Signals};

/// What came of comparing one case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Signals that both have, in the same order for their object.
    pub matched: Vec<Signal>,
    /// Signals that only the recording has.
    pub missing: Vec<Signal>,
    /// Signals that only the simulation has.
    pub extra: Vec<Signal>,
}

/// Signals in both and signals in either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// In both.
    pub both: usize,
    /// In either.
    pub either: usize,
}

impl Tally {
    /// Signals in both ÷ signals in either; 1 where nobody said anything.
    #[expect(clippy::cast_precision_loss, reason = "signals are thousands, not 2^52")]
    pub fn share(self) -> f64 {
        if self.either == 0 { 1.0 } else { self.both as f64 / self.either as f64 }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.both += other.both;
        self.either += other.either;
    }
}

impl Comparison {
    /// Compares object by object and track by track: the order of what one actor says of one object counts.
    pub fn of(recorded: &Signals, simulated: &Signals) -> Self {
        Self::in_order(&tracks(recorded), &tracks(simulated))
    }

    /// Compares object by object, as if everything that is said of an object came from one mouth.
    pub fn strict(recorded: &Signals, simulated: &Signals) -> Self {
        Self::in_order(&objects(recorded), &objects(simulated))
    }

    fn in_order(recorded: &Sequences, simulated: &Sequences) -> Self {
        let mut all = Self::default();
        for (key, left) in recorded {
            all.add(left, simulated.get(key).map_or(&[][..], Vec::as_slice));
        }
        for (key, right) in simulated {
            if !recorded.contains_key(key) {
                all.add(&[], right);
            }
        }
        all
    }

    fn add(&mut self, left: &[&Signal], right: &[&Signal]) {
        let (mut i, mut j) = (0, 0);
        let longest = Longest::of(left, right);
        while i < left.len() && j < right.len() {
            if left[i].says(right[j]) && longest.at(i, j) == longest.at(i + 1, j + 1) + 1 {
                self.matched.push(left[i].clone());
                (i, j) = (i + 1, j + 1);
            } else if longest.at(i + 1, j) >= longest.at(i, j + 1) {
                self.missing.push(left[i].clone());
                i += 1;
            } else {
                self.extra.push(right[j].clone());
                j += 1;
            }
        }
        self.missing.extend(left[i..].iter().copied().cloned());
        self.extra.extend(right[j..].iter().copied().cloned());
    }

    /// All signals.
    pub fn tally(&self) -> Tally {
        self.tally_of(|_| true)
    }

    /// Those that are chosen.
    pub fn tally_of(&self, chosen: impl Fn(&Signal) -> bool) -> Tally {
        let count = |signals: &[Signal]| signals.iter().filter(|signal| chosen(signal)).count();
        let both = count(&self.matched);
        Tally { both, either: both + count(&self.missing) + count(&self.extra) }
    }

    /// By class.
    pub fn classes(&self) -> BTreeMap<Class, Tally> {
        Class::ALL.iter().map(|class| (*class, self.tally_of(|signal| signal.class == *class))).collect()
    }
}

/// Signals whose order counts, by what they have in common.
type Sequences<'a> = BTreeMap<String, Vec<&'a Signal>>;

fn objects(signals: &Signals) -> Sequences<'_> {
    signals.by_object.iter().map(|(object, list)| (object.clone(), list.iter().collect())).collect()
}

fn tracks(signals: &Signals) -> Sequences<'_> {
    let mut found = Sequences::new();
    for signal in signals.by_object.values().flatten() {
        let key = format!("{} {:?} {}", signal.object, signal.class, signal.track);
        found.entry(key).or_default().push(signal);
    }
    found
}

/// Lengths of the longest common subsequences of all tails.
struct Longest {
    width: usize,
    lengths: Vec<u32>,
}

impl Longest {
    fn of(left: &[&Signal], right: &[&Signal]) -> Self {
        let width = right.len() + 1;
        let mut table = Self { width, lengths: vec![0; (left.len() + 1) * width] };
        for i in (0..left.len()).rev() {
            for j in (0..right.len()).rev() {
                table.lengths[i * width + j] = if left[i].says(right[j]) {
                    table.at(i + 1, j + 1) + 1
                } else {
                    table.at(i + 1, j).max(table.at(i, j + 1))
                };
            }
        }
        table
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.lengths[i * self.width + j]
    }
}

#[cfg(test)]
mod tests {
    use super::super::signal::{Class, Signal, Signals};
    use super::Comparison;

    fn signals(words: &[&str]) -> Signals {
        let list = words.iter().map(|words| Signal {
            class: Class::Event,
            object: "Pod/a".into(),
            track: "kubelet".into(),
            words: (*words).to_owned(),
            at: 0.0,
        });
        Signals { by_object: [("Pod/a".to_owned(), list.collect())].into(), raw: words.len() }
    }

    #[test]
    fn what_is_invented_costs_as_much_as_what_is_missing() {
        let both = Comparison::of(&signals(&["a", "b", "c"]), &signals(&["a", "c", "d"]));
        assert_eq!((both.tally().both, both.tally().either), (2, 4));
        assert_eq!((both.missing[0].words.as_str(), both.extra[0].words.as_str()), ("b", "d"));
    }

    #[test]
    fn the_order_of_an_objects_signals_counts() {
        assert!(Comparison::of(&signals(&["a", "b"]), &signals(&["b", "a"])).tally().share() < 0.5);
    }

    #[test]
    fn silence_scores_nothing() {
        assert!(Comparison::of(&signals(&["a"]), &Signals::default()).tally().share() < f64::EPSILON);
    }
}
