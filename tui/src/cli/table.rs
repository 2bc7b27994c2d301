//! Text in columns, and text that is as wide as a page.

use unicode_width::UnicodeWidthStr;

/// Rows whose columns stand below each other, two spaces apart; those of `right` end where the widest of them ends.
pub(super) fn aligned(rows: &[Vec<String>], right: &[usize]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.width())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            // A column that nothing stands in takes no room.
            let Some(width) = widths.get(at).filter(|width| **width > 0) else { continue };
            let gap = " ".repeat(width - cell.width());
            line += &if right.contains(&at) { format!("{gap}{cell}  ") } else { format!("{cell}{gap}  ") };
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Lines of at most so many columns, cut between words; a word that is longer has a line of its own.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.width() + 1 + word.width() <= width) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Foreign text in a line: no control characters, and no longer than this.
pub(super) fn plain(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = [row(["node", "", "GPU", "x"]), row(["10.0.0.1", "", "1.5 GB", ""])];
        assert_eq!(aligned(&rows, &[2]), ["node         GPU  x", "10.0.0.1  1.5 GB"]);
        assert!(aligned(&[], &[]).is_empty());
    }

    #[test]
    fn lines_are_cut_between_words() {
        assert_eq!(wrapped("a bb  ccc dddddddd e", 6), ["a bb", "ccc", "dddddddd", "e"]);
        assert_eq!(plain("a\x1b[2Jb\nc", 6), "a [2Jb");
    }
}
