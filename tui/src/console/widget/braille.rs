//! A grid of dots, two by four in each cell. Layers lie over each other; a cell shows the uppermost that has dots in it.

use ratatui::layout::Rect;

use super::pen::Pen;
use crate::console::theme::Meaning;

/// Dots of one colour.
#[derive(Clone, Debug)]
pub(in crate::console) struct Layer {
    cells: Vec<u8>,
    columns: usize,
    rows: usize,
}

/// Bits of a braille letter, by row and column of the dot.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Layer {
    /// For so many cells.
    pub(in crate::console) fn new(columns: usize, rows: usize) -> Layer {
        Layer { cells: vec![0; columns * rows], columns, rows }
    }

    /// Dots in a row.
    pub(in crate::console) fn width(&self) -> usize {
        self.columns * 2
    }

    /// Dots in a column.
    pub(in crate::console) fn height(&self) -> usize {
        self.rows * 4
    }

    /// Sets the dot at `x` from the left and `y` from the top.
    pub(in crate::console) fn dot(&mut self, x: usize, y: usize) {
        if x < self.width() && y < self.height() {
            self.cells[y / 4 * self.columns + x / 2] |= BITS[y % 4][x % 2];
        }
    }

    /// Sets all dots of a column from one row to another.
    pub(in crate::console) fn column(&mut self, x: usize, from: usize, to: usize) {
        (from.min(to)..=from.max(to)).for_each(|y| self.dot(x, y));
    }
}

/// Draws layers, the first one uppermost.
pub(in crate::console) fn draw(pen: &mut Pen<'_>, area: Rect, layers: &[(Layer, Meaning)]) {
    for (y, row) in (area.top()..area.bottom()).enumerate() {
        for (x, column) in (area.left()..area.right()).enumerate() {
            let bits = |layer: &Layer| layer.cells.get(y * layer.columns + x).copied().unwrap_or(0);
            let Some((layer, meaning)) = layers.iter().find(|(layer, _)| bits(layer) != 0) else { continue };
            if let Some(letter) = char::from_u32(0x2800 + u32::from(bits(layer))) {
                pen.glyph(column, row, letter, *meaning);
            }
        }
    }
}
