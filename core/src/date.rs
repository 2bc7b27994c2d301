//! Dates, without a time zone database.

use crate::shard::Millis;

/// A point in time as people write it, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// After 1970.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59.
    pub second: u64,
}

impl Date {
    /// The date of a time, by Howard Hinnant's `civil_from_days`.
    pub fn utc(at: Millis) -> Date {
        let (days, seconds) = (at / 86_400_000, at / 1000 % 86_400);
        // Counted from 1 March of the year 0, leap days come last in their years.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
        let year = year + era * 400 + u64::from(month <= 2);
        Date { year, month, day, hour: seconds / 3600, minute: seconds / 60 % 60, second: seconds % 60 }
    }

    /// `2026-11-23 18:30:00`.
    pub fn text(&self) -> String {
        let Date { year, month, day, hour, minute, second } = self;
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }

    /// `20261123-183000`: fit for file names, and sorts by time.
    pub fn stamp(&self) -> String {
        let Date { year, month, day, hour, minute, second } = self;
        format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates() {
        assert_eq!(Date::utc(0).text(), "1970-01-01 00:00:00");
        assert_eq!(Date::utc(951_868_799_999).text(), "2000-02-29 23:59:59");
        assert_eq!(Date::utc(1_795_458_600_000).stamp(), "20261123-183000");
    }
}
