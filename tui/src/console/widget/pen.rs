use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use crate::console::{
    text,
    theme::{Meaning, Theme},
};

/// Draws text on a buffer: the only way for text to reach the screen, and it passes through [`text::fit`] there.
pub(in crate::console) struct Pen<'a> {
    pub(in crate::console) buf: &'a mut Buffer,
    pub(in crate::console) theme: &'a Theme,
}

/// A piece of a line. When a line is too narrow for all of them, those of the greatest `rank` go first.
#[derive(Clone, Debug)]
pub(in crate::console) struct Piece {
    pub(in crate::console) text: String,
    pub(in crate::console) meaning: Meaning,
    pub(in crate::console) rank: u8,
}

/// A piece that stays longest.
pub(in crate::console) fn piece(text: impl Into<String>, meaning: Meaning) -> Piece {
    Piece { text: text.into(), meaning, rank: 0 }
}

impl Piece {
    pub(in crate::console) fn rank(self, rank: u8) -> Piece {
        Piece { rank, ..self }
    }

    fn width(&self) -> usize {
        text::width_of(&text::fit(&self.text, usize::from(u16::MAX)))
    }
}

/// The pieces that fit into `width` with `gap` blanks between them.
pub(in crate::console) fn fitting(mut pieces: Vec<Piece>, gap: usize, width: usize) -> Vec<Piece> {
    pieces.retain(|piece| !piece.text.is_empty());
    loop {
        let used: usize = pieces.iter().map(|piece| piece.width() + gap).sum::<usize>().saturating_sub(gap);
        let last = pieces.iter().map(|piece| piece.rank).max().unwrap_or(0);
        if used <= width || last == 0 {
            return pieces;
        }
        if let Some(at) = pieces.iter().rposition(|piece| piece.rank == last) {
            pieces.remove(at);
        }
    }
}

impl Pen<'_> {
    /// Writes at most `width` columns; returns the column after them.
    pub(in crate::console) fn put(&mut self, x: u16, y: u16, width: usize, line: &str, meaning: Meaning) -> u16 {
        self.styled(x, y, width, line, self.theme.style(meaning))
    }

    /// One letter of our own: a dot pattern, a block, a rule.
    pub(in crate::console) fn glyph(&mut self, x: u16, y: u16, glyph: char, meaning: Meaning) {
        if let Some(cell) = self.buf.cell_mut(Position { x, y }) {
            cell.set_char(glyph).set_style(self.theme.style(meaning));
        }
    }

    /// Nothing is drawn there yet.
    pub(in crate::console) fn blank(&self, x: u16, y: u16) -> bool {
        self.buf.cell(Position { x, y }).is_some_and(|cell| cell.symbol() == " ")
    }

    fn styled(&mut self, x: u16, y: u16, width: usize, line: &str, style: Style) -> u16 {
        let area = self.buf.area;
        if !area.contains(Position { x, y }) || width == 0 {
            return x;
        }
        let width = width.min(usize::from(area.right() - x));
        let fitted = text::fit(line, width);
        self.buf.set_stringn(x, y, &fitted, width, style).0
    }

    /// The same with ground and letters swapped: a coloured block with text in it.
    pub(in crate::console) fn block(&mut self, area: Rect, line: &str, meaning: Meaning) {
        let style = self.theme.style(meaning).add_modifier(ratatui::style::Modifier::REVERSED);
        let line = text::pad(line, area.width.into());
        self.styled(area.x, area.y, area.width.into(), &line, style);
    }

    /// Writes so that it ends before column `right`; returns the column where it begins.
    pub(in crate::console) fn put_left_of(&mut self, right: u16, y: u16, line: &str, meaning: Meaning) -> u16 {
        let width = u16::try_from(text::width_of(line)).unwrap_or(u16::MAX);
        let x = right.saturating_sub(width);
        self.put(x, y, (right - x).into(), line, meaning);
        x
    }

    /// Writes pieces with `gap` blanks between them; returns the column after the last one.
    pub(in crate::console) fn pieces(&mut self, area: Rect, pieces: Vec<Piece>, gap: u16) -> u16 {
        let mut x = area.x;
        for (i, piece) in fitting(pieces, gap.into(), area.width.into()).into_iter().enumerate() {
            if i > 0 {
                x = x.saturating_add(gap);
            }
            x = self.put(x, area.y, area.right().saturating_sub(x).into(), &piece.text, piece.meaning);
        }
        x
    }

    /// The same, ending at the right edge; returns the column where they begin.
    pub(in crate::console) fn pieces_right(&mut self, area: Rect, pieces: Vec<Piece>, gap: u16) -> u16 {
        let pieces = fitting(pieces, gap.into(), area.width.into());
        let used: usize = pieces.iter().map(|piece| piece.width() + usize::from(gap)).sum();
        let used = used.saturating_sub(gap.into()).min(area.width.into()) as u16;
        let x = area.right() - used;
        self.pieces(Rect { x, width: used, ..area }, pieces, gap);
        x
    }

    /// Lays a style over an area.
    pub(in crate::console) fn tint(&mut self, area: Rect, meaning: Meaning) {
        self.buf.set_style(area.intersection(self.buf.area), self.theme.style(meaning));
    }

    /// Empties an area and gives it a ground.
    pub(in crate::console) fn clear(&mut self, area: Rect, meaning: Meaning) {
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buf[(x, y)].reset();
            }
        }
        self.buf.set_style(area, self.theme.style(Meaning::Ground));
        self.tint(area, meaning);
    }

    /// The head of a panel: a rule with its title, and pieces at its right end. Returns what is below.
    pub(in crate::console) fn panel(&mut self, area: Rect, title: &str, right: Vec<Piece>) -> Rect {
        if area.is_empty() {
            return area;
        }
        let rule = "─".repeat(area.width.into());
        self.put(area.x, area.y, area.width.into(), &rule, Meaning::Faint);
        let wide = text::width_of(title) as u16 + 2;
        let room = area.width.saturating_sub(wide + 4);
        self.put(area.x + 1, area.y, area.width.saturating_sub(1).into(), &format!(" {title} "), Meaning::Title);
        let right = fitting(right, 1, room.saturating_sub(2).into());
        if room > 4 && !right.is_empty() {
            let row = Rect { x: area.right() - 2 - room + 1, y: area.y, width: room, height: 1 };
            let inner = Rect { x: row.x + 1, width: row.width - 2, ..row };
            let used: usize = right.iter().map(|piece| piece.width() + 1).sum();
            if used <= usize::from(inner.width) + 1 {
                let x = inner.right() - (used as u16 - 1);
                self.put(x - 1, area.y, used + 1, &" ".repeat(used + 1), Meaning::Text);
                self.pieces(Rect { x, width: inner.right() - x, ..inner }, right, 1);
            }
        }
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    }
}
