//! The order of keys in written YAML: numbers within them count as numbers.

use std::cmp::Ordering;
use std::rc::Rc;

use super::emit::Dialect;

/// Puts entries in the order of their keys. The order is not a consistent one (`a9`, `a10`, `a1b`, `a9`), which
/// the standard sort may not be given.
pub(super) fn sort<V>(entries: Vec<(Rc<str>, V)>, dialect: Dialect) -> Vec<(Rc<str>, V)> {
    if entries.len() < 2 {
        return entries;
    }
    let mut left = entries;
    let right = left.split_off(left.len() / 2);
    let mut left = sort(left, dialect).into_iter().peekable();
    let mut right = sort(right, dialect).into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some((first, _)), Some((second, _))) = (left.peek(), right.peek()) {
        let from_right = compare(second, first, dialect) == Ordering::Less;
        merged.extend(if from_right { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

/// Compares two keys as Go's library does.
fn compare(left: &str, right: &str, dialect: Dialect) -> Ordering {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let Some(at) = left.iter().zip(&right).position(|(left, right)| left != right) else {
        return left.len().cmp(&right.len());
    };
    if is_less(&left, &right, at, dialect) { Ordering::Less } else { Ordering::Greater }
}

fn is_less(left: &[char], right: &[char], at: usize, dialect: Dialect) -> bool {
    let (left_letter, right_letter) = (left[at].is_alphabetic(), right[at].is_alphabetic());
    if left_letter && right_letter {
        return left[at] < right[at];
    }
    if left_letter || right_letter {
        let after_digit = at > 0 && left[at - 1].is_ascii_digit();
        return if after_digit && dialect == Dialect::Pretty { left_letter } else { right_letter };
    }
    let mut start = 0;
    if left[at] == '0' || right[at] == '0' {
        // Zeros within a number are digits of it, leading zeros are none.
        let mut before = left[..at].iter().rev().take_while(|character| character.is_ascii_digit());
        start = i64::from(before.any(|digit| *digit != '0'));
    }
    let (left_number, left_end) = number(left, at, start);
    let (right_number, right_end) = number(right, at, start);
    if left_number != right_number {
        return left_number < right_number;
    }
    if left_end != right_end {
        return left_end < right_end;
    }
    left[at] < right[at]
}

fn number(text: &[char], at: usize, start: i64) -> (i64, usize) {
    let mut number = start;
    let mut end = at;
    while let Some(digit) = text.get(end).and_then(|character| character.to_digit(10)) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        end += 1;
    }
    (number, end)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::sort;
    use crate::yaml::emit::Dialect;

    #[test]
    fn numbers_in_keys_are_counted() {
        let keys = ["b", "a10", "a9", "A", "a-1", "a", "1", "10", "2", "_x", "aB"];
        let sorted = sort(keys.map(|key| (Rc::from(key), ())).to_vec(), Dialect::Compact);
        let sorted: Vec<&str> = sorted.iter().map(|(key, ())| key.as_ref()).collect();
        assert_eq!(sorted, ["_x", "1", "2", "10", "A", "a", "a-1", "a9", "a10", "aB", "b"]);
    }
}
