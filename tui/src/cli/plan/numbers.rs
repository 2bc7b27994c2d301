//! Numbers in few letters.

/// `0-7,16`: each number once, those that follow each other as one range.
pub(super) fn ranges(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut all: Vec<u32> = numbers.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    let parts = all.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
        [one] => one.to_string(),
        [first, .., last] => format!("{first}-{last}"),
        [] => String::new(),
    });
    parts.collect::<Vec<_>>().join(",")
}

/// `1 error`, `2 errors`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_a_range() {
        assert_eq!(ranges([3, 1, 2, 2, 7, 9, 10]), "1-3,7,9-10");
        assert_eq!((ranges([]), ranges([0])), (String::new(), "0".to_owned()));
    }
}
