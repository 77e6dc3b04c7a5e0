//! The order of keys in written YAML: numbers within them count as numbers.

use std::cmp::Ordering;

/// Compares two keys as Go's library does.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let Some(at) = left.iter().zip(&right).position(|(left, right)| left != right) else {
        return left.len().cmp(&right.len());
    };
    if is_less(&left, &right, at) { Ordering::Less } else { Ordering::Greater }
}

fn is_less(left: &[char], right: &[char], at: usize) -> bool {
    let (left_letter, right_letter) = (left[at].is_alphabetic(), right[at].is_alphabetic());
    if left_letter && right_letter {
        return left[at] < right[at];
    }
    if left_letter || right_letter {
        return right_letter;
    }
    let mut start = 0;
    if left[at] == '0' || right[at] == '0' {
        // Zeros within a number are digits of it, leading zeros are none.
        let before = left[..at].iter().rev().take_while(|character| character.is_ascii_digit());
        start = i64::from(before.clone().any(|digit| *digit != '0'));
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
    use super::compare;

    #[test]
    fn numbers_in_keys_are_counted() {
        let mut keys = vec!["a10", "a9", "b", "A", "a-1", "a", "a01", "1", "10", "2", "_x", "a1b"];
        keys.sort_by(|left, right| compare(left, right));
        assert_eq!(keys, ["1", "2", "10", "A", "_x", "a", "a-1", "a1b", "a01", "a9", "a10", "b"].to_vec().into_iter().collect::<Vec<_>>());
    }
}
