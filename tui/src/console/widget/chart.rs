//! A chart of series over rollouts or steps: a smoothed line over what was measured, the spread of what one column
//! has to stand for, and where attempts begin. Draws from buckets that are already summed up.

use ratatui::layout::Rect;
use rldeck_core::deck::Series;

use super::{
    axis::Axis,
    braille::{self, Layer},
    pen::{Pen, piece},
};
use crate::console::{format, text, theme::Meaning};

/// Columns for the numbers at the left.
const MARGIN: u16 = 7;
/// The x axis holds at least so many x, so that the first points do not leap.
const LEAST_SPAN: u64 = 8;
/// Points from which on a line is smoothed.
const SMOOTH_FROM: usize = 24;

/// A series and its colours.
#[derive(Clone, Copy, Debug)]
pub(in crate::console) struct Curve<'a> {
    pub(in crate::console) series: &'a Series,
    /// Said before its last value when there are several.
    pub(in crate::console) name: &'a str,
    pub(in crate::console) line: Meaning,
    pub(in crate::console) soft: Meaning,
}

/// A titled chart.
#[derive(Clone, Debug)]
pub(in crate::console) struct Chart<'a> {
    pub(in crate::console) title: &'a str,
    /// The first one lies uppermost.
    pub(in crate::console) curves: Vec<Curve<'a>>,
    /// What x counts.
    pub(in crate::console) unit: &'a str,
}

impl Chart<'_> {
    pub(in crate::console) fn draw(&self, pen: &mut Pen<'_>, area: Rect) {
        let several = self.curves.len() > 1;
        let mut right = Vec::new();
        for (i, curve) in self.curves.iter().enumerate() {
            let Some(last) = curve.series.last() else { continue };
            let rank = i as u8 * 2;
            if several && !curve.name.is_empty() {
                right.push(piece(curve.name, Meaning::Dim).rank(rank + 1));
            }
            right.push(piece(format::number(last), if i == 0 { Meaning::Number } else { curve.line }).rank(rank));
            right.push(piece(arrow(curve.series), curve.line).rank(rank));
        }
        let inner = pen.panel(area, self.title, right);
        if self.curves.iter().all(|curve| curve.series.buckets.is_empty()) {
            let y = inner.y + inner.height / 2;
            if inner.height > 0 {
                pen.put(inner.x + 2, y, inner.width.saturating_sub(2).into(), "nothing measured yet", Meaning::Dim);
            }
            return;
        }
        self.plot(pen, inner);
    }

    fn plot(&self, pen: &mut Pen<'_>, area: Rect) {
        let margin = if area.width >= 24 { MARGIN } else { 0 };
        let below = u16::from(area.height >= 5);
        let field = Rect {
            x: area.x + margin,
            y: area.y,
            width: area.width.saturating_sub(margin + 1),
            height: area.height - below,
        };
        if field.is_empty() {
            return;
        }
        let (first, last) = self.span();
        let (columns, rows) = (usize::from(field.width), usize::from(field.height));
        let traces: Vec<Trace> = self.curves.iter().map(|c| Trace::of(c.series, first, last, columns * 2)).collect();
        let low = traces.iter().map(|trace| trace.low).fold(f64::INFINITY, f64::min);
        let high = traces.iter().map(|trace| trace.high).fold(f64::NEG_INFINITY, f64::max);
        let axis = Axis::holding(low, high, (rows / 2).clamp(1, 5));
        self.margins(pen, field, margin, below, &axis, (first, last));
        self.attempts(pen, field, (first, last));
        let mut layers = Vec::new();
        for (trace, curve) in traces.iter().zip(&self.curves) {
            let drawn = trace.layers(&axis, columns, rows);
            layers.push((0, drawn.line, curve.line));
            layers.push((1, drawn.soft, curve.soft));
            layers.push((2, drawn.past, Meaning::Past));
        }
        layers.sort_by_key(|(depth, _, _)| *depth);
        let layers: Vec<(Layer, Meaning)> = layers.into_iter().map(|(_, layer, meaning)| (layer, meaning)).collect();
        braille::draw(pen, field, &layers);
    }

    /// First and last x of all curves.
    fn span(&self) -> (u64, u64) {
        let buckets = || self.curves.iter().flat_map(|curve| &curve.series.buckets);
        let first = buckets().map(|bucket| bucket.from).min().unwrap_or(0);
        let last = buckets().map(|bucket| bucket.to).max().unwrap_or(0);
        (first, last.max(first + LEAST_SPAN))
    }

    fn margins(&self, pen: &mut Pen<'_>, field: Rect, margin: u16, below: u16, axis: &Axis, span: (u64, u64)) {
        let bottom = field.bottom() - 1;
        if margin > 0 {
            let mut free = bottom + 1;
            for mark in axis.marks() {
                let y = bottom - (axis.place(mark) * f64::from(field.height - 1)).round() as u16;
                if y < free {
                    pen.put_left_of(field.x - 1, y, &format::tick(mark, axis.step), Meaning::Dim);
                    free = y.saturating_sub(u16::from(field.height > 6));
                }
            }
            for y in field.top()..field.bottom() {
                pen.put(field.x - 1, y, 1, "▏", Meaning::Faint);
            }
        }
        if below > 0 {
            let y = field.bottom();
            let last = format::whole(span.1);
            pen.put(field.x, y, field.width.into(), &format::whole(span.0), Meaning::Dim);
            let at = pen.put_left_of(field.right(), y, &last, Meaning::Dim);
            let unit = self.unit;
            if usize::from(at - field.x) > text::width_of(unit) + 8 {
                pen.put_left_of(at - 1, y, unit, Meaning::Dim);
            }
        }
    }

    /// A line where each attempt but the first begins.
    fn attempts(&self, pen: &mut Pen<'_>, field: Rect, (first, last): (u64, u64)) {
        let Some(curve) = self.curves.iter().max_by_key(|curve| curve.series.buckets.len()) else { return };
        for pair in curve.series.buckets.windows(2).filter(|pair| pair[1].attempt != pair[0].attempt) {
            let at = dot(pair[1].from, first, last, usize::from(field.width) * 2) / 2;
            let x = field.x + at as u16;
            for y in field.top()..field.bottom() {
                pen.put(x, y, 1, "┆", Meaning::Mark);
            }
            pen.put(x + 1, field.top(), field.right().saturating_sub(x + 1).min(4).into(), &pair[1].attempt.to_string(), Meaning::Mark);
        }
    }
}

/// Where the last values go, against how far apart all of them lie.
pub(in crate::console) fn arrow(series: &Series) -> &'static str {
    let buckets = &series.buckets;
    let few = (buckets.len() / 3).clamp(1, 10);
    let means = |range: std::ops::Range<usize>| {
        let part = &buckets[range];
        part.iter().map(|b| b.sum).sum::<f64>() / part.iter().map(|b| b.count).sum::<u64>() as f64
    };
    if buckets.len() < 4 {
        return "·";
    }
    let (before, after) = (means(buckets.len() - 2 * few..buckets.len() - few), means(buckets.len() - few..buckets.len()));
    let range = |b: &[rldeck_core::deck::Bucket]| {
        b.iter().map(|b| b.max).fold(f64::NEG_INFINITY, f64::max) - b.iter().map(|b| b.min).fold(f64::INFINITY, f64::min)
    };
    let noise = range(&buckets[buckets.len() - 2 * few..]).max(range(buckets) * 0.2) * 0.12;
    match after - before {
        change if change > noise => "▲",
        change if change < -noise => "▼",
        _ => "·",
    }
}

/// The dot column of an x.
fn dot(x: u64, first: u64, last: u64, dots: usize) -> usize {
    let share = x.saturating_sub(first) as f64 / (last - first).max(1) as f64;
    ((share * (dots.saturating_sub(1)) as f64).round() as usize).min(dots.saturating_sub(1))
}

/// What one column of dots stands for.
#[derive(Clone, Copy, Debug)]
struct Column {
    x: usize,
    min: f64,
    max: f64,
    mean: f64,
    smooth: f64,
    attempt: u32,
    /// Trained again by a later attempt.
    past: bool,
}

/// A series, column by column.
#[derive(Debug)]
struct Trace {
    columns: Vec<Column>,
    low: f64,
    high: f64,
}

struct Drawn {
    line: Layer,
    soft: Layer,
    past: Layer,
}

impl Trace {
    fn of(series: &Series, first: u64, last: u64, dots: usize) -> Trace {
        let mut columns: Vec<(Column, u64)> = Vec::new();
        let mut later = u64::MAX;
        let mut after = None;
        let mut past = vec![false; series.buckets.len()];
        let mut begins = u64::MAX;
        for (i, bucket) in series.buckets.iter().enumerate().rev() {
            if after.is_some_and(|attempt| attempt != bucket.attempt) {
                later = later.min(begins);
            }
            begins = bucket.from;
            after = Some(bucket.attempt);
            past[i] = bucket.from >= later;
        }
        for (bucket, past) in series.buckets.iter().zip(past).filter(|(bucket, _)| bucket.count > 0) {
            let x = dot(bucket.from, first, last, dots);
            match columns.last_mut() {
                Some((column, count)) if column.x == x && column.past == past && column.attempt == bucket.attempt => {
                    column.mean = (column.mean * *count as f64 + bucket.sum) / (*count + bucket.count) as f64;
                    *count += bucket.count;
                    column.min = column.min.min(bucket.min);
                    column.max = column.max.max(bucket.max);
                }
                _ => {
                    let (min, max, mean) = (bucket.min, bucket.max, bucket.mean());
                    let column = Column { x, min, max, mean, smooth: mean, attempt: bucket.attempt, past };
                    columns.push((column, bucket.count));
                }
            }
        }
        let mut columns: Vec<Column> = columns.into_iter().map(|(column, _)| column).collect();
        smooth(&mut columns);
        let low = columns.iter().map(|column| column.min).fold(f64::INFINITY, f64::min);
        let high = columns.iter().map(|column| column.max).fold(f64::NEG_INFINITY, f64::max);
        Trace { columns, low, high }
    }

    fn layers(&self, axis: &Axis, columns: usize, rows: usize) -> Drawn {
        let blank = Layer::new(columns, rows);
        let mut drawn = Drawn { line: blank.clone(), soft: blank.clone(), past: blank };
        let most = (rows * 4 - 1) as f64;
        let row = |value: f64| ((1.0 - axis.place(value)) * most).round() as usize;
        let smoothed = self.columns.len() >= SMOOTH_FROM;
        let mut before: Option<&Column> = None;
        for column in &self.columns {
            let joined = before.filter(|b| b.past == column.past && b.attempt == column.attempt && b.x <= column.x);
            let start = joined.unwrap_or(column);
            if column.past {
                stroke(&mut drawn.past, (start.x, start.mean), (column.x, column.mean), &row);
            } else {
                if smoothed {
                    stroke(&mut drawn.soft, (start.x, start.mean), (column.x, column.mean), &row);
                }
                drawn.soft.column(column.x, row(column.min), row(column.max));
                stroke(&mut drawn.line, (start.x, start.smooth), (column.x, column.smooth), &row);
            }
            before = Some(column);
        }
        drawn
    }
}

/// A mean that follows its column and those before it in the same attempt.
fn smooth(columns: &mut [Column]) {
    if columns.len() < SMOOTH_FROM {
        return;
    }
    let keep = 1.0 - 1.0 / (columns.len() as f64 / 14.0).clamp(1.5, 8.0);
    let mut last: Option<Column> = None;
    for column in columns {
        if let Some(last) = last.filter(|last| last.past == column.past && last.x <= column.x) {
            column.smooth = last.smooth * keep + column.mean * (1.0 - keep);
        }
        last = Some(*column);
    }
}

/// A line from one point to another, without gaps.
fn stroke(layer: &mut Layer, from: (usize, f64), to: (usize, f64), row: &dyn Fn(f64) -> usize) {
    let mut before = row(from.1);
    for x in from.0..=to.0 {
        let share = if to.0 == from.0 { 1.0 } else { (x - from.0) as f64 / (to.0 - from.0) as f64 };
        let y = row(from.1 + (to.1 - from.1) * share);
        let start = match before.cmp(&y) {
            std::cmp::Ordering::Less => before + 1,
            std::cmp::Ordering::Greater => before - 1,
            std::cmp::Ordering::Equal => y,
        };
        layer.column(x, start, y);
        before = y;
    }
}

#[cfg(test)]
mod tests;
