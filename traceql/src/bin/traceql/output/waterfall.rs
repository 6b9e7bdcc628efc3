//! A trace as a tree with bars on a common scale of time. `*` and the heavy parts of bars are the critical path.

use std::io::Write;

use traceql::analysis::{self, Section, SpanTiming, Timing};
use tracestore::model::{Trace, TraceSpan};

use crate::{
    exit::Failure,
    terminal::{Style, clean, duration, time},
};

/// How deep the tree is drawn; deeper spans stay at this depth.
const MAX_INDENT: usize = 24;
/// The width of the columns between labels and bars.
const COLUMNS: usize = 22;

/// A line of the tree.
struct Line<'a> {
    span: &'a TraceSpan,
    timing: SpanTiming,
    /// What of the span is on the critical path.
    sections: Vec<Section>,
    tree: String,
    label: String,
}

/// How wide things are, and what time the bars show.
struct Layout {
    labels: usize,
    bars: usize,
    start: u64,
    end: u64,
}

pub(crate) fn waterfall(out: &mut impl Write, trace: &Trace, style: Style) -> Result<(), Failure> {
    heading(out, trace, style)?;
    let lines = lines(trace);
    let layout = Layout::of(&lines, style);
    let (labels, bars) = (layout.labels, layout.bars);
    let head = format!("{:labels$} {:>8} {:>8} * {:bars$}", "", "took", "self", "━ critical path");
    writeln!(out, "{}", style.dim(head.trim_end()))?;
    lines.iter().try_for_each(|line| line.write(out, &layout, style))
}

fn heading(out: &mut impl Write, trace: &Trace, style: Style) -> Result<(), Failure> {
    let spans: Vec<&TraceSpan> = trace.spans.iter().filter(|span| !span.shadowed).collect();
    let times = spans.iter().map(|span| span.span.start_time_unix_nano).filter(|start| *start > 0);
    let start = times.min().unwrap_or(0);
    let end = spans.iter().map(|span| span.span.end_time_unix_nano).max().unwrap_or(start).max(start);
    let errors = spans.iter().filter(|span| span.is_error()).count();
    writeln!(
        out,
        "trace {}  {}  {}  {} spans{}",
        style.bold(&trace.trace_id.to_string()),
        time(start),
        duration(end - start),
        spans.len(),
        if errors > 0 { style.error(&format!(", {errors} errors")) } else { String::new() },
    )?;
    Ok(())
}

/// The lines of the tree. Spans come in pre-order, so one walk from the end tells which have a later sibling.
fn lines(trace: &Trace) -> Vec<Line<'_>> {
    let timing = analysis::timing(trace);
    let mut sections = sections(trace, &timing);
    let (depths, last) = (depths(trace), last_siblings(trace));
    // For each depth whether the branch goes on below.
    let mut open: Vec<bool> = Vec::new();
    let mut lines = Vec::with_capacity(trace.spans.len());
    for (index, ((span, depth), last)) in trace.spans.iter().zip(depths).zip(last).enumerate() {
        open.truncate(depth.saturating_sub(1));
        if span.shadowed {
            continue;
        }
        let mut tree: String = open.iter().take(MAX_INDENT).map(|open| if *open { "│ " } else { "  " }).collect();
        if depth > 0 {
            tree.push_str(if last { "└ " } else { "├ " });
            open.push(!last);
        }
        let shift_of = |index: usize| timing.spans.get(index).map_or(0, |span| span.clock_shift);
        let label = label(span, shift_of(index).saturating_sub(span.parent.map_or(0, shift_of)));
        let timing = timing.spans.get(index).copied().unwrap_or_default();
        let sections = sections.get_mut(index).map(std::mem::take).unwrap_or_default();
        lines.push(Line { span, timing, sections, tree, label });
    }
    lines
}

/// The sections of all critical paths, by span.
fn sections(trace: &Trace, timing: &Timing) -> Vec<Vec<Section>> {
    let mut by_span = vec![Vec::new(); trace.spans.len()];
    for section in timing.paths.iter().flat_map(|path| &path.sections) {
        if let Some(sections) = by_span.get_mut(section.span) {
            sections.push(*section);
        }
    }
    by_span
}

/// How deep each span is in its tree.
fn depths(trace: &Trace) -> Vec<usize> {
    let mut depths: Vec<usize> = Vec::with_capacity(trace.spans.len());
    for span in &trace.spans {
        depths.push(span.parent.and_then(|parent| depths.get(parent)).map_or(0, |depth| depth + 1));
    }
    depths
}

/// Whether each span is the last child of its parent.
fn last_siblings(trace: &Trace) -> Vec<bool> {
    let mut last = vec![true; trace.spans.len()];
    let mut seen = vec![false; trace.spans.len()];
    for (span, last) in trace.spans.iter().zip(&mut last).rev() {
        if let Some(seen) = span.parent.and_then(|parent| seen.get_mut(parent)) {
            *last = !std::mem::replace(seen, true);
        }
    }
    last
}

/// Service and name, with marks for events, a missing parent and a clock that differs from the parent's by that many ns.
fn label(span: &TraceSpan, shift: i64) -> String {
    let mut label = clean(&format!("{} {}", span.service(), span.span.name)).trim().to_owned();
    if span.is_orphan() {
        label.push_str(" (parent missing)");
    }
    if shift != 0 {
        let way = if shift < 0 { "ahead" } else { "behind" };
        label.push_str(&format!(" (clock {} {way})", duration(shift.unsigned_abs())));
    }
    if !span.span.events.is_empty() {
        label.push_str(&format!(" ◆{}", span.span.events.len()));
    }
    label
}

impl Line<'_> {
    fn write(&self, out: &mut impl Write, layout: &Layout, style: Style) -> Result<(), Failure> {
        let tree = style.dim(&self.tree);
        let room = layout.labels.saturating_sub(self.tree.chars().count()).max(8);
        let shown: String = match self.label.chars().count() > room {
            true => self.label.chars().take(room - 1).chain(['…']).collect(),
            false => self.label.clone(),
        };
        let padding = " ".repeat(room.saturating_sub(shown.chars().count()));
        let shown = if self.span.is_error() { style.error(&shown) } else { shown };
        let (took, own) = (duration(self.timing.duration), duration(self.timing.self_time));
        let mark = if self.timing.critical { "*" } else { " " };
        let bar = layout.bar(self);
        let bar = if self.span.is_error() { style.error(&bar) } else { style.of_service(self.span.service(), &bar) };
        Ok(writeln!(out, "{tree}{shown}{padding} {took:>8} {own:>8} {mark} {bar}")?)
    }

    fn width(&self) -> usize {
        self.tree.chars().count() + self.label.chars().count()
    }

    fn end(&self) -> u64 {
        self.timing.start.saturating_add(self.timing.duration)
    }
}

impl Layout {
    fn of(lines: &[Line<'_>], style: Style) -> Self {
        let widest = lines.iter().map(Line::width).max();
        let labels = widest.unwrap_or(0).clamp(10, style.width / 2);
        let bars = style.width.saturating_sub(labels + COLUMNS).clamp(10, 100);
        let start = lines.iter().map(|line| line.timing.start).filter(|start| *start > 0).min().unwrap_or(0);
        let end = lines.iter().map(Line::end).max().unwrap_or(start).max(start);
        Self { labels, bars, start, end }
    }

    /// A bar from the span's start to its end, at least one mark long, heavy where it is on the critical path.
    fn bar(&self, line: &Line<'_>) -> String {
        let (from, to) = self.marks(line.timing.start, line.end(), 0..self.bars);
        let mut bar = vec!['─'; to - from];
        for section in &line.sections {
            let (first, end) = self.marks(section.start, section.end, from..to);
            bar.iter_mut().take(end - from).skip(first - from).for_each(|mark| *mark = '━');
        }
        format!("{}{}", " ".repeat(from), bar.into_iter().collect::<String>())
    }

    /// The first mark of a time and the one after the last: at least one, within some marks.
    fn marks(&self, start: u64, end: u64, within: std::ops::Range<usize>) -> (usize, usize) {
        let total = (self.end - self.start).max(1) as f64;
        let place = |at: u64| (at.clamp(self.start, self.end) - self.start) as f64 / total * self.bars as f64;
        let from = (place(start) as usize).clamp(within.start, within.end - 1);
        (from, (place(end).ceil() as usize).clamp(from + 1, within.end))
    }
}
