//! The nearest known word to a misspelt one. It must never suggest something far away.

/// The candidate with the fewest slips of the hand from `word`, if there are few.
#[must_use]
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // A word may be as long as the file; keys are not.
    if word.len() > 64 {
        return None;
    }
    let allowed = 1 + word.chars().count() / 4;
    let scored = candidates.iter().map(|candidate| (distance(word, candidate), *candidate));
    scored.min().filter(|(slips, _)| *slips <= allowed).map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words (the restricted
/// Damerau–Levenshtein distance).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut before = vec![0; right.len() + 1];
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let replaced = above[j] + usize::from(l != r);
            let mut best = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let keys = ["max_order_qty", "max_order_value", "max_position", "collar_bps"];
        assert_eq!(nearest("max_oder_qty", &keys), Some("max_order_qty"));
        assert_eq!(nearest("colalr_bps", &keys), Some("collar_bps"));
        assert_eq!(nearest("MAX_POSITION", &keys), Some("max_position"));
        assert_eq!(nearest("heartbeat", &keys), None);
        assert_eq!(nearest(&"x".repeat(100_000), &keys), None);
        assert_eq!(nearest("", &keys), None);
    }

    #[test]
    fn distance_counts_slips() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "acb"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
