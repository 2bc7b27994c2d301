//! Colours as theme files write them, and as a terminal can show them.

use ratatui::style::Color;

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Depth {
    /// 24 bits.
    Full,
    /// The 256 of xterm.
    Indexed,
    /// None: the person asked for none (`NO_COLOR`).
    None,
}

impl Depth {
    /// As the environment tells it.
    pub(in crate::console) fn of(var: impl Fn(&str) -> Option<String>) -> Depth {
        let holds = |name: &str, words: &[&str]| var(name).is_some_and(|text| words.iter().any(|w| text.contains(w)));
        if var("NO_COLOR").is_some_and(|text| !text.is_empty()) || var("TERM").is_some_and(|term| term == "dumb") {
            Depth::None
        } else if holds("COLORTERM", &["truecolor", "24bit"]) || holds("TERM", &["direct", "kitty", "ghostty"]) {
            Depth::Full
        } else {
            Depth::Indexed
        }
    }

    /// The nearest colour that can be shown.
    pub(super) fn show(self, colour: Color) -> Color {
        match (self, colour) {
            (Depth::Full, colour) => colour,
            (Depth::Indexed, Color::Rgb(r, g, b)) => Color::Indexed(indexed([r, g, b])),
            (Depth::Indexed, colour) => colour,
            (Depth::None, _) => Color::Reset,
        }
    }
}

/// Reads `#rrggbb`, `default`, or a number of the 256.
pub(super) fn read(text: &str) -> Option<Color> {
    if text == "default" {
        return Some(Color::Reset);
    }
    if let Some(hex) = text.strip_prefix('#').filter(|hex| hex.len() == 6) {
        let rgb = u32::from_str_radix(hex, 16).ok()?;
        return Some(Color::Rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8));
    }
    text.parse().ok().map(Color::Indexed)
}

const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The entry of the colour cube or of the grey ramp that is nearest to the eye.
fn indexed(rgb: [u8; 3]) -> u8 {
    let step = |x: u8| (0..6).min_by_key(|i| CUBE[*i].abs_diff(x)).unwrap_or(0);
    let [r, g, b] = rgb.map(step);
    let cube = (16 + 36 * r + 6 * g + b) as u8;
    let mean = rgb.iter().map(|x| u32::from(*x)).sum::<u32>() / 3;
    let grey = ((mean.saturating_sub(3)) / 10).min(23);
    let level = (8 + 10 * grey) as u8;
    let far = |other: [u8; 3]| {
        rgb.iter().zip(other).zip([2u32, 4, 3]).map(|((x, y), w)| w * u32::from(x.abs_diff(y)).pow(2)).sum::<u32>()
    };
    // A bluish grey is nearer to grey for the eye than to the violet beside it in the cube.
    let dull = rgb.iter().max().zip(rgb.iter().min()).is_some_and(|(most, least)| most - least < 40);
    if dull && mean < 243 {
        return 232 + grey as u8;
    }
    if far([level; 3]) < far([CUBE[r], CUBE[g], CUBE[b]]) { 232 + grey as u8 } else { cube }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_read() {
        assert_eq!(read("#0d1117"), Some(Color::Rgb(13, 17, 23)));
        assert_eq!(read("42"), Some(Color::Indexed(42)));
        assert_eq!(read("default"), Some(Color::Reset));
        assert_eq!(read("#12"), None);
        assert_eq!(read("blau"), None);
    }

    #[test]
    fn the_nearest_of_256() {
        assert_eq!(indexed([255, 0, 0]), 196);
        assert_eq!(indexed([255, 255, 255]), 231);
        assert_eq!(indexed([0x87, 0x93, 0xa5]), 246);
        assert_eq!(indexed([18, 18, 18]), 233);
        assert_eq!(indexed([128, 128, 128]), 244);
    }

    #[test]
    fn no_colour_is_respected() {
        let none = Depth::of(|name| (name == "NO_COLOR").then(|| "1".to_owned()));
        assert_eq!(none.show(Color::Rgb(1, 2, 3)), Color::Reset);
        assert_eq!(Depth::of(|name| (name == "COLORTERM").then(|| "truecolor".to_owned())), Depth::Full);
        assert_eq!(Depth::of(|_| None), Depth::Indexed);
    }
}
