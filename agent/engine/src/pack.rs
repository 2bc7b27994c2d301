//! Token packing: sequences of unequal length into micro-batches of at most so many tokens.

/// Which sequences go into which micro-batch. The number of micro-batches is as small as the limit allows, but at least
/// `parts`; longest first into the emptiest, so that all carry nearly the same. A sequence longer than the limit goes alone.
pub(crate) fn pack(lengths: &[usize], limit: usize, parts: usize) -> Vec<Vec<usize>> {
    let total: usize = lengths.iter().sum();
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(lengths[*index]), *index));
    let mut count = total.div_ceil(limit.max(1)).max(parts.min(lengths.len())).next_multiple_of(parts.max(1));
    loop {
        let mut bins = vec![(0, Vec::new()); count.min(lengths.len())];
        let fits = order.iter().all(|index| {
            let Some(bin) = bins.iter_mut().min_by_key(|bin| bin.0) else { return true };
            let fits = bin.0 == 0 || bin.0 + lengths[*index] <= limit;
            bin.0 += lengths[*index];
            bin.1.push(*index);
            fits
        });
        if fits {
            return bins.into_iter().map(|bin| bin.1).filter(|bin| !bin.is_empty()).collect();
        }
        count += parts.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sequences_once_within_the_limit() {
        let lengths: Vec<usize> = (0..57).map(|i| 5 + (i * 37) % 40).collect();
        for limit in [45, 100, 512, 100_000] {
            let bins = pack(&lengths, limit, 4);
            let mut all: Vec<usize> = bins.iter().flatten().copied().collect();
            all.sort_unstable();
            assert_eq!(all, (0..57).collect::<Vec<_>>());
            assert!(bins.iter().all(|bin| bin.iter().map(|i| lengths[*i]).sum::<usize>() <= limit));
        }
        assert_eq!(pack(&[90, 4, 4], 10, 1).len(), 3);
        assert!(pack(&[], 10, 4).is_empty());
    }
}
