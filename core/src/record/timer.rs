use super::{
    Record,
    cursor::{Cursor, decimal},
};

/// `Timer actor_train start`, `Timer actor_train end (elapsed: 81.3s)`; `rest` is what stands behind `Timer `.
pub(super) fn timer(rest: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(rest);
    let name = cursor.while_(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/'));
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    if cursor.literal(" end (elapsed: ").is_some() {
        let ended = decimal(cursor.until("s)")?)?;
        return Some(Record::Timer { name, ended: Some(ended) });
    }
    cursor.literal(" start")?;
    cursor.0.first().is_none_or(u8::is_ascii_whitespace).then_some(Record::Timer { name, ended: None })
}
