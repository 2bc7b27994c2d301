//! The scale of a chart.

/// From `low` to `high`, with marks `step` apart; all three are round numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::console) struct Axis {
    pub(in crate::console) low: f64,
    pub(in crate::console) high: f64,
    pub(in crate::console) step: f64,
}

impl Axis {
    /// The narrowest round scale that holds all values from `min` to `max` with at most `marks` marks and one.
    pub(in crate::console) fn holding(min: f64, max: f64, marks: usize) -> Axis {
        let (mut min, mut max) = if min <= max { (min, max) } else { (0.0, 1.0) };
        let size = min.abs().max(max.abs());
        if max - min <= size * 1e-9 {
            let room = if size == 0.0 { 1.0 } else { size * 0.1 };
            (min, max) = if min >= 0.0 { ((min - room).max(0.0), max + room) } else { (min - room, max + room) };
        }
        let marks = marks.max(1) as f64;
        let mut scale = 10f64.powf(((max - min) / marks).log10().floor());
        for _ in 0..3 {
            for factor in [1.0, 2.0, 2.5, 5.0] {
                let step = scale * factor;
                let (low, high) = ((min / step).floor() * step, (max / step).ceil() * step);
                if ((high - low) / step).round() <= marks {
                    return Axis { low, high, step };
                }
            }
            scale *= 10.0;
        }
        Axis { low: min, high: max, step: max - min }
    }

    /// Where a value lies, from 0 at the bottom to 1 at the top.
    pub(in crate::console) fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The marks that get a number, the same distance apart, where there are so many rows: bottom and top always do.
    pub(in crate::console) fn labelled(&self, rows: usize) -> impl Iterator<Item = f64> + use<> {
        let Axis { low, high, step } = *self;
        let count = ((high - low) / step).round().clamp(1.0, 64.0) as usize;
        let gap = if rows > 4 { 2 } else { 1 };
        let fits = |every: &usize| count.is_multiple_of(*every) && rows.saturating_sub(1) * every >= gap * count;
        let every = (1..=count).find(fits).unwrap_or(count);
        (0..=count).step_by(every).map(move |i| low + i as f64 * step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round_and_hold_the_values() {
        assert_eq!(Axis::holding(0.31, 0.93, 4), Axis { low: 0.2, high: 1.0, step: 0.2 });
        assert_eq!(Axis::holding(0.0, 0.0, 4), Axis { low: 0.0, high: 1.0, step: 0.25 });
        let axis = Axis::holding(3.0, 9214.0, 3);
        assert_eq!((axis.low, axis.high), (0.0, 10_000.0));
        let mut seed = 1u64;
        for _ in 0..10_000 {
            let mut next = || {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((seed >> 11) as f64 / (1u64 << 53) as f64 - 0.5) * 10f64.powi((seed % 24) as i32 - 12)
            };
            let (a, b) = (next(), next());
            let axis = Axis::holding(a.min(b), a.max(b), 4);
            let slack = axis.step * 1e-6;
            assert!(axis.low <= a.min(b) + slack && axis.high >= a.max(b) - slack, "{a} {b} {axis:?}");
            assert!(axis.labelled(9).count() <= 6);
        }
    }

    #[test]
    fn nothing_to_hold_gives_a_scale_all_the_same() {
        let axis = Axis::holding(f64::INFINITY, f64::NEG_INFINITY, 4);
        assert!(axis.low < axis.high);
    }
}
