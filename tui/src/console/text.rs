//! Text from outside - logs, models, names, messages - made fit for a screen.
//!
//! Such text is data. Whatever could move the cursor, change colours or hide itself is replaced by a picture of it
//! here, and here alone: nothing from outside reaches a cell of the screen by another way.

use unicode_width::UnicodeWidthChar;

/// More combining marks than this on one letter are left out.
const MOST_MARKS: usize = 3;
const TAB: usize = 4;
const MORE: char = '…';

/// At most `width` columns of `text`, harmless; ends in `…` when there is more. Looks at no more of the text than it shows.
pub(super) fn fit(text: &str, width: usize) -> String {
    let mut cells = Cells::new(text);
    let mut out = String::new();
    let (mut used, mut fits) = (0, 0);
    for (piece, wide) in cells.by_ref() {
        if used + wide > width {
            while out.len() > fits {
                out.pop();
            }
            if width > 0 {
                out.push(MORE);
            }
            return out;
        }
        used += wide;
        piece.push_to(&mut out);
        if used < width {
            fits = out.len();
        }
    }
    out
}

/// [`fit`], filled up with blanks to exactly `width` columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    let mut out = fit(text, width);
    let used = width_of(&out);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    out
}

/// [`fit`], with blanks on the left.
pub(super) fn pad_left(text: &str, width: usize) -> String {
    let fitted = fit(text, width);
    let blanks = width.saturating_sub(width_of(&fitted));
    " ".repeat(blanks) + &fitted
}

/// Columns that a harmless text takes.
pub(super) fn width_of(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text in lines of at most `width` columns, broken between words where that is possible; at most `most` lines,
/// the last of which ends in `…` when there is more. Line ends break lines too.
pub(super) fn wrap(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if width == 0 || most == 0 {
        return lines;
    }
    let (mut line, mut used, mut blank) = (String::new(), 0, None);
    let mut cells = Cells { breaks: true, ..Cells::new(text) };
    while let Some((piece, wide)) = cells.next() {
        let (piece, wide) = if wide > width { (Piece::As(MORE), 1) } else { (piece, wide) };
        let ends = matches!(piece, Piece::Break);
        if ends || used + wide > width {
            let fits = |at: &usize| !ends && width_of(&line[*at..]) + wide <= width;
            let rest = match blank.filter(fits) {
                Some(at) if !matches!(piece, Piece::As(' ')) => line.split_off(at),
                _ => String::new(),
            };
            let whole = std::mem::replace(&mut line, rest);
            lines.push(whole.trim_end().to_owned());
            (used, blank) = (width_of(&line), None);
            if lines.len() == most {
                let more = !ends || !line.is_empty() || cells.next().is_some();
                if let Some(last) = lines.last_mut().filter(|_| more) {
                    *last = fit(last, if width_of(last) < width { width } else { width - 1 }).replace(MORE, "");
                    last.push(MORE);
                }
                return lines;
            }
            if ends || (matches!(piece, Piece::As(' ')) && line.is_empty()) {
                continue;
            }
        }
        piece.push_to(&mut line);
        used += wide;
        if matches!(piece, Piece::As(' ')) {
            blank = Some(line.len());
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

enum Piece {
    As(char),
    Blanks(usize),
    Picture(String),
    Break,
}

impl Piece {
    fn push_to(&self, out: &mut String) {
        match self {
            Piece::As(c) => out.push(*c),
            Piece::Blanks(n) => out.extend(std::iter::repeat_n(' ', *n)),
            Piece::Picture(text) => out.push_str(text),
            Piece::Break => {}
        }
    }
}

/// The pieces of a text with the columns they take.
struct Cells<'a> {
    chars: std::str::Chars<'a>,
    marks: usize,
    started: bool,
    breaks: bool,
}

impl<'a> Cells<'a> {
    fn new(text: &'a str) -> Cells<'a> {
        Cells { chars: text.chars(), marks: 0, started: false, breaks: false }
    }
}

impl Iterator for Cells<'_> {
    type Item = (Piece, usize);

    fn next(&mut self) -> Option<(Piece, usize)> {
        loop {
            let c = self.chars.next()?;
            if c == '\n' && self.breaks {
                self.started = false;
                return Some((Piece::Break, 0));
            }
            if let Some(piece) = picture(c) {
                self.marks = 0;
                self.started = true;
                return Some(piece);
            }
            match c.width().unwrap_or(0) {
                0 if is_selector(c) || !self.started || self.marks >= MOST_MARKS => continue,
                0 => self.marks += 1,
                _ => (self.marks, self.started) = (0, true),
            }
            return Some((Piece::As(c), c.width().unwrap_or(0)));
        }
    }
}

/// What stands for a character that must not reach the terminal.
fn picture(c: char) -> Option<(Piece, usize)> {
    let code = c as u32;
    match c {
        '\t' => Some((Piece::Blanks(TAB), TAB)),
        '\u{0}'..='\u{1f}' => Some((Piece::As(char::from_u32(0x2400 + code)?), 1)),
        '\u{7f}' => Some((Piece::As('␡'), 1)),
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' => Some(named(code)),
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => Some(named(code)),
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => Some(named(code)),
        '\u{1f1e6}'..='\u{1f1ff}' => Some((Piece::As(char::from_u32(code - 0x1f1e6 + 'A' as u32)?), 1)),
        '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e00ff}' => Some(named(code)),
        _ => None,
    }
}

fn named(code: u32) -> (Piece, usize) {
    let text = format!("‹{code:x}›");
    let width = width_of(&text);
    (Piece::Picture(text), width)
}

/// Chooses between a letter's forms; terminals disagree about the width that follows.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_become_pictures() {
        assert_eq!(fit("a\x1b[31mred\x07\u{9b}2J\r", 80), "a␛[31mred␇‹9b›2J␍");
        assert_eq!(fit("x\u{202e}y\u{200b}z", 80), "x‹202e›y‹200b›z");
        assert_eq!(fit("a\tb", 80), "a    b");
    }

    #[test]
    fn cut_text_says_so_and_fits() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("abcd", 4), "abcd");
        assert_eq!(fit("数学数学", 5), "数学…");
        assert_eq!(fit("数学数学", 4), "数…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(pad("数", 4), "数  ");
        assert_eq!(pad_left("ab", 4), "  ab");
    }

    #[test]
    fn marks_are_few_and_need_a_letter() {
        assert_eq!(fit("\u{301}a\u{301}\u{301}\u{301}\u{301}\u{301}", 9), "a\u{301}\u{301}\u{301}");
    }

    #[test]
    fn a_long_line_costs_no_more_than_a_screen() {
        let line = "x".repeat(1 << 20);
        let start = std::time::Instant::now();
        (0..1000).for_each(|_| assert_eq!(width_of(&fit(&line, 100)), 100));
        assert!(start.elapsed().as_millis() < 1000);
    }

    #[test]
    fn wrapping_breaks_between_words() {
        assert_eq!(wrap("one two three", 8, 9), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4, 9), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\nb", 4, 9), ["a", "b"]);
        assert_eq!(wrap("one two three four", 8, 2), ["one two", "three…"]);
        assert_eq!(wrap("", 8, 2), [""]);
    }

    #[test]
    fn nothing_harmful_ever_comes_out() {
        let mut seed = 1u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let code = match (seed >> 60) % 4 {
                    0 => (seed >> 33) as u32 % 0x100,
                    1 => 0x2000 + (seed >> 33) as u32 % 0x80,
                    2 => 0x300 + (seed >> 33) as u32 % 0x70,
                    _ => (seed >> 33) as u32 % 0x110000,
                };
                text.extend(char::from_u32(code));
            }
            for width in [0, 1, 3, 7, 40] {
                let out = fit(&text, width);
                assert!(width_of(&out) <= width, "{text:?} {out:?}");
                assert!(!out.chars().any(|c| c.is_control() || ('\u{200b}'..='\u{200f}').contains(&c)));
                assert!(wrap(&text, width, 5).iter().all(|line| width_of(line) <= width));
            }
        }
    }
}
