use crate::shard::Severity;

/// How bad a log line is, as far as its text tells.
pub fn severity(line: &str) -> Severity {
    const ERRORS: [&str; 6] =
        ["Traceback (most recent call last)", "ERROR", "Error:", "error:", "panicked at", "FATAL"];
    const WARNINGS: [&str; 4] = ["WARNING", "Warning:", "warning:", "WARN"];
    // What decides stands early in a line; what a model wrote may stand anywhere.
    let head = &line[..line.floor_char_boundary(200)];
    match () {
        () if ERRORS.iter().any(|word| head.contains(word)) => Severity::Error,
        () if WARNINGS.iter().any(|word| head.contains(word)) => Severity::Warning,
        () => Severity::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_bad_as_it_says_early() {
        assert_eq!(severity("[2026-11-23 18:00:00] a.py:3 - step 1: {'train/loss': 0.1}"), Severity::Info);
        assert_eq!(severity("2025-11-08 10:07:09 ERROR sglang_router_rs::response: 503"), Severity::Error);
        assert_eq!(severity("Warning: Argument k is already set"), Severity::Warning);
        assert_eq!(severity(&format!("{}Error:", "ü".repeat(300))), Severity::Info);
    }
}
