/// A series never holds more buckets than this; when it would, neighbours are merged.
const MOST_BUCKETS: usize = 2048;

/// Values of neighbouring x, as one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// First x.
    pub from: u64,
    /// Last x.
    pub to: u64,
    /// Attempt of the last value.
    pub attempt: u32,
    /// Smallest finite value.
    pub min: f64,
    /// Largest finite value.
    pub max: f64,
    /// Sum of the finite values.
    pub sum: f64,
    /// Number of finite values.
    pub count: u64,
    /// The last value, finite or not.
    pub last: f64,
}

impl Bucket {
    fn new(x: u64, attempt: u32, value: f64) -> Bucket {
        let finite = value.is_finite();
        Bucket {
            from: x,
            to: x,
            attempt,
            min: if finite { value } else { f64::INFINITY },
            max: if finite { value } else { f64::NEG_INFINITY },
            sum: if finite { value } else { 0.0 },
            count: finite.into(),
            last: value,
        }
    }

    fn merge(&mut self, next: &Bucket) {
        self.from = self.from.min(next.from);
        self.to = self.to.max(next.to);
        self.attempt = next.attempt;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        self.sum += next.sum;
        self.count += next.count;
        self.last = next.last;
    }

    /// Mean of the finite values; NaN without any.
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }
}

/// All values of one metric over rollouts or steps, in bounded memory: spikes survive as minimum and maximum.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Oldest first. An attempt that goes back to a checkpoint goes back in x.
    pub buckets: Vec<Bucket>,
    /// So many x make one bucket.
    pub stride: u64,
    /// Values taken in.
    pub total: u64,
}

impl Default for Series {
    fn default() -> Self {
        Series { buckets: Vec::new(), stride: 1, total: 0 }
    }
}

impl Series {
    /// Takes one value in.
    pub fn push(&mut self, x: u64, attempt: u32, value: f64) {
        self.total += 1;
        let next = Bucket::new(x, attempt, value);
        match self.buckets.last_mut() {
            Some(last) if last.attempt == attempt && x >= last.from && x / self.stride == last.from / self.stride => {
                last.merge(&next)
            }
            _ => self.buckets.push(next),
        }
        if self.buckets.len() > MOST_BUCKETS {
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.stride *= 2;
        let mut merged: Vec<Bucket> = Vec::with_capacity(self.buckets.len() / 2 + 1);
        for bucket in self.buckets.drain(..) {
            match merged.last_mut() {
                Some(last)
                    if last.attempt == bucket.attempt
                        && bucket.from >= last.from
                        && bucket.from / self.stride == last.from / self.stride =>
                {
                    last.merge(&bucket)
                }
                _ => merged.push(bucket),
            }
        }
        self.buckets = merged;
    }

    /// The last value.
    pub fn last(&self) -> Option<f64> {
        self.buckets.last().map(|bucket| bucket.last)
    }

    /// Mean over the last `n` buckets; `None` without a finite value.
    pub fn recent(&self, n: usize) -> Option<f64> {
        let tail = &self.buckets[self.buckets.len().saturating_sub(n)..];
        let count: u64 = tail.iter().map(|b| b.count).sum();
        (count > 0).then(|| tail.iter().map(|b| b.sum).sum::<f64>() / count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_a_spike_survives() {
        let mut series = Series::default();
        for x in 0..1_000_000 {
            series.push(x, 1, if x == 777_777 { 99.0 } else { 1.0 });
        }
        assert!(series.buckets.len() <= MOST_BUCKETS);
        assert_eq!(series.buckets.iter().map(|b| b.count).sum::<u64>(), 1_000_000);
        assert_eq!(series.buckets.iter().filter(|b| b.max == 99.0).count(), 1);
    }

    #[test]
    fn nan_is_counted_out_of_the_mean_but_seen_as_last() {
        let mut series = Series::default();
        series.push(0, 1, 2.0);
        series.push(1, 1, f64::NAN);
        assert!(series.last().unwrap().is_nan());
        assert_eq!(series.recent(2), Some(2.0));
    }

    #[test]
    fn an_attempt_that_goes_back_keeps_its_own_buckets() {
        let mut series = Series::default();
        (0..10).for_each(|x| series.push(x, 1, 1.0));
        (5..10).for_each(|x| series.push(x, 2, 2.0));
        assert_eq!(series.buckets.len(), 15);
    }
}
