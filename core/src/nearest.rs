//! The known name that a misspelt one was probably meant to be.

/// The nearest of `known` to `name`: by letters added, left out, changed or swapped, or else the shortest one that
/// has `name` as whole words of it (`temperature`: `rollout-temperature`). Nothing when none is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let spelt: Vec<char> = name.chars().map(fold).collect();
    if spelt.is_empty() || spelt.len() > 100 {
        return None;
    }
    let far = spelt.len().div_ceil(4).clamp(1, 4);
    let by_letters = known
        .clone()
        .into_iter()
        .filter(|known| known.len().abs_diff(name.len()) <= far)
        .map(|known| (distance(&spelt, &known.chars().map(fold).collect::<Vec<_>>()), known))
        .filter(|(distance, _)| *distance <= far)
        .min();
    if let Some((_, known)) = by_letters {
        return Some(known);
    }
    let words: String = spelt.into_iter().collect();
    known.into_iter().filter(|known| has_words(known, &words)).min_by_key(|known| (known.len(), *known))
}

/// Whether `words` stands in `name` between dashes or ends.
fn has_words(name: &str, words: &str) -> bool {
    name.match_indices(words).any(|(at, _)| {
        let (before, after) = (&name[..at], &name[at + words.len()..]);
        (before.is_empty() || before.ends_with('-')) && (after.is_empty() || after.starts_with('-'))
    })
}

/// Case and the kind of dash are no difference.
fn fold(letter: char) -> char {
    if letter == '_' { '-' } else { letter.to_ascii_lowercase() }
}

/// Damerau-Levenshtein distance, without edits inside a swapped pair.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 6] = ["lr", "min-lr", "rollout-batch-size", "rollout-temperature", "eps-clip", "eps-clip-high"];

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let found = |name| nearest(name, KNOWN);
        assert_eq!(found("rollout-batchsize"), Some("rollout-batch-size"));
        assert_eq!(found("rollout_batch_size"), Some("rollout-batch-size"));
        assert_eq!(found("rolluot-batch-size"), Some("rollout-batch-size"));
        assert_eq!(found("esp-clip"), Some("eps-clip"));
        assert_eq!(found("LR"), Some("lr"));
        assert_eq!(found("rl"), Some("lr"));
    }

    #[test]
    fn words_of_a_longer_name_find_it() {
        assert_eq!(nearest("temperature", KNOWN), Some("rollout-temperature"));
        assert_eq!(nearest("batch-size", KNOWN), Some("rollout-batch-size"));
        assert_eq!(nearest("clip-high", KNOWN), Some("eps-clip-high"));
    }

    #[test]
    fn what_is_far_from_all_finds_none() {
        assert_eq!(nearest("warp-speed", KNOWN), None);
        assert_eq!(nearest("", KNOWN), None);
        assert_eq!(nearest(&"x".repeat(100_000), KNOWN), None);
    }
}
