//! Numbers, times and sizes in few columns.

use rldeck_core::shard::Millis;

/// A value with three digits that matter, in at most seven columns: `0.613`, `9,214`, `12.3k`, `6.1e-9`.
pub(super) fn number(x: f64) -> String {
    let size = x.abs();
    if x.is_nan() {
        "nan".to_owned()
    } else if x.is_infinite() {
        if x > 0.0 { "inf" } else { "-inf" }.to_owned()
    } else if x == 0.0 {
        "0".to_owned()
    } else if size < 0.000_995 {
        format!("{x:.1e}")
    } else if size < 0.009_95 {
        format!("{x:.5}")
    } else if size < 0.0995 {
        format!("{x:.4}")
    } else if size < 0.995 {
        format!("{x:.3}")
    } else if size < 9.995 {
        format!("{x:.2}")
    } else if size < 99.95 {
        format!("{x:.1}")
    } else if size < 999.5 {
        format!("{x:.0}")
    } else if size < 9_999.5 {
        count(x.round())
    } else {
        scaled(x, &["", "k", "M", "G", "T", "P", "E"], 1000.0)
    }
}

/// A number on an axis whose marks are `step` apart: as many decimals as tell them apart, no more.
pub(super) fn tick(x: f64, step: f64) -> String {
    let size = x.abs().max(step);
    if x.abs() < step * 1e-6 {
        return "0".to_owned();
    }
    if size >= 10_000.0 {
        let text = scaled(x, &["", "k", "M", "G", "T", "P", "E"], 1000.0);
        return text.replace(".0", "");
    }
    if size < 0.001 {
        return format!("{x:.0e}");
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    if decimals == 0 { count(x.round()) } else { format!("{x:.decimals$}") }
}

fn scaled(x: f64, units: &[&str], base: f64) -> String {
    let mut value = x;
    let mut unit = 0;
    while value.abs() >= base * 0.9995 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    if value.abs() >= 1e6 {
        return format!("{x:.1e}");
    }
    if value.abs() >= 99.95 { format!("{value:.0}{}", units[unit]) } else { format!("{value:.1}{}", units[unit]) }
}

/// A whole number with a comma between thousands.
fn count(x: f64) -> String {
    let digits = format!("{:.0}", x.abs());
    let mut out = String::from(if x < 0.0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A whole number with a comma between thousands.
pub(super) fn whole(n: u64) -> String {
    count(n as f64)
}

/// How long: `0.8s`, `41s`, `2m 10s`, `3h 05m`, `6d 4h`.
pub(super) fn duration(ms: Millis) -> String {
    let s = ms / 1000;
    match s {
        0..10 => format!("{}.{}s", s, ms % 1000 / 100),
        10..60 => format!("{s}s"),
        60..3600 => format!("{}m {:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h {:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d {}h", s / 86_400, s / 3600 % 24),
    }
}

/// How long ago, without tenths: `3s`, `2m 10s`.
pub(super) fn age(ms: Millis) -> String {
    if ms < 10_000 { format!("{}s", ms / 1000) } else { duration(ms) }
}

/// Bytes, in units of 1024: `512 B`, `1.2 GB`.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1000 => format!("{n} B"),
        _ => {
            let text = scaled(n as f64, &["", "K", "M", "G", "T", "P", "E"], 1024.0);
            let (value, unit) = text.split_at(text.len() - 1);
            format!("{value} {unit}B")
        }
    }
}

/// Time of day, `14:22:07`.
pub(super) fn clock(at: Millis, utc_offset: i32) -> String {
    let s = (at as i64 / 1000 + i64::from(utc_offset)).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_in_seven_columns() {
        for (x, text) in [
            (0.6134, "0.613"),
            (0.9996, "1.00"),
            (9214.2, "9,214"),
            (12_345.0, "12.3k"),
            (6.1e-9, "6.1e-9"),
            (-0.0834, "-0.0834"),
            (0.002_13, "0.00213"),
            (1.0, "1.00"),
            (99.97, "100"),
            (999.7, "1,000"),
            (9_999.9, "10.0k"),
            (3.2e7, "32.0M"),
            (0.0, "0"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(number(x), text);
        }
        for exponent in -300..300 {
            for x in [1.0, 9.99, 9.999_999, -5.5] {
                assert!(number(x * 10f64.powi(exponent)).len() <= 9, "{}", number(x * 10f64.powi(exponent)));
            }
        }
    }

    #[test]
    fn ticks_tell_neighbours_apart() {
        assert_eq!(tick(0.6, 0.2), "0.6");
        assert_eq!(tick(0.0, 0.2), "0");
        assert_eq!(tick(0.25, 0.05), "0.25");
        assert_eq!(tick(1500.0, 500.0), "1,500");
        assert_eq!(tick(20_000.0, 10_000.0), "20k");
        assert_eq!(tick(2e-5, 1e-5), "2e-5");
    }

    #[test]
    fn times_and_sizes() {
        assert_eq!(duration(840), "0.8s");
        assert_eq!(duration(41_000), "41s");
        assert_eq!(duration(130_000), "2m 10s");
        assert_eq!(duration(3_600_000 * 3 + 300_000), "3h 05m");
        assert_eq!(duration(86_400_000 * 6 + 3_600_000 * 4), "6d 4h");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_288_490_188), "1.2 GB");
        assert_eq!(bytes(345 << 20), "345 MB");
        assert_eq!(clock(1_764_000_127_000, 0), "16:02:07");
        assert_eq!(clock(0, -3600), "23:00:00");
        assert_eq!(whole(1_234_567), "1,234,567");
    }
}
