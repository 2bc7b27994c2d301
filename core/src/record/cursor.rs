use memchr::memmem;

/// Walks through the bytes of a message. Nothing is taken when an answer is `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// Goes behind the next `literal` and gives what stood before it.
    pub(super) fn until(&mut self, literal: &str) -> Option<&'a [u8]> {
        let at = memmem::find(self.0, literal.as_bytes())?;
        let before = &self.0[..at];
        self.0 = &self.0[at + literal.len()..];
        Some(before)
    }

    /// Goes behind `literal`, which must stand here.
    pub(super) fn literal(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal.as_bytes())?;
        Some(())
    }

    /// Spaces, then a whole number.
    pub(super) fn number(&mut self) -> Option<u64> {
        let (number, rest) = digits(self.0.trim_ascii_start())?;
        self.0 = rest;
        Some(number)
    }

    /// Bytes for which `is` holds; may be none.
    pub(super) fn while_(&mut self, is: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !is(*byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }
}

/// The whole number at the start of `bytes` and what follows it. Nothing when there is none or it is beyond `u64`.
fn digits(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (number, rest) = bytes.split_at(end);
    Some((whole(number)?, rest))
}

/// A whole number that is all of `bytes`.
pub(super) fn whole(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0u64, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add((byte - b'0').into()),
        _ => None,
    })
}

/// A decimal number that is all of `bytes`, `nan` and `inf` among them.
pub(super) fn decimal(bytes: &[u8]) -> Option<f64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
