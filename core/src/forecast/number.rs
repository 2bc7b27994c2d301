//! Numbers as an operator reads them, and lists as launch scripts write them.

/// `671,026,419,200`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in the largest unit of a thousand that leaves a whole part: `1.43 TB`, `80.0 GB`, `70 KB`.
pub fn gigabytes(bytes: u64) -> String {
    const UNITS: [(f64, &str); 5] = [(1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")];
    let amount = bytes as f64;
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| amount >= *unit) else {
        return format!("{bytes} bytes");
    };
    let amount = amount / unit;
    match amount {
        amount if amount < 10.0 => format!("{amount:.2} {name}"),
        amount if amount < 100.0 => format!("{amount:.1} {name}"),
        amount => format!("{amount:.0} {name}"),
    }
}

/// Marks of layers: `[0,1,1]`, `[0]*3+[1]*58`, with parentheses around it or none.
pub(super) fn expression(text: &str) -> Option<Vec<bool>> {
    let text: String = text.chars().filter(|letter| !letter.is_whitespace() && !"()".contains(*letter)).collect();
    let mut marks = Vec::new();
    for term in text.split('+') {
        let (list, times) = match term.split_once('*') {
            Some((list, times)) if list.starts_with('[') => (list, times),
            Some((times, list)) => (list, times),
            None => (term, "1"),
        };
        let inner = list.strip_prefix('[')?.strip_suffix(']')?;
        let one: Option<Vec<bool>> = inner
            .split(',')
            .map(|mark| match mark {
                "0" => Some(false),
                "1" => Some(true),
                _ => None,
            })
            .collect();
        let (one, times) = (one?, times.parse::<usize>().ok()?);
        // No model has more layers; a slip of the keyboard must not fill the memory.
        if one.len().saturating_mul(times) > 100_000 {
            return None;
        }
        marks.extend(one.iter().copied().cycle().take(one.len() * times));
    }
    Some(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (671_026_419_200, "671,026,419,200")];
        assert!(cases.into_iter().all(|(number, text)| grouped(number) == text));
    }

    #[test]
    fn bytes_have_three_digits() {
        let said =
            [999, 70_272, 12_700_000_000, 184_600_000_000, 1_434_000_000_000, 1_409_155_480_320_000].map(gigabytes);
        assert_eq!(said, ["999 bytes", "70.3 KB", "12.7 GB", "185 GB", "1.43 TB", "1.41 PB"]);
    }

    #[test]
    fn marks_are_read_as_scripts_write_them() {
        let marks = |text: &str| expression(text).map(|marks| marks.into_iter().map(u8::from).collect::<Vec<_>>());
        assert_eq!(marks("[0,1,1]"), Some(vec![0, 1, 1]));
        assert_eq!(marks("([0]*2 + [1]*3)"), Some(vec![0, 0, 1, 1, 1]));
        assert_eq!(marks("[0, 1]*2"), Some(vec![0, 1, 0, 1]));
        assert_eq!(marks("2*[1]"), Some(vec![1, 1]));
        for wrong in ["", "[]", "[2]", "[0", "0", "[0]*x", "[0]*9999999", "[0]*18446744073709551615"] {
            assert_eq!(marks(wrong), None, "{wrong}");
        }
    }
}
