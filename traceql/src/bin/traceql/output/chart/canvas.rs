//! A grid of characters to draw lines on: of braille dots, 2 × 4 to a character, or of marks, where series have to be told
//! apart without colours.

use super::Look;

/// Colours, and marks in both sets of characters: one for each series that is drawn.
pub(super) const COLORS: [&str; 8] = ["36", "33", "35", "32", "94", "91", "96", "95"];
const MARKS: [&str; 8] = ["●", "▲", "■", "◆", "○", "△", "□", "◇"];
const ASCII_MARKS: [&str; 8] = ["*", "+", "o", "x", "#", "@", "%", "&"];

/// What a series is drawn with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen {
    look: Look,
    dots: bool,
}

/// A character: its dots, and the series on top.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    dots: u8,
    series: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
    pen: Pen,
}

impl Pen {
    /// Dots where colours tell series apart, or there is nothing to be told apart.
    pub(super) fn new(look: Look, series: usize) -> Self {
        Self { look, dots: !look.ascii && (look.style.color || series == 1) }
    }

    /// What the legend shows of a series.
    pub(super) fn sample(self, series: usize) -> String {
        self.paint(series, if self.dots { "━" } else { self.mark(series) })
    }

    fn mark(self, series: usize) -> &'static str {
        let marks = if self.look.ascii { ASCII_MARKS } else { MARKS };
        marks.get(series % marks.len()).copied().unwrap_or("*")
    }

    fn paint(self, series: usize, text: &str) -> String {
        self.look.style.paint(COLORS.get(series % COLORS.len()).copied().unwrap_or("0"), text)
    }
}

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize, pen: Pen) -> Self {
        Self { columns, rows, cells: vec![Cell::default(); columns * rows], pen }
    }

    /// How many places there are to draw on, across and down.
    pub(super) fn places(&self) -> (usize, usize) {
        if self.pen.dots { (self.columns * 2, self.rows * 4) } else { (self.columns, self.rows) }
    }

    /// A straight line between two places, over what is there.
    pub(super) fn line(&mut self, from: (usize, usize), to: (usize, usize), series: usize) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
        let between = |from: usize, to: usize, step: usize| {
            let part = if steps == 0 { 0.0 } else { step as f64 / steps as f64 };
            (from as f64 + (to as f64 - from as f64) * part).round() as usize
        };
        for step in 0..=steps {
            self.set(between(from.0, to.0, step), between(from.1, to.1, step), series);
        }
    }

    fn set(&mut self, across: usize, down: usize, series: usize) {
        // The dots of a character by their place, as Unicode numbers them.
        const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let (column, row) = if self.pen.dots { (across / 2, down / 4) } else { (across, down) };
        let dot = DOTS.get(across % 2).and_then(|dots| dots.get(down % 4)).copied().unwrap_or_default();
        if let Some(cell) = self.cells.get_mut(row * self.columns + column).filter(|_| column < self.columns) {
            cell.dots |= dot;
            cell.series = Some(series);
        }
    }

    /// The rows as text, from the top.
    pub(super) fn rows(&self) -> impl Iterator<Item = String> {
        self.cells.chunks(self.columns.max(1)).map(|cells| {
            let runs = cells.chunk_by(|one, other| one.series == other.series);
            runs.map(|run| match run.first().and_then(|cell| cell.series) {
                None => " ".repeat(run.len()),
                Some(series) if self.pen.dots => {
                    let dots = run.iter().filter_map(|cell| char::from_u32(0x2800 + u32::from(cell.dots)));
                    self.pen.paint(series, &dots.collect::<String>())
                }
                Some(series) => self.pen.paint(series, &self.pen.mark(series).repeat(run.len())),
            })
            .collect()
        })
    }
}
